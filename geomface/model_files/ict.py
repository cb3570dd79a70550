"""ICT-FaceKit: its folder of OBJ files, or the npz of its face part."""

import dataclasses
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError, SettingsError
from geomface.faces.ict import load_ict
from geomface.files import read_json
from geomface.files.reading import parse_integers, parse_numbers, read_bytes
from geomface.mesh import LandmarkEmbedding, Mesh
from geomface.mesh.io import read_obj
from geomface.mesh.io.polygons import build_mesh
from geomface.model_files.conversion import AXES, Conversion, facing_out
from geomface.model_files.parts import refusals
from geomface.statistics import MorphableModel

NEUTRAL = "generic_neutral_mesh.obj"
VERTICES = 26719
"""Vertices of the published topology: face, head, mouth socket, teeth, eyes, lashes."""
FACE = (9409, 9230)
"""Vertices and polygons of the face, which come first."""
NARROW_FACE = 6706
_PARTS = ("face", "all")


def find_folder(path: Path | str) -> Path | None:
    """Return the folder with the neutral mesh: `path` itself or its FaceXModel, None if neither."""
    for folder in (Path(path), Path(path) / "FaceXModel"):
        if (folder / NEUTRAL).is_file():
            return folder
    return None


def read_ict(path: Path | str, *, unit: str | None = None, part: str = "face") -> MorphableModel:
    """Read ICT-FaceKit Light.

    Parameters
    ----------
    path : the folder FaceXModel, or one that has it, with generic_neutral_mesh.obj,
        identity000.obj ..., one OBJ an expression and vertex_indices.json; or the npz of the face
        part (see `faces.ict.load_ict`)
    unit : of its numbers, by default centimetres
    part : "face", the first 9,409 of the 26,719 vertices, or "all" with teeth and eyeballs

    Returns
    -------
    MorphableModel : 100 shape modes, expressions as blendshapes

    Raises
    ------
    FileFormatError : files missing, or of another vertex count.

    Source
    ------
    Li et al. 2020, Learning formation of physically-based face attributes; the README of
    ICT-FaceKit for the vertex ranges.
    """
    path = Path(path)
    if part not in _PARTS:
        raise SettingsError(f"part: expected {' or '.join(_PARTS)}, got {part!r}.")
    if not path.is_dir():
        with refusals(path):
            return _read_npz(path, unit)
    folder = find_folder(path)
    if folder is None:
        raise FileFormatError(
            f"{path}: expected the folder of ICT-FaceKit with {NEUTRAL}, which is missing. Give "
            "the folder FaceXModel."
        )
    with refusals(folder):
        return _read_folder(folder, unit, part)


def _read_npz(path: Path, unit: str | None) -> MorphableModel:
    if unit not in (None, "cm"):
        raise FileFormatError(f"{path}: the npz of ICT-FaceKit holds centimetres, not {unit}.")
    face = load_ict(path)
    return dataclasses.replace(face, name=path.stem, card={**face.card, "axes": AXES})


def _read_folder(folder: Path, unit: str | None, part: str) -> MorphableModel:
    total = _count_vertices(folder / NEUTRAL)
    cut = part == "face" and total == VERTICES
    mesh = _face_part(folder / NEUTRAL) if cut else read_obj(folder / NEUTRAL, texture=False)
    count = len(mesh.vertices)
    source = "ICT-FaceKit Light (MIT), folder of OBJ files"
    given = Conversion(folder, source, mesh.vertices, unit=unit, documented="cm")
    identity = sorted(folder.glob("identity[0-9]*.obj"), key=lambda file: int(file.stem[8:]))
    if not identity:
        raise FileFormatError(f"{folder}: expected identity000.obj ..., found none.")
    names, landmarks = _record(folder, count)

    def modes(files: list[Path]) -> list[np.ndarray]:
        return [_vertices(file, count, total) - mesh.vertices for file in files]

    if cut:
        given.left_out(f"everything but the face: {total - count} of {total} vertices")
    shape = given.shape(
        np.stack(modes(identity), axis=-1).reshape(3 * count, -1),
        np.ones(len(identity)),
        "identity",
        f"each OBJ minus {NEUTRAL}: one standard deviation, or weight 1",
    )
    expression = None
    if names:
        expression = given.blendshapes(names, modes([folder / f"{name}.obj" for name in names]))
    faces, given.card["winding"] = facing_out(given.mean, mesh.faces)
    drawn = {}
    if np.array_equal(faces, mesh.faces):
        drawn = {"quads": mesh.quads, "uv": mesh.uv, "uv_faces": mesh.uv_faces}
    regions = {}
    if total == VERTICES:
        narrow = np.arange(NARROW_FACE)
        regions = {"narrow_face": narrow, "face_core": narrow}
    return given.model(
        shape, faces, expression, landmarks=landmarks, regions=regions, name="ict", **drawn
    )


