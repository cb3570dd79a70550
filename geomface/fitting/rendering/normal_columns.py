"""Unit vertex normals, and how they move with the vertices, as sparse matrices."""

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.normals import face_cross_products, sum_at_vertices


class VertexNormals:
    """Vertex normals of one shape.

    m_v = sum over triangles (a, b, c) at v of a x b + b x c + c x a,   n_v = m_v / |m_v|

    Moving a corner adds d a x (b - c) to its triangle, so d m = sum_w d x_w x e_vw with e_vw the
    sum of opposite edges.

    Parameters
    ----------
    vertices : (V, 3) float64
    faces : (F, 3) int64
    """

    def __init__(self, vertices: FloatArray, faces: IndexArray) -> None:
        self.faces = faces
        corners = vertices[faces]
        # opposite[f, k]: the edge that faces corner k, against the winding.
        self._opposite = np.roll(corners, -1, axis=1) - np.roll(corners, -2, axis=1)
        crosses = np.repeat(face_cross_products(vertices, faces), 3, axis=0)
        sums = sum_at_vertices(crosses, faces, len(vertices))
        length = np.linalg.norm(sums, axis=1)
        self.length = np.where(length > 0, length, 1.0)
        self.normals = sums / self.length[:, None]

    def by_vertices(self, rows: tuple[sparse.csr_matrix, ...]) -> list[sparse.csr_matrix]:
        """Return the derivative by vertex positions of some sums over unit normals.

        Parameters
        ----------
        rows : three (R, V), weights of the x, y and z of the unit normals in each sum

        Returns
        -------
        three (R, V), by the x, y and z of the vertices
        """
        normals, inverse = self.normals, 1.0 / self.length
        # The part of a weight along the normal does nothing: its length stays 1.
        first, second, third = (row.multiply(normals[:, k]).tocsr() for k, row in enumerate(rows))
        along = first + second + third
        gx, gy, gz = (
            (row - along.multiply(normals[:, axis])).multiply(inverse).tocsr()
            for axis, row in enumerate(rows)
        )
        ex, ey, ez = self._edges()
        return [gz @ ey - gy @ ez, gx @ ez - gz @ ex, gy @ ex - gx @ ey]

    def _edges(self) -> list[sparse.csr_matrix]:
        count = len(self.normals)
        place = np.repeat(self.faces, 3, axis=1).ravel(), np.tile(self.faces, (1, 3)).ravel()
        return [
            sparse.csr_matrix(
                (np.tile(self._opposite[:, :, axis], (1, 3)).ravel(), place), shape=(count, count)
            )
            for axis in range(3)
        ]
