"""Models of the eos library, such as the Surrey Face Model (SFM): a cereal binary archive."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.reading import as_doubles, read_bytes
from geomface.mesh import LandmarkEmbedding
from geomface.mesh.multi_pie import SCHEME as MULTI_PIE
from geomface.model_files.cereal import Archive, Blendshapes, Pca
from geomface.model_files.conversion import Conversion
from geomface.model_files.parts import refusals
from geomface.statistics import ExpressionModel, MorphableModel

VERSIONS = (1, 2, 3, 4)
_EXPECTED = "an eos model (*.bin)"


def is_eos(data: bytes) -> bool:
    """Say whether the first bytes (at least 12) are those of an eos model."""
    version, rows, count = struct.unpack("<Iii", data[:12]) if len(data) >= 12 else (0, 0, 0)
    return version <= max(VERSIONS) and rows > 0 and rows % 3 == 0 and count == 1


def read_eos(
    path: Path | str, *, unit: str | None = None, blendshapes: Path | str | None = None
) -> MorphableModel:
    """Read a model of eos, versions 1 to 4 of its layout.

    Parameters
    ----------
    path : written by eos::morphablemodel::save_model, such as sfm_shape_3448.bin
    unit : of its numbers; the layout names none, by default the size of the mean tells
    blendshapes : written by eos::morphablemodel::save_blendshapes, for a model without expressions

    Returns
    -------
    MorphableModel : landmark definitions are kept, of scheme "multi-pie-68" when they are named 1
        to 68, else "eos"

    Raises
    ------
    FileFormatError : another version (0 has matrices of OpenCV), truncated, parts that do not fit.

    Source
    ------
    Huber et al. 2016, A multiresolution 3D morphable face model; the layout as the serialize
    functions of eos 1.5 write it.
    """
    path = Path(path)
    archive = Archive(path, read_bytes(path, _EXPECTED))
    version = archive.number("I")
    if version not in VERSIONS:
        raise FileFormatError(
            f"{path}: expected {_EXPECTED} of version 1 to 4, got version {version}. Load it in "
            "eos and save it again."
        )
    shape, color = archive.pca(), archive.pca()
    expression = archive.optional(archive.expression) if version >= 2 else None
    landmarks = archive.optional(archive.landmarks) if version >= 3 else None
    uv = archive.rows("<f8", 2)
    uv_faces = archive.rows("<i4", 3) if version >= 4 else np.zeros((0, 3), np.int32)
    if archive.at != len(archive.data):
        raise FileFormatError(
            f"{path}: {len(archive.data) - archive.at} bytes are left behind an eos model of "
            f"version {version}. It is damaged, or of a layout that is not known here."
        )
    if expression is None and blendshapes is not None:
        expression = _read_blendshapes(Path(blendshapes))
    with refusals(path):
        return _model(path, version, shape, color, expression, landmarks, (uv, uv_faces), unit)


def _read_blendshapes(path: Path) -> Blendshapes:
    archive = Archive(path, read_bytes(path, "eos blendshapes (*.bin)"))
    return archive.blendshapes()


def _model(
    path: Path,
    version: int,
    shape: Pca,
    color: Pca,
    expression: "Pca | Blendshapes | None",
    landmarks: dict[str, int] | None,
    uv: tuple[np.ndarray, np.ndarray],
    unit: str | None,
) -> MorphableModel:
    source = (
        f"eos model, layout version {version}; its licence is that of the model "
        "(Surrey Face Model: not for commercial use)"
    )
    given = Conversion(path, source, shape.mean, unit=unit, label="shape mean")
    linear = given.shape(
        shape.basis,
        _deviations(shape),
        "shape basis",
        "orthonormal columns times the square roots of the eigenvalues, which are variances",
    )
    faces = given.faces(shape.triangles, 0, "triangle_list")
    texture = None
    if color.mean.size:
        texture = given.texture(color.mean, color.basis, _deviations(color), "colour basis")
    extra: dict[str, Any] = {}
    if len(uv[0]):
        corners = faces
        if len(uv[1]):
            turn = [0, 2, 1] if given.card["winding"].startswith("reversed") else [0, 1, 2]
            corners = uv[1][:, turn].astype(np.int64)
        # eos counts v from the top.
        flipped = np.stack([uv[0][:, 0], 1.0 - uv[0][:, 1]], axis=1)
        extra = {"uv": flipped, "uv_faces": corners}
        given.card["uv"] = "v counted from the top in the file, turned to the bottom"
    return given.model(
        linear,
        faces,
        _expression(given, expression),
        texture,
        landmarks=_embedding(landmarks, given.card),
        **extra,
    )


def _deviations(pca: Pca) -> np.ndarray:
    return np.sqrt(as_doubles(pca.eigenvalues))  # NaN of a negative variance, which is refused


def _expression(given: Conversion, found: "Pca | Blendshapes | None") -> ExpressionModel | None:
    if not found:
        return None
    if isinstance(found, Pca):
        return given.expression(found.mean, found.basis, _deviations(found), "expression basis")
    names, shapes = zip(*found, strict=True)
    return given.blendshapes(names, shapes)


def _embedding(landmarks: dict[str, int] | None, card: dict[str, str]) -> LandmarkEmbedding | None:
    if not landmarks:
        return None
    numbered = {str(number) for number in range(1, 69)} == set(landmarks)
    order = sorted(landmarks, key=int) if numbered else sorted(landmarks)
    card["landmarks"] = f"{len(order)}, in this order: " + ", ".join(order)
    ids = np.array([landmarks[name] for name in order], np.int64)
    return LandmarkEmbedding.on_vertices(ids, MULTI_PIE if numbered else "eos")
