"""What chance does to canonical correlations: tests, the level of chance, and its removal."""

import numpy as np

from geomface.arrays import FloatArray


def wilks_p_values(correlations: FloatArray, count: int, first: int, second: int) -> FloatArray:
    """Return (r,) probabilities that correlations j, j + 1, ... of unrelated data are as large.

    L_j = prod_{i >= j} (1 - c_i^2) is Wilks's lambda; with a = p - j, b = q - j,
    s = sqrt((a^2 b^2 - 4) / (a^2 + b^2 - 5)) and m = N - 3/2 - (p + q) / 2,
    F = (L^(-1/s) - 1) (m s - a b / 2 + 1) / (a b) follows the F distribution with a b and
    m s - a b / 2 + 1 degrees of freedom (exactly where a or b is at most 2).

    Parameters
    ----------
    correlations : (r,) float64 in [0, 1], falling
    count : number N of pairs
    first, second : ranks p and q of the two sides, p + q < N

    Source
    ------
    Rao 1951.
    """
    from scipy.special import fdtrc

    step = np.arange(len(correlations))
    a, b = first - step, second - step
    # 1 - c^2 of a perfect correlation is rounding; its logarithm must stay finite.
    rest = np.maximum((1.0 - correlations) * (1.0 + correlations), 1e-300)
    log_lambda = np.cumsum(np.log(rest)[::-1])[::-1]
    square = a**2 + b**2 - 5.0
    # With a single column on one side s is 1, also where its formula reads 0 / 0.
    inside = (a**2 * b**2 - 4.0) / np.where(square > 0, square, 1.0)
    root = np.where(square > 0, np.sqrt(np.maximum(inside, 1.0)), 1.0)
    freedom = (count - 1.5 - 0.5 * (first + second)) * root - 0.5 * a * b + 1.0
    value = np.expm1(np.minimum(-log_lambda / root, 700.0)) * freedom / (a * b)
    return fdtrc(a * b, freedom, value)


def chance_correlation(count: int, first: int, second: int) -> float:
    """Return the largest correlation that unrelated Gaussian data of this size show.

    c^2 = (sqrt(a (1 - b)) + sqrt(b (1 - a)))^2,   a = p / (N - 1), b = q / (N - 1),
    in the limit of many pairs; 1 where a + b >= 1.

    Source
    ------
    Wachter 1980, the upper end of the spectrum.
    """
    a, b = first / (count - 1), second / (count - 1)
    if a + b >= 1:
        return 1.0
    return float(np.sqrt(a * (1 - b)) + np.sqrt(b * (1 - a)))


def without_chance(correlations: FloatArray, count: int, first: int, second: int) -> FloatArray:
    """Return (r,) correlations of the population that samples like these come from.

    A correlation r^2 of the population shows in the sample as
    c^2 = r^2 (1 - a + a / r^2) (1 - b + b / r^2); solved here for r, and 0 where c lies below
    the level of chance, so that it tells nothing.

    Parameters
    ----------
    correlations, count, first, second : as in `wilks_p_values`

    Source
    ------
    Bao, Hu, Pan and Zhou 2019, Canonical correlation coefficients of high-dimensional Gaussian
    vectors, theorem 1.8.
    """
    a, b = first / (count - 1), second / (count - 1)
    if a + b >= 1:
        return np.zeros_like(correlations)
    middle = correlations**2 - a * (1 - b) - b * (1 - a)
    outer = (1 - a) * (1 - b)
    inside = middle**2 - 4 * outer * a * b
    found = (middle + np.sqrt(np.maximum(inside, 0.0))) / (2 * outer)
    seen = correlations > chance_correlation(count, first, second)
    return np.where(seen, np.sqrt(np.clip(found, 0.0, 1.0)), 0.0)
