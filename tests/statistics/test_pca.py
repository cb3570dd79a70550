"""PCA of meshes: closed form, orthogonality, monotone reconstruction, choice of modes, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.statistics import fit_pca
from geomface.statistics.linear_model import flat_columns


def toy(rng, variances, count=9, points=6):
    """Meshes whose sample covariance is exactly sum_k variance_k d_k d_k^T."""
    size = len(variances)
    directions = np.linalg.qr(rng.standard_normal((3 * points, size)))[0].T
    scores = rng.standard_normal((count, size))
    scores = np.linalg.qr(scores - scores.mean(axis=0))[0] * np.sqrt(count - 1)
    mean = rng.standard_normal((points, 3))
    flat = (scores * np.sqrt(variances)) @ directions
    return mean, directions, mean + flat.reshape(count, points, 3), scores


def test_recovers_a_gaussian_in_closed_form(rng):
    variances = np.array([9.0, 4.0, 1.0, 0.25])
    mean, directions, meshes, scores = toy(rng, variances)
    model = fit_pca(meshes)
    assert len(model) == 4
    np.testing.assert_allclose(model.mean, mean, atol=1e-12)
    np.testing.assert_allclose(model.variances, variances, rtol=1e-10)
    cosines = (flat_columns(model.basis) / np.sqrt(variances)).T @ directions.T
    np.testing.assert_allclose(np.abs(cosines), np.eye(4), atol=1e-9)
    found = model.coefficients(meshes)
    np.testing.assert_allclose(np.abs(found), np.abs(scores), atol=1e-8)
    np.testing.assert_allclose(found.var(axis=0, ddof=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(model.explained, np.cumsum(variances) / variances.sum())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 12), points=st.integers(3, 20))
def test_modes_are_orthogonal_and_data_are_reproduced(seed, count, points):
    rng = np.random.default_rng(seed)
    meshes = rng.standard_normal((count, points, 3)) * 10.0 ** rng.integers(-2, 3)
    model = fit_pca(meshes)
    assert len(model) <= count - 1
    flat = flat_columns(model.basis) / np.sqrt(model.variances)
    np.testing.assert_allclose(flat.T @ flat, np.eye(len(model)), atol=1e-9)
    assert (np.diff(model.variances) <= 1e-12 * model.variances[0]).all()
    again = model.reconstruct(model.coefficients(meshes))
    np.testing.assert_allclose(again, meshes, atol=1e-8 * np.abs(meshes).max())


def test_reconstruction_never_gets_worse_with_more_modes(rng):
    meshes = rng.standard_normal((10, 15, 3))
    unseen = rng.standard_normal((15, 3))
    model = fit_pca(meshes)
    coefficients = model.coefficients(unseen)
    errors = [
        np.linalg.norm(model.reconstruct(coefficients[:k]) - unseen) for k in range(len(model) + 1)
    ]
    assert (np.diff(errors) <= 1e-12).all() and errors[-1] < errors[0]


def test_samples_have_the_covariance_of_the_data(rng):
    _, directions, meshes, _ = toy(rng, np.array([9.0, 1.0]))
    model = fit_pca(meshes)
    samples = np.stack([model.sample(rng) for _ in range(4000)])
    scores = (samples - model.mean).reshape(4000, -1) @ directions.T
    np.testing.assert_allclose(scores.std(axis=0), [3.0, 1.0], rtol=0.05)
    first = model.sample(np.random.default_rng(5), sigma=0.5)
    np.testing.assert_array_equal(first, model.sample(np.random.default_rng(5), sigma=0.5))


def test_component_choice(rng):
    _, _, meshes, _ = toy(rng, np.array([8.0, 1.0, 0.7, 0.3]))
    assert len(fit_pca(meshes, components=2)) == 2
    with pytest.raises(SettingsError, match="4"):
        fit_pca(meshes, components=99)
    assert len(fit_pca(meshes, variance=0.5)) == 1
    assert len(fit_pca(meshes, variance=0.85)) == 2
    assert len(fit_pca(meshes, variance=1.0)) == 4
    assert fit_pca(meshes, components=1).explained[0] == pytest.approx(0.8)
    assert len(fit_pca(meshes).truncate(3)) == 3
    with pytest.raises(SettingsError, match="give one of them"):
        fit_pca(meshes, components=2, variance=0.9)
    with pytest.raises(SettingsError, match="at least 1"):
        fit_pca(meshes, components=0)
    with pytest.raises(SettingsError, match="share in"):
        fit_pca(meshes, variance=1.5)


def test_bad_input_is_refused(rng):
    with pytest.raises(MeshError, match="at least 2 meshes, got 1"):
        fit_pca(rng.standard_normal((1, 5, 3)))
    with pytest.raises(MeshError, match="expected an array of shape"):
        fit_pca(rng.standard_normal((5, 3)))
    with pytest.raises(MeshError, match="NaN"):
        fit_pca(np.full((3, 5, 3), np.nan))
    model = fit_pca(rng.standard_normal((4, 5, 3)))
    with pytest.raises(MeshError, match="Register the mesh"):
        model.coefficients(np.zeros((6, 3)))
    with pytest.raises(SettingsError, match="at most 3"):
        model.reconstruct(np.zeros(4))


def test_identical_meshes_give_a_model_without_modes():
    model = fit_pca(np.ones((4, 6, 3)))
    assert len(model) == 0
    np.testing.assert_array_equal(model.sample(np.random.default_rng(0)), np.ones((6, 3)))


def test_left_out_modes_become_noise(rng):
    _, _, meshes, _ = toy(rng, np.array([8.0, 1.0, 0.7, 0.3]))
    model = fit_pca(meshes, components=2)
    coordinates = model.mean.size
    assert model.noise_sigma**2 == pytest.approx(1.0 / (coordinates - 2))
    assert fit_pca(meshes).noise_sigma == 0.0
