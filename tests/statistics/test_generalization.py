"""Generalization: closed forms, the products against new fits, all folds, poses, intervals."""

import numpy as np
import pytest
from evaluation_toys import AxisToy, flat_grid, translations
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from geomface.errors import MeshError, SettingsError
from geomface.mesh.similarity import Similarity, fit_similarity
from geomface.statistics import LinearModel, align_meshes, fit_pca
from geomface.statistics.evaluation import (
    Interval,
    SurfaceDistance,
    generalization,
    generalization_to,
    vertex_distance,
)


def refit(meshes, test, components):
    """The errors of the left out under a new decomposition of the others."""
    flat = meshes.reshape(len(meshes), -1)
    mean = np.delete(flat, test, axis=0).mean(axis=0)
    _, values, modes = np.linalg.svd(np.delete(flat, test, axis=0) - mean, full_matrices=False)
    modes = modes[values > 1e-6 * values[0]]
    rest = [flat[test] - mean - (flat[test] - mean) @ modes[:k].T @ modes[:k] for k in components]
    return vertex_distance(np.stack(rest).reshape(len(rest), len(test), -1, 3))


def test_a_known_gaussian_in_closed_form(rng):
    toy = AxisToy()
    interval = Interval(level=0.9999)
    curve = generalization_to(
        toy.model, toy.draw(rng, 4000), components=range(10), interval=interval
    )
    expected = [toy.mean_residual(k) for k in range(10)]
    error = curve.per_mesh.std(axis=1, ddof=1) / np.sqrt(4000)
    assert (np.abs(curve.mean - expected) <= 4 * error + 1e-12).all()
    assert curve.mean[-1] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_array_equal(curve.components, np.arange(10))
    assert curve.per_mesh.shape == (10, 4000)
    assert (curve.distance, curve.unit, curve.interval) == ("vertex", "mm", interval)
    assert (curve.low[:-1] <= expected[:-1]).all() and (expected[:-1] <= curve.high[:-1]).all()


def test_leave_one_out_reaches_the_closed_form_with_many_meshes(rng):
    toy = AxisToy((9.0, 3.0, 1.0))
    curve = generalization(toy.draw(rng, 200), components=[0, 3, 6, 9])
    np.testing.assert_allclose(
        curve.mean, [toy.mean_residual(k) for k in (0, 3, 6, 9)], rtol=0.08, atol=1e-10
    )


def test_one_direction_by_hand(rng):
    steps = 5.0 * rng.standard_normal(7)
    curve = generalization(translations(steps), components=[0, 1, 3])
    # The mean of the others is 7 / 6 as far away as the mean of all.
    np.testing.assert_allclose(curve.per_mesh[0], np.abs(steps - steps.mean()) * 7 / 6)
    # More components than there are modes change nothing.
    np.testing.assert_allclose(curve.per_mesh[1:], 0.0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(4, 13), points=st.integers(3, 25))
def test_leave_one_out_equals_new_fits(seed, count, points):
    rng = np.random.default_rng(seed)
    meshes = rng.standard_normal((count, points, 3)) * 10.0 ** rng.uniform(-1, 1, (points, 3))
    meshes += 100.0
    curve = generalization(meshes)
    assert curve.components[-1] == count - 2
    for mesh in range(count):
        expected = refit(meshes, [mesh], curve.components)
        np.testing.assert_allclose(
            curve.per_mesh[:, [mesh]], expected, atol=1e-9 * np.abs(meshes).max()
        )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(5, 14), folds=st.integers(2, 5))
