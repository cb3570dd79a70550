"""The sparse system of one fitting step, solved by conjugate gradients with a kept factor."""

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import RegistrationError
from geomface.mesh.factor import SymmetricFactor
from geomface.registration.stretching import Stretching


def _dot(first: FloatArray, second: FloatArray) -> float:
    # Not BLAS: waking its threads costs more than the sum, above all beside other processes.
    return float(np.einsum("vc,vc->", first, second))


class FittingSystem:
    """Solves for the displacement d of one step, re-using a factorisation between steps.

    min_d  lambda d^T K d + d^T C d + sum_v w_v [ (n_v . (d_v - a_v))^2 + t_v |P_v (d_v - b_v)|^2 ]
           + sum_l u_l |B_l d - c_l|^2,     P_v = I - n_v n_v^T

    The point-to-plane term and the stretching C couple x, y and z. Their averages over the axes do
    not, so the V x V matrix lambda K + mean(C) + diag(w (1 + 2 t) / 3) + B^T U B is a good
    preconditioner for all three at once; it stays good while weights change a little and is
    factored again only per level.

    Parameters
    ----------
    order : (V,) int64, a fill-reducing elimination order of the matrix (`elimination_order`)
    stretching : C
    """

    def __init__(self, order: IndexArray, stretching: Stretching) -> None:
        self._order = order
        self._stretching = stretching
        self._factor: SymmetricFactor | None = None
        self._energy: float | None = None
        self.stiff: sparse.csr_array | None = None

    def factor(
        self, stiff: sparse.csc_array, plane_weight: FloatArray, pull_weight: FloatArray
    ) -> None:
        """Factor the preconditioner for `stiff` = lambda K + B^T U B and the data weights."""
        average = (plane_weight + 2.0 * pull_weight) / 3.0
        floor = 1e-9 * float(stiff.diagonal().mean())
        averages = self._stretching.average + sparse.diags_array(np.maximum(average, floor))
        matrix = (stiff + averages).tocsc()
        self.stiff = stiff.tocsr()
        self._factor = SymmetricFactor(matrix, self._order)
        self._energy = None

    def solve(
        self,
        right: FloatArray,
        start: FloatArray,
        normals: FloatArray,
        plane_weight: FloatArray,
        pull_weight: FloatArray,
        *,
        tolerance: float = 1e-3,
        limit: int = 30,
    ) -> FloatArray:
        """Return d (V, 3) with A d = `right`, A as in the class docstring, from `start`."""
        stiff, factor, stretching = self.stiff, self._factor, self._stretching
        if stiff is None or factor is None:
            raise RegistrationError("expected factor() before solve().")
        difference = (plane_weight - pull_weight)[:, None] * normals
        pull = pull_weight[:, None]

        def apply(field: FloatArray) -> FloatArray:
            along = np.einsum("vc,vc->v", normals, field)[:, None]
            return stiff @ field + stretching(field) + difference * along + pull * field

        solution = start.copy()
        residual = right - apply(solution)
        direction = step = factor.solve(residual)
        product = _dot(residual, step)
        if self._energy is None:
            self._energy = _dot(right, factor.solve(right))
        goal = tolerance**2 * max(self._energy, 1e-30)
        for _ in range(limit):
            if product <= goal:
                break
            image = apply(direction)
            length = product / _dot(direction, image)
            solution += length * direction
            residual -= length * image
            step = factor.solve(residual)
            following = _dot(residual, step)
            direction = step + (following / product) * direction
            product = following
        return solution
