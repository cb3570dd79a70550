"""Face and vertex normals and areas."""

from typing import Literal

import numpy as np

from geomface.arrays import FloatArray, IndexArray


def face_cross_products(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (F, 3) cross products of two edges: twice the area times the unit normal."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)


def face_areas(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return the (F,) triangle areas, squared unit of `vertices`."""
    return 0.5 * np.linalg.norm(face_cross_products(vertices, faces), axis=1)


def unit(vectors: FloatArray) -> FloatArray:
    """Return vectors (n, 3) of length 1; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def face_normals(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (F, 3) unit normals; a degenerate triangle has the zero vector.

    Convention
    ----------
    Counter-clockwise triangles seen from outside have outward normals.
    """
    return unit(face_cross_products(vertices, faces))


def vertex_normals(
    vertices: FloatArray, faces: IndexArray, *, weighting: Literal["angle", "area"] = "angle"
) -> FloatArray:
    """Return (V, 3) unit normals, the weighted mean of the faces around each vertex.

    A vertex without a face of positive area has the zero vector.

    Parameters
    ----------
    vertices : (V, 3) float64
    faces : (F, 3) int64
    weighting : "angle" weighs a face by its angle at the vertex, so that the diagonals of split
        quads leave no trace; "area" is three times as fast

    Source
    ------
    Thuermer and Wuethrich 1998 for the angle weights.
    """
    cross = face_cross_products(vertices, faces)
    if weighting == "area":
        corner_normals = np.repeat(cross, 3, axis=0)
    else:
        corner_normals = unit(cross)[:, None] * _corner_angles(vertices, faces, cross)[..., None]
        corner_normals = corner_normals.reshape(-1, 3)
    return unit(sum_at_vertices(corner_normals, faces, len(vertices)))


def smooth_vertex_normals(vertices: FloatArray, faces: IndexArray, rounds: int = 1) -> FloatArray:
    """Return (V, 3) unit vertex normals, averaged over the triangles around `rounds` times.

    n_v <- unit(sum over triangles t at v of area_t (n_a + n_b + n_c)). With rounds 0 these are the
    ordinary vertex normals; one round is enough for scans whose noise folds small triangles.
    """
    normals = vertex_normals(vertices, faces)
    areas = face_areas(vertices, faces)[:, None]
    for _ in range(rounds):
        spread = np.repeat(normals[faces].sum(axis=1) * areas, 3, axis=0)
        normals = unit(sum_at_vertices(spread, faces, len(vertices)))
    return normals


def sum_at_vertices(values: FloatArray, faces: IndexArray, count: int) -> FloatArray:
    """Return (V, 3): the sums of vectors (3 F, 3) at the corners of faces, vertex by vertex."""
    sums = np.empty((count, 3))
    for axis in range(3):
        sums[:, axis] = np.bincount(faces.ravel(), values[:, axis], minlength=count)
    return sums


def _corner_angles(vertices: FloatArray, faces: IndexArray, cross: FloatArray) -> FloatArray:
    """Return (F, 3) angles in radians, given the cross products."""
    points = vertices[faces]
    edges = np.roll(points, -1, axis=1) - points
    # The angle at corner k lies between edge k and the reversed edge k - 1.
    dots = -np.einsum("fkc,fkc->fk", edges, np.roll(edges, 1, axis=1))
    return np.arctan2(np.linalg.norm(cross, axis=1)[:, None], dots)
