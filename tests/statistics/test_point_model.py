"""Point models: closed form, orthonormality, monotone reconstruction, files, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import (
    FileFormatError,
    GeomfaceError,
    MeshError,
    SettingsError,
    TopologyMismatchError,
)
from geomface.mesh import Mesh
from geomface.statistics import fit_pca, load_point_model, save_point_model
from geomface.statistics.pca import PointModel

QUADS = np.array([[0, 1, 4, 3], [1, 2, 5, 4]])


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
    cosines = model.modes.reshape(4, -1) @ directions.T
    np.testing.assert_allclose(np.abs(cosines), np.eye(4), atol=1e-9)
    found = model.coefficients(meshes)
    np.testing.assert_allclose(np.abs(found), np.abs(scores), atol=1e-8)
    np.testing.assert_allclose(found.var(axis=0, ddof=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(model.explained, np.cumsum(variances) / variances.sum())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 12), points=st.integers(3, 20))
def test_modes_are_orthonormal_and_data_are_reproduced(seed, count, points):
    rng = np.random.default_rng(seed)
    meshes = rng.standard_normal((count, points, 3)) * 10.0 ** rng.integers(-2, 3)
    model = fit_pca(meshes)
    assert len(model) <= count - 1
    flat = model.modes.reshape(len(model), -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(model)), atol=1e-10)
    assert (np.diff(model.variances) <= 1e-12 * model.variances[0]).all()
    again = model.reconstruct(model.coefficients(meshes))
    np.testing.assert_allclose(again, meshes, atol=1e-9 * np.abs(meshes).max())


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
    assert len(fit_pca(meshes, components=99)) == 4
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
    with pytest.raises(MeshError, match="no faces"):
        model.mesh(model.mean)
    with pytest.raises(MeshError, match="positive"):
        PointModel(np.zeros((2, 3)), np.zeros((1, 2, 3)), np.zeros(1))


def test_identical_meshes_give_a_model_without_modes():
    model = fit_pca(np.ones((4, 6, 3)))
    assert len(model) == 0
    np.testing.assert_array_equal(model.sample(np.random.default_rng(0)), np.ones((6, 3)))


def test_file_round_trip_keeps_numbers_and_topology(tmp_path, rng):
    meshes = rng.standard_normal((5, 6, 3))
    reference = Mesh(
        meshes[0], quads=QUADS, uv=rng.random((6, 2)), uv_faces=Mesh(meshes[0], quads=QUADS).faces
    )
    model = fit_pca(meshes, reference=reference)
    path = tmp_path / "model.safetensors"
    save_point_model(path, model)
    again = load_point_model(path)
    for name in ("mean", "modes", "variances"):
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    assert again.topology_id == reference.topology_id
    assert (again.sample_count, again.total_variance) == (5, model.total_variance)
    assert again.reference is not None
    np.testing.assert_array_equal(again.reference.uv, reference.uv)
    np.testing.assert_array_equal(again.mesh(again.mean).quads, QUADS)
    again.require_topology(reference)
    with pytest.raises(TopologyMismatchError):
        again.require_topology(Mesh(meshes[0], faces=[[0, 1, 2]]))


def test_broken_model_file_is_refused(tmp_path, rng):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"no tensors here")
    with pytest.raises(FileFormatError):
        load_point_model(path)
    with pytest.raises(GeomfaceError):
        load_point_model(tmp_path / "absent.safetensors")
