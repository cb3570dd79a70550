"""Posteriors: the closed form on the full covariance, limits, uncertainty that is calibrated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.statistics import LinearModel, posterior
from geomface.statistics.linear_model import flat_columns


def random_model(rng, vertices=10, modes=4, noise=0.3):
    basis = rng.standard_normal((vertices, 3, modes)) * np.linspace(3.0, 0.5, modes)
    return LinearModel(rng.standard_normal((vertices, 3)), basis, noise)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), seen=st.integers(1, 9), several=st.booleans())
def test_equals_conditioning_of_the_full_gaussian(seed, seen, several):
    rng = np.random.default_rng(seed)
    model = random_model(rng)
    rows = rng.choice(10, seen, replace=False)
    values = rng.standard_normal((seen, 3))
    sigma = rng.uniform(0.2, 1.0, seen) if several else 0.4
    found = posterior(model, rows, values, sigma)
    # Independent route: condition the 30-dimensional Gaussian of all coordinates.
    columns = flat_columns(model.basis)
    full = columns @ columns.T
    at = np.add.outer(3 * rows, np.arange(3)).ravel()
    noise = np.repeat(np.broadcast_to(sigma, seen) ** 2 + 0.3**2, 3)
    gain = full[:, at] @ np.linalg.inv(full[np.ix_(at, at)] + np.diag(noise))
    mean = model.mean.ravel() + gain @ (values.ravel() - model.mean.ravel()[at])
    covariance = full - gain @ full[at]
    np.testing.assert_allclose(found.mean.ravel(), mean, atol=1e-8)
    np.testing.assert_allclose(found.sigma.ravel() ** 2, np.diag(covariance) + 0.3**2, atol=1e-8)
    again = flat_columns(found.model.basis)
    np.testing.assert_allclose(again @ again.T, covariance, atol=1e-8)
    np.testing.assert_allclose(found.model.mean, found.mean)


def test_limits_of_the_measurement_noise(rng):
    model = random_model(rng, noise=0.0)
    z = rng.standard_normal(4)
    truth = model.reconstruct(z)
    rows = np.arange(6)
    exact = posterior(model, rows, truth[rows], 1e-6)
    np.testing.assert_allclose(exact.coefficients, z, atol=1e-6)
    np.testing.assert_allclose(exact.mean, truth, atol=1e-5)
    vague = posterior(model, rows, truth[rows], 1e6)
    np.testing.assert_allclose(vague.coefficients, 0.0, atol=1e-6)
    np.testing.assert_allclose(vague.covariance, np.eye(4), atol=1e-6)
    nothing = posterior(model, np.zeros(0, np.int64), np.zeros((0, 3)), 1.0)
    np.testing.assert_array_equal(nothing.coefficients, np.zeros(4))
    np.testing.assert_array_equal(nothing.mean, model.mean)


def test_one_sigma_for_all_equals_many_equal_ones(rng):
    model = random_model(rng)
    rows, values = np.array([1, 5]), rng.standard_normal((2, 3))
    one, many = (posterior(model, rows, values, sigma) for sigma in (0.5, np.array([0.5, 0.5])))
    np.testing.assert_allclose(one.coefficients, many.coefficients, atol=1e-12)
    np.testing.assert_allclose(one.covariance, many.covariance, atol=1e-12)


def test_intervals_cover_the_truth_as_often_as_they_say(rng):
    model = random_model(rng, vertices=30, modes=6, noise=0.2)
    inside = []
    for _ in range(400):
        truth = model.sample(rng) + 0.2 * rng.standard_normal((30, 3))
        measured = truth[:6] + 0.1 * rng.standard_normal((6, 3))
        # What is measured of noise is measured noise too, so sigma is the measurement's own.
        found = posterior(model, np.arange(6), measured, 0.1)
        miss = np.abs(truth - found.mean)[6:]
        inside.append((miss < 1.96 * found.sigma[6:]).mean())
    assert 0.93 < np.mean(inside) < 0.97


def test_samples_follow_the_posterior(rng):
    model = random_model(rng)
    found = posterior(model, np.array([0, 4]), rng.standard_normal((2, 3)), 0.5)
    samples = np.stack([found.sample(rng) for _ in range(8000)])
    np.testing.assert_allclose(samples.mean(axis=0), found.mean, atol=0.15)
    spread = np.sqrt(np.clip(found.sigma**2 - 0.3**2, 0, None))
    np.testing.assert_allclose(samples.std(axis=0), spread, rtol=0.06, atol=0.02)


def test_bad_input_is_refused(rng):
    model = random_model(rng, noise=0.0)
    rows, values = np.array([0, 1]), np.zeros((2, 3))
    with pytest.raises(MeshError, match="outside"):
        posterior(model, np.array([0, 10]), values, 1.0)
    with pytest.raises(MeshError, match="row of vertex"):
        posterior(model, np.array([0.0, 1.0]), values, 1.0)
    with pytest.raises(MeshError, match="values"):
        posterior(model, rows, np.zeros((3, 3)), 1.0)
    with pytest.raises(MeshError, match="Leave them out"):
        posterior(model, rows, np.full((2, 3), np.nan), 1.0)
    with pytest.raises(SettingsError, match="one a vertex"):
        posterior(model, rows, values, np.ones(3))
    for sigma in (0.0, -1.0, np.nan):
        with pytest.raises(SettingsError, match="positive"):
            posterior(model, rows, values, sigma)
