"""How large the differences of a picture and a model are, and how far they err in common."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.robust import geman_mcclure_weights

# Median of the root mean square of 1 or 3 standard normal numbers.
_MEDIAN = {1: 0.6745, 3: 0.8880}
_CUTOFF = 3.0
_LEAST_CORRELATION = 0.05


def lengths(residuals: FloatArray) -> FloatArray:
    """Return (S,) root mean squares over the channels of residuals (S, C)."""
    return np.sqrt((residuals**2).mean(axis=1))


def pixel_sigma(residuals: FloatArray, least: float, most: float) -> float:
    """Return the standard deviation of the well behaved pixels of residuals (S, C), C = 1 or 3.

    1.48 median |r| (for one channel), kept between `least` and `most`.
    """
    median = float(np.median(lengths(residuals))) / _MEDIAN[residuals.shape[1]]
    return min(max(median, least), most)


def independent_pixels(
    residuals: FloatArray, places: IndexArray, size: tuple[int, int], sigma: float, longest: int
) -> float:
    """Return the area in pixels that errs in common: 1 for white noise.

    A = a_x a_y,   a = 1 + 2 sum_l max(rho(l), 0)

    with rho the correlation of residuals l pixels apart along rows or columns, summed until it
    falls below 0.05. Skin that no model knows, hair and shadows make a large area.

    Parameters
    ----------
    residuals : (S, C) float64
    places : (S,) int64 on the flattened grid
    size : (height, width) of the grid
    sigma : standard deviation; residuals beyond a few of it lose their weight
    longest : largest distance looked at, pixels
    """
    trust = np.sqrt(geman_mcclure_weights(lengths(residuals) / sigma, _CUTOFF))
    grid = np.zeros((size[0] * size[1], residuals.shape[1]))
    grid[places] = residuals * trust[:, None]
    known = np.zeros(size[0] * size[1], bool)
    known[places] = True
    grid, known = grid.reshape(*size, -1), known.reshape(size)
    return _length(grid, known, longest) * _length(grid.transpose(1, 0, 2), known.T, longest)


def _length(grid: FloatArray, known: np.ndarray, longest: int) -> float:
    """Return 1 + 2 sum_l rho(l) along the first axis."""
    variance = float((grid[known] ** 2).mean())
    total = 1.0
    for lag in range(1, min(longest, len(grid) - 1) + 1):
        both = known[:-lag] & known[lag:]
        if not both.any():
            break
        product = float((grid[:-lag][both] * grid[lag:][both]).mean())
        if product < _LEAST_CORRELATION * variance:
            break
        total += 2.0 * product / variance
    return total
