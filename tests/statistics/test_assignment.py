"""Geometry from texture: the order of the methods, their formulas, units, shapes, bad input."""

import dataclasses

import numpy as np
import pytest
from paired_faces import (
    balance,
    joint_basis,
    paired_faces,
    printed_least_squares,
    printed_maximum_likelihood,
)

from geomface.errors import MeshError, SettingsError
from geomface.statistics.assignment import (
    METHODS,
    compare_assignments,
    fit_assignment,
    fit_least_squares,
    fit_maximum_likelihood,
    fit_mean,
    fit_nearest,
    fit_nonlinear,
    fit_random,
    geometry_errors,
    pair_faces,
)
from geomface.statistics.assignment.held_out import choose_ridge, hold_out

LINEAR = ("random", "mean", "nearest", "maximum_likelihood", "least_squares")


@pytest.fixture(scope="module")
def faces():
    return paired_faces(np.random.default_rng(11), count=120, tests=60, latents=12, decay=0.8)


@pytest.fixture(scope="module")
def pairs(faces):
    return pair_faces(faces.textures, faces.geometries, texture_components=12)


def flat(array):
    return array.reshape(len(array), -1)


@pytest.mark.parametrize("correlation", [1.0, 0.95])
@pytest.mark.parametrize("seed", range(2))
def test_table_of_seven(seed, correlation):
    """Learned data of known correlation: every method has its place, the printed ones below."""
    rng = np.random.default_rng(seed)
    faces = paired_faces(rng, count=300, correlation=correlation)
    size = {"texture_components": 30, "geometry_components": 30}
    errors = compare_assignments(*faces.all, rng, **size, methods=LINEAR).mean_errors
    pairs = pair_faces(faces.textures, faces.geometries, **size)
    printed = (
        geometry_errors(printed_maximum_likelihood(faces, 30), faces.test_geometries).mean(),
        geometry_errors(printed_least_squares(pairs, faces), faces.test_geometries).mean(),
    )
    assert errors["least_squares"] <= 1.02 * errors["maximum_likelihood"]
    assert errors["maximum_likelihood"] < errors["nearest"] < errors["mean"] < errors["random"]
    assert 1.3 < errors["random"] / errors["mean"] < 1.5
    assert min(printed) > errors["nearest"]


def test_a_linear_relation_is_found_exactly(rng):
    faces = paired_faces(rng, count=60, tests=20, latents=6, noise=0.0)
    pairs = pair_faces(faces.textures, faces.geometries, texture_components=6)
    for predictor in (fit_least_squares(pairs), fit_nonlinear(pairs)):
        found = predictor.predict(faces.test_textures)
        np.testing.assert_allclose(found, faces.test_geometries, atol=1e-8)
    # Its prior pulls to the mean a little, by the smallest variance that it grants a coordinate.
    found = fit_maximum_likelihood(pairs).predict(faces.test_textures)
    np.testing.assert_allclose(found, faces.test_geometries, atol=0.05)


def test_maximum_likelihood_is_the_corrected_formula(faces, pairs):
    textures, geometries = flat(faces.textures), flat(faces.geometries)
    for weight in (None, 3.0):
        used = weight or balance(textures, geometries)
        basis_t, basis_g, covariance, noise = joint_basis(textures, geometries, 9, used)
        matrix = (basis_t.T / noise) @ basis_t + np.linalg.inv(covariance)
        centred = flat(faces.test_textures) - textures.mean(axis=0)
        beta = np.linalg.solve(matrix, (centred / noise @ basis_t).T).T
        expected = geometries.mean(axis=0) + beta @ basis_g.T
        predictor = fit_maximum_likelihood(pairs, components=9, texture_weight=weight)
        found = predictor.predict(faces.test_textures)
        np.testing.assert_allclose(flat(found), expected, atol=1e-7)


def test_maximum_likelihood_is_the_most_likely(faces, pairs, rng):
    """beta* minimises |t - U_t beta|^2_S + |beta|^2_Sigma, whatever its closed form."""
    textures, geometries = flat(faces.textures), flat(faces.geometries)
    weight = balance(textures, geometries)
    basis_t, basis_g, covariance, noise = joint_basis(textures, geometries, 8, weight)
    predictor = fit_maximum_likelihood(pairs, components=8)
    found = flat(predictor.predict(faces.test_textures[:1]))[0] - geometries.mean(axis=0)
    beta = np.linalg.lstsq(basis_g, found)[0]
    centred = flat(faces.test_textures[:1])[0] - textures.mean(axis=0)

    def energy(value):
        rest = centred - basis_t @ value
        return (rest**2 / noise).sum() + value @ np.linalg.solve(covariance, value)

    least = energy(beta)
    for _ in range(100):
        assert energy(beta + 0.1 * rng.standard_normal(8)) > least


