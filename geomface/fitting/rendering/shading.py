"""What a lit skin shows, with the derivatives that fitting needs, in numpy.

The functions of `geomface.rendering` do the same in torch; a test holds them together.
"""

import math

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, IndexArray
from geomface.files.color import KNEE_LINEAR, KNEE_SRGB, linear_to_srgb, srgb_to_linear
from geomface.mesh.normals import face_cross_products, sum_at_vertices
from geomface.rendering.differentiable.spherical_harmonics import LAMBERT

HARMONICS = 9
_C0, _C1, _C2 = (math.sqrt(k / (4 * math.pi)) for k in (1, 3, 15))
_FACTORS = np.array(LAMBERT) * [_C0, _C1, _C1, _C1, _C2, _C2, _C2 / math.sqrt(12), _C2, _C2 / 2]


def to_linear(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return linear light of sRGB values, and its derivative."""
    linear = srgb_to_linear(values)
    above = np.maximum(values, KNEE_SRGB) + 0.055
    return linear, np.where(values <= KNEE_SRGB, 1 / 12.92, 2.4 * linear / above)


def to_srgb(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return sRGB values of linear light, and the derivative."""
    srgb = linear_to_srgb(values)
    above = np.maximum(values, KNEE_LINEAR)
    return srgb, np.where(values <= KNEE_LINEAR, 12.92, (srgb + 0.055) / (2.4 * above))


def lambert_basis(normals: FloatArray) -> FloatArray:
    """Return (n, 9), A_k Y_k at unit normals (n, 3): shading = lambert_basis @ light.

    Convention
    ----------
    Order and constants of `SphericalHarmonicsLight`.
    """
    x, y, z = normals.T
    one = np.ones_like(x)
    columns = [one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return np.stack(columns, axis=1) * _FACTORS


def lambert_gradient(normals: FloatArray, light: FloatArray) -> FloatArray:
    """Return (n, C, 3), the derivative of the shading by the normal as a free vector.

    Parameters
    ----------
    normals : (n, 3) float64, unit
    light : (9, C) float64
    """
    x, y, z = normals.T
    weighted = light * _FACTORS[:, None]
    gradient = np.empty((len(normals), light.shape[1], 3))
    for channel, (_, b1, b2, b3, b4, b5, b6, b7, b8) in enumerate(weighted.T):
        gradient[:, channel, 0] = b3 + b4 * y + b7 * z + 2 * b8 * x
        gradient[:, channel, 1] = b1 + b4 * x + b5 * z - 2 * b8 * y
        gradient[:, channel, 2] = b2 + b5 * y + 6 * b6 * z + b7 * x
    return gradient


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
