"""The quadratic in a box: optimality conditions, a second solver, held variables, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from geomface.errors import SettingsError
from geomface.fitting.bounded import minimize_in_box


def random_problem(seed, count, bounded):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count + 3, count))
    values = 3.0 * rng.normal(size=count + 3)
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
    chosen = rng.random(count) < bounded
    lower[chosen] = rng.uniform(-1, 0, chosen.sum())
    upper[chosen] = rng.uniform(0, 1, chosen.sum())
    return rows, values, lower, upper


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), count=st.integers(1, 40), bounded=st.sampled_from([0.0, 0.5, 1.0])
)
def test_gradient_has_the_right_sign_everywhere(seed, count, bounded):
    rows, values, lower, upper = random_problem(seed, count, bounded)
    matrix, right = rows.T @ rows + 1e-3 * np.eye(count), rows.T @ values
    x = minimize_in_box(matrix, right, lower, upper)
    assert (x >= lower).all() and (x <= upper).all()
    slope = matrix @ x - right
    tiny = 1e-8 * max(np.abs(right).max(), 1.0)
    assert (slope[x == lower] >= -tiny).all()
    assert (slope[x == upper] <= tiny).all()
    inside = (x > lower) & (x < upper)
    assert np.abs(slope[inside]).max(initial=0.0) <= tiny


def test_agrees_with_bounded_least_squares():
    for seed in range(20):
        rows, values, lower, upper = random_problem(seed, 25, 0.7)
        x = minimize_in_box(rows.T @ rows, rows.T @ values, lower, upper)
        other = lsq_linear(rows, values, (lower, upper), method="bvls", tol=1e-13).x
        np.testing.assert_allclose(x, other, atol=1e-6)


def test_equal_bounds_hold_a_variable():
    rows, values, lower, upper = random_problem(3, 12, 0.5)
    lower[[2, 7]] = upper[[2, 7]] = [0.25, -3.0]
    x = minimize_in_box(rows.T @ rows, rows.T @ values, lower, upper)
    assert x[[2, 7]].tolist() == [0.25, -3.0]
    rest = np.delete(np.arange(12), [2, 7])
    other = minimize_in_box(
        (rows.T @ rows)[np.ix_(rest, rest)],
        (rows.T @ (values - rows[:, [2, 7]] @ x[[2, 7]]))[rest],
        lower[rest],
        upper[rest],
    )
    np.testing.assert_allclose(x[rest], other, atol=1e-10)


def test_bad_problems_are_named():
    with pytest.raises(SettingsError, match="positive definite"):
        minimize_in_box(np.diag([1.0, -1.0]), np.ones(2), np.full(2, -np.inf), np.full(2, np.inf))
    with pytest.raises(SettingsError, match="lower bounds below"):
        minimize_in_box(np.eye(2), np.ones(2), np.ones(2), np.zeros(2))
    with pytest.raises(SettingsError, match="shape"):
        minimize_in_box(np.eye(3), np.ones(2), np.zeros(2), np.ones(2))