def test_least_squares_is_the_normal_equation(faces, pairs):
    known, wanted = pairs.textures.coefficients, pairs.geometries.coefficients
    for ridge in (0.0, 0.3):
        penalty = ridge * len(known) * (known**2).mean()
        expected = np.linalg.solve(known.T @ known + penalty * np.eye(12), known.T @ wanted)
        predictor = fit_least_squares(pairs, ridge=ridge)
        np.testing.assert_allclose(predictor.matrix, expected, atol=1e-9 * np.abs(expected).max())
        found = pairs.geometries.project(predictor.predict(faces.test_textures))
        tests = pairs.textures.project(faces.test_textures)
        np.testing.assert_allclose(found, tests @ expected, atol=1e-8)
    far = fit_least_squares(pairs, ridge=1e12).predict(faces.test_textures)
    mean = fit_mean(pairs).predict(faces.test_textures)
    np.testing.assert_allclose(far, mean, atol=1e-6)
    np.testing.assert_allclose(mean[3], faces.geometries.mean(axis=0), atol=1e-10)


def test_ridge_of_held_out_faces_helps_where_coefficients_are_many(rng):
    faces = paired_faces(rng, count=90, tests=150, latents=9, noise=1.0, correlation=0.95)
    pairs = pair_faces(faces.textures, faces.geometries, texture_components=80)
    errors = {}
    for ridge in (0.0, "auto", 1e6):
        predictor = fit_least_squares(pairs, ridge=ridge)
        found = predictor.predict(faces.test_textures)
        errors[ridge] = geometry_errors(found, faces.test_geometries).mean()
    assert errors["auto"] < 0.95 * errors[0.0] and errors["auto"] < 0.95 * errors[1e6]
    assert fit_least_squares(pairs, ridge="auto").ridge > 0


def test_held_out_faces_take_no_part_in_the_texture_components(faces, pairs):
    fold = hold_out(pairs, 1000)[1]
    again = pair_faces(
        faces.textures[fold.train], faces.geometries[fold.train], texture_components=12
    )
    scale = again.textures.coefficients[0] / fold.known[0]
    np.testing.assert_allclose(np.abs(scale), 1.0, rtol=1e-6)
    np.testing.assert_allclose(fold.known * scale, again.textures.coefficients, atol=1e-8)
    expected = again.textures.project(faces.textures[fold.test])
    np.testing.assert_allclose(fold.test_known * scale, expected, atol=1e-8)
    folds = hold_out(pairs, 1000)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(120))
    for each in folds:
        assert not np.intersect1d(each.train, each.test).size
        assert len(each.train) + len(each.test) == 120
    # The error that is reported is that of fits to the others.
    ridge, errors = choose_ridge([fold])
    fit = fit_least_squares(again, ridge=ridge)
    found = pairs.geometries.project(fit.predict(faces.textures[fold.test]))
    expected = ((found - pairs.geometries.coefficients[fold.test]) ** 2).sum(axis=1)
    np.testing.assert_allclose(errors, expected, rtol=1e-6, atol=1e-8)


def test_nearest_takes_the_geometry_of_the_nearest_texture(faces, pairs):
    predictor = fit_nearest(pairs)
    np.testing.assert_array_equal(predictor.nearest(faces.textures), np.arange(120))
    whole = pair_faces(faces.textures, faces.geometries, geometry_components=119)
    found = fit_nearest(whole).predict(faces.textures[[5, 2]])
    np.testing.assert_allclose(found, faces.geometries[[5, 2]], atol=1e-8)
    tests = pairs.textures.project(faces.test_textures)
    distances = np.linalg.norm(tests[:, None] - pairs.textures.coefficients, axis=2)
    np.testing.assert_array_equal(predictor.nearest(faces.test_textures), distances.argmin(axis=1))


