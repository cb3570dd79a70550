"""ICT-FaceKit Light (MIT): the face part of its model."""

from pathlib import Path

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.numpy_files import read_archive
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.statistics import ExpressionModel, LinearModel, MorphableModel, without_empty

_NEEDED = (
    "vertices_cm",
    "quads",
    "identity_cm",
    "expression_cm",
    "expression_names",
    "landmarks68",
)
_MM_PER_CM = 10.0


def load_ict(path: str | Path) -> MorphableModel:
    """Read the face part of ICT-FaceKit Light from its npz and return it in millimetres.

    Parameters
    ----------
    path : an npz with vertices_cm (V, 3), quads (Q, 4), identity_cm (K, V, 3), expression_cm
        (X, V, 3), expression_names (X,), landmarks68 (68,); optional uv (T, 2) with quads_uv
        (Q, 4), narrow_face (n,)

    Returns
    -------
    MorphableModel : names end in _L and _R as in the source; region "narrow_face", also under the
        name "face_core"

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
    arrays = read_archive(path, "the ICT-FaceKit npz")
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
    identity, _, gone = without_empty(_basis(arrays["identity_cm"]))
    names = [str(name) for name in arrays["expression_names"]]
    expressions, kept, gone_too = without_empty(_basis(arrays["expression_cm"]), names)
    card = {
        "source": "ICT-FaceKit Light (MIT), npz of its face part",
        "modes": "identity modes as shape, one standard deviation each; expressions as blendshapes",
        "unit": "centimetres in the file (as the format says), converted to millimetres",
    }
    if gone or gone_too:
        card["left_out"] = "; ".join(filter(None, (gone, gone_too)))
    neutral = mesh.vertices
    expression = None
    if expressions.shape[-1]:
        expression = ExpressionModel(
            np.zeros_like(neutral), expressions, names=kept, kind="blendshapes"
        )
    return MorphableModel(
        Template(mesh, landmarks, regions),
        LinearModel(neutral, identity),
        expression,
        name="ict",
        card=card,
    )


def _basis(modes_cm: np.ndarray) -> np.ndarray:
    """Return (V, 3, K) float64 mm of modes (K, V, 3) in cm."""
    return np.moveaxis(_MM_PER_CM * modes_cm.astype(np.float64), 0, -1)


def _uv_faces(mesh: Mesh, quads_uv: np.ndarray) -> np.ndarray:
    """Carry the uv corners of quads over to the triangles that the mesh split them into."""
    quads = np.repeat(mesh.quads, 2, axis=0)  # type: ignore[arg-type]
    corner = np.argmax(mesh.faces[:, :, None] == quads[:, None, :], axis=2)
    return np.take_along_axis(np.repeat(quads_uv, 2, axis=0), corner, axis=1)