def test_every_mesh_is_tested_once_in_every_number_of_folds(seed, count, folds):
    rng = np.random.default_rng(seed)
    meshes = rng.standard_normal((count, 8, 3))
    curve = generalization(meshes, folds=folds, rng=np.random.default_rng(seed))
    order = np.random.default_rng(seed).permutation(count)
    parts = np.array_split(order, folds)
    assert sorted(len(part) for part in parts)[-1] == -(-count // folds)
    assert curve.components[-1] == count - max(map(len, parts)) - 1
    for part in parts:
        expected = refit(meshes, np.sort(part), curve.components)
        np.testing.assert_allclose(curve.per_mesh[:, np.sort(part)], expected, atol=1e-9)
    again = generalization(meshes, folds=folds, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(curve.per_mesh, again.per_mesh)


def test_as_many_folds_as_meshes_is_leave_one_out(rng):
    meshes = rng.standard_normal((8, 6, 3))
    one, two = generalization(meshes), generalization(meshes, folds=8, rng=rng)
    np.testing.assert_allclose(one.per_mesh, two.per_mesh, atol=1e-12)


def test_an_outlier_among_the_left_out_costs_few_digits(rng):
    meshes = rng.standard_normal((9, 10, 3))
    meshes[4] += 1e3 * rng.standard_normal((10, 3))
    curve = generalization(meshes)
    np.testing.assert_allclose(
        curve.per_mesh[:, [4]], refit(meshes, [4], curve.components), rtol=1e-9
    )


def test_equal_meshes_have_no_error():
    curve = generalization(np.ones((5, 4, 3)) * 7.3)
    np.testing.assert_allclose(curve.per_mesh, 0.0, atol=1e-12)


def test_columns_need_not_be_orthogonal(rng):
    basis = rng.standard_normal((9, 3, 4))
    basis[..., 2] = basis[..., 0] - 2.0 * basis[..., 1]
    model = LinearModel(rng.standard_normal((9, 3)), basis)
    faces = rng.standard_normal((5, 9, 3))
    curve = generalization_to(model, faces, components=range(5))
    for k in range(5):
        columns = basis[..., :k].reshape(27, k)
        flat = (faces - model.mean).reshape(5, 27)
        fit = np.linalg.lstsq(columns, flat.T, rcond=None)[0]
        rest = (flat.T - columns @ fit).T.reshape(5, 9, 3)
        np.testing.assert_allclose(curve.per_mesh[k], vertex_distance(rest), atol=1e-10)


def test_single_precision_models_agree(rng):
    meshes = rng.standard_normal((8, 6, 3))
    one = generalization_to(fit_pca(meshes), meshes[:2] * 1.1)
    two = generalization_to(fit_pca(meshes.astype(np.float32)), meshes[:2] * 1.1)
    np.testing.assert_allclose(one.mean, two.mean, atol=1e-5)


def poses(rng, count, scale):
    return [
        Similarity(
            float(rng.uniform(0.8, 1.3)) if scale else 1.0,
            Rotation.random(random_state=int(rng.integers(1 << 31))).as_matrix(),
            40.0 * rng.standard_normal(3),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("align", ["rigid", "similarity"])
def test_alignment_inside_forgets_poses_and_keeps_the_unit(rng, align):
    shape = 30.0 * rng.standard_normal((12, 3))
    meshes = shape + rng.standard_normal((7, 12, 3))
    plain = generalization(meshes, align=align)
    moves = poses(rng, 7, align == "similarity")
    moved = np.stack([move.apply(mesh) for move, mesh in zip(moves, meshes, strict=True)])
    posed = generalization(moved, align=align)
    sizes = np.array([move.scale for move in moves])
    np.testing.assert_allclose(posed.per_mesh, plain.per_mesh * sizes, rtol=1e-4)
    # By hand for one fold.
    aligned = align_meshes(np.delete(meshes, 2, axis=0), scale=align == "similarity")
    move = fit_similarity(meshes[2], aligned.mean, scale=align == "similarity")
    model = fit_pca(aligned.aligned)
    expected = generalization_to(model, meshes[2:3], align=align)
    np.testing.assert_allclose(plain.per_mesh[:, 2], expected.per_mesh[:, 0], rtol=1e-4)
    inside = generalization_to(model, move.apply(meshes[2])[None])
    np.testing.assert_allclose(expected.per_mesh, inside.per_mesh / move.scale, rtol=1e-9)


def test_the_surface_distance_ignores_sliding_and_sees_both_sides(rng):
    vertices, faces = flat_grid()
    flat = SurfaceDistance(vertices, faces)
    assert flat.to(vertices + [0.0, 0.0, 0.7]) == pytest.approx(0.7)
    # Interior vertices slide on the plane for nothing; the border stays where it is.
    inner = (vertices[:, :2] > 0.5).all(axis=1) & (vertices[:, :2] < 4.5).all(axis=1)
    slid = vertices + 0.2 * inner[:, None] * np.array([1.0, 0.5, 0.0])
    assert vertex_distance(slid - vertices) > 0.05
    assert flat.to(slid) == pytest.approx(0.0, abs=1e-12)
    # A spike is h high seen from the spike, and far less seen from the plane.
    spike = vertices.copy()
    spike[14, 2] = 10.0
    there = 10.0 / len(vertices)
    assert 0.5 * there < flat.to(spike) < there
    assert flat.to(spike) == pytest.approx(SurfaceDistance(spike, faces).to(vertices))
    for _ in range(20):
        other = vertices + 0.3 * rng.standard_normal(vertices.shape)
        assert flat.to(other) <= vertex_distance(other - vertices)


def test_surface_curves(rng):
    vertices, faces = flat_grid(4)
    meshes = vertices + 0.2 * rng.standard_normal((6, *vertices.shape))
    by_vertex = generalization(meshes, components=[1, 4])
    by_surface = generalization(meshes, components=[1, 4], distance="surface", faces=faces)
    assert by_surface.distance == "surface"
    assert (by_surface.per_mesh < by_vertex.per_mesh).all() and (by_surface.per_mesh > 0).all()
    model = fit_pca(np.delete(meshes, 3, axis=0))
    index = SurfaceDistance(meshes[3], faces)
    expected = [index.to(model.truncate(k).project(meshes[3])) for k in (1, 4)]
    np.testing.assert_allclose(by_surface.per_mesh[:, 3], expected, rtol=1e-9)
    fixed = generalization_to(
        model, meshes[3:4], components=[1, 4], distance="surface", faces=faces
    )
    np.testing.assert_allclose(fixed.per_mesh[:, 0], expected, rtol=1e-9)


def test_t_intervals_hold_the_mean_as_often_as_they_say(rng):
    values = 3.0 + rng.standard_normal((4000, 8))
    for level in (0.8, 0.95):
        low, high = Interval(level=level).bounds(values, None)
        share = ((low <= 3.0) & (3.0 <= high)).mean()
        assert share == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 4000))


def test_bootstrap_intervals_hold_the_mean_of_skewed_values(rng):
    values = rng.exponential(2.0, (3000, 60))
    low, high = Interval("bootstrap").bounds(values, rng)
    assert ((low <= 2.0) & (2.0 <= high)).mean() == pytest.approx(0.94, abs=0.02)
    one, two = (
        Interval("bootstrap").bounds(values[:3], np.random.default_rng(1)) for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)


def test_one_mesh_has_no_interval(rng):
    toy = AxisToy()
    curve = generalization_to(toy.model, toy.draw(rng, 1))
    assert np.isnan(curve.low).all() and np.isnan(curve.high).all()


def test_bad_input_is_refused(rng):
    meshes = rng.standard_normal((6, 5, 3))
    with pytest.raises(MeshError, match="at least 3, got 2"):
        generalization(meshes[:2])
    with pytest.raises(MeshError, match="NaN"):
        generalization(np.full((4, 5, 3), np.nan))
    with pytest.raises(MeshError, match="expected an array of shape"):
        generalization(meshes[0])
    with pytest.raises(SettingsError, match=r"number in 2 \.\. 6"):
        generalization(meshes, folds=7, rng=rng)
    with pytest.raises(SettingsError, match="drawn at random"):
        generalization(meshes, folds=2)
    with pytest.raises(SettingsError, match=r"0 \.\. 4"):
        generalization(meshes, components=[5])
    with pytest.raises(SettingsError, match="whole numbers"):
        generalization(meshes, components=[])
    with pytest.raises(SettingsError, match="'vertex' or 'surface'"):
        generalization(meshes, distance="chamfer")
    with pytest.raises(SettingsError, match="needs faces"):
        generalization(meshes, distance="surface")
    with pytest.raises(MeshError, match="outside"):
        generalization(meshes, distance="surface", faces=np.array([[0, 1, 5]]))
    with pytest.raises(SettingsError, match="'rigid', 'similarity'"):
        generalization(meshes, align="affine")
    with pytest.raises(SettingsError, match="Give rng"):
        generalization(meshes, interval=Interval("bootstrap"))
    with pytest.raises(SettingsError, match="'t' or 'bootstrap'"):
        Interval("normal")
    with pytest.raises(SettingsError, match="level"):
        Interval(level=95)
    with pytest.raises(SettingsError, match="resamples"):
        Interval(resamples=10)
    model = AxisToy().model
    with pytest.raises(MeshError, match="held-out meshes"):
        generalization_to(model, meshes)
    with pytest.raises(MeshError, match="at least 1"):
        generalization_to(model, np.zeros((0, 3, 3)))
    with pytest.raises(ValueError, match="read-only"):
        generalization(meshes).mean[0] = 0.0
