"""Starting poses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from geomface.errors import LandmarkError, RegistrationError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Landmarks, Similarity
from geomface.registration.scan_target import ScanTarget
from geomface.registration.start import similarity_from_landmarks, similarity_without_landmarks


@pytest.fixture(scope="module")
def template():
    return load_builtin_face().template


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), wrong=st.integers(0, 10))
def test_wrong_landmarks_do_not_move_the_pose(template, seed, wrong):
    rng = np.random.default_rng(seed)
    points = template.landmarks.positions(template.mesh.vertices)
    true = Similarity(
        rng.uniform(0.2, 3), Rotation.random(random_state=seed).as_matrix(), [5, 6, 7]
    )
    measured = true.apply(points)
    direction = rng.normal(size=(wrong, 3))
    direction *= 30 * true.scale / np.linalg.norm(direction, axis=1, keepdims=True)
    measured[rng.choice(68, wrong, replace=False)] += direction
    found = similarity_from_landmarks(points, Landmarks(measured))
    miss = np.linalg.norm(found.apply(points) - true.apply(points), axis=1)
    assert miss.max() < 0.5 * true.scale
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def test_missing_landmarks_are_left_out(template):
    points = template.landmarks.positions(template.mesh.vertices)
    measured = points.copy()
    measured[10:60] = np.nan
    found = similarity_from_landmarks(points, Landmarks(measured))
    np.testing.assert_allclose(found.apply(points), points, atol=1e-9)


@pytest.mark.parametrize(("kept", "words"), [(0, "all 68 landmarks are missing"), (3, "got 3")])
def test_too_few_landmarks_are_refused(template, kept, words):
    points = template.landmarks.positions(template.mesh.vertices).copy()
    measured = points.copy()
    measured[kept:] = np.nan
    with pytest.raises(LandmarkError, match=words):
        similarity_from_landmarks(points, Landmarks(measured))


@pytest.mark.parametrize("yaw", [0.0, 40.0, 120.0, 180.0])
def test_pose_is_found_without_landmarks(template, yaw):
    mesh = template.mesh
    rotation = Rotation.from_euler("yx", [yaw, 10.0], degrees=True).as_matrix()
    true = Similarity(1.05, rotation, [100.0, -40.0, 20.0])
    scan = ScanTarget(true.apply(mesh.vertices), mesh.faces)
    found, distance = similarity_without_landmarks(ScanTarget(mesh.vertices, mesh.faces), scan)
    miss = np.linalg.norm(found.apply(mesh.vertices) - true.apply(mesh.vertices), axis=1)
    assert miss.mean() < 3.0
    assert distance < 3.0


def test_no_pose_near_something_else(template):
    mesh = template.mesh
    far = np.random.default_rng(0).normal(size=(60, 3)) * 3000.0
    faces = np.arange(60).reshape(-1, 3)
    with pytest.raises(RegistrationError, match="no starting pose"):
        similarity_without_landmarks(ScanTarget(mesh.vertices, mesh.faces), ScanTarget(far, faces))
