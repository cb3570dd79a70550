"""Fits of a model to scans: truth, pose, unit, damage, determinism, what is no face."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import (
    FailedRegistrationError,
    LandmarkError,
    RegistrationError,
    SettingsError,
    TooFewMatchesError,
)
from geomface.faces.builtin import load_builtin_face
from geomface.fitting import (
    ModelRegistration,
    ModelRegistrationSettings,
    ScanFitSettings,
    fit_scan,
    register_with_model,
    shape_prior,
)
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.mesh.normals import vertex_normals
from geomface.mesh.rotation import rotation_matrix
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import simulate_scan

SCAN = ScanSettings(vertices=6000, surround=False)


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


@pytest.fixture(scope="module")
def solver(face):
    return ModelRegistration(face)


@pytest.fixture(scope="module")
def scan(face):
    return simulate_scan(face, rng=np.random.default_rng([31, 4]), settings=SCAN)


def error(vertices, truth):
    return float(np.linalg.norm(vertices - truth, axis=1).mean())


def test_the_model_comes_near_a_scan_that_it_cannot_reach(solver, scan):
    fit = fit_scan(solver.fitter, scan.mesh, scan.landmarks)
    assert fit.converged
    assert error(fit.mesh.vertices, scan.truth["vertices"]) < 1.5
    assert fit.residual_mm["median"] < 0.5
    assert ((fit.expression >= 0) & (fit.expression <= 1)).all()
    assert fit.confidence.min() >= 0 and fit.confidence.max() <= 1
    assert np.linalg.eigvalsh(fit.covariance).min() > 0
    placed = fit.similarity.apply(solver.fitter.model.vertices(fit.shape, fit.expression))
    np.testing.assert_allclose(placed, fit.mesh.vertices, atol=1e-9)
    assert fit.mesh.topology_id == solver.fitter.model.topology_id


def test_registration_with_the_model_beats_the_model_alone(solver, scan):
    truth = scan.truth["vertices"]
    alone = fit_scan(solver.fitter, scan.mesh, scan.landmarks)
    result = register_with_model(solver, scan.mesh, scan.landmarks)
    assert result.converged
    assert error(result.mesh.vertices, truth) < 0.8
    assert error(result.mesh.vertices, truth) < 0.8 * error(alone.mesh.vertices, truth)
    assert result.residual_mm["median"] < alone.residual_mm["median"]
    assert [step.level for step in result.history] == sorted(step.level for step in result.history)
    assert result.landmark_mm["median"] < 3.0


def test_an_instance_of_the_model_is_found_to_the_noise(face, solver):
    settings = dataclasses.replace(SCAN, deformation_mm=0.0, noise_mm=(0.1, 0.1))
    scan = simulate_scan(face, rng=np.random.default_rng([31, 5]), settings=settings)
    fit = fit_scan(solver.fitter, scan.mesh, scan.landmarks)
    assert error(fit.mesh.vertices, scan.truth["vertices"]) < 0.8


def test_pose_scale_and_unit_do_not_matter(solver, scan):
    one = fit_scan(solver.fitter, scan.mesh, scan.landmarks)
    turn = Similarity(1e-3, rotation_matrix(np.array([0.5, 2.0, -1.0])), np.array([3.0, -2.0, 1.0]))
    moved = scan.mesh.replace(vertices=turn.apply(scan.mesh.vertices))
    marks = Landmarks(turn.apply(scan.landmarks.points))
    other = fit_scan(solver.fitter, moved, marks)
    back = turn.inverse().apply(other.mesh.vertices / 1000.0)  # the fit is in millimetres
    assert np.abs(back - one.mesh.vertices).max() < 1e-3
    assert any("metres" in note for note in other.notes)
    assert other.residual_mm["median"] == pytest.approx(one.residual_mm["median"], rel=1e-3)


def test_a_mirrored_scan_is_fitted_in_the_mirror(solver, scan):
    mirror = np.array([-1.0, 1.0, 1.0])
    flipped = Mesh(scan.mesh.vertices * mirror, scan.mesh.faces)  # reflected, and so inside out
    fit = fit_scan(solver.fitter, flipped, Landmarks(scan.landmarks.points * mirror))
    assert any("is a mirror image" in note for note in fit.notes)
    straight = fit_scan(solver.fitter, scan.mesh, scan.landmarks)
    np.testing.assert_allclose(fit.mesh.vertices * mirror, straight.mesh.vertices, atol=1e-3)


def test_the_same_scan_gives_the_same_bytes(solver, scan):
    first = register_with_model(solver, scan.mesh, scan.landmarks)
    again = register_with_model(solver, scan.mesh, scan.landmarks)
    assert first.mesh.vertices.tobytes() == again.mesh.vertices.tobytes()


def test_damage_does_not_collapse_the_fit(face, solver):
    settings = dataclasses.replace(
        SCAN,
        missing_fraction=0.3,
        outlier_fraction=0.1,
        wrong_landmarks=6,
        missing_landmarks=10,
    )
    scan = simulate_scan(face, rng=np.random.default_rng([31, 6]), settings=settings)
    result = register_with_model(solver, scan.mesh, scan.landmarks)
    assert error(result.mesh.vertices, scan.truth["vertices"]) < 1.2
    unseen = ~scan.truth["seen"]
    assert result.confidence[unseen].mean() < result.confidence[~unseen].mean()


def test_fine_relief_is_found_only_where_there_is_some(face, solver):
    settings = dataclasses.replace(SCAN, vertices=20_000, noise_mm=(0.05, 0.05))
    scan = simulate_scan(face, rng=np.random.default_rng([31, 7]), settings=settings)
    plain = register_with_model(solver, scan.mesh, scan.landmarks)
    assert max(step.level for step in plain.history) == 1
    normals = vertex_normals(scan.mesh.vertices, scan.mesh.faces)

    def relief(points):
        return 0.5 * np.sqrt(2) * np.sin(points @ np.array([0.5, 0.3, 0.1]))

    rough = scan.mesh.replace(
        vertices=scan.mesh.vertices + relief(scan.mesh.vertices)[:, None] * normals
    )
    result = register_with_model(solver, rough, scan.landmarks)
    assert max(step.level for step in result.history) == 2
    smooth = register_with_model(
        ModelRegistration(solver.fitter.model, ModelRegistrationSettings(detail_rounds=0)),
        rough,
        scan.landmarks,
    )
    assert result.residual_mm["median"] < 0.5 * smooth.residual_mm["median"]
    truth = scan.truth["vertices"]
    true_normals = vertex_normals(truth, face.mesh.faces)
    truth = truth + relief(truth)[:, None] * true_normals
    seen = scan.truth["seen"]

    def off(vertices):
        return np.abs(np.einsum("vc,vc->v", vertices - truth, true_normals))[seen].mean()

    assert off(result.mesh.vertices) < 0.8 * off(smooth.mesh.vertices)


@pytest.mark.parametrize("unit", ["mm", "m"])
def test_scale_can_be_held(face, unit):
    settings = dataclasses.replace(SCAN, scale=(1.0, 1.0))
    scan = simulate_scan(face, rng=np.random.default_rng([31, 8]), settings=settings)
    factor = {"mm": 1.0, "m": 1e-3}[unit]
    fit = fit_scan(
        face,
        scan.mesh.replace(vertices=factor * scan.mesh.vertices, unit=unit),
        Landmarks(factor * scan.landmarks.points, unit=unit),
        settings=ScanFitSettings(fit_scale=False),
    )
    assert fit.similarity.scale == pytest.approx(1.0, rel=1e-9) and fit.scan_unit == unit
    assert error(fit.mesh.vertices, scan.truth["vertices"]) < 2.0


def test_a_known_start_is_taken(solver, scan):
    truth = scan.truth
    start = Similarity(float(truth["scale"]), truth["rotation"], truth["translation"])
    fit = fit_scan(solver.fitter, scan.mesh, start=start)
    assert not any("searched" in note for note in fit.notes)
    assert error(fit.mesh.vertices, truth["vertices"]) < 2.5


def test_what_is_no_face_is_said_to_be_none(solver):
    axis = np.linspace(-120, 120, 60)
    x, y = np.meshgrid(axis, axis)
    index = np.arange(3600).reshape(60, 60)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    bowl = np.stack([x.ravel(), y.ravel(), (x.ravel() ** 2 + y.ravel() ** 2) / 80], axis=1)
    marks = solver.fitter.model.template.landmarks.positions(solver.fitter.model.mesh.vertices)
    for fit in (fit_scan, register_with_model):
        owner = solver.fitter if fit is fit_scan else solver
        with pytest.raises(RegistrationError, match=r"^bowl: .*expected at (least|most)"):
            fit(owner, Mesh(bowl, faces, name="bowl"), Landmarks(marks))
    with pytest.raises(TooFewMatchesError, match="found a match"):
        far = Mesh(bowl + [0, 0, 900.0], faces, name="far")
        fit_scan(solver.fitter, far, Landmarks(marks))


def test_a_model_upside_down_is_refused(solver, scan):
    truth = scan.truth
    turn = np.diag([-1.0, -1.0, 1.0])
    middle = solver.fitter.centre
    right = Similarity(float(truth["scale"]), truth["rotation"], truth["translation"])
    start = right.compose(Similarity(1.0, turn, middle - turn @ middle))
    with pytest.raises(FailedRegistrationError, match="a free template fails there") as caught:
        fit_scan(solver.fitter, scan.mesh, start=start)
    assert caught.value.result.residual_mm["median"] < 2.0  # which tells nothing


def test_bad_input_is_named(solver, scan):
    with pytest.raises(LandmarkError, match="scheme"):
        fit_scan(solver.fitter, scan.mesh, Landmarks(scan.landmarks.points, "other"))
    few = scan.landmarks.points.copy()
    few[2:] = np.nan
    with pytest.raises(LandmarkError, match="at least 4"):
        fit_scan(solver.fitter, scan.mesh, Landmarks(few))
    with pytest.raises(LandmarkError, match="positive standard"):
        marks = dataclasses.replace(scan.landmarks, sigma_mm=-np.ones(68))
        fit_scan(solver.fitter, scan.mesh, marks)
    with pytest.raises(SettingsError, match="distance_gate_mm"):
        ScanFitSettings(distance_gate_mm=(20.0, 0.0))
    with pytest.raises(SettingsError, match="minimum_kept"):
        ScanFitSettings(minimum_kept=1.5)
    with pytest.raises(SettingsError, match="first_modes"):
        ScanFitSettings(first_modes=-1)
    with pytest.raises(SettingsError, match="detail_rounds"):
        ModelRegistrationSettings(detail_rounds=-1)


def test_shape_prior_holds_the_model(solver):
    model = solver.fitter.model
    prior = shape_prior(model)
    assert prior.modes.shape == (len(model.shape) + len(model.expression), *model.shape.mean.shape)
    np.testing.assert_array_equal(prior.mean, model.mesh.vertices)
    np.testing.assert_array_equal(prior.modes[3], model.shape.basis[..., 3])
    assert len(shape_prior(model, expression=False).modes) == len(model.shape)
