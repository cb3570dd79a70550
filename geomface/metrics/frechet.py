"""Distances between two sets of features: Frechet and kernel."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError


def frechet_distance(first: FloatArray, second: FloatArray) -> float:
    """Return the Frechet distance between Gaussians fitted to two feature sets.

    d^2 = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))

    Parameters
    ----------
    first, second : (N, D) and (M, D), each with two rows or more

    Returns
    -------
    d^2 >= 0, in squared units of the features

    Raises
    ------
    SettingsError : too few rows, or features of different lengths

    Source
    ------
    Dowson & Landau 1982; Heusel et al. 2017. tr (C1 C2)^(1/2) is the sum of singular values of
    X1' X2, X the centred rows over sqrt(n - 1): no matrix root, and right for fewer rows than
    features.
    """
    left, right = _check(first, second)
    centred = [(item - item.mean(axis=0)) / np.sqrt(len(item) - 1) for item in (left, right)]
    gap = left.mean(axis=0) - right.mean(axis=0)
    cross = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    spread = sum(float(np.sum(item**2)) for item in centred)
    return max(float(gap @ gap) + spread - 2.0 * float(cross), 0.0)


def kernel_distance(
    first: FloatArray,
    second: FloatArray,
    *,
    rng: np.random.Generator,
    subset: int = 1000,
    subsets: int = 50,
) -> tuple[float, float]:
    """Return the squared kernel distance with a cubic kernel, and its standard error.

    MMD^2 with k(x, y) = (x . y / D + 1)^3, unbiased, averaged over random subsets

    Parameters
    ----------
    first, second : (N, D) and (M, D)
    rng : draws the subsets
    subset : rows of each, at most all
    subsets : how often

    Returns
    -------
    (mean, standard error of the mean); the mean may be slightly negative

    Raises
    ------
    SettingsError : as `frechet_distance`

    Source
    ------
    Binkowski et al. 2018 (KID).
    """
    left, right = _check(first, second)
    size = min(subset, len(left), len(right))
    values = []
    for _ in range(subsets):
        x = left[rng.choice(len(left), size, replace=False)]
        y = right[rng.choice(len(right), size, replace=False)]
        inner = [(a @ b.T / x.shape[1] + 1.0) ** 3 for a, b in ((x, x), (y, y), (x, y))]
        own = sum((item.sum() - np.trace(item)) / (size * (size - 1)) for item in inner[:2])
        values.append(float(own - 2.0 * inner[2].mean()))
    error = np.std(values, ddof=1) / np.sqrt(subsets) if subsets > 1 else np.nan
    return float(np.mean(values)), float(error)


def _check(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    left, right = (np.asarray(item, np.float64) for item in (first, second))
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
        raise SettingsError(
            f"features: expected (N, D) and (M, D), got {left.shape} and {right.shape}."
        )
    if min(len(left), len(right)) < 2:
        raise SettingsError(
            f"features: expected at least 2 rows in each set, got {len(left)} and {len(right)}."
        )
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise SettingsError("features: expected finite numbers, got NaN or infinity.")
    return left, right
