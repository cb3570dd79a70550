"""Landmarks told by the skin: the model, its fit, its file, and faces that it does not know."""

import dataclasses

import numpy as np
import pytest

from geomface.faces.builtin import load_builtin_face
from geomface.landmarks import LandmarkDetector
from geomface.landmarks.dense_model import fit_dense_model, refine_landmarks
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.training.shape_models import learn_dense_model, spread_out
from geomface.landmarks.weights import (
    DetectorWeights,
    load_detector,
    save_detector,
)
from geomface.mesh import Mesh, Similarity
from geomface.rendering.camera import view_rotation
from geomface.scans.simulate import simulate_scan


@pytest.fixture(scope="module")
def face():
    return load_builtin_face()


@pytest.fixture(scope="module")
def skin(face):
    return learn_dense_model(face, 300, np.random.default_rng(3), skin_points=500, components=50)


@pytest.fixture(scope="module")
def scan(face):
    return simulate_scan(face, rng=np.random.default_rng(12))


def guess(scan):
    """Return a pose and landmarks that are wrong together: half of the error is shared."""
    rng = np.random.default_rng(4)
    truth = scan.truth["landmarks"]
    away = 1.5 * rng.standard_normal((68, 3))
    away[48:] += [2.5, 0.0, 0.0]
    pose = Similarity(
        float(scan.truth["scale"]), scan.truth["rotation"], truth.mean(axis=0) + [3.0, -2.0, 1.0]
    )
    return pose, truth + away


def fit_skin(skin, mesh, pose, landmarks, sigma):
    """Fit in the frame of the scan, whatever size its surface is given."""
    surface = ScanSurface(mesh)
    usual = Similarity(surface.factor)
    fit = fit_dense_model(skin, surface, usual.compose(pose), usual.apply(landmarks), sigma)
    return fit and dataclasses.replace(fit, landmarks=fit.landmarks / surface.factor)


def refine(models, mesh, pose, landmarks, sigma, filled):
    """Refine in the frame of the scan, whatever size its surface is given."""
    surface = ScanSurface(mesh)
    usual = Similarity(surface.factor)
    found = refine_landmarks(
        models, surface, usual.compose(pose), usual.apply(landmarks), sigma, filled
    )
    return found and (found[0] / surface.factor, found[1])


def miss(points, scan):
    return float(np.linalg.norm(points - scan.truth["landmarks"], axis=1).mean())


def test_the_model_holds_landmarks_first_and_skin_that_faces_outward(skin, face):
    assert skin.points.mean.shape == (568, 3) and skin.normals.shape == (500, 3)
    placed = face.template.landmarks.positions(face.mesh.vertices)
    np.testing.assert_allclose(
        skin.points.mean[:68] - skin.points.mean[:68].mean(axis=0),
        placed - placed.mean(axis=0),
        atol=4.0,
    )
    np.testing.assert_allclose(np.linalg.norm(skin.normals, axis=1), 1.0, atol=1e-9)
    assert (skin.normals[:, 2] > 0).mean() > 0.9


def test_points_are_spread_out():
    points = np.random.default_rng(0).uniform(0, 1, (500, 3))
    chosen = spread_out(points, 40)
    assert len(np.unique(chosen)) == 40
    gaps = np.linalg.norm(points[chosen][:, None] - points[chosen][None], axis=2)
    assert (gaps + np.eye(40)).min() > 0.12


def test_the_skin_corrects_what_the_landmarks_share(skin, scan):
    pose, landmarks = guess(scan)
    fit = fit_skin(skin, scan.mesh, pose, landmarks, np.full(68, 1.5))
    assert fit is not None and fit.residual_mm < 0.6 and fit.kept > 0.7
    assert miss(fit.landmarks, scan) < 0.65 * miss(landmarks, scan)
    assert (fit.sigma_mm > 0).all() and (fit.sigma_mm < 1.5).all()


