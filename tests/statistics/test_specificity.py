"""Specificity: closed forms, the exact search of the nearest, variances not singular values."""

import importlib

import numpy as np
import pytest
from evaluation_toys import AxisToy, flat_grid, translations
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from geomface.errors import MeshError, SettingsError
from geomface.mesh import Mesh, Template
from geomface.statistics import LinearModel, MorphableModel, fit_pca
from geomface.statistics.evaluation import Interval, SurfaceDistance, specificity, vertex_distance
from geomface.statistics.evaluation.nearest import NearestShapes, cluster_order


def test_a_known_gaussian_around_one_face_in_closed_form(rng):
    toy = AxisToy()
    curve = specificity(
        toy.model,
        toy.model.mean[None],
        samples=4000,
        components=range(10),
        interval=Interval(level=0.9999),
        rng=rng,
    )
    expected = [toy.mean_spread(k) for k in range(10)]
    error = curve.per_mesh.std(axis=1, ddof=1) / np.sqrt(4000)
    assert (np.abs(curve.mean - expected) <= 4 * error).all()
    assert curve.mean[0] == 0.0
    assert (curve.low <= expected).all() and (expected <= curve.high).all()
    assert curve.per_mesh.shape == (10, 4000)


def test_the_nearest_of_two_faces_in_closed_form(rng):
    deviation, half = 2.0, 1.5
    model = LinearModel(translations([0.0])[0], translations([deviation])[0][..., None])
    direction = np.array([1.0, 2.0, 2.0]) / 3.0
    basis = np.tile(deviation * direction[:, None], (len(model.mean), 1, 1))
    model = LinearModel(model.mean, basis)
    curve = specificity(model, translations([-half, half]), samples=6000, rng=rng)
    expected = 2 * quad(lambda x: abs(x - half) * norm.pdf(x, scale=deviation), 0, 40)[0]
    error = curve.per_mesh.std() / np.sqrt(6000)
    assert curve.mean[0] == pytest.approx(expected, abs=4 * error)


def test_samples_have_the_variance_of_the_data_not_their_singular_values(rng):
    steps = 3.0 * rng.standard_normal(200)
    meshes = translations(steps)
    model = fit_pca(meshes)
    curve = specificity(
        model, model.mean[None], samples=20000, components=[1], rng=np.random.default_rng(2)
    )
    assert curve.mean[0] == pytest.approx(steps.std(ddof=1) * np.sqrt(2 / np.pi), rel=0.02)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shapes=st.integers(1, 12),
    points=st.integers(3, 400),
    wanted=st.integers(1, 4),
    smooth=st.booleans(),
)
def test_the_search_is_exact(seed, shapes, points, wanted, smooth):
    rng = np.random.default_rng(seed)
    center = 50.0 * rng.standard_normal((points, 3))

    def draw(count):
        bend = rng.standard_normal((count, 3, 3)) / 50.0
        noise = rng.standard_normal((count, points, 3))
        return center + center @ bend + (0.01 if smooth else 1.0) * noise

    known, queries = draw(shapes), draw(5)
    search = NearestShapes(known, center)
    indices, distances = search.query(search.arranged(queries - center), wanted)
    everyone = vertex_distance(queries[:, None] - known)
    order = np.argsort(everyone, axis=1)[:, : min(wanted, shapes)]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, np.take_along_axis(everyone, order, 1), rtol=1e-10)
    same, nothing = search.query(search.arranged(known - center))
    np.testing.assert_array_equal(same[:, 0], np.arange(shapes))
    np.testing.assert_allclose(nothing, 0.0, atol=1e-12)


def test_patches_are_a_permutation_in_small_pieces(rng):
    points = rng.random((1000, 3)) * [100.0, 10.0, 1.0]
    order = cluster_order(points)
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    pieces = points[order[:960]].reshape(15, 64, 3)
    assert np.ptp(pieces[..., 0], axis=1).mean() < 15.0


def test_curves_by_every_k_equal_brute_force(rng):
    meshes = rng.standard_normal((6, 70, 3))
    model = fit_pca(meshes)
    z = rng.standard_normal((40, len(model)))
    curve = specificity(model, meshes, samples=z, components=[0, 2, 5])
    for row, k in enumerate((0, 2, 5)):
        made = model.reconstruct(z[:, :k])
        nearest = vertex_distance(made[:, None] - meshes).min(axis=1)
        np.testing.assert_allclose(curve.per_mesh[row], nearest, rtol=1e-9)
    # The training faces themselves are as near as can be.
    own = specificity(model, meshes, samples=model.coefficients(meshes), components=[5])
    np.testing.assert_allclose(own.mean, 0.0, atol=1e-9)


def test_blocks_do_not_change_the_result(rng, monkeypatch):
    meshes = rng.standard_normal((5, 30, 3))
    model = fit_pca(meshes)
    whole = specificity(model, meshes, samples=50, rng=np.random.default_rng(7))
    # The package holds a function of the same name as its module.
    module = importlib.import_module("geomface.statistics.evaluation.specificity")
    monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 90 * 7)
    parts = specificity(model, meshes, samples=50, rng=np.random.default_rng(7))
    np.testing.assert_allclose(whole.per_mesh, parts.per_mesh, rtol=1e-12)


def test_surface_distance_tries_the_nearest_by_vertex(rng):
    vertices, faces = flat_grid(4)
    meshes = vertices + 0.2 * rng.standard_normal((5, *vertices.shape))
    template = Template(Mesh(vertices, faces))
    model = MorphableModel(template, fit_pca(meshes))
    z = rng.standard_normal((8, 4))
    made = model.shape.reconstruct(z)
    table = np.array([[SurfaceDistance(mesh, faces).to(one) for mesh in meshes] for one in made])
    everyone = specificity(
        model, meshes, samples=z, components=[4], distance="surface", candidates=9
    )
    np.testing.assert_allclose(everyone.per_mesh[0], table.min(axis=1), rtol=1e-9)
    first = np.argmin(vertex_distance(made[:, None] - meshes), axis=1)
    one = specificity(model, meshes, samples=z, components=[4], distance="surface", candidates=1)
    np.testing.assert_allclose(one.per_mesh[0], table[np.arange(8), first], rtol=1e-9)


def test_bad_input_is_refused(rng):
    toy = AxisToy()
    training = toy.draw(rng, 4)
    with pytest.raises(SettingsError, match="drawn at random"):
        specificity(toy.model, training)
    with pytest.raises(SettingsError, match="at least 1, got 0"):
        specificity(toy.model, training, samples=0, rng=rng)
    with pytest.raises(SettingsError, match="samples"):
        specificity(toy.model, training, samples=np.zeros((3, 2)))
    with pytest.raises(SettingsError, match="none"):
        specificity(toy.model, training, samples=np.zeros((0, 9)))
    with pytest.raises(SettingsError, match="candidates"):
        specificity(toy.model, training, candidates=0, rng=rng)
    with pytest.raises(MeshError, match="training meshes"):
        specificity(toy.model, np.zeros((4, 5, 3)), rng=rng)
    with pytest.raises(MeshError, match="none"):
        specificity(toy.model, training[:0], rng=rng)
    with pytest.raises(MeshError, match="NaN"):
        specificity(toy.model, np.full_like(training, np.nan), rng=rng)
    with pytest.raises(SettingsError, match=r"0 \.\. 9"):
        specificity(toy.model, training, components=[10], rng=rng)
    with pytest.raises(SettingsError, match="needs faces"):
        specificity(toy.model, training, distance="surface", rng=rng)
