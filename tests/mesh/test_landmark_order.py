"""Landmark lists in another order, of the other side, with points far off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from geomface.errors import LandmarkError
from geomface.faces.builtin import load_builtin_face
from geomface.mesh import Landmarks
from geomface.mesh.io import load_landmarks, load_template
from geomface.mesh.landmark_order import arrange_landmarks, left_right_order
from geomface.mesh.landmark_outliers import drop_far_landmarks, set_repeated_missing
from geomface.mesh.multi_pie import mirror_order

FACE = load_builtin_face()


def person(seed, noise=1.0):
    """Landmarks of someone who makes a face, in any pose and size, and the template's."""
    face = FACE
    rng = np.random.default_rng(seed)
    weights = rng.random(len(face.expression.names)) < 0.1
    vertices = face.sample(rng).vertices + face.expression.basis @ weights
    points = face.template.landmarks.positions(vertices) + noise * rng.standard_normal((68, 3))
    turn = Rotation.random(random_state=seed).as_matrix()
    scale = 10.0 ** rng.uniform(-3, 3)
    return scale * points @ turn.T + 100 * scale, face.template.landmarks.positions(
        face.mesh.vertices
    )


def groupwise():
    """List jaw, eyes, left brow, nose, right brow, mouth."""
    parts = ((0, 17), (36, 48), (17, 22), (27, 36), (22, 27), (48, 68))
    return np.concatenate([np.arange(*part) for part in parts])


ORDERS = {
    "one place late": np.roll(np.arange(68), 1),
    "one place early": np.roll(np.arange(68), -1),
    "lists jaw, eyes": groupwise(),
}


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), exchanged=st.booleans(), missing=st.booleans())
@pytest.mark.parametrize("how", ["", *ORDERS])
def test_any_list_comes_back_in_the_order_of_the_template(how, seed, exchanged, missing):
    points, places = person(seed)
    if missing:
        points[np.random.default_rng(seed).permutation(68)[:15]] = np.nan
    sigma = np.arange(1.0, 69.0)
    order = ORDERS.get(how, np.arange(68))
    order = mirror_order()[order] if exchanged else order
    listed = Landmarks(points[order], sigma_mm=sigma[order])
    found = arrange_landmarks(listed, places)
    np.testing.assert_array_equal(found.landmarks.points, points)
    np.testing.assert_array_equal(found.landmarks.sigma_mm, sigma)
    assert (found.exchange is not None) == exchanged and not found.mirrored
    assert [how in note for note in found.notes] == ([True] if how else [])


def test_real_lists_stay_as_they_are(shared_data):
    template = load_template(shared_data / "ict" / "template.obj")
    places = template.landmarks.positions(template.mesh.vertices)
    files = [shared_data / "scans" / f"scan{number:02d}.landmarks.json" for number in range(12)]
    for file in (*files, shared_data / "james" / "james.ljson"):
        landmarks = load_landmarks(file)
        assert arrange_landmarks(landmarks, places).landmarks is landmarks
        assert drop_far_landmarks(landmarks, places) == (landmarks, ())
        by_groups = Landmarks(landmarks.points[groupwise()])
        arranged = arrange_landmarks(by_groups, places).landmarks
        np.testing.assert_array_equal(arranged.points, landmarks.points)


def test_points_without_sides_tell_a_mirror_image():
    """Points on half an ellipsoid, no order of which is their own mirror image."""
    angle = np.linspace(0, 12, 40)
    x, y = 60 * np.sin(angle * 1.7), 80 * np.cos(angle)
    z = 50 * np.sqrt(np.maximum(0, 2 - (x / 60) ** 2 - (y / 80) ** 2))
    places = np.stack([x, y, z], axis=1)
    assert left_right_order("spiral", places) is None
    for side in (1.0, -1.0):
        landmarks = Landmarks(places * [side, 1.0, 1.0], "spiral")
        found = arrange_landmarks(landmarks, places)
        assert found.mirrored == (side < 0) and found.exchange is None
        np.testing.assert_array_equal(found.landmarks.points, landmarks.points)


def test_sides_of_any_scheme_are_read_off_the_template():
    places = FACE.template.landmarks.positions(FACE.mesh.vertices)
    rows = np.flatnonzero(np.isin(mirror_order(), np.arange(60)))[:60]  # without the inner lips
    assert (left_right_order("own", places[rows]) == mirror_order()[rows]).all()


@pytest.mark.parametrize("seed", range(5))
def test_an_order_of_no_face_is_refused_with_the_causes(seed):
    points, places = person(seed)
    shuffled = points[np.random.default_rng(seed).permutation(68)]
    with pytest.raises(LandmarkError, match=r"from those of a face.*order.*left and right.*unit"):
        arrange_landmarks(Landmarks(shuffled), places)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), wrong=st.integers(0, 6))
def test_landmarks_far_off_are_named_and_left_out(seed, wrong):
    points, places = person(seed)
    rng = np.random.default_rng(seed + 1)
    rows = np.sort(rng.choice([3, 12, 19, 24, 30, 37, 46, 57], wrong, replace=False))
    shift = rng.standard_normal((wrong, 3))
    size = np.linalg.norm(np.ptp(points, axis=0)) / np.linalg.norm(np.ptp(places, axis=0))
    points[rows] += 60 * size * shift / np.linalg.norm(shift, axis=1, keepdims=True)
    found, notes = drop_far_landmarks(Landmarks(points), places)
    np.testing.assert_array_equal(np.flatnonzero(~found.present), rows)
    assert len(notes) == (wrong > 0) and all(f"{row} (" in notes[0] for row in rows)


def test_most_landmarks_far_off_are_refused():
    points, places = person(3)
    points[:30] = points[:30][::-1] + points.std()
    with pytest.raises(LandmarkError, match=r"of 68 landmarks lie where no face has them.*order"):
        drop_far_landmarks(Landmarks(points), places)


def test_a_place_of_many_landmarks_means_missing():
    points, _ = person(1)
    points[:17] = 0.0
    points[40] = points[41]  # a pair may touch
    found, notes = set_repeated_missing(Landmarks(points))
    np.testing.assert_array_equal(np.flatnonzero(~found.present), np.arange(17))
    assert "17 landmarks at the same place (0, 0, 0)" in notes[0]
    assert set_repeated_missing(found) == (found, ())
