"""Landmarks that are found are smoothed over time without delay, those that are given never."""

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.files import save_image
from geomface.gan.landmark_reenactment import read_track, smooth_track
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks

STEADY = np.random.default_rng(0).uniform(10, 50, (68, 2))
NOISE = np.random.default_rng(1).normal(0.0, 1.0, (12, 68, 2))


def test_steady_acceleration_is_kept_exactly_to_both_ends():
    time = np.arange(20.0)[:, None, None]
    points = STEADY + 0.7 * time * [1.0, -0.4] - 0.03 * time**2
    np.testing.assert_allclose(smooth_track(points), points, atol=1e-9)


def test_noise_falls_by_the_known_factor():
    noise = np.random.default_rng(2).normal(0.0, 1.0, (2000, 68, 2))
    assert smooth_track(noise)[3:-3].std() == pytest.approx((1 / 3) ** 0.5, rel=0.01)
    assert smooth_track(noise, 5)[2:-2].std() == pytest.approx((17 / 35) ** 0.5, rel=0.01)


def test_nothing_is_delayed():
    blink = np.zeros((21, 1, 1))
    blink[10] = 1.0
    seen = smooth_track(blink)[:, 0, 0]
    np.testing.assert_allclose(seen, seen[::-1], atol=1e-12)
    np.testing.assert_allclose(21 * seen[7:14], [-2, 3, 6, 7, 6, 3, -2], atol=1e-9)
    track = STEADY + NOISE
    np.testing.assert_allclose(smooth_track(track[::-1]), smooth_track(track)[::-1], atol=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_tracks_of_a_few_frames_and_windows_of_one_stay(count):
    track = (STEADY + NOISE)[:count]
    assert smooth_track(track) is track
    assert smooth_track(STEADY + NOISE, 1) is not None
    np.testing.assert_array_equal(smooth_track(STEADY + NOISE, 1), STEADY + NOISE)


def test_short_tracks_are_one_window():
    track = (STEADY + NOISE)[:6]
    np.testing.assert_allclose(smooth_track(track), smooth_track(track, 5), atol=1e-9)


@pytest.mark.parametrize("frames", [0, 2, -3, 7.0, True])
def test_a_window_without_a_middle_is_refused(frames):
    with pytest.raises(SettingsError, match="odd number of frames"):
        smooth_track(STEADY + NOISE, frames)


def test_what_is_found_is_smoothed_and_what_is_given_is_not(tmp_path):
    marks = STEADY + NOISE
    for frame, points in enumerate(marks):
        save_image(tmp_path / f"{frame}.png", np.full((64, 64, 3), frame / 20.0))
        if frame in (4, 5):
            place = tmp_path / f"{frame}.landmarks.json"
            save_pixel_landmarks(place, PixelLandmarks(points))

    def detector(picture):
        return marks[round(20.0 * float(picture.mean()))]

    track = read_track(tmp_path, detector=detector)
    given = np.isin(np.arange(len(marks)), (4, 5))
    np.testing.assert_allclose(track.points[given], marks[given], atol=1e-3)
    np.testing.assert_allclose(track.points[~given], smooth_track(marks)[~given], atol=1e-3)
    assert [note for note in track.notes if "smoothed over 7 frames" in note]
    plain = read_track(tmp_path, detector=detector, smooth=1)
    np.testing.assert_allclose(plain.points, marks, atol=1e-3)
    assert plain.notes == ()
    np.save(tmp_path / "given.npy", marks)
    np.testing.assert_array_equal(read_track(tmp_path / "given.npy").points, marks)
    with pytest.raises(SettingsError, match="odd"):
        read_track(tmp_path / "given.npy", smooth=4)
