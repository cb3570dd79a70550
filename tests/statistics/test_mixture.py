"""Mixtures: ascent, closed forms, recovery, density, choice of the count, an independent fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import multivariate_normal

from geomface.errors import SettingsError
from geomface.statistics.mixture import CoefficientMixture, fit_mixture


def two_groups(rng, count=400):
    """Two groups of faces in three coefficients, a third and two thirds."""
    which = rng.random(count) < 1 / 3
    spread = np.where(which[:, None], [0.5, 1.0, 0.4], [1.0, 0.3, 0.8])
    return which, np.where(which[:, None], [3.0, 0.0, -2.0], [-1.5, 1.0, 1.0]) + (
        spread * rng.standard_normal((count, 3))
    )


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    components=st.integers(1, 4),
    size=st.integers(1, 4),
    covariance=st.sampled_from(["full", "diagonal"]),
    shrinkage=st.sampled_from([None, 0.5, 30.0]),
)
def test_no_round_lowers_the_objective(seed, components, size, covariance, shrinkage):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((40, size)) ** 3
    found = fit_mixture(
        z, components, rng, covariance=covariance, shrinkage=shrinkage, restarts=2, limit=60
    )
    assert (np.diff(found.history) >= -1e-9 * np.abs(found.history[-1])).all()
    assert found.weights.sum() == pytest.approx(1.0) and (np.diff(found.weights) <= 0).all()


def test_maximum_likelihood_rises_too(rng):
    _, z = two_groups(rng)
    found = fit_mixture(z, 2, rng, shrinkage=0.0, tolerance=1e-12)
    assert (np.diff(found.history) >= -1e-9).all() and len(found.history) > 3
    # Without a prior, the objective is the log likelihood.
    assert found.history[-1] == pytest.approx(found.log_density(z).sum())


def test_one_component_in_closed_form(rng):
    z = rng.standard_normal((30, 3)) @ rng.standard_normal((3, 3)) + 2.0
    scatter = np.cov(z.T, bias=True) * 30
    plain = fit_mixture(z, 1, rng, shrinkage=0.0)
    np.testing.assert_allclose(plain.means[0], z.mean(axis=0))
    np.testing.assert_allclose(plain.covariances[0], scatter / 30, rtol=1e-10)
    held = fit_mixture(z, 1, rng, shrinkage=6.0)
    expected = (scatter + 6.0 * np.diag(z.var(axis=0))) / 36.0
    np.testing.assert_allclose(held.covariances[0], expected, rtol=1e-10)
    diagonal = fit_mixture(z, 1, rng, shrinkage=6.0, covariance="diagonal")
    np.testing.assert_allclose(diagonal.covariances[0], np.diag(np.diag(expected)), rtol=1e-10)


def test_groups_are_found_again(rng):
    which, z = two_groups(rng, 3000)
    found = fit_mixture(z, 2, rng)
    assert found.converged
    np.testing.assert_allclose(found.weights, [2 / 3, 1 / 3], atol=0.03)
    for means, covariance, group in zip(
        found.means, found.covariances, (z[~which], z[which]), strict=True
    ):
        np.testing.assert_allclose(means, group.mean(axis=0), atol=0.05)
        np.testing.assert_allclose(covariance, np.cov(group.T), atol=0.06)


def test_the_count_is_chosen_by_the_bic(rng):
    _, z = two_groups(rng)
    found = fit_mixture(z, (1, 2, 3), rng)
    assert len(found) == 2 and min(found.criteria, key=found.criteria.get) == 2
    parameters = 1 + 2 * (3 + 6)
    expected = -2 * found.log_density(z).sum() + parameters * np.log(len(z))
    assert found.criteria[2] == pytest.approx(expected)
    simple = fit_mixture(rng.standard_normal((400, 3)), (1, 2, 3), rng)
    assert len(simple) == 1


def test_equal_generators_give_equal_mixtures(rng):
    _, z = two_groups(rng, 100)
    one, two = (fit_mixture(z, (1, 2, 3), np.random.default_rng(4)) for _ in range(2))
    for name in ("weights", "means", "covariances"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(
        one.sample(np.random.default_rng(1), 9), two.sample(np.random.default_rng(1), 9)
    )


def small_mixture():
    return CoefficientMixture(
        np.array([0.7, 0.3]),
        np.array([[0.0, 1.0], [4.0, -2.0]]),
        np.array([[[1.0, 0.6], [0.6, 2.0]], [[0.5, 0.0], [0.0, 0.1]]]),
    )


def test_the_density_is_a_density(rng):
    mixture = small_mixture()
    z = rng.standard_normal((20, 2)) * 3
    expected = sum(
        w * multivariate_normal(m, c).pdf(z)
        for w, m, c in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    )
    np.testing.assert_allclose(np.exp(mixture.log_density(z)), expected)
    line = CoefficientMixture(
        np.array([0.2, 0.8]), np.array([[-3.0], [2.0]]), np.array([[[0.25]], [[4.0]]])
    )
    total, _ = quad(lambda x: float(np.exp(line.log_density([[x]])[0])), -20, 30, limit=200)
    assert total == pytest.approx(1.0, abs=1e-7)
    # Far away it is small, not undefined.
    assert np.isfinite(line.log_density([[1e4]])).all()


def test_samples_have_the_moments(rng):
    mixture = small_mixture()
    z = mixture.sample(rng, 40000)
    np.testing.assert_allclose(z.mean(axis=0), mixture.mean, atol=0.05)
    np.testing.assert_allclose(np.cov(z.T), mixture.covariance, rtol=0.05)
    assert mixture.sample(rng, 0).shape == (0, 2)


def test_an_independent_fit_reaches_the_same_likelihood(rng):
    mixture_module = pytest.importorskip("sklearn.mixture")
    _, z = two_groups(rng)
    for ours, theirs in (("full", "full"), ("diagonal", "diag")):
        found = fit_mixture(z, 2, rng, covariance=ours, shrinkage=0.0, tolerance=1e-12)
        other = mixture_module.GaussianMixture(
            2, covariance_type=theirs, reg_covar=0.0, tol=1e-10, n_init=5, max_iter=1000,
            random_state=0,
        ).fit(z)  # fmt: skip
        assert found.log_density(z).mean() == pytest.approx(other.score(z), abs=1e-7)
        assert found.criteria[2] == pytest.approx(other.bic(z), abs=1e-4)


def test_a_collapse_is_an_error_and_shrinkage_mends_it(rng):
    z = np.repeat(rng.standard_normal((4, 3)), 30, axis=0)
    with pytest.raises(SettingsError, match="collapsed"):
        fit_mixture(z, 4, rng, shrinkage=0.0)
    assert len(fit_mixture(z, 4, rng)) == 4
    # Fewer faces than coefficients.
    wide = fit_mixture(rng.standard_normal((8, 20)), 2, rng)
    assert np.isfinite(wide.log_density(rng.standard_normal((3, 20)))).all()


def test_bad_input_is_refused(rng):
    z = rng.standard_normal((10, 2))
    with pytest.raises(SettingsError, match="at least 1"):
        fit_mixture(z, 0, rng)
    with pytest.raises(SettingsError, match="at least 1"):
        fit_mixture(z, [], rng)
    with pytest.raises(SettingsError, match="10 faces for 11"):
        fit_mixture(z, 11, rng)
    with pytest.raises(SettingsError, match="'full' or 'diagonal'"):
        fit_mixture(z, 1, rng, covariance="tied")
    with pytest.raises(SettingsError, match="shrinkage"):
        fit_mixture(z, 1, rng, shrinkage=-1.0)
    with pytest.raises(SettingsError, match="restarts"):
        fit_mixture(z, 1, rng, restarts=0)
    with pytest.raises(SettingsError, match="NaN"):
        fit_mixture(np.full((5, 2), np.nan), 1, rng)
    with pytest.raises(SettingsError, match="the same for all"):
        fit_mixture(np.column_stack([z, np.ones(10)]), 1, rng)
    one = np.ones((1, 1, 1))
    with pytest.raises(SettingsError, match="sum to 1"):
        CoefficientMixture(np.array([0.5]), np.zeros((1, 1)), one)
    with pytest.raises(SettingsError, match="positive definite"):
        CoefficientMixture(np.ones(1), np.zeros((1, 1)), -one)
    with pytest.raises(SettingsError, match="covariances"):
        CoefficientMixture(np.ones(1), np.zeros((1, 2)), one)
    with pytest.raises(SettingsError, match="coefficients"):
        small_mixture().log_density(np.zeros((3, 3)))
