"""Vertex normals that look through the noise of raw scans."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.normals import face_areas, sum_at_vertices, unit, vertex_normals


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
