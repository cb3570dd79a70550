"""Shrunk covariances: limits, symmetry, a smaller error, and an independent implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from geomface.errors import SettingsError
from geomface.statistics import fit_pca
from geomface.statistics.shrinkage import shrink_covariance


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 40), size=st.integers(1, 30))
def test_an_independent_implementation_agrees(seed, count, size):
    covariance = pytest.importorskip("sklearn.covariance")
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((count, size)) @ rng.standard_normal((size, size)) + 3.0
    found = shrink_covariance(z)
    other = covariance.LedoitWolf().fit(z)
    assert found.shrinkage == pytest.approx(other.shrinkage_, abs=1e-9) or size == 1
    np.testing.assert_allclose(found.covariance, other.covariance_, rtol=1e-8, atol=1e-10)


def test_it_turns_and_scales_with_the_coefficients(rng):
    z = rng.standard_normal((12, 5)) * [3.0, 2.0, 1.0, 0.5, 0.2]
    turn = 4.0 * ortho_group.rvs(5, random_state=1)
    one, two = shrink_covariance(z), shrink_covariance(z @ turn.T)
    assert 0 < one.shrinkage < 1
    assert two.shrinkage == pytest.approx(one.shrinkage)
    np.testing.assert_allclose(two.covariance, turn @ one.covariance @ turn.T, atol=1e-9)
    assert np.trace(one.covariance) == pytest.approx(z.var(axis=0).sum())


def test_it_errs_less_than_its_two_ingredients():
    truth = np.diag(np.linspace(0.3, 3.0, 20))
    errors = np.zeros(3)
    for seed in range(40):
        z = np.random.default_rng(seed).standard_normal((25, 20)) * np.sqrt(np.diag(truth))
        sample = np.cov(z.T, bias=True)
        round_one = np.trace(sample) / 20 * np.eye(20)
        for i, guess in enumerate((shrink_covariance(z).covariance, sample, round_one)):
            errors[i] += ((guess - truth) ** 2).sum()
    assert errors[0] < 0.9 * errors[1] and errors[0] < errors[2]


def test_many_faces_need_no_shrinking_and_few_get_a_usable_covariance(rng):
    spread = np.array([3.0, 1.0, 0.3])
    many = shrink_covariance(spread * rng.standard_normal((20000, 3)))
    assert many.shrinkage < 0.001
    np.testing.assert_allclose(np.diag(many.covariance), spread**2, rtol=0.05)
    few = shrink_covariance(rng.standard_normal((10, 40)) + 5.0)
    assert np.linalg.eigvalsh(few.covariance).min() > 0
    drawn = few.gaussian.sample(rng, 20000)
    np.testing.assert_allclose(drawn.mean(axis=0), few.mean, atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), few.covariance, atol=0.06)


def test_the_faces_of_a_fit_have_nothing_to_shrink(rng):
    meshes = rng.standard_normal((12, 20, 3))
    found = shrink_covariance(fit_pca(meshes).coefficients(meshes))
    np.testing.assert_allclose(found.covariance, np.eye(11) * 11 / 12, atol=1e-9)
    assert found.shrinkage == 1.0


def test_bad_input_is_refused():
    with pytest.raises(SettingsError, match="at least 2 faces"):
        shrink_covariance(np.ones((1, 3)))
    with pytest.raises(SettingsError, match="NaN"):
        shrink_covariance(np.full((4, 3), np.nan))
    with pytest.raises(SettingsError, match="expected an array of shape"):
        shrink_covariance(np.ones(3))
