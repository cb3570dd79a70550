"""Solves with a sparse symmetric factor, three right-hand sides at once."""

import numba
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from geomface.arrays import FloatArray, IndexArray

_SYMMETRIC: dict = {"diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}


def elimination_order(matrix: sparse.csc_array) -> IndexArray:
    """Return a fill-reducing order (V,) for all symmetric matrices with this pattern."""
    return np.argsort(splu(matrix, permc_spec="MMD_AT_PLUS_A", **_SYMMETRIC).perm_c)


class SymmetricFactor:
    """P A P^T = L D L^T for a sparse symmetric positive definite A.

    SuperLU factors; its own solve walks the right-hand sides one by one, which costs more than
    the factorisation over a fit. Here L is walked once for all three.

    Parameters
    ----------
    matrix : (V, V) symmetric positive definite
    order : (V,) int64, from `elimination_order`
    """

    def __init__(self, matrix: sparse.csc_array, order: IndexArray) -> None:
        permuted = matrix[order][:, order].tocsc()
        factor = splu(permuted, permc_spec="NATURAL", **_SYMMETRIC)
        # SuperLU may re-order once more along the elimination tree.
        inner = np.argsort(factor.perm_c)
        self._order = np.asarray(order)[inner]
        lower = factor.L
        self._starts = lower.indptr
        self._rows = lower.indices
        # Single precision halves the memory traffic; as a preconditioner it is exact enough.
        self._values = lower.data.astype(np.float32)
        self._diagonal = factor.U.diagonal()
        if not np.array_equal(factor.perm_r, factor.perm_c):
            # Pivoting off the diagonal: the matrix was not positive definite enough for L D L^T.
            raise np.linalg.LinAlgError("the system is not positive definite")

    def solve(self, right: FloatArray) -> FloatArray:
        """Return A^-1 `right`, (V, 3), to single precision."""
        work = right[self._order]
        _solve_in_place(self._starts, self._rows, self._values, self._diagonal, work)
        result = np.empty_like(work)
        result[self._order] = work
        return result


@numba.njit(cache=True)
def _solve_in_place(starts, rows, values, diagonal, work):
    """Forward and backward substitution; column j of L starts with its unit diagonal or not."""
    count = len(diagonal)
    for j in range(count):
        x, y, z = work[j, 0], work[j, 1], work[j, 2]
        for k in range(starts[j], starts[j + 1]):
            i = rows[k]
            if i > j:
                value = values[k]
                work[i, 0] -= value * x
                work[i, 1] -= value * y
                work[i, 2] -= value * z
    for j in range(count - 1, -1, -1):
        x = work[j, 0] / diagonal[j]
        y = work[j, 1] / diagonal[j]
        z = work[j, 2] / diagonal[j]
        for k in range(starts[j], starts[j + 1]):
            i = rows[k]
            if i > j:
                value = values[k]
                x -= value * work[i, 0]
                y -= value * work[i, 1]
                z -= value * work[i, 2]
        work[j, 0] = x
        work[j, 1] = y
        work[j, 2] = z
