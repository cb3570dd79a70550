"""Distances between two sets of features: Frechet and kernel."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.metrics.estimate import Estimate, reach_of

_ROWS = 1024


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


def kernel_distance(first: FloatArray, second: FloatArray, *, level: float = 0.95) -> Estimate:
    """Return the squared kernel distance with a cubic kernel, and how sure it is.

    MMD^2 = mean_ij k(x_i, x_j) + mean_ij k(y_i, y_j) - 2 mean_ij k(x_i, y_j),
    k(x, y) = (x . y / D + 1)^3, i != j within a set

    Parameters
    ----------
    first, second : (N, D) and (M, D), N and M at least 4
    level : of the normal interval

    Returns
    -------
    Estimate : unbiased, so it may be slightly negative; `error` is the deviation over independent
        draws of both sets, n the smaller set

    Raises
    ------
    SettingsError : as `frechet_distance`, or fewer than four rows

    Convention
    ----------
    The whole sets are compared, block by block: no subsets, whose spread says nothing once they
    are the set itself. Around 0 the distance is not normal and the interval is a guide; there
    `error` is 10 to 20 % too large, never below what two sets of one distribution differ by.

    Source
    ------
    Binkowski et al. 2018 (KID), who average subsets; the variance as the sum of its orthogonal
    parts (Hoeffding 1948), each without bias, which gives Sutherland and Deka 2019.
    """
    left, right = _check(first, second)
    n, m = len(left), len(right)
    if min(n, m) < 4:
        raise SettingsError(f"kernel distance: expected 4 or more rows a set, got {n} and {m}.")
    # A constant taken off the kernel cancels in the distance, and much rounding with it.
    constant = float(_cubic(left[:64], right[:64]).mean())
    x, y, z = (_sums(a, b, constant) for a, b in ((left, left), (right, right), (left, right)))
    value = x.total / (n * (n - 1)) + y.total / (m * (m - 1)) - 2.0 * z.total / (n * m)
    parts = [
        4.0 / n * _first_order(x, z.rows, z.total, z.squares, z.columns, m),
        4.0 / m * _first_order(y, z.columns, z.total, z.squares, z.rows, n),
        2.0 / (n * (n - 1)) * _second_order(x),
        2.0 / (m * (m - 1)) * _second_order(y),
        4.0 / (n * m) * _second_order_between(z, n, m),
    ]
    # The first two are small differences of large numbers, and 0 where the sets are alike.
    error = float(np.sqrt(max(parts[0] + parts[1], 0.0) + max(sum(parts[2:]), 0.0)))
    reach = reach_of(error, np.inf, level)
    settings = {"kernel": "(x.y / D + 1)^3", "features": left.shape[1], "rows": [n, m]}
    return Estimate(
        value, value - reach, value + reach, min(n, m), error=error, level=level, settings=settings
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of a kernel matrix, its diagonal left out within one set."""

    rows: FloatArray
    columns: FloatArray
    total: float
    squares: float


def _cubic(x: FloatArray, y: FloatArray) -> FloatArray:
    return (x @ y.T / x.shape[1] + 1.0) ** 3


def _sums(x: FloatArray, y: FloatArray, constant: float) -> _Sums:
    rows, columns, squares = np.empty(len(x)), np.zeros(len(y)), 0.0
    for start in range(0, len(x), _ROWS):
        block = _cubic(x[start : start + _ROWS], y) - constant
        if x is y:
            block[np.arange(len(block)), start + np.arange(len(block))] = 0.0
        rows[start : start + _ROWS] = block.sum(axis=1)
        columns += block.sum(axis=0)
        squares += float((block**2).sum())
    return _Sums(rows, columns, float(rows.sum()), squares)


def _moments(own: _Sums) -> tuple[float, float, float]:
    """Return E k(x, x')^2, E k(x, x') k(x, x'') and (E k(x, x'))^2, of different rows."""
    n = len(own.rows)
    paths = float(own.rows @ own.rows) - own.squares
    apart = own.total**2 - 4.0 * paths - 2.0 * own.squares
    pairs = n * (n - 1)
    return (
        own.squares / pairs,
        paths / (pairs * (n - 2)),
        apart / (pairs * (n - 2) * (n - 3)),
    )


def _first_order(
    own: _Sums, to: FloatArray, total: float, squares: float, back: FloatArray, other: int
) -> float:
    """Return the variance over x of E k(x, X) - E k(x, Y)."""
    n = len(own.rows)
    _, path, apart = _moments(own)
    across = (float(to @ to) - squares) / (n * other * (other - 1))
    gaps = total**2 - float(to @ to) - float(back @ back) + squares
    across_apart = gaps / (n * (n - 1) * other * (other - 1))
    mixed = float(own.rows @ to)
    mixed_mean = mixed / (n * (n - 1) * other)
    mixed_apart = (own.total * total - 2.0 * mixed) / (n * (n - 1) * (n - 2) * other)
    return (path - apart) + (across - across_apart) - 2.0 * (mixed_mean - mixed_apart)


def _second_order(own: _Sums) -> float:
    """Return the variance of k(x, x') less what x or x' alone explain."""
    square, path, apart = _moments(own)
    return square - 2.0 * path + apart


def _second_order_between(between: _Sums, n: int, m: int) -> float:
    """Return the same of k(x, y)."""
    rows, columns = (float(sums @ sums) for sums in (between.rows, between.columns))
    square = between.squares / (n * m)
    by_row = (rows - between.squares) / (n * m * (m - 1))
    by_column = (columns - between.squares) / (n * (n - 1) * m)
    gaps = between.total**2 - rows - columns + between.squares
    return square - by_row - by_column + gaps / (n * (n - 1) * m * (m - 1))


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
