"""Landmarks of one person at the poses and expressions of another one, held against renders."""

import dataclasses

import numpy as np
import pytest

import geomface as gf
from geomface.errors import LandmarkError, SettingsError
from geomface.gan.landmark_reenactment import (
    complete_track,
    face_fitter,
    follow,
    moved,
    named_expression,
    pose_face,
)
from geomface.rendering.camera import pose_angles

SIZE = 128


@pytest.fixture(scope="module")
def sampler():
    images = gf.FaceImageSettings(identities=2, samples=8, size=SIZE, track=3, seed=3)
    return gf.FaceSampler(images)


@pytest.fixture(scope="module")
def fitter(sampler):
    return face_fitter(sampler.model)


@pytest.fixture(scope="module")
def source(sampler):
    """Person 0 in the pose of the last frame."""
    return sampler.batch([(0, 7)]).landmarks[0].astype(np.float64)


@pytest.fixture(scope="module")
def face(source, fitter):
    return pose_face(source, (SIZE, SIZE), fitter)


def in_boxes(points):
    """Landmarks as a crop of 64 pixels shows them."""
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    return 64.0 * (points - low) / (high - low)


def test_a_face_that_does_nothing_new_stays_where_it_is(face, source):
    back = face.landmarks(face.angles[None], face.expression[None])[0]
    np.testing.assert_allclose(back, source, atol=1e-9)


def test_a_face_follows_another_one_as_if_it_had_been_rendered(sampler, face, fitter):
    frames = [(1, k) for k in range(8)]
    driver = [sampler.parameters(*frame) for frame in frames]
    points = sampler.render(driver).landmarks.astype(np.float64)
    mine = sampler.parameters(0, 7)
    names = ("expression", "yaw", "pitch", "roll", "rotation")
    wanted = [
        dataclasses.replace(mine, **{name: getattr(item, name) for name in names})
        for item in driver
    ]
    truth = in_boxes(sampler.render(wanted).landmarks)
    track = complete_track(points, [str(frame) for frame in frames], "driver")
    seen = []
    made = in_boxes(follow(face, track, fitter, lambda *told: seen.append(told)))
    error = np.linalg.norm(made - truth, axis=2).mean()
    as_they_are = np.linalg.norm(in_boxes(points) - truth, axis=2).mean()
    assert error < 1.0 and error < 0.65 * as_they_are
    assert [done for done, _, _ in seen] == list(range(1, 9))


def test_a_face_that_follows_itself_stays_itself(sampler, face, fitter):
    points = sampler.batch([(0, k) for k in range(8)]).landmarks.astype(np.float64)
    track = complete_track(points, [str(k) for k in range(8)], "itself")
    error = np.linalg.norm(in_boxes(follow(face, track, fitter)) - in_boxes(points), axis=2)
    assert error.mean() < 0.7


@pytest.mark.parametrize("axis", ["yaw", "pitch", "roll"])
def test_a_turn_goes_from_one_angle_to_the_other(face, fitter, axis):
    points = moved(face, 5, turn=(axis, -20.0, 20.0))
    place = ("yaw", "pitch", "roll").index(axis)
    for frame, wanted in zip(points, np.linspace(-20.0, 20.0, 5), strict=True):
        found = np.array(pose_angles(pose_face(frame, (SIZE, SIZE), fitter).camera.rotation))
        expected = face.angles.copy()
        expected[place] = wanted
        assert np.abs(found - expected).max() < 3.0


def test_frontal_ends_at_the_camera_and_an_expression_at_its_name(sampler, face):
    weights = named_expression(sampler.model, "surprise")
    points = moved(face, 3, frontal=True, expression=weights)
    start, end = face.angles, np.zeros(3)
    middle = (face.expression + weights) / 2
    expected = face.landmarks(
        np.array([start, start / 2, end]), np.array([face.expression, middle, weights])
    )
    np.testing.assert_allclose(points, expected, atol=1e-9)
    np.testing.assert_allclose(moved(face, 1, frontal=True, expression=weights)[0], points[2])


def test_names_of_expressions(sampler):
    model = sampler.model
    names = list(model.blendshapes.names)
    assert not named_expression(model, "neutral").any()
    assert named_expression(model, "jawOpen")[names.index("jawOpen")] == 1.0
    assert named_expression(model, "mouthSmile").sum() == 2.0
    with pytest.raises(SettingsError, match="surprise.*jawOpen.*got 'joyful'"):
        named_expression(model, "joyful")


def test_what_cannot_move_is_refused(face):
    with pytest.raises(SettingsError, match="give one"):
        moved(face, 3, turn=("yaw", 0.0, 10.0), frontal=True)
    with pytest.raises(SettingsError, match="nothing that moves"):
        moved(face, 3)
    with pytest.raises(SettingsError, match="yaw, pitch, roll"):
        moved(face, 3, turn=("tilt", 0.0, 10.0))
    with pytest.raises(SettingsError, match="turn, yaw"):
        moved(face, 3, turn=("yaw", -300.0, 10.0))


def test_landmarks_that_are_no_face_are_told_with_their_frame(face, fitter, source):
    line = source * [1.0, 0.0]
    track = complete_track(np.stack([source, line]), ["one", "two"], "x")
    with pytest.raises(LandmarkError, match="two: the landmarks lie on one line"):
        follow(face, track, fitter)
