"""Template files: landmarks on the template, named regions, and all three together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import IndexArray, require_kind
from geomface.errors import FileFormatError, LandmarkError, MeshError
from geomface.files.records import read_json, write_json
from geomface.mesh.io.landmark_files import MULTI_PIE_68
from geomface.mesh.landmarks import LandmarkEmbedding
from geomface.mesh.mesh import Mesh
from geomface.mesh.template import Template

TEMPLATE_MESH, TEMPLATE_HEAD = "template.obj", "template.json"
"""Files of a folder that 'geomface template make' wrote; the head tells what it is."""
TEMPLATE_KIND, TEMPLATE_SCHEMA = "template", 1
_LARGEST = 2**62


def load_embedding(path: str | Path, mesh: Mesh | None = None) -> LandmarkEmbedding:
    """Read where landmarks lie on a template: `{"scheme", "vertices": [index | row, ...]}`.

    Parameters
    ----------
    path : JSON; an entry is a vertex index or a row [face, b0, b1, b2] with weights on the corners
        of a triangle
    mesh : the template; needed for rows, and then all indices are checked against it

    Raises
    ------
    FileFormatError : missing, empty, truncated or not JSON
    LandmarkError : entries of another kind, weights that do not sum to 1, indices out of range
    """
    path = Path(path)
    record = read_json(path, "template landmarks {'scheme', 'vertices'}")
    if not isinstance(record, dict) or not isinstance(record.get("vertices"), list):
        hint = ""
        if isinstance(record, dict) and "points" in record:
            hint = " These are landmarks of a scan ('points'); give them with the scan."
        raise LandmarkError(
            f"{path}: expected template landmarks {{'scheme', 'vertices': [index, ...]}}, found no "
            f"list 'vertices'.{hint}"
        )
    scheme = record.get("scheme", MULTI_PIE_68)
    if not isinstance(scheme, str):
        raise LandmarkError(f"{path}: 'scheme' should be a name, got {str(scheme)[:60]}.")
    entries = record["vertices"]
    if not entries:
        raise LandmarkError(f"{path}: expected template landmarks, the list 'vertices' is empty.")
    vertices = np.zeros((len(entries), 3), np.int64)
    weights = np.tile([1.0, 0.0, 0.0], (len(entries), 1))
    for place, entry in enumerate(entries):
        if _is_index(entry):
            vertices[place] = entry
            continue
        face, barycentric = _row(path, place, entry)
        if mesh is None:
            raise LandmarkError(
                f"{path}: landmark {place} lies on a triangle; give the template's mesh as well."
            )
        if face >= len(mesh.faces):
            raise LandmarkError(
                f"{path}: landmark {place} names triangle {face}, the template has "
                f"{len(mesh.faces)}. Use the landmark file that belongs to this template."
            )
        vertices[place], weights[place] = mesh.faces[face], barycentric
    if mesh is not None and vertices.max() >= len(mesh.vertices):
        place = int(vertices.max(axis=1).argmax())
        raise LandmarkError(
            f"{path}: landmark {place} names vertex {vertices[place].max()}, the template "
            f"{mesh.name} has {len(mesh.vertices)}. Use the landmark file that belongs to it."
        )
    return LandmarkEmbedding(vertices, weights, scheme)


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _row(path: Path, place: int, entry: Any) -> tuple[int, np.ndarray]:
    good = isinstance(entry, list) and len(entry) == 4 and _is_index(entry[0])
    good = good and all(
        isinstance(item, int | float) and not isinstance(item, bool) and -1e-6 <= item <= 1 + 1e-6
        for item in entry[1:]
    )
    if not good or abs(sum(entry[1:]) - 1.0) > 1e-3:
        raise LandmarkError(
            f"{path}: landmark {place} should be a vertex index or a row [face, b0, b1, b2] whose "
            f"weights sum to 1, got {str(entry)[:60]}."
        )
    return entry[0], np.array(entry[1:], np.float64)


def save_embedding(
    path: str | Path, embedding: LandmarkEmbedding, mesh: Mesh | None = None
) -> None:
    """Write template landmarks; those inside a triangle need the mesh to name it.

    Raises
    ------
    LandmarkError : a landmark inside a triangle without a mesh, or of a triangle it does not have
    OutputError : the place cannot be written
    """
    faces_of = None
    entries: list[Any] = []
    for place, (corners, weights) in enumerate(
        zip(embedding.vertices, embedding.weights, strict=True)
    ):
        used = weights != 0.0
        if used.sum() == 1 or (corners == corners[0]).all():
            entries.append(int(corners[used][0]))
            continue
        if faces_of is None:
            faces = np.empty((0, 3), np.int64) if mesh is None else mesh.faces
            faces_of = {tuple(row): face for face, row in enumerate(np.sort(faces).tolist())}
        face = faces_of.get(tuple(sorted(corners.tolist())))
        if face is None or mesh is None:
            raise LandmarkError(
                f"{path}: landmark {place} lies between vertices {corners.tolist()}, which is no "
                "triangle of the mesh given. Give the mesh that the landmarks were made for."
            )
        position = [int(np.flatnonzero(corners == corner)[0]) for corner in mesh.faces[face]]
        entries.append([face, *weights[position].tolist()])
    write_json(path, {"scheme": embedding.scheme, "vertices": entries}, indent=None)


def load_regions(path: str | Path) -> dict[str, IndexArray]:
    """Read named vertex sets: `{"nose": [vertex, ...], ...}` gives {name: (n,) int64}.

    Raises
    ------
    FileFormatError : missing, empty, truncated or not JSON
    MeshError : not a mapping of names to lists of vertex indices
    """
    record = read_json(path, "regions {'name': [vertex, ...]}")
    if not isinstance(record, dict):
        raise MeshError(f"{path}: expected regions {{'name': [vertex, ...]}}, got a list.")
    for region, indices in record.items():
        if not isinstance(indices, list) or not all(map(_is_index, indices)):
            raise MeshError(f"{path}: region {region!r} should be a list of vertex indices from 0.")
    return {region: np.array(indices, np.int64) for region, indices in record.items()}


def save_regions(path: str | Path, regions: Mapping[str, IndexArray]) -> None:
    """Write named vertex sets as JSON, atomically."""
    write_json(
        path,
        {name: np.asarray(indices).tolist() for name, indices in regions.items()},
        indent=None,
    )


def load_template(
    mesh_path: str | Path,
    landmarks_path: str | Path | None = None,
    regions_path: str | Path | None = None,
    *,
    texture: bool = True,
) -> Template:
    """Read a template: its mesh, landmarks and regions.

    Parameters
    ----------
    mesh_path : any mesh that `load_mesh` reads, or a folder that `geomface template make` wrote
    landmarks_path, regions_path : by default `<stem>.landmarks.json` and `<stem>.regions.json`
        beside the mesh, where they exist
    texture : False leaves a texture image out

    Raises
    ------
    FileFormatError, MeshError, LandmarkError : a file is missing or damaged, or indices do not
        belong to the mesh

    Example
    -------
    >>> import geomface as gf
    >>> template = gf.load_builtin_face().template
    >>> gf.save_template("mine.obj", template)
    >>> len(gf.load_template("mine.obj").landmarks)
    68
    """
    from geomface.mesh.io import load_mesh

    mesh_path = template_file(Path(mesh_path))
    mesh = load_mesh(mesh_path, texture=texture)
    if landmarks_path is None:
        landmarks_path = _beside(mesh_path, "landmarks")
    if regions_path is None:
        regions_path = _beside(mesh_path, "regions")
    landmarks = None if landmarks_path is None else load_embedding(landmarks_path, mesh)
    regions = {} if regions_path is None else load_regions(regions_path)
    for name, indices in regions.items():
        if indices.size and indices.max() >= len(mesh.vertices):
            raise MeshError(
                f"{regions_path}: region {name!r} names vertex {indices.max()}, the template "
                f"{mesh.name} has {len(mesh.vertices)}. Use the region file that belongs to it."
            )
    return Template(mesh, landmarks, regions)


def template_file(path: Path) -> Path:
    """Return the mesh of a template folder; any other path as it is.

    Raises
    ------
    FileFormatError : a folder that is no template, or one of another version
    """
    if not path.is_dir():
        return path
    head = path / TEMPLATE_HEAD
    record = read_json(head) if head.is_file() else None
    if not isinstance(record, dict) or record.get("kind") != TEMPLATE_KIND:
        raise FileFormatError(
            f"{path}: expected a template mesh, or a folder that 'geomface template make' wrote; "
            f"this folder has no {TEMPLATE_HEAD} of one. Name the mesh itself."
        )
    if record.get("schema") != TEMPLATE_SCHEMA:
        raise FileFormatError(
            f"{head}: expected schema {TEMPLATE_SCHEMA}, got {record.get('schema')!r}. Make the "
            "template again, or update geomface."
        )
    return path / TEMPLATE_MESH


def companion_path(mesh_path: Path, what: str) -> Path:
    """Return where the "landmarks" or "regions" of a template lie unless it is said otherwise."""
    return mesh_path.with_name(f"{mesh_path.stem}.{what}.json")


def _beside(mesh_path: Path, what: str) -> Path | None:
    place = companion_path(mesh_path, what)
    return place if place.is_file() else None


def save_template(mesh_path: str | Path, template: Template) -> None:
    """Write a template as `load_template` finds it: the mesh, and beside it what it has.

    Raises
    ------
    OutputError : a place cannot be written
    FileFormatError : the mesh format keeps no quads, so the topology would change

    Example
    -------
    >>> import os
    >>> import geomface as gf
    >>> gf.save_template("mine.obj", gf.load_builtin_face().template)
    >>> sorted(os.listdir())
    ['mine.landmarks.json', 'mine.obj', 'mine.regions.json']
    """
    from geomface.mesh.io import save_mesh

    require_kind(template, Template, "save_template", where="`.template`")
    mesh_path = Path(mesh_path)
    if template.mesh.quads is not None and mesh_path.suffix.lower() == ".stl":
        raise FileFormatError(f"{mesh_path}: STL keeps no quads; save the template as OBJ or PLY.")
    save_mesh(mesh_path, template.mesh)
    if template.landmarks is not None:
        place = companion_path(mesh_path, "landmarks")
        save_embedding(place, template.landmarks, template.mesh)
    if template.regions:
        save_regions(companion_path(mesh_path, "regions"), template.regions)
