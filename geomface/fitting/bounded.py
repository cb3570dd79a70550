"""A convex quadratic in a box: what bounded expression weights ask for."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from geomface.arrays import FloatArray, require_shape
from geomface.errors import SettingsError

# How often a full exchange may fail to shrink the set of wrong variables before single exchanges,
# which always end, take over.
_PATIENCE = 3
_ROUNDING = 1e-12


def minimize_in_box(
    matrix: FloatArray, right: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """Return x that minimises x^T A x / 2 - b^T x with lower <= x <= upper.

    Variables without bounds are eliminated once (Schur complement); the rest are exchanged between
    the bounds and the inside until every gradient has the right sign.

    Parameters
    ----------
    matrix : (n, n) float64 A, symmetric positive definite
    right : (n,) float64 b
    lower, upper : (n,) float64, infinite where there is no bound; equal ones hold a variable

    Returns
    -------
    (n,) float64; variables at a bound are there exactly

    Raises
    ------
    SettingsError : a lower bound above the upper one, or a matrix that is not positive definite.

    Source
    ------
    Block principal pivoting with Murty's rule as the fall back: Judice and Pires 1994.
    """
    count = len(right)
    matrix = require_shape(matrix, (count, count), "quadratic: matrix", SettingsError)
    lower = require_shape(lower, (count,), "quadratic: lower bounds", SettingsError)
    upper = require_shape(upper, (count,), "quadratic: upper bounds", SettingsError)
    if (lower > upper).any():
        raise SettingsError("quadratic: expected lower bounds below the upper ones.")
    fixed = lower == upper
    if fixed.any():
        x, loose = lower.copy(), np.flatnonzero(~fixed)
        rest = right[loose] - matrix[np.ix_(loose, np.flatnonzero(fixed))] @ lower[fixed]
        block = matrix[np.ix_(loose, loose)]
        x[loose] = minimize_in_box(block, rest, lower[loose], upper[loose])
        return x
    bounded = np.isfinite(lower) | np.isfinite(upper)
    inside = np.flatnonzero(~bounded)
    held = np.flatnonzero(bounded)
    try:
        if len(held) == 0:
            return cho_solve(cho_factor(matrix, lower=True), right)
        if len(inside) == 0:
            return _exchange(matrix, right, lower, upper)
        cross = matrix[np.ix_(inside, held)]
        factor = cho_factor(matrix[np.ix_(inside, inside)], lower=True)
        solved = cho_solve(factor, np.column_stack([cross, right[inside]]))
        reduced = matrix[np.ix_(held, held)] - cross.T @ solved[:, :-1]
        reduced_right = right[held] - cross.T @ solved[:, -1]
        x = np.empty(count)
        x[held] = _exchange(reduced, reduced_right, lower[held], upper[held])
        x[inside] = solved[:, -1] - solved[:, :-1] @ x[held]
        return x
    except np.linalg.LinAlgError as problem:
        raise SettingsError(
            "quadratic: expected a positive definite matrix. Give every coefficient a prior."
        ) from problem


def solve_in_box(
    matrix: FloatArray, right: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """Return the x of `minimize_in_box`, solved in units of the diagonal of A.

    Unknowns may then have nothing in common, such as radians, millimetres and standard deviations.
    """
    scale = 1.0 / np.sqrt(np.diag(matrix))
    found = minimize_in_box(
        matrix * scale * scale[:, None], right * scale, lower / scale, upper / scale
    )
    return np.clip(found * scale, lower, upper)


def _exchange(
    matrix: FloatArray, right: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """Find the active bounds; the matrix is positive definite."""
    count = len(right)
    side = np.zeros(count, np.int64)  # -1 at the lower bound, 0 inside, 1 at the upper
    fewest, patience = count + 1, _PATIENCE
    tiny = _ROUNDING * max(float(np.abs(right).max(initial=0.0)), 1e-300)
    x = np.zeros(count)
    for _ in range(50 * count + 50):
        free = np.flatnonzero(side == 0)
        x = np.where(side < 0, lower, upper)
        x[free] = 0.0
        if len(free):
            rest = right[free] - matrix[free] @ x
            x[free] = cho_solve(cho_factor(matrix[np.ix_(free, free)], lower=True), rest)
        slope = matrix @ x - right
        low, high = (side == 0) & (x < lower), (side == 0) & (x > upper)
        release = ((side < 0) & (slope < -tiny)) | ((side > 0) & (slope > tiny))
        wrong = np.flatnonzero(low | high | release)
        if len(wrong) == 0:
            break
        if len(wrong) < fewest:
            fewest, patience = len(wrong), _PATIENCE
        elif patience > 0:
            patience -= 1
        else:
            wrong = wrong[-1:]
        side[wrong] = np.where(low, -1, np.where(high, 1, 0))[wrong]
    return np.clip(x, lower, upper)
