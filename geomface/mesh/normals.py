"""Face and vertex normals and areas."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray


def face_cross_products(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (F, 3) cross products of two edges: twice the area times the unit normal."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)


def face_areas(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return the (F,) triangle areas, squared unit of `vertices`."""
    return 0.5 * np.linalg.norm(face_cross_products(vertices, faces), axis=1)


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def face_normals(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (F, 3) unit normals; a degenerate triangle has the zero vector.

    Convention
    ----------
    Counter-clockwise triangles seen from outside have outward normals.
    """
    return _unit(face_cross_products(vertices, faces))


def vertex_normals(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (V, 3) unit normals, the area-weighted mean of the faces around each vertex.

    A vertex without a face of positive area has the zero vector.
    """
    cross = face_cross_products(vertices, faces)
    normals = np.empty_like(vertices)
    corners = faces.ravel()
    for axis in range(3):
        weights = np.repeat(cross[:, axis], 3)
        normals[:, axis] = np.bincount(corners, weights, minlength=len(vertices))
    return _unit(normals)
