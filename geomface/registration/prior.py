"""A statistical prior on the shape, given by mean, modes and standard deviations."""

import numpy as np

from geomface.arrays import FloatArray, frozen, require_shape


class DeformationPrior:
    """Expected displacement from a linear shape model.

    With a prior the bending energy acts on what the model cannot explain: K (d - e), where e is
    the model's own displacement nearest to the current shape.

    Parameters
    ----------
    mean : (V, 3) float64, fitting frame
    modes : (K, V, 3) float64, one standard deviation each
    noise_mm : standard deviation of what the model leaves out
    """

    def __init__(
        self, rest: FloatArray, mean: FloatArray, modes: FloatArray, *, noise_mm: float = 1.5
    ) -> None:
        self.rest = frozen(require_shape(rest, (None, 3), "prior: rest"), np.float64)
        mean = require_shape(mean, (len(rest), 3), "prior: mean")
        modes = require_shape(modes, (None, len(rest), 3), "prior: modes")
        self.offset = frozen(mean - rest, np.float64)
        self._basis = np.ascontiguousarray(modes.reshape(len(modes), -1).T, dtype=np.float64)
        gram = self._basis.T @ self._basis
        # Neighbouring vertices do not err independently: count one measurement in thirty.
        self._solve = np.linalg.inv(gram / (30.0 * noise_mm**2) + np.eye(len(modes)))
        self._solve /= 30.0 * noise_mm**2

    def displacement(self, vertices: FloatArray) -> FloatArray:
        """Return e (V, 3), the posterior mean displacement given the current shape."""
        residual = (vertices - self.rest - self.offset).ravel()
        coefficients = self._solve @ (self._basis.T @ residual)
        return self.offset + (self._basis @ coefficients).reshape(-1, 3)
