"""Left and right: the vertex that each vertex becomes in the mirror."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.mesh import Mesh
from geomface.mesh.quads import graph_labels


def mirror_map(mesh: Mesh, *, tolerance: float = 0.01) -> IndexArray | None:
    """Return the (V,) mirror twin of every vertex, or None when the mesh is not symmetric.

    A topology with exactly one mirror symmetry gives it away by its graph alone
    (`graph_labels`): twins share a label. Otherwise twins are looked for in space, as nearest
    vertices of the mesh reflected at x = 0.

    Parameters
    ----------
    mesh : any mesh; a vertex on the midline is its own twin
    tolerance : how far a twin may lie from the reflected vertex, as a share of the bounding-box
        diagonal

    Returns
    -------
    (V,) int64 with `mirror[mirror[v]] == v`, or None.

    Convention
    ----------
    The mirror plane is x = 0: x changes its sign, y and z stay.
    """
    mirror = _mirror_by_graph(mesh)
    if mirror is None:
        mirror = _mirror_by_position(mesh)
    if mirror is None:
        return None
    miss = np.abs(mesh.vertices[mirror] * [-1.0, 1.0, 1.0] - mesh.vertices).max()
    return mirror if miss <= tolerance * mesh.diagonal else None


def mirror_vertices(vertices: FloatArray, mirror: IndexArray) -> FloatArray:
    """Return the shape seen in the mirror, on the same topology: (..., V, 3)."""
    return vertices[..., mirror, :] * np.array([-1.0, 1.0, 1.0])


def _mirror_by_graph(mesh: Mesh) -> IndexArray | None:
    polygons = mesh.faces if mesh.quads is None else mesh.quads
    labels = graph_labels(polygons, len(mesh.vertices))
    order = np.argsort(labels, kind="stable")
    ranked = labels[order]
    same = ranked[1:] == ranked[:-1]
    if (same[1:] & same[:-1]).any():
        return None
    mirror = np.arange(len(labels))
    first, second = order[:-1][same], order[1:][same]
    mirror[first], mirror[second] = second, first
    if len(first) == 0:
        return None
    return mirror if _keeps_polygons(polygons, mirror) else None


def _mirror_by_position(mesh: Mesh) -> IndexArray | None:
    from scipy.spatial import KDTree

    reflected = mesh.vertices * [-1.0, 1.0, 1.0]
    _, mirror = KDTree(mesh.vertices).query(reflected)
    mirror = np.asarray(mirror, np.int64)
    return mirror if (mirror[mirror] == np.arange(len(mirror))).all() else None


def _keeps_polygons(polygons: IndexArray, mirror: IndexArray) -> bool:
    """Say whether the map sends the set of polygons to itself."""

    def sorted_rows(rows: IndexArray) -> IndexArray:
        rows = np.sort(rows, axis=1)
        return rows[np.lexsort(rows.T)]

    return bool((sorted_rows(polygons) == sorted_rows(mirror[polygons])).all())