def test_random_geometries_have_the_variances_of_the_faces(faces, pairs):
    many = np.zeros((4000, *faces.textures.shape[1:]))
    found = fit_random(pairs, np.random.default_rng(1)).predict(many)
    again = fit_random(pairs, np.random.default_rng(1)).predict(many)
    np.testing.assert_array_equal(found, again)
    coefficients = pairs.geometries.project(found)
    sigma = np.sqrt(pairs.geometries.variances)
    np.testing.assert_allclose(coefficients[:, :12].std(axis=0), sigma[:12], rtol=0.06)
    assert np.abs(np.corrcoef(coefficients[:, :6].T) - np.eye(6)).max() < 0.08


@pytest.mark.parametrize("method", ["nearest", "maximum_likelihood", "least_squares", "nonlinear"])
def test_units_shapes_and_frames_do_not_matter(faces, method, rng):
    """Colours 0..255, texture images, coefficients of an orthonormal basis: one prediction."""
    size = {"texture_components": 10, "geometry_components": 20}

    def predict(textures, geometries, tests):
        predictor = fit_assignment(pair_faces(textures, geometries, **size), method)
        return predictor.predict(tests)

    few, geometries, tests = faces.textures[:80], faces.geometries[:80], faces.test_textures[:5]
    expected = predict(few, geometries, tests)
    assert expected.shape == (5, 100, 3)
    again = predict(255.0 * few, geometries, 255.0 * tests)
    np.testing.assert_allclose(again, expected, atol=1e-6)
    images = predict(few.reshape(80, 6, 10, 3), geometries, tests.reshape(5, 6, 10, 3))
    np.testing.assert_allclose(images, expected, atol=1e-9)
    metres = predict(few, geometries / 1000, tests)
    np.testing.assert_allclose(1000 * metres, expected, atol=1e-6)
    if method != "maximum_likelihood":  # whose noise is one of coordinates
        turn = np.linalg.qr(rng.standard_normal((180, 180)))[0]
        turned = predict(flat(few) @ turn, geometries, flat(tests) @ turn)
        np.testing.assert_allclose(turned, expected, atol=1e-6)
    turn = np.linalg.qr(rng.standard_normal((300, 300)))[0]
    rows = predict(few, flat(geometries) @ turn, tests)
    np.testing.assert_allclose(rows @ turn.T, flat(expected), atol=1e-6)


def test_single_precision_images_are_enough(faces):
    single = faces.textures.astype(np.float32), faces.test_textures.astype(np.float32)
    one = pair_faces(faces.textures, faces.geometries, texture_components=12)
    two = pair_faces(single[0], faces.geometries, texture_components=12)
    assert two.textures.directions.dtype == np.float32
    for fit in (fit_least_squares, fit_maximum_likelihood):
        found = fit(two).predict(single[1])
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, fit(one).predict(faces.test_textures), atol=2e-3)


def test_many_texels_need_no_square_matrix_of_them(rng):
    """40,000 numbers a texture: their covariance alone would take 12 GB."""
    hidden = rng.standard_normal((24, 3))
    textures = hidden @ rng.standard_normal((3, 40000)) + 0.5
    geometries = (hidden @ rng.standard_normal((3, 30000))).reshape(24, 10000, 3)
    pairs = pair_faces(textures[:20], geometries[:20], texture_components=3)
    for fit in (fit_least_squares, fit_maximum_likelihood):
        found = fit(pairs).predict(textures[20:])
        assert geometry_errors(found, geometries[20:]).max() < 1e-3


def test_comparison_reports_every_method(faces):
    rng = np.random.default_rng(2)
    found = compare_assignments(*faces.all, rng, texture_components=12)
    assert tuple(found.errors) == tuple(found.mean_errors) == METHODS
    assert (found.train_count, found.texture_components) == (120, 12)
    for name, values in found.errors.items():
        assert values.shape == (60,) and found.projection.mean() <= values.mean()
        if name != "random":
            again = found.predictors[name].predict(faces.test_textures)
            np.testing.assert_array_equal(geometry_errors(again, faces.test_geometries), values)
    with pytest.raises(TypeError):
        found.errors["mean"] = 0
    again = compare_assignments(
        *faces.all, np.random.default_rng(2), texture_components=12, methods=("random",)
    )
    np.testing.assert_array_equal(again.errors["random"], found.errors["random"])


