"""Whole registrations: accuracy on simulated scans, invariances, and what is refused."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from geomface.errors import LandmarkError, RegistrationError, SettingsError, TooFewMatchesError
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.io import load_landmarks, load_mesh, load_template
from geomface.mesh.multi_pie import mirror_order
from geomface.registration import (
    NonRigidRegistration,
    RegistrationSettings,
    ShapePrior,
    register,
)
from geomface.registration.evaluate import correspondence_error


@pytest.fixture(scope="module")
def result(solver, scan):
    return register(solver, scan.mesh, scan.landmarks)


def mean_error(face, result, scan):
    error = correspondence_error(
        result.mesh.vertices,
        scan.truth["vertices"],
        face.template.mesh.faces,
        region=face.template.regions["narrow_face"],
        seen=scan.truth["seen"],
    )
    return error


def test_a_simulated_scan_is_registered(face, result, scan):
    error = mean_error(face, result, scan)
    started = result.similarity.apply(face.template.mesh.vertices)
    before = correspondence_error(
        started,
        scan.truth["vertices"],
        face.template.mesh.faces,
        region=face.template.regions["narrow_face"],
    )
    assert error.mean < 0.5 * before.mean
    assert error.normal_mean < 0.4
    assert result.flips == 0
    assert result.rim_crossings == 0
    assert result.kept_fraction > 0.7
    assert result.residual_mm["median"] < 0.3
    assert result.mesh.topology_id == face.template.mesh.topology_id
    assert result.confidence.min() >= 0.0
    assert result.confidence.max() <= 1.0
    # Confidence means something: what the scan shows is trusted more than what it does not.
    seen = scan.truth["seen"]
    assert result.confidence[seen].mean() > 2 * result.confidence[~seen].mean()


def test_the_same_input_gives_the_same_bytes(solver, scan, result):
    again = register(solver, scan.mesh, scan.landmarks)
    assert again.mesh.vertices.tobytes() == result.mesh.vertices.tobytes()


@pytest.mark.parametrize(("unit", "factor"), [("m", 0.001), ("inch", 1 / 25.4)])
def test_the_unit_does_not_matter(solver, scan, result, unit, factor):
    mesh = Mesh(scan.mesh.vertices * factor, scan.mesh.faces, name="scan")
    points = dataclasses.replace(scan.landmarks, points=scan.landmarks.points * factor)
    found = register(solver, mesh, points)
    np.testing.assert_allclose(found.mesh.vertices, result.mesh.vertices, atol=0.05)
    assert found.mesh.unit == "mm" and found.scan_unit == unit
    assert found.residual_mm["median"] == pytest.approx(result.residual_mm["median"], rel=0.05)
    assert any("multiplied by" in note for note in found.notes)


def test_the_pose_does_not_matter(solver, scan, result):
    turn = Similarity(1.0, Rotation.from_euler("y", 170, degrees=True).as_matrix(), [10, 0, 500])
    mesh = Mesh(turn.apply(scan.mesh.vertices), scan.mesh.faces)
    points = dataclasses.replace(scan.landmarks, points=turn.apply(scan.landmarks.points))
    found = register(solver, mesh, points)
    assert any("does not look along +z" in note for note in found.notes)
    gap = np.linalg.norm(found.mesh.vertices - turn.apply(result.mesh.vertices), axis=1)
    assert gap.mean() < 0.02


def test_a_mirror_image_is_recognised(solver, scan, result):
    flip = np.array([-1.0, 1.0, 1.0])
    mesh = Mesh(scan.mesh.vertices * flip, scan.mesh.faces)  # reflected, and so inside out
    points = dataclasses.replace(scan.landmarks, points=scan.landmarks.points * flip)
    found = register(solver, mesh, points)
    assert any("mirror image" in note for note in found.notes)
    gap = np.linalg.norm(found.mesh.vertices - result.mesh.vertices * flip, axis=1)
    assert gap.mean() < 0.02


def test_left_and_right_exchanged_give_the_same_face(solver, scan, result):
    listed = dataclasses.replace(scan.landmarks, points=scan.landmarks.points[mirror_order()])
    found = register(solver, scan.mesh, listed)
    assert any("left and right exchanged" in note for note in found.notes)
    np.testing.assert_array_equal(found.mesh.vertices, result.mesh.vertices)


@pytest.mark.parametrize("fault", ["inside out", "half turned", "doubled"])
def test_the_winding_of_a_scan_does_not_matter(solver, scan, result, fault):
    faces = scan.mesh.faces
    half = np.random.default_rng(0).random((len(faces), 1)) < 0.5
    wound = {
        "inside out": faces[:, ::-1],
        "half turned": np.where(half, faces[:, ::-1], faces),
        "doubled": np.concatenate([faces, faces[:, ::-1]]),
    }
    found = register(solver, Mesh(scan.mesh.vertices, wound[fault]), scan.landmarks)
    assert len(found.notes) > len(result.notes)
    np.testing.assert_allclose(found.mesh.vertices, result.mesh.vertices, atol=1e-6)


def test_figures_are_in_millimetres_whatever_unit_was_declared(solver, scan, result):
    mesh = Mesh(scan.mesh.vertices / 1000, scan.mesh.faces)  # metres, said to be millimetres
    points = dataclasses.replace(scan.landmarks, points=scan.landmarks.points / 1000)
    found = register(solver, mesh, points)
    assert found.residual_mm == pytest.approx(result.residual_mm, rel=0.02)
    assert found.landmark_mm == pytest.approx(result.landmark_mm, rel=0.02)


def test_dirt_is_accepted_and_named(face, solver, scan, result):
    clean = scan.mesh
    count = len(clean.vertices)
    extra = np.array([[0.0, 0.0, 0.0], [500.0, 0, 0], [501.0, 0, 0], [500.0, 1, 0]])
    vertices = np.concatenate([clean.vertices, clean.vertices[:1], extra])
    faces = np.concatenate([clean.faces, [[7, 7, 9], [count + 2, count + 3, count + 4]]])
    points = scan.landmarks.points.copy()
    points[[3, 20]] = np.nan
    found = register(solver, Mesh(vertices, faces), Landmarks(points))
    text = " ".join(found.notes)
    for words in ("separate parts", "in no triangle", "without area", "2 of 68 landmarks"):
        assert words in text
    assert mean_error(face, found, scan).mean < mean_error(face, result, scan).mean + 0.3


def test_a_pose_is_never_guessed(solver, scan):
    with pytest.raises(LandmarkError, match=r"landmarks or a starting pose.*geomface\.register"):
        register(solver, scan.mesh)


def test_a_model_prior_helps_where_nothing_was_seen(face, solver, scan, result):
    modes = np.concatenate([face.shape.modes, 0.4 * face.blendshapes.modes])
    prior = ShapePrior(face.template.mesh.vertices, modes)
    found = register(solver, scan.mesh, scan.landmarks, prior=prior)
    assert mean_error(face, found, scan).mean < mean_error(face, result, scan).mean


def test_inputs_are_refused_in_sentences(face, solver, scan):
    with pytest.raises(LandmarkError, match="expected 68 landmarks"):
        register(solver, scan.mesh, Landmarks(scan.landmarks.points[:60]))
    with pytest.raises(LandmarkError, match="scheme"):
        register(solver, scan.mesh, Landmarks(scan.landmarks.points, scheme="other-68"))
    with pytest.raises(LandmarkError, match="all 68 landmarks are missing"):
        register(solver, scan.mesh, Landmarks(np.full((68, 3), np.nan)))
    with pytest.raises(LandmarkError, match=r"expected a Landmarks, got a ndarray.*Landmarks\("):
        register(solver, scan.mesh, scan.landmarks.points)
    with pytest.raises(RegistrationError, match="expected a Similarity, got a ndarray"):
        register(solver, scan.mesh, start=np.eye(4))
    away = scan.mesh.vertices + [0.0, 0.0, -4000.0]
    with pytest.raises(TooFewMatchesError, match=rf"{scan.mesh.name}: only .*of this scan"):
        register(solver, scan.mesh.replace(vertices=away), scan.landmarks)
    with pytest.raises(SettingsError, match="method"):
        RegistrationSettings(method="magic")


def test_the_real_scan(shared_data):
    template = load_template(shared_data / "ict" / "template.obj")
    scan = load_mesh(shared_data / "james" / "james.obj", texture=False)
    landmarks = load_landmarks(shared_data / "james" / "james.landmarks.json")
    found = register(template, scan, landmarks)
    face = found.mesh.vertices[template.regions["narrow_face"]]
    assert np.median(ClosestPointIndex(scan).query(face).distances) <= 0.4
    assert found.flips == 0
    assert found.rim_crossings == 0


def test_the_shared_scans(shared_data):
    template = load_template(shared_data / "ict" / "template.obj")
    solver = NonRigidRegistration(template)
    means = []
    for index in (0, 8):
        scan = load_mesh(shared_data / "scans" / f"scan{index:02d}.ply")
        landmarks = load_landmarks(shared_data / "scans" / f"scan{index:02d}.landmarks.json")
        with np.load(shared_data / "scans" / f"scan{index:02d}.truth.npz") as stored:
            truth = stored["vertices"].astype(np.float64)
        found = register(solver, scan, landmarks)
        region = template.regions["narrow_face"]
        error = correspondence_error(found.mesh.vertices, truth, template.mesh.faces, region=region)
        means.append(error.mean)
    assert max(means) <= 1.0
