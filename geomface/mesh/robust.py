"""Weights that let a few wrong measurements go."""

import numpy as np

from geomface.arrays import FloatArray


def robust_scale(residuals: FloatArray, floor: float = 0.0) -> float:
    """Return 1.48 median |r|, the standard deviation of the well behaved half, at least `floor`."""
    if len(residuals) == 0:
        return floor
    return max(1.4826 * float(np.median(np.abs(residuals))), floor)


def geman_mcclure_weights(residuals: FloatArray, cutoff: float) -> FloatArray:
    """Return (1 + (r / c)^2)^-2, the weights of the loss r^2 / (1 + (r / c)^2) / 2.

    Parameters
    ----------
    residuals : (n,) float64
    cutoff : residuals beyond c lose their weight

    Source
    ------
    Geman and McClure 1987, in iteratively re-weighted form.
    """
    return (1.0 + (residuals / cutoff) ** 2) ** -2


def geman_mcclure_loss(residuals: FloatArray, cutoff: float) -> FloatArray:
    """Return r^2 / (1 + (r / c)^2), twice the loss that the weights belong to; (n,)."""
    squared = residuals**2
    return squared / (1.0 + squared / cutoff**2)