def test_errors_are_distances_of_points_or_of_rows():
    truth = np.zeros((2, 5, 3))
    np.testing.assert_allclose(geometry_errors(truth + [3.0, 4.0, 0.0], truth), [5.0, 5.0])
    np.testing.assert_allclose(geometry_errors(np.ones((2, 4)), np.zeros((2, 4))), [2.0, 2.0])


def test_components_default_to_one_for_four_faces(faces):
    pairs = pair_faces(faces.textures[:40], faces.geometries[:40])
    assert len(pairs.textures.variances) == 10 and len(pairs.geometries.variances) == 39
    few = pair_faces(faces.textures[:3], faces.geometries[:3])
    assert len(few.textures.variances) == 1
    for method in METHODS[1:]:
        predicted = fit_assignment(few, method).predict(faces.test_textures)
        assert np.isfinite(predicted).all()


def test_bad_pairs_are_refused(faces):
    textures, geometries = faces.textures[:12], faces.geometries[:12]
    with pytest.raises(MeshError, match="12 rows of textures and 11 of geometries"):
        pair_faces(textures, geometries[:11])
    with pytest.raises(MeshError, match="at least 3 faces, got 2"):
        pair_faces(textures[:2], geometries[:2])
    with pytest.raises(MeshError, match="textures: 1 of 12 rows hold NaN"):
        pair_faces(np.where(textures == textures[3, 4, 1], np.nan, textures), geometries)
    with pytest.raises(MeshError, match="geometries: all are the same"):
        pair_faces(textures, np.ones((12, 5, 3)))
    with pytest.raises(MeshError, match="textures: expected real numbers"):
        pair_faces(np.array(["a"] * 12)[:, None], geometries)
    with pytest.raises(MeshError, match="geometries: expected real numbers"):
        pair_faces(textures, np.ones(12))
    with pytest.raises(MeshError, match="textures: expected real numbers"):
        pair_faces(np.ones((12, 0)), geometries)
    with pytest.raises(SettingsError, match=r"textures: expected 1 \.\. 11 components"):
        pair_faces(textures, geometries, texture_components=12)
    with pytest.raises(SettingsError, match="textures: components: expected at most 2"):
        pair_faces(
            np.random.default_rng(0).random((3, 5))[[0, 1, 2] * 4], geometries, texture_components=5
        )
    with pytest.raises(SettingsError, match=r"geometries: expected 1 \.\. 11 components"):
        pair_faces(textures, geometries, geometry_components=0)


def test_bad_settings_and_bad_textures_are_refused(faces, pairs):
    for method in METHODS[1:]:
        predictor = fit_assignment(pairs, method)
        with pytest.raises(MeshError, match=r"expected \(n, 60, 3\) as in the training pairs"):
            predictor.predict(faces.test_textures[:, :59])
        with pytest.raises(MeshError, match="as in the training pairs"):
            predictor.predict(faces.test_textures[0])
        with pytest.raises(MeshError, match="NaN"):
            predictor.predict(np.full((2, 60, 3), np.nan))
    with pytest.raises(SettingsError, match="give rng"):
        fit_assignment(pairs, "random")
    with pytest.raises(SettingsError, match="random assignment: expected a Generator, got a int"):
        fit_random(pairs, 3)
    with pytest.raises(SettingsError, match="expected one of random, mean"):
        fit_assignment(pairs, "best")
    for ridge in (-0.1, np.nan, "some"):
        with pytest.raises(SettingsError, match="ridge: expected 0 or more"):
            fit_least_squares(pairs, ridge=ridge)
    with pytest.raises(SettingsError, match="components"):
        fit_maximum_likelihood(pairs, components=0)
    with pytest.raises(SettingsError, match="texture_weight"):
        fit_maximum_likelihood(pairs, texture_weight=0.0)
    with pytest.raises(SettingsError, match="at least 10"):
        fit_nonlinear(pairs, most_faces_to_choose=3)
    rng = np.random.default_rng(0)
    with pytest.raises(MeshError, match="60 textures and 59 geometries"):
        broken = dataclasses.replace(faces, test_geometries=faces.test_geometries[:59])
        compare_assignments(*broken.all, rng)
    with pytest.raises(MeshError, match="at least one"):
        broken = dataclasses.replace(
            faces, test_textures=faces.textures[:0], test_geometries=faces.geometries[:0]
        )
        compare_assignments(*broken.all, rng)
    with pytest.raises(MeshError, match="same shape twice"):
        geometry_errors(np.zeros((2, 3)), np.zeros((2, 4)))
