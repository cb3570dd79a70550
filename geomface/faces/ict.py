"""ICT-FaceKit Light (MIT) as a face model."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from geomface.errors import FileFormatError
from geomface.faces.face_model import FaceModel
from geomface.mesh import LandmarkEmbedding, Mesh, Template

_NEEDED = (
    "vertices_cm",
    "quads",
    "identity_cm",
    "expression_cm",
    "expression_names",
    "landmarks68",
)
_MM_PER_CM = 10.0


def load_ict(path: str | Path) -> FaceModel:
    """Read the face part of ICT-FaceKit Light from its npz and return it in millimetres.

    Parameters
    ----------
    path : an npz with vertices_cm (V, 3), quads (Q, 4), identity_cm (K, V, 3), expression_cm
        (X, V, 3), expression_names (X,), landmarks68 (68,); optional uv (T, 2) with quads_uv
        (Q, 4), narrow_face (n,)

    Returns
    -------
    FaceModel : names end in _L and _R as in the source; region "narrow_face", also under the name
        "face_core"

    Raises
    ------
    FileFormatError : missing file, not an npz, or arrays missing from it.

    Convention
    ----------
    The file holds centimetres; everything returned is millimetres. Left is the subject's.

    Source
    ------
    Li et al., Learning Formation of Physically-Based Face Attributes, CVPR 2020 (the model).
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: no such file. Expected the ICT-FaceKit npz.") from error
    except (
        OSError,
        ValueError,
        EOFError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise FileFormatError(
            f"{path}: expected a numpy npz of ICT-FaceKit, could not read it ({error})."
        ) from error
    missing = [key for key in _NEEDED if key not in arrays]
    if missing:
        raise FileFormatError(
            f"{path}: expected the arrays {', '.join(_NEEDED)}; {', '.join(missing)} missing."
        )
    uv, quads_uv = arrays.get("uv"), arrays.get("quads_uv")
    mesh = Mesh(
        _MM_PER_CM * arrays["vertices_cm"].astype(np.float64),
        quads=arrays["quads"].astype(np.int64),
        name="ict",
    )
    if uv is not None and quads_uv is not None and mesh.quads is not None:
        mesh = mesh.replace(uv=uv, uv_faces=_uv_faces(mesh, quads_uv.astype(np.int64)))
    regions = {}
    if "narrow_face" in arrays:
        narrow = arrays["narrow_face"].astype(np.int64)
        regions = {"narrow_face": narrow, "face_core": narrow}
    landmarks = LandmarkEmbedding.on_vertices(arrays["landmarks68"].astype(np.int64))
    return FaceModel(
        template=Template(mesh, landmarks, regions),
        identity_modes=_MM_PER_CM * arrays["identity_cm"].astype(np.float64),
        expression_modes=_MM_PER_CM * arrays["expression_cm"].astype(np.float64),
        expression_names=tuple(str(name) for name in arrays["expression_names"]),
        name="ict",
    )


def _uv_faces(mesh: Mesh, quads_uv: np.ndarray) -> np.ndarray:
    """Carry the uv corners of quads over to the triangles that the mesh split them into."""
    quads = np.repeat(mesh.quads, 2, axis=0)  # type: ignore[arg-type]
    corner = np.argmax(mesh.faces[:, :, None] == quads[:, None, :], axis=2)
    return np.take_along_axis(np.repeat(quads_uv, 2, axis=0), corner, axis=1)
