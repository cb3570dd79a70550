"""The linear model as a value: coefficients, marginals, changes of reference, PCA form, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from geomface.errors import MeshError, SettingsError
from geomface.statistics import LinearModel
from geomface.statistics.linear_model import flat_columns, gram_matrix


def random_model(rng, vertices=12, modes=5, dtype=np.float64):
    """A model whose columns are far from orthogonal."""
    basis = rng.standard_normal((vertices, 3, modes)) + 0.8 * rng.standard_normal((vertices, 3, 1))
    return LinearModel(10.0 * rng.standard_normal((vertices, 3)), basis.astype(dtype))


def covariance(model):
    """The covariance of all coordinates, (D, D)."""
    columns = flat_columns(model.basis).astype(np.float64)
    return columns @ columns.T


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), vertices=st.integers(4, 20), modes=st.integers(1, 8))
def test_coefficients_invert_the_reconstruction(seed, vertices, modes):
    rng = np.random.default_rng(seed)
    model = random_model(rng, vertices, modes)
    z = rng.standard_normal((3, 2, modes))
    found = model.coefficients(model.reconstruct(z))
    assert found.shape == z.shape
    np.testing.assert_allclose(found, z, atol=1e-7)


def test_weak_modes_keep_their_coefficients(rng):
    directions = np.linalg.qr(rng.standard_normal((60, 4)))[0]
    basis = (directions * [1.0, 1e-3, 1e-5, 1e-6]).reshape(20, 3, 4)
    model = LinearModel(100.0 * rng.standard_normal((20, 3)), basis)
    z = rng.standard_normal(4)
    np.testing.assert_allclose(model.coefficients(model.reconstruct(z)), z, atol=1e-6)


def test_projection_is_the_nearest_point(rng):
    model = random_model(rng)
    face = model.mean + rng.standard_normal(model.mean.shape)
    rest = (face - model.project(face)).ravel()
    # The rest is square to every mode, and projecting again changes nothing.
    np.testing.assert_allclose(rest @ flat_columns(model.basis), 0.0, atol=1e-8)
    np.testing.assert_allclose(model.project(model.project(face)), model.project(face), atol=1e-8)


def test_fewer_coefficients_mean_zeros(rng):
    model = random_model(rng)
    z = rng.standard_normal(2)
    padded = np.concatenate([z, np.zeros(3)])
    np.testing.assert_allclose(model.reconstruct(z), model.reconstruct(padded))
    np.testing.assert_array_equal(model.reconstruct(np.zeros(0)), model.mean)
    np.testing.assert_allclose(model.truncate(2).reconstruct(z), model.reconstruct(z))
    assert model.truncate(2).total_variance == pytest.approx(model.variances.sum())


def test_the_gram_matrix_is_the_products_of_the_columns(rng):
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-5)):
        columns = np.ascontiguousarray(rng.standard_normal((50, 7)).astype(dtype))
        np.testing.assert_allclose(
            gram_matrix(columns), columns.T @ columns, rtol=tolerance * 10, atol=tolerance * 50
        )
    assert gram_matrix(np.zeros((0, 3))).shape == (3, 3)


def test_canonical_is_the_same_gaussian_with_orthogonal_columns(rng):
    model = random_model(rng)
    again = model.canonical()
    np.testing.assert_allclose(covariance(again), covariance(model), atol=1e-9)
    gram = again.gram
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-9)
    assert (np.diff(again.variances) <= 0).all()
    doubled = LinearModel(model.mean, np.concatenate([model.basis, model.basis], axis=-1))
    assert len(doubled.canonical()) == len(model)
    np.testing.assert_allclose(covariance(doubled.canonical()), 2 * covariance(model), atol=1e-9)


def test_marginal_keeps_the_meaning_of_the_coefficients(rng):
    model = random_model(rng)
    rows = np.array([7, 0, 3])
    z = rng.standard_normal(5)
    np.testing.assert_allclose(model.marginal(rows).reconstruct(z), model.reconstruct(z)[rows])
    corner = np.add.outer(3 * rows, np.arange(3)).ravel()
    np.testing.assert_allclose(
        covariance(model.marginal(rows)), covariance(model)[np.ix_(corner, corner)]
    )


def test_change_of_reference_moves_every_sample_along(rng):
    model = random_model(rng)
    weights = rng.dirichlet(np.ones(12), size=20)
    z = rng.standard_normal(5)
    for matrix in (weights, sparse.csr_array(weights)):
        moved = model.linear_map(matrix)
        np.testing.assert_allclose(moved.reconstruct(z), weights @ model.reconstruct(z))


def test_stack_adds_means_and_covariances(rng):
    first, second = random_model(rng), random_model(rng, modes=2)
    both = first.stack(second)
    np.testing.assert_allclose(both.mean, first.mean + second.mean)
    np.testing.assert_allclose(covariance(both), covariance(first) + covariance(second))


def test_samples_have_the_covariance_of_the_model(rng):
    model = random_model(rng, vertices=3, modes=3)
    samples = np.stack([model.sample(rng) for _ in range(20000)]).reshape(20000, -1)
    expected = covariance(model)
    spread = np.abs(np.cov(samples.T) - expected).max()
    assert spread < 0.05 * np.abs(expected).max()


def test_arrays_are_read_only_and_float32_stays(rng):
    model = random_model(rng, dtype=np.float32)
    assert model.basis.dtype == np.float32 and model.mean.dtype == np.float64
    for array in (model.mean, model.basis):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
    z = rng.standard_normal(5)
    np.testing.assert_allclose(model.coefficients(model.reconstruct(z)), z, atol=1e-3)


def test_bad_input_is_refused(rng):
    model = random_model(rng)
    with pytest.raises(MeshError, match="Register the mesh"):
        model.coefficients(np.zeros((6, 3)))
    with pytest.raises(MeshError, match="NaN"):
        model.coefficients(np.full((12, 3), np.nan))
    with pytest.raises(SettingsError, match="at most 5"):
        model.reconstruct(np.zeros(6))
    with pytest.raises(SettingsError, match="NaN"):
        model.reconstruct(np.array([np.nan]))
    with pytest.raises(SettingsError, match=r"0 \.\. 5"):
        model.truncate(6)
    with pytest.raises(MeshError, match="Modes come last"):
        LinearModel(np.zeros((2, 3)), np.zeros((1, 2, 3)))
    with pytest.raises(MeshError, match="empty modes"):
        LinearModel(np.zeros((2, 3)), np.zeros((2, 3, 1)))
    with pytest.raises(MeshError, match="NaN"):
        LinearModel(np.zeros((2, 3)), np.full((2, 3, 1), np.nan))
    with pytest.raises(SettingsError, match="noise_sigma"):
        LinearModel(np.zeros((2, 3)), np.ones((2, 3, 1)), noise_sigma=-1.0)
    with pytest.raises(SettingsError, match="total_variance"):
        LinearModel(np.zeros((2, 3)), np.ones((2, 3, 1)), total_variance=np.nan)
    with pytest.raises(MeshError, match="outside"):
        model.marginal(np.array([12]))
    with pytest.raises(MeshError, match="row of vertex indices"):
        model.marginal(np.array([0.5]))
    with pytest.raises(MeshError, match="12 columns"):
        model.linear_map(np.ones((2, 3)))
    with pytest.raises(MeshError, match="stack"):
        model.stack(random_model(rng, vertices=4))