def test_a_turned_and_scaled_scan_gives_turned_and_scaled_landmarks(skin, scan):
    pose, landmarks = guess(scan)
    move = Similarity(1.3, view_rotation(70.0, 25.0), np.array([40.0, -10.0, 5.0]))
    sigma = np.full(68, 1.5)
    first = fit_skin(skin, scan.mesh, pose, landmarks, sigma)
    moved = scan.mesh.replace(vertices=move.apply(scan.mesh.vertices))
    second = fit_skin(skin, moved, move.compose(pose), move.apply(landmarks), sigma)
    np.testing.assert_allclose(second.landmarks, move.apply(first.landmarks), atol=0.02)


def test_landmarks_that_nobody_saw_come_from_the_skin(skin, scan):
    pose, landmarks = guess(scan)
    landmarks[17:27] += [0.0, 20.0, 0.0]
    filled = np.zeros(68, bool)
    filled[17:27] = True
    points, sigma = refine([skin], scan.mesh, pose, landmarks, np.full(68, 1.5), filled)
    assert np.linalg.norm((points - scan.truth["landmarks"])[17:27], axis=1).mean() < 4.0
    assert sigma.shape == (68,) and (sigma >= 0.5).all()


def test_skin_that_does_not_fit_changes_little(skin, scan):
    """Ripples of 4 mm are like no face of the model."""
    pose, landmarks = guess(scan)

    def rippled(points):
        local = pose.inverse().apply(points)
        local[:, 2] += 4.0 * np.sin(local[:, 0] / 4.0) * np.sin(local[:, 1] / 4.0)
        return pose.apply(local)

    odd = scan.mesh.replace(vertices=rippled(scan.mesh.vertices))
    truth = rippled(scan.truth["landmarks"])
    first = truth + (landmarks - scan.truth["landmarks"])
    sigma = np.full(68, 1.5)
    fit = fit_skin(skin, odd, pose, first, sigma)
    refined = refine([skin], odd, pose, first, sigma, np.zeros(68, bool))
    assert fit is not None and refined is not None
    assert fit.residual_mm > 0.6
    # The given landmarks are half way back at least.
    before = np.linalg.norm(fit.landmarks - first, axis=1).mean()
    assert np.linalg.norm(refined[0] - first, axis=1).mean() < 0.85 * before


def test_a_surface_far_away_says_nothing(skin, scan):
    pose, landmarks = guess(scan)
    far = Similarity(pose.scale, pose.rotation, pose.translation + [0.0, 0.0, 900.0])
    surface = scan.mesh
    sigma, filled = np.full(68, 1.5), np.zeros(68, bool)
    assert fit_skin(skin, surface, far, landmarks + [0.0, 0.0, 900.0], sigma) is None
    assert refine([skin], surface, far, landmarks + [0.0, 0.0, 900.0], sigma, filled) is None
    assert refine([], surface, pose, landmarks, sigma, filled) is None


def test_a_file_keeps_the_skin_and_may_lack_it(skin, tmp_path):
    shipped = load_detector()
    assert len(shipped.dense_models) == 2
    both = DetectorWeights(shipped.network, shipped.shape_model, (skin,))
    save_detector(tmp_path / "both.safetensors", both)
    (again,) = load_detector(tmp_path / "both.safetensors").dense_models
    np.testing.assert_allclose(again.points.mean, skin.points.mean, atol=1e-4)
    np.testing.assert_allclose(again.points.basis, skin.points.basis, atol=0.05)
    np.testing.assert_allclose(again.normals, skin.normals, atol=1e-3)
    alone = DetectorWeights(shipped.network, shipped.shape_model)
    save_detector(tmp_path / "alone.safetensors", alone)
    assert load_detector(tmp_path / "alone.safetensors").dense_models == ()


def test_what_ships_finds_a_mouth_pulled_aside(face):
    person = face.vertices(None, {"mouthRight": 0.8})
    truth = face.template.landmarks.positions(person)
    calm = face.template.landmarks.positions(face.mesh.vertices)
    assert np.abs(truth - calm)[48:, 0].mean() > 2.0
    found = LandmarkDetector().detect(Mesh(person, face.mesh.faces, name="aside"))
    away = (found.landmarks.points - truth)[48:]
    assert abs(away[:, 0].mean()) < 1.5 and np.linalg.norm(away, axis=1).mean() < 2.5
