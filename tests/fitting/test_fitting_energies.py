"""Every energy of the fits by finite differences, and the closed forms that they must give."""

import numpy as np
import pytest
from fitting_samples import small_model

from geomface.fitting.bounded import minimize_in_box
from geomface.fitting.detail import DetailField
from geomface.fitting.equations import FitEquations, Planes, Points, fit_energy
from geomface.fitting.image_terms import ImagePoints, image_step
from geomface.fitting.linear_face import linear_face
from geomface.fitting.pose import (
    POSE_COUNT,
    pose_columns,
    pose_columns_along,
    small_similarity,
)
from geomface.fitting.smooth_field import smooth_field
from geomface.mesh.robust import geman_mcclure_loss, geman_mcclure_weights
from geomface.mesh.rotation import rotation_angle, rotation_matrix
from geomface.rendering.camera import CAMERA_COUNT, Perspective, WeakPerspective
from geomface.statistics import posterior


def differences(function, at, step=1e-6):
    """Central differences of a scalar or array function."""
    columns = []
    for k in range(len(at)):
        ahead, behind = at.copy(), at.copy()
        ahead[k] += step
        behind[k] -= step
        columns.append((function(ahead) - function(behind)) / (2 * step))
    return np.stack(columns, axis=-1)


def scan_problem(rng, *, smooth):
    model = small_model(rng)
    face = linear_face(model, 5.0)
    if smooth:
        face = face.with_smooth(0.7 * smooth_field(face.mean, 60.0))
    rows = rng.choice(len(face.mean), 60, replace=False)
    normals = rng.normal(size=(60, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    planes = Planes(
        rows, face.mean[rows] + rng.normal(size=(60, 3)), normals, rng.uniform(0, 2, 60)
    )
    marks = face.at(model.template.landmarks)
    few = np.array([0, 3, 4, 11, 20])
    points = Points(few, marks.mean[few] + rng.normal(size=(5, 3)), rng.uniform(0.5, 2, 5))
    coefficients = np.clip(0.3 * rng.normal(size=len(face)), face.lower, face.upper)
    return face, [(face, planes), (marks, points)], coefficients, face.mean.mean(axis=0)


def test_pose_columns_by_finite_differences(rng):
    points, centre = 50 * rng.normal(size=(7, 3)), rng.normal(size=3)
    columns = pose_columns(points, centre)
    found = differences(lambda step: small_similarity(step, centre).apply(points), np.zeros(7))
    np.testing.assert_allclose(columns, found, atol=1e-6)
    normals = rng.normal(size=(7, 3))
    np.testing.assert_allclose(
        pose_columns_along(points, normals, centre), np.einsum("nc,nck->nk", normals, columns)
    )


def test_rotation_is_the_exponential(rng):
    vector = rng.normal(size=3)
    rotation = rotation_matrix(vector)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    np.testing.assert_allclose(rotation @ vector, vector)
    np.testing.assert_allclose(rotation_matrix(vector / 2) @ rotation_matrix(vector / 2), rotation)
    assert rotation_angle(rotation) == pytest.approx(np.linalg.norm(vector))
    np.testing.assert_allclose(rotation_matrix(1e-13 * vector), np.eye(3), atol=1e-12)


@pytest.mark.parametrize("smooth", [False, True])
def test_scan_energy_gradient_by_finite_differences(rng, smooth):
    _, terms, coefficients, centre = scan_problem(rng, smooth=smooth)
    equations = FitEquations(terms, coefficients, centre)

    def energy(unknowns):
        return fit_energy(terms, unknowns[:POSE_COUNT], unknowns[POSE_COUNT:], centre)

    found = differences(energy, np.concatenate([np.zeros(POSE_COUNT), coefficients]), 1e-5)
    gradient = equations.gradient(coefficients)
    np.testing.assert_allclose(gradient, found, rtol=1e-5, atol=1e-5 * np.abs(gradient).max())


def test_scan_steps_come_to_rest_where_the_gradient_vanishes(rng):
    face, terms, coefficients, centre = scan_problem(rng, smooth=False)
    pose = small_similarity(np.zeros(POSE_COUNT), centre)
    for _ in range(30):
        back = pose.inverse()
        moved = [(part, _moved(measured, back, back.apply_vectors)) for part, measured in terms]
        equations = FitEquations(moved, coefficients, centre)
        step, coefficients = equations.solve()
        pose = pose.compose(small_similarity(step, centre))
    assert np.abs(step).max() < 1e-9
    gradient = FitEquations(moved, coefficients, centre).gradient(coefficients)
    free = np.concatenate(
        [np.ones(POSE_COUNT, bool), (coefficients > face.lower) & (coefficients < face.upper)]
    )
    assert np.abs(gradient[free]).max() < 1e-5
    held = coefficients == face.lower
    assert (gradient[POSE_COUNT:][held] >= -1e-8).all()


def _moved(measured, back, turn):
    points = back.apply(measured.points)
    if isinstance(measured, Planes):
        return Planes(measured.rows, points, turn(measured.normals), measured.weights)
    return Points(measured.rows, points, measured.weights)


def test_known_correspondence_gives_the_closed_form_posterior(rng):
    model = small_model(rng, expressions=0)
    face = linear_face(model, 5.0)
    rows, sigma = np.arange(0, len(face.mean), 3), 0.8
    values = face.points(rng.normal(size=5))[rows] + sigma * rng.normal(size=(len(rows), 3))
    expected = posterior(model.shape, rows, values, sigma)
    term = Points(rows, values, np.full(len(rows), sigma**-2))
    equations = FitEquations([(face, term)], np.zeros(5), face.mean.mean(axis=0))
    # The pose is known here: its columns are taken out of the equations.
    matrix = equations.matrix[POSE_COUNT:, POSE_COUNT:] + np.eye(5)
    found = np.linalg.solve(matrix, equations.right[POSE_COUNT:])
    np.testing.assert_allclose(found, expected.coefficients, atol=1e-8)
    np.testing.assert_allclose(np.linalg.inv(matrix), expected.covariance, atol=1e-8)
    # An unknown pose can only add to the uncertainty.
    wider = equations.covariance(5) - expected.covariance
    assert np.linalg.eigvalsh(wider).min() > -1e-9


def cameras(rng, centre):
    rotation = rotation_matrix(np.array([0.2, -0.5, 0.1]))
    return [
        WeakPerspective(rotation, 1.3, np.array([120.0, 140.0]), centre),
        Perspective(rotation, np.array([20.0, -10.0, -500.0]), 450.0, np.array([128.0, 128.0]),
                    centre),
    ]  # fmt: skip


def image_problem(rng):
    model = small_model(rng)
    marks = linear_face(model, 5.0).at(model.template.landmarks)
    centre = marks.mean.mean(axis=0)
    whitening = rng.normal(size=(len(marks.mean), 2, 2))
    coefficients = np.clip(0.5 * rng.normal(size=len(marks)), marks.lower, marks.upper)
    return marks, centre, whitening, coefficients


def test_cameras_by_finite_differences(rng):
    points = np.column_stack([60 * rng.normal(size=(9, 2)), 20 * rng.normal(size=9)])
    for camera in cameras(rng, rng.normal(size=3)):
        found = differences(lambda step: camera.moved(step).project(points), np.zeros(6))  # noqa: B023
        np.testing.assert_allclose(camera.camera_columns(points), found, atol=1e-5)
        for row, point in enumerate(points):
            by_point = differences(lambda p: camera.project(p[None])[0], point)  # noqa: B023
            np.testing.assert_allclose(camera.point_columns(points)[row], by_point, atol=1e-6)


def image_energy(measured, camera):
    def energy(unknowns):
        return measured.energy(camera.moved(unknowns[:CAMERA_COUNT]), unknowns[CAMERA_COUNT:])

    return energy


def test_image_energy_gradient_by_finite_differences(rng):
    marks, centre, whitening, coefficients = image_problem(rng)
    for camera in cameras(rng, centre):
        pixels = camera.project(marks.mean) + 3 * rng.normal(size=(len(marks.mean), 2))
        measured = ImagePoints(marks, pixels, whitening, rng.uniform(0, 1, len(pixels)))

        energy = image_energy(measured, camera)
        at = np.concatenate([np.zeros(CAMERA_COUNT), coefficients])
        found = differences(energy, at, 1e-6)
        gradient = measured.gradient(camera, coefficients)
        np.testing.assert_allclose(gradient, found, rtol=1e-4, atol=1e-5 * np.abs(gradient).max())


def test_image_steps_never_raise_the_energy_and_end_at_a_minimum(rng):
    marks, centre, _, coefficients = image_problem(rng)
    for camera in cameras(rng, centre):
        truth = camera.moved(np.array([0.1, 0.2, -0.1, 4.0, 3.0, 0.05]))
        pixels = truth.project(marks.points(coefficients)) + rng.normal(size=(len(marks.mean), 2))
        measured = ImagePoints(
            marks, pixels, np.tile(np.eye(2), (len(pixels), 1, 1)), np.ones(len(pixels))
        )
        now, z = camera, np.zeros(len(marks))
        energies = [measured.energy(now, z)]
        for _ in range(40):
            now, z = image_step(measured, now, z)
            energies.append(measured.energy(now, z))
        assert (np.diff(energies) <= 0).all()
        gradient = measured.gradient(now, z)
        inside = np.concatenate([np.ones(6, bool), (z > marks.lower) & (z < marks.upper)])
        assert np.abs(gradient[inside]).max() < 1e-3
        assert (z >= marks.lower).all() and (z <= marks.upper).all()


def test_robust_weights_belong_to_the_loss():
    residuals = np.linspace(-6, 6, 25)
    slope = differences(lambda r: 0.5 * geman_mcclure_loss(r, 2.5), residuals)
    expected = geman_mcclure_weights(residuals, 2.5) * residuals
    np.testing.assert_allclose(np.diag(slope), expected, atol=1e-8)


def test_detail_energy_is_least_at_the_posterior_mean(rng):
    model = small_model(rng)
    field = DetailField(model.mesh.vertices, model.mesh.faces, length=40.0)
    count = len(model.mesh.vertices)
    slopes, gaps, weights = rng.uniform(0.5, 1, count), rng.normal(size=count), rng.random(count)
    weights[rng.random(count) < 0.3] = 0.0
    found = field.posterior_mean(slopes, gaps, weights, 0.5)
    at = differences(lambda h: field.energy(h, slopes, gaps, weights, 0.5), found, 1e-4)
    assert np.abs(at).max() < 1e-6
    elsewhere = field.energy(found + 0.01 * rng.normal(size=count), slopes, gaps, weights, 0.5)
    assert elsewhere > field.energy(found, slopes, gaps, weights, 0.5)


def test_box_of_blendshapes_is_kept_by_every_step(rng):
    face, terms, coefficients, centre = scan_problem(rng, smooth=False)
    equations = FitEquations(terms, coefficients, centre)
    _, found = equations.solve(shape_modes=2)
    assert (found[2:5] == 0).all()
    assert ((found[5:] >= 0) & (found[5:] <= 1)).all()
    step, _ = equations.solve(fit_scale=False)
    assert step[6] == 0.0
    assert minimize_in_box(np.eye(1), np.ones(1), np.zeros(1), np.ones(1))[0] == 1.0
