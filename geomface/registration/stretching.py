"""How much skin resists being stretched: the elastic energy of a displacement in the surface."""

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, IndexArray

# 1 / mm^2, in the weight of one measurement of 1 mm: 3 x 3 cm of skin stretch or shear by 10 % (one
# standard deviation), larger parts by less.
_ELASTICITY = 0.12


class Stretching:
    """The elastic energy d^T C d = 0.12 integral of |e|^2 over the template.

    e = P (grad d + grad d^T) P / 2 is the strain inside the surface. Unlike the Laplacian of each
    axis it is blind to small turns, and to displacements along the normals of flat parts: it says
    where skin slides to and leaves the relief to the scan.

    Parameters
    ----------
    vertices : (V, 3) float64, mm, at rest
    faces : (F, 3) int64

    Source
    ------
    Linear elasticity with constant strain triangles, without Poisson's effect.
    """

    def __init__(self, vertices: FloatArray, faces: IndexArray) -> None:
        rows = _strain_rows(vertices, faces)
        square = _ELASTICITY * (rows.T @ rows)
        self.operator = sparse.bsr_array(square, blocksize=(3, 3))
        """C, (3 V, 3 V), on fields x y z x y z ..."""
        blocks = self.operator
        trace = np.einsum("bii->b", blocks.data) / 3.0
        shape = (len(vertices), len(vertices))
        self.average = sparse.csr_array((trace, blocks.indices, blocks.indptr), shape).tocsc()
        """(V, V), its average over the axes."""

    def __call__(self, field: FloatArray) -> FloatArray:
        """Return C d for a field d, (V, 3)."""
        return (self.operator @ field.ravel()).reshape(-1, 3)


def _strain_rows(vertices: FloatArray, faces: IndexArray) -> sparse.csr_array:
    """Return (3 F, 3 V): e_11, e_22 and sqrt(2) e_12 of every triangle, times sqrt(area)."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    double = np.linalg.norm(normal, axis=1)
    solid = double > 1e-9
    faces, a, b, c, double = faces[solid], a[solid], b[solid], c[solid], double[solid, None]
    normal = normal[solid] / double
    first = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
    second = np.cross(normal, first)
    # The gradient of a corner's hat function, times the square root of the area.
    opposite = np.stack([c - b, a - c, b - a], axis=1)
    slope = np.cross(normal[:, None], opposite) / np.sqrt(2.0 * double)[:, :, None]
    along = np.einsum("fkc,fc->fk", slope, first)[:, :, None]
    across = np.einsum("fkc,fc->fk", slope, second)[:, :, None]
    first, second = first[:, None], second[:, None]
    strains = (along * first, across * second, (along * second + across * first) / np.sqrt(2.0))
    columns = (3 * faces[:, :, None] + np.arange(3)).reshape(-1, 9)
    starts = np.arange(0, columns.size + 1, 9)
    shape = (len(faces), 3 * len(vertices))
    return sparse.csr_array(
        sparse.vstack(
            [sparse.csr_array((part.ravel(), columns.ravel(), starts), shape) for part in strains]
        )
    )
