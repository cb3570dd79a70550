"""Kernel ridge regression beside columns whose coefficients are free."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.statistics.assignment.held_out import row_squares


@dataclasses.dataclass(frozen=True)
class Kernel:
    """How alike two textures are, from standardised coefficients x, weighted by sigma^power.

    joint: exp(-|d|^2 / (2 length)), d the difference of weighted coefficients, |d|^2 in units of
    its median over the training faces: sees how coefficients act together.
    separate: sum_k w_k exp(-d_k^2 / (2 length^2)), w_k in proportion to sigma_k^(2 power), d_k the
    difference of one coefficient in standard deviations: needs few faces when each acts by itself.
    """

    kind: str
    power: float
    length: float


def _squared_distances(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return (n, m) squared distances of rows."""
    lengths = np.einsum("nk,nk->n", first, first)[:, None] + np.einsum("nk,nk->n", second, second)
    return np.maximum(lengths - 2.0 * first @ second.T, 0.0)


def kernel_scale(kernel: Kernel, standard: FloatArray, sigma: FloatArray) -> FloatArray:
    """Return (K,) factors that bring standardised coefficients to the units of the kernel."""
    weights = (sigma / sigma[0]) ** kernel.power
    if kernel.kind == "separate":
        return weights / np.sqrt((weights**2).sum())
    squares = _squared_distances(standard * weights, standard * weights)
    middle = np.median(squares[np.triu_indices(len(squares), 1)])
    return weights / np.sqrt(max(float(middle), 1e-300))


def kernel_matrix(
    kernel: Kernel, first: FloatArray, second: FloatArray, scale: FloatArray
) -> FloatArray:
    """Return (n, m) likeness of standardised coefficients (n, K) and (m, K)."""
    if kernel.kind == "joint":
        return np.exp(-0.5 / kernel.length * _squared_distances(first * scale, second * scale))
    total = np.zeros((len(first), len(second)))
    for k in range(len(scale)):
        difference = (first[:, k, None] - second[:, k]) / kernel.length
        total += scale[k] ** 2 * np.exp(-0.5 * difference**2)
    return total


@dataclasses.dataclass(frozen=True, eq=False)
class FreeColumns:
    """Columns H (N, p) whose coefficients are free, and the faces' space beside them.

    basis : (N, p) orthonormal Q, H = Q R
    triangle : (p, p) R
    complement : (N, N - p) orthonormal, what H does not span
    """

    basis: FloatArray
    triangle: FloatArray
    complement: FloatArray

    def weights(self, values: FloatArray) -> FloatArray:
        """Return w (p, J) of min |H w - values|^2 for values (N, J)."""
        from scipy.linalg import solve_triangular

        return solve_triangular(self.triangle, self.basis.T @ values)


def free_columns(values: FloatArray) -> FreeColumns:
    """Return the columns 1 and x of values (N, K), K < N - 1."""
    count, size = len(values), values.shape[1] + 1
    whole, triangle = np.linalg.qr(np.column_stack([np.ones(count), values]), mode="complete")
    return FreeColumns(whole[:, :size], triangle[:size], whole[:, size:])


class KernelRidge:
    """Fits of one kernel for many noises: min |y - H w - K a|^2 + noise a^T K a.

    The solution has (K + noise) a + H w = y, H^T a = 0. With Z the complement of H and
    Z^T K Z = V E V^T it is a = Z V (E + noise)^-1 V^T Z^T y, so that one decomposition serves every
    noise.

    Parameters
    ----------
    likeness : (N, N) float64 kernel matrix K
    free : the columns H
    """

    def __init__(self, likeness: FloatArray, free: FreeColumns) -> None:
        self._likeness = likeness
        self._free = free
        inner = free.complement.T @ likeness @ free.complement
        values, vectors = np.linalg.eigh(inner)
        self._values = np.maximum(values, 0.0)
        self._rotated = free.complement @ vectors

    def solve(self, wanted: FloatArray, noise: float) -> tuple[FloatArray, FloatArray]:
        """Return a (N, J) and w (p, J) of wanted values (N, J) and a positive noise."""
        gain = 1.0 / (self._values + noise)
        rest = self._rotated @ (gain[:, None] * (self._rotated.T @ wanted))
        return rest, self._free.weights(wanted - self._likeness @ rest)

    def leave_one_out(self, wanted: FloatArray, noises: FloatArray) -> FloatArray:
        """Return (M, N) squared errors of each face in a fit to all the others, a row a noise.

        With B = Z V (E + noise)^-1 V^T Z^T the error of face i is |(B y)_i|^2 / B_ii^2. An endless
        noise gives least squares on H alone.
        """
        products = self._rotated.T @ wanted
        square = self._rotated**2
        errors = np.empty((len(noises), len(wanted)))
        for row, noise in enumerate(noises):
            # A common factor cancels: 1 / (1 + E / noise) stays finite for an endless noise.
            gain = 1.0 / (1.0 + self._values / noise)
            rest = (self._rotated @ (gain[:, None] * products)) / (square @ gain)[:, None]
            errors[row] = row_squares(rest)
        return errors


def solve_once(
    likeness: FloatArray, free: FreeColumns, wanted: FloatArray, noise: float
) -> tuple[FloatArray, FloatArray]:
    """Return a (N, J) and w (p, J) of `KernelRidge` for one noise, without eigenvectors."""
    from scipy.linalg import cho_factor, cho_solve

    inner = free.complement.T @ likeness @ free.complement
    inner[np.diag_indices(len(inner))] += noise
    factor = cho_factor(inner, lower=True, overwrite_a=True)
    rest = free.complement @ cho_solve(factor, free.complement.T @ wanted)
    return rest, free.weights(wanted - likeness @ rest)