def _record(folder: Path, count: int) -> tuple[list[str], LandmarkEmbedding | None]:
    """Return the names of the expressions and the landmarks, of vertex_indices.json if there."""
    known = {file.stem for file in folder.glob("*.obj")} - {Path(NEUTRAL).stem}
    names = sorted(name for name in known if not name.startswith("identity"))
    file = folder / "vertex_indices.json"
    if not file.is_file():
        return names, None
    record = read_json(file, "the index lists of ICT-FaceKit")
    if not isinstance(record, dict):
        raise FileFormatError(f"{file}: expected the index lists of ICT-FaceKit.")
    listed = record.get("expressions", names)
    missing = [name for name in listed if name not in known]
    if missing:
        raise FileFormatError(f"{folder}: expected {missing[0]}.obj, which is missing.")
    ids = np.asarray(record.get("idx_to_landmark_verts", []))
    if ids.shape != (68,) or ids.dtype.kind not in "iu" or ids.max() >= count:
        return list(listed), None
    return list(listed), LandmarkEmbedding.on_vertices(ids.astype(np.int64))


def _lines(path: Path, keyword: bytes, most: int | None = None) -> list[bytes]:
    """Return what follows `keyword` in the first `most` lines that start with it."""
    data = b"\n" + read_bytes(path, "an OBJ mesh of ICT-FaceKit").replace(b"\r\n", b"\n")
    pieces = data.split(b"\n" + keyword + b" ", -1 if most is None else most)
    return [piece.partition(b"\n")[0] for piece in pieces[1:]]


def _count_vertices(path: Path) -> int:
    return read_bytes(path, "an OBJ mesh of ICT-FaceKit").count(b"\nv ")


def _vertices(path: Path, count: int, total: int) -> FloatArray:
    """Return the first `count` vertices of an OBJ that must have `total`."""
    if not path.is_file():
        raise FileFormatError(f"{path}: expected a mesh of ICT-FaceKit, there is no such file.")
    found = _count_vertices(path)
    if found != total:
        raise FileFormatError(
            f"{path}: expected {total} vertices as in {NEUTRAL}, got {found}. Use the files of one "
            "version of ICT-FaceKit."
        )
    text = b" ".join(_lines(path, b"v", count))
    return parse_numbers(text, 3 * count, path.name, "vertex lines").reshape(count, 3)


def _face_part(path: Path) -> Mesh:
    """Return the face of the neutral mesh: its vertices, its quads and the uv they use."""
    count, polygons = FACE
    text = b" ".join(_lines(path, b"v", count))
    vertices = parse_numbers(text, 3 * count, path.name, "vertex lines").reshape(count, 3)
    uv_lines = _lines(path, b"vt")
    uv = parse_numbers(b" ".join(uv_lines), 2 * len(uv_lines), path.name, "vt lines").reshape(-1, 2)
    corners = b" ".join(_lines(path, b"f", polygons)).replace(b"/", b" ")
    table = parse_integers(corners, 8 * polygons, path.name, "corners of quads").reshape(-1, 2)
    used, place = np.unique(table[:, 1] - 1, return_inverse=True)
    if len(used) and (used[0] < 0 or used[-1] >= len(uv)):
        raise FileFormatError(f"{path}: a face names a uv that does not exist.")
    faces: IndexArray = table[:, 0] - 1
    return build_mesh(
        vertices,
        np.full(polygons, 4),
        faces,
        uv=uv[used],
        uv_corners=place.ravel(),
        name="ict",
        unit="cm",
    )
