"""A sparse factorisation for many solves with three right-hand sides: x, y and z together."""

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from geomface.arrays import FloatArray, IndexArray

if TYPE_CHECKING:
    from scipy import sparse

_WIDEST = 64
_MINIMUM_DEGREE = "MMD_AT_PLUS_A"
_SYMMETRIC: dict[str, Any] = {"diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}


def elimination_order(matrix: "sparse.sparray") -> IndexArray:
    """Return a fill-reducing order (n,) for all symmetric matrices with this pattern."""
    from scipy import sparse
    from scipy.sparse.linalg import splu

    factor = splu(sparse.csc_matrix(matrix), permc_spec=_MINIMUM_DEGREE, **_SYMMETRIC)
    return np.argsort(factor.perm_c)


class SymmetricFactor:
    """P A P^T = L D L^T of a symmetric positive definite matrix, kept as dense column blocks.

    Neighbouring columns of L with the same rows (a supernode) are stored as one dense panel, so a
    solve streams over memory once down and once up, all three axes at a time. About twice as
    fast as SuperLU's own solve, which reads L and U separately for every axis.

    Parameters
    ----------
    matrix : (n, n) sparse, symmetric positive definite
    order : (n,) int64 from `elimination_order`, when several matrices share one pattern; by default
        an order is found anew

    Raises
    ------
    RuntimeError : the matrix is singular (from SuperLU).

    Source
    ------
    Supernodes: Ng and Peyton 1993. The factor itself comes from SuperLU with a minimum degree
    ordering of A + A^T and pivots on the diagonal.
    """

    def __init__(self, matrix: "sparse.sparray", order: IndexArray | None = None) -> None:
        from scipy import sparse
        from scipy.sparse.linalg import splu

        if order is None:
            factor = splu(sparse.csc_matrix(matrix), permc_spec=_MINIMUM_DEGREE, **_SYMMETRIC)
        else:
            permuted = sparse.csc_array(matrix)[order][:, order]
            factor = splu(sparse.csc_matrix(permuted), permc_spec="NATURAL", **_SYMMETRIC)
        place = factor.perm_r.astype(np.int64)
        self._order = order
        self._place = place
        if order is not None:
            self._place = np.empty_like(place)
            self._place[order] = place
        # SuperLU leaves the diagonal only where a pivot is zero: then L D L^T does not hold.
        self._superlu = None if np.array_equal(factor.perm_r, factor.perm_c) else factor
        lower = sparse.csc_array(factor.L)
        lower.sort_indices()
        self._pivots = 1.0 / factor.U.diagonal()
        self._panels: tuple[Any, Any, Any, Any, Any] = _panels(
            lower.indptr.astype(np.int64), lower.indices.astype(np.int64), lower.data
        )

    def solve(self, right: FloatArray) -> FloatArray:
        """Return x with A x = right, (n, k) float64 each."""
        if self._superlu is not None:
            if self._order is None:
                return self._superlu.solve(np.ascontiguousarray(right))
            solution = np.empty(right.shape)
            solution[self._order] = self._superlu.solve(np.ascontiguousarray(right[self._order]))
            return solution
        solution = np.empty(right.shape)
        x, y, z = np.zeros((3, len(right)))
        for column in range(0, right.shape[1], 3):
            _load(right, self._place, column, x, y, z)
            _solve(*self._panels, self._pivots, x, y, z)
            _store(x, y, z, self._place, column, solution)
        return solution


@numba.njit(cache=True)
def _load(right: Any, place: Any, column: int, x: Any, y: Any, z: Any) -> None:
    """Take three columns (or the one or two that are left) in the order of the factor."""
    last = right.shape[1] - 1
    for i in range(len(place)):
        x[place[i]] = right[i, column]
        y[place[i]] = right[i, min(column + 1, last)]
        z[place[i]] = right[i, min(column + 2, last)]


@numba.njit(cache=True)
def _store(x: Any, y: Any, z: Any, place: Any, column: int, solution: Any) -> None:
    last = solution.shape[1] - 1
    for i in range(len(place)):
        solution[i, min(column + 2, last)] = z[place[i]]
        solution[i, min(column + 1, last)] = y[place[i]]
        solution[i, column] = x[place[i]]


@numba.njit(cache=True)
def _panels(starts: Any, rows: Any, values: Any) -> Any:
    """Split L (unit diagonal first in each sorted column) into supernodes.

    Returns first columns (s + 1,), where each panel's rows begin (s + 1,), the rows, where its
    values begin (s + 1,), and the values: width x width of the triangle, then rows x width.
    """
    n = len(starts) - 1
    first = np.empty(n + 1, np.int64)
    count = 0
    j = 0
    while j < n:
        first[count] = j
        width = 1
        while j + width < n and width < _WIDEST:
            # Column j + width continues the block when it has the rows of the one before, less its
            # own diagonal.
            a, a_end = starts[j + width - 1] + 1, starts[j + width]
            b, b_end = starts[j + width], starts[j + width + 1]
            if a_end - a != b_end - b or not np.array_equal(rows[a:a_end], rows[b:b_end]):
                break
            width += 1
        count += 1
        j += width
    first[count] = n
    row_start = np.zeros(count + 1, np.int64)
    value_start = np.zeros(count + 1, np.int64)
    for s in range(count):
        width = first[s + 1] - first[s]
        last = first[s + 1] - 1
        below = starts[last + 1] - starts[last] - 1
        row_start[s + 1] = row_start[s] + below
        value_start[s + 1] = value_start[s] + width * (width + below)
    panel_rows = np.empty(row_start[count], np.int32)
    panel = np.zeros(value_start[count])
    for s in range(count):
        j, width = first[s], first[s + 1] - first[s]
        below = row_start[s + 1] - row_start[s]
        last = starts[first[s + 1]] - below
        for r in range(below):
            panel_rows[row_start[s] + r] = rows[last + r]
        for c in range(width):
            begin = starts[j + c]
            for r in range(c, width + below):
                panel[value_start[s] + r * width + c] = values[begin + r - c]
    return first[: count + 1].copy(), row_start, panel_rows, value_start, panel


@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _solve(
    first: Any,
    row_start: Any,
    rows: Any,
    value_start: Any,
    panel: Any,
    pivots: Any,
    x: Any,
    y: Any,
    z: Any,
) -> None:
    """Solve L D L^T in place for three right-hand sides (n,)."""
    count = len(first) - 1
    for s in range(count):
        j, width = first[s], first[s + 1] - first[s]
        xs, ys, zs = x[j : j + width], y[j : j + width], z[j : j + width]
        at = value_start[s]
        for r in range(1, width):
            line = panel[at + r * width : at + r * width + r]
            dx, dy, dz = 0.0, 0.0, 0.0
            for k in range(r):
                dx += line[k] * xs[k]
                dy += line[k] * ys[k]
                dz += line[k] * zs[k]
            xs[r] -= dx
            ys[r] -= dy
            zs[r] -= dz
        at += width * width
        for r in range(row_start[s], row_start[s + 1]):
            line = panel[at : at + width]
            at += width
            dx, dy, dz = 0.0, 0.0, 0.0
            for k in range(width):
                dx += line[k] * xs[k]
                dy += line[k] * ys[k]
                dz += line[k] * zs[k]
            x[rows[r]] -= dx
            y[rows[r]] -= dy
            z[rows[r]] -= dz
    for i in range(len(pivots)):
        x[i] *= pivots[i]
        y[i] *= pivots[i]
        z[i] *= pivots[i]
    for s in range(count - 1, -1, -1):
        j, width = first[s], first[s + 1] - first[s]
        xs, ys, zs = x[j : j + width], y[j : j + width], z[j : j + width]
        at = value_start[s] + width * width
        for r in range(row_start[s], row_start[s + 1]):
            line = panel[at : at + width]
            at += width
            vx, vy, vz = x[rows[r]], y[rows[r]], z[rows[r]]
            for k in range(width):
                xs[k] -= line[k] * vx
                ys[k] -= line[k] * vy
                zs[k] -= line[k] * vz
        at = value_start[s]
        for r in range(width - 1, 0, -1):
            line = panel[at + r * width : at + r * width + r]
            vx, vy, vz = xs[r], ys[r], zs[r]
            for k in range(r):
                xs[k] -= line[k] * vx
                ys[k] -= line[k] * vy
                zs[k] -= line[k] * vz
