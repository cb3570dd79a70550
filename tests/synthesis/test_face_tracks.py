"""Tracks: the pictures of a person are the frames of one movement, and all else stands still."""

import dataclasses

import numpy as np
import pytest

import geomface as gf
from geomface.datasets import load_synthetic
from geomface.errors import SettingsError
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.synthesis import Constant, IdentitySettings
from geomface.synthesis.mixup_ratios import MixupSettings
from geomface.synthesis.settings import PhotoSettings
from geomface.synthesis.tracks import moment

TRACK = gf.FaceImageSettings(identities=3, samples=16, size=32, seed=5, track=4)
STILL_CAMERA = PhotoSettings(noise=Constant(0.0), film=0.0, jpeg=0.0, coarse=0.0, occluders=0.0)


@pytest.fixture(scope="module")
def frames():
    sampler = gf.FaceSampler(TRACK)
    return [sampler.parameters(1, frame) for frame in range(TRACK.samples)]


def _pose(item):
    return np.array([item.yaw, item.pitch, item.roll])


def test_a_frame_is_the_mean_of_two_pictures_of_the_set_without_track(frames):
    keys = gf.FaceSampler(dataclasses.replace(TRACK, track=0))
    numbers = {"pose": _pose, "expression": lambda item: item.expression}
    for moving, read in numbers.items():
        for frame, item in enumerate(frames):
            here = moment(TRACK, 1, frame, moving)
            first, second = (read(keys.parameters(1, here.key + step)) for step in (0, 1))
            expected = (1 - here.share) * first + here.share * second
            np.testing.assert_allclose(read(item), expected, atol=1e-12)


def test_every_key_takes_its_frames_and_no_step_is_a_jump(frames):
    keys = [moment(TRACK, 1, frame, "pose").key for frame in range(TRACK.samples)]
    assert keys == sorted(keys)
    assert 4 <= len(set(keys)) <= 5
    assert max(map(keys.count, keys)) == 4
    fine = gf.FaceSampler(dataclasses.replace(TRACK, track=400))
    yaw = np.array([fine.parameters(1, frame).yaw for frame in range(0, 1600)])
    # The curve of least jerk is at most 15/8 as quick as a straight line.
    most = 15 / 8 / 400 * np.ptp(yaw)
    assert np.abs(np.diff(yaw)).max() <= 1.001 * most


def test_gaze_rests_and_jumps():
    shares = [moment(dataclasses.replace(TRACK, track=100), 0, t, "gaze").share for t in range(100)]
    moving = [share for share in shares if 0 < share < 1]
    assert 20 <= len(moving) <= 26


def test_light_camera_and_all_else_are_those_of_the_person(frames):
    first = frames[0]
    for item in frames:
        for name in ("distance", "scale", "background", "stream", "light_stream"):
            assert getattr(item, name) == getattr(first, name)
        assert np.array_equal(item.offset, first.offset)
        # Of the harmonics y, z, x tell where the main light is: it stays in the room.
        assert np.allclose(
            item.rotation @ item.light[[3, 1, 2]], first.rotation @ first.light[[3, 1, 2]]
        )


def test_vary_moves_one_alone():
    sampler = gf.FaceSampler(dataclasses.replace(TRACK, vary="pose"))
    frames = [sampler.parameters(0, frame) for frame in range(8)]
    assert len({item.yaw for item in frames}) == 8
    assert all(np.array_equal(item.expression, frames[0].expression) for item in frames)


def test_a_photograph_of_a_track_depends_on_its_numbers_alone():
    sampler = gf.FaceSampler(dataclasses.replace(TRACK, preset="photo"))
    alone = sampler.batch([(1, 3)]).images["rgb"][0]
    among = sampler.batch([(0, 0), (1, 9), (1, 3)]).images["rgb"][2]
    assert np.array_equal(alone, among)
    other = gf.FaceSampler(dataclasses.replace(TRACK, preset="photo", identities=9, samples=4))
    assert np.array_equal(alone, other.batch([(1, 3)]).images["rgb"][0])


def test_the_place_stands_still_and_the_grain_does_not():
    still = dataclasses.replace(TRACK, preset="photo", photo=STILL_CAMERA)
    corners = gf.FaceSampler(still).batch([(1, 0), (1, 5)]).images["rgb"][:, :3, :3]
    assert np.array_equal(corners[0], corners[1])
    noisy = dataclasses.replace(STILL_CAMERA, noise=Constant(0.004))
    grainy = gf.FaceSampler(dataclasses.replace(still, photo=noisy))
    corners = grainy.batch([(1, 0), (1, 5)]).images["rgb"][:, :3, :3]
    assert not np.array_equal(corners[0], corners[1])
    assert np.abs(corners[0] - corners[1]).max() < 0.1


def test_a_set_on_disk_says_that_it_is_a_track(tmp_path):
    settings = FaceSetSettings(dataclasses.replace(TRACK, identities=1, samples=3), tmp_path)
    generate_faces(settings)
    held = load_synthetic(tmp_path)
    assert held.track == 4
    assert [record.parameters["track"] for record in held] == [4, 4, 4]


@pytest.mark.parametrize(
    "wrong",
    [
        {"track": -1},
        {"track": 2.5},
        {"track": 4, "samples": 1, "factors": {"yaw": (0.0, 10.0)}},
        {"track": 4, "identity": IdentitySettings(mixup=MixupSettings())},
    ],
)
def test_what_a_track_cannot_be_is_refused(wrong):
    with pytest.raises(SettingsError, match="track"):
        dataclasses.replace(TRACK, **wrong)
