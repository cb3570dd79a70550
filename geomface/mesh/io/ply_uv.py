"""Where the uv of a PLY lie: at the vertices, which every program reads, or at the corners."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_indices
from geomface.files.reading import as_doubles, as_singles, log
from geomface.mesh.io.ply_columns import floats, integers
from geomface.mesh.io.ply_layout import Table
from geomface.mesh.io.polygons import index_corner_uv
from geomface.mesh.mesh import Mesh

_OF_VERTICES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))
_INDEX = "uv_index"


@dataclasses.dataclass(frozen=True, eq=False)
class UvColumns:
    """What a PLY says of the uv: further columns of its vertices and faces, and an element.

    Parameters
    ----------
    vertex : {property: (V,) values}
    face : {property: (F, n) list, or (F,) values}
    separate : (T, 2) for the element `uv`, or None
    """

    vertex: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    face: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    separate: FloatArray | None = None


def uv_columns(mesh: Mesh, uv_polygons: IndexArray | None) -> UvColumns:
    """Return how to write the uv of a mesh so that most programs open the file.

    Without seams each vertex has its uv: `s t` as float, which is what most programs look for, and
    `texture_u texture_v` as double, so that no bit is lost; `uv_index` too, where the uv are in
    another order than the vertices. With seams the exact uv are an element of their own, and
    triangles have `texcoord` beside it; quads have not, since MeshLab refuses them with it.

    Parameters
    ----------
    mesh : what is written
    uv_polygons : (P, 3 or 4) uv index of each corner written, None without uv
    """
    if mesh.uv is None or uv_polygons is None:
        return UvColumns()
    numbers = uv_of_vertices(mesh)
    if numbers is not None:
        uv = np.where(numbers[:, None] >= 0, mesh.uv[numbers], 0.0)
        s, t = as_singles(uv, mesh.name).T
        columns = {"s": s, "t": t, "texture_u": uv[:, 0], "texture_v": uv[:, 1]}
        if not np.array_equal(numbers, np.arange(len(mesh.uv))):
            columns[_INDEX] = numbers.astype(np.int32)
        return UvColumns(columns)
    face = {}
    if uv_polygons.shape[1] == 3:
        corners = as_singles(mesh.uv, mesh.name)[uv_polygons]
        face["texcoord"] = corners.reshape(len(uv_polygons), -1)
        face["texnumber"] = np.zeros(len(uv_polygons), np.int32)
    face["uv_indices"] = uv_polygons.astype(np.int32)
    return UvColumns(face=face, separate=mesh.uv)


def uv_of_vertices(mesh: Mesh) -> IndexArray | None:
    """Return (V,) the one uv index of each vertex, -1 without; None where there are seams.

    None too where a uv belongs to no vertex, since it would be lost.
    """
    if mesh.uv is None or mesh.uv_faces is None:
        return None
    if len(mesh.uv) == len(mesh.vertices) and np.array_equal(mesh.uv_faces, mesh.faces):
        return np.arange(len(mesh.vertices))
    numbers = np.full(len(mesh.vertices), -1)
    numbers[mesh.faces] = mesh.uv_faces
    if not np.array_equal(numbers[mesh.faces], mesh.uv_faces):
        return None
    return numbers if len(np.unique(mesh.uv_faces)) == len(mesh.uv) else None


def read_uv(
    tables: dict[str, Table], corners: IndexArray, counts: IndexArray, vertex_count: int, name: str
) -> tuple[FloatArray | None, IndexArray | None]:
    """Return the uv (T, 2) of a PLY and the index of each corner; None and None without.

    Parameters
    ----------
    tables : {element: {property: column}}
    corners, counts : vertex of each corner; corners of each face
    vertex_count : of the mesh
    name : of the file, for messages

    Raises
    ------
    MeshError : indices out of range
    """
    vertex, face, separate = (tables.get(key, {}) for key in ("vertex", "face", "uv"))
    indices = face.get("uv_indices")
    if {"u", "v"} <= set(separate) and indices is not None and indices.counts is not None:
        if np.array_equal(indices.counts, counts):
            uv = np.stack([floats(separate[axis], axis, name) for axis in "uv"], axis=1)
            return _indexed(uv, integers(indices, "uv_indices", name), name)
    texcoord = face.get("texcoord")
    if texcoord is not None and texcoord.counts is not None and texcoord.counts.any():
        if np.array_equal(texcoord.counts, 2 * counts):
            values = as_doubles(texcoord.values.reshape(-1, 2))
            return index_corner_uv(corners, values, vertex_count)
        log.warning("%s: some faces have no texcoord; the uv of the others is left out.", name)
    pairs = [pair for pair in _OF_VERTICES if set(pair) <= set(vertex)]
    if not pairs:
        return None, None
    # The same uv may stand there twice: those with the most digits, of equal ones the first.
    pair = max(pairs, key=lambda item: vertex[item[0]].declared == "f8")
    uv = np.stack([floats(vertex[axis], axis, name) for axis in pair], axis=1)
    if _INDEX not in vertex or vertex[_INDEX].counts is not None:
        return uv, corners
    numbers = integers(vertex[_INDEX], _INDEX, name)
    known = numbers >= 0
    require_indices(numbers[known], len(corners) + 1, f"{name}: {_INDEX}")
    table = np.zeros((int(numbers.max(initial=-1)) + 1, 2))
    table[numbers[known]] = uv[known]
    return _indexed(table, numbers[corners], name)


def _indexed(uv: FloatArray, numbers: IndexArray, name: str) -> tuple[FloatArray, IndexArray]:
    require_indices(numbers, len(uv), f"{name}: uv of the faces")
    return uv, numbers
