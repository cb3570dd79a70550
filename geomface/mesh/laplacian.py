"""Laplacians and mass of a triangle mesh."""

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.normals import face_areas
from geomface.mesh.topology import unique_edges


def laplacian_from_weights(
    edges: IndexArray, weights: FloatArray, vertex_count: int
) -> sparse.csc_array:
    """Return L with L_ij = -w_ij off the diagonal and row sums of zero, (V, V).

    Parameters
    ----------
    edges : (E, 2) int64; repeated edges add up
    weights : (E,) float64
    """
    i, j = edges.T
    rows = np.concatenate([i, j, i, j])
    columns = np.concatenate([j, i, i, j])
    values = np.concatenate([-weights, -weights, weights, weights])
    return sparse.csc_array((values, (rows, columns)), shape=(vertex_count, vertex_count))


def cotangents(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (F, 3) cotangents of the angles; column k belongs to corner k.

    Degenerate triangles get zeros: they carry no stiffness.
    """
    corners = vertices[faces]
    result = np.zeros((len(faces), 3))
    double_area = 2.0 * face_areas(vertices, faces)
    solid = double_area > 1e-12 * max(float(double_area.max(initial=0.0)), 1e-300)
    for k in range(3):
        first = corners[:, (k + 1) % 3] - corners[:, k]
        second = corners[:, (k + 2) % 3] - corners[:, k]
        dots = np.einsum("ij,ij->i", first, second)
        result[solid, k] = dots[solid] / double_area[solid]
    return result


def cotangent_laplacian(vertices: FloatArray, faces: IndexArray) -> sparse.csc_array:
    """Return the positive semidefinite cotangent Laplacian, (V, V).

    L_ij = -(cot a_ij + cot b_ij) / 2 with a_ij and b_ij the angles opposite to the edge, so that
    x^T L x is the Dirichlet energy of the piecewise linear function x.

    Source
    ------
    Pinkall and Polthier 1993. Not divided by the vertex areas (`lumped_mass`).
    """
    cot = cotangents(vertices, faces)
    edges = np.concatenate([faces[:, [1, 2]], faces[:, [2, 0]], faces[:, [0, 1]]])
    weights = 0.5 * np.concatenate([cot[:, 0], cot[:, 1], cot[:, 2]])
    return laplacian_from_weights(edges, weights, len(vertices))


def graph_laplacian(polygons: IndexArray, vertex_count: int) -> sparse.csc_array:
    """Return the Laplacian with weight 1 on every unique edge, (V, V)."""
    edges = unique_edges(polygons)
    return laplacian_from_weights(edges, np.ones(len(edges)), vertex_count)


def lumped_mass(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (V,) vertex areas: a third of the area of the triangles around each vertex."""
    thirds = np.repeat(face_areas(vertices, faces) / 3.0, 3)
    return np.asarray(np.bincount(faces.ravel(), thirds, minlength=len(vertices)), np.float64)
