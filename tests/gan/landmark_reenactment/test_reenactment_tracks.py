"""Tracks of landmarks: read from what people have, completed, or refused with the numbers."""

import json

import numpy as np
import pytest

from geomface.errors import FileFormatError, GeomfaceError, LandmarkError
from geomface.files import save_image
from geomface.files.videos import save_video
from geomface.gan.landmark_reenactment import complete_track, face_finder, read_track, to_66
from geomface.landmarks.photographs.frames import frames_of
from geomface.landmarks.photographs.result import PhotographFace, PhotographResult
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks

STEADY = np.random.default_rng(0).uniform(10, 90, (68, 2))


def moving(count):
    """Landmarks that move one pixel to the right a frame: every gap has an exact answer."""
    return STEADY + np.arange(count)[:, None, None] * [1.0, 0.0]


def write_pts(path, points):
    rows = "\n".join(f"{x} {y}" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n")


@pytest.mark.parametrize("ending", [".pts", ".txt", ".csv", ".json", ".landmarks.json"])
def test_a_folder_of_files_is_read_in_the_order_of_its_numbers(tmp_path, ending):
    for frame, points in enumerate(moving(11)):
        path = tmp_path / f"face_{frame + 1}{ending}"
        if ending.endswith("json"):
            save_pixel_landmarks(path, PixelLandmarks(points))
        elif ending == ".pts":
            write_pts(path, points)
        else:
            np.savetxt(path, points)
    track = read_track(tmp_path)
    np.testing.assert_allclose(track.points, moving(11), atol=1e-9)
    assert track.names[9] == f"face_10{ending}"
    assert track.notes == ()


@pytest.mark.parametrize("kept", [slice(None), slice(None, None, 10)])
def test_frames_that_are_left_out_are_interpolated_and_told(tmp_path, kept):
    frames = np.arange(100)[kept]
    gone = (3, 4, 5, 6, 7)
    for place, frame in enumerate(frames):
        if place not in gone:
            write_pts(tmp_path / f"{frame:05d}.pts", moving(100)[frame])
    track = read_track(tmp_path)
    np.testing.assert_allclose(track.points, moving(100)[kept], atol=1e-9)
    assert len(track.notes) == 1 and "frames 3 to 7" in track.notes[0]


def test_points_and_whole_frames_may_lack(tmp_path):
    points = moving(12)
    points[2:4, 30] = points[0, 5] = points[7] = np.nan
    track = complete_track(points, [str(k) for k in range(12)], "here")
    wanted = moving(12)
    wanted[0, 5] = wanted[1, 5]  # at its ends a track holds still
    np.testing.assert_allclose(track.points, wanted, atol=1e-9)
    assert "frames 0 (0), 2 to 3 (2 to 3), 7 (7)" in track.notes[0]


def test_66_landmarks_are_taken(tmp_path):
    np.savez(tmp_path / "track.npz", points=to_66(moving(4)))
    np.save(tmp_path / "track.npy", to_66(moving(4)))
    for name in ("track.npz", "track.npy"):
        track = read_track(tmp_path / name)
        np.testing.assert_allclose(to_66(track.points), to_66(moving(4)))


def test_one_file_is_a_track_of_one_frame(tmp_path):
    write_pts(tmp_path / "a.pts", STEADY)
    assert read_track(tmp_path / "a.pts").points.shape == (1, 68, 2)


def test_a_300vw_folder_and_pictures_with_files_beside_need_no_pixels(tmp_path):
    (tmp_path / "annot").mkdir()
    (tmp_path / "vid.avi").write_bytes(b"never read")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for frame, points in enumerate(moving(3)):
        write_pts(tmp_path / "annot" / f"{frame + 1:06d}.pts", points)
        write_pts(pictures / f"{frame}.pts", points)
        (pictures / f"{frame}.png").write_bytes(b"never read")
    for place in (tmp_path, pictures, pictures / "1.png"):
        track = read_track(place)
        wanted = moving(3) if place.is_dir() else moving(3)[1:2]
        np.testing.assert_allclose(track.points, wanted, atol=1e-9)


def test_landmarks_of_a_video_are_found_and_follow_one_face(tmp_path):
    frames = [np.full((64, 64, 3), level, np.uint8) for level in (100, 50, 100)]
    save_video(tmp_path / "a.mp4", frames)
    right, left = STEADY / 4 + [30.0, 0.0], STEADY / 5

    def detector(picture):
        # In the second frame another face is the larger one.
        first = right if picture.mean() > 0.3 else right / 2 + [28.0, 5.0]
        return np.stack([first, left if picture.mean() > 0.3 else 1.2 * STEADY / 4])

    seen = []
    track = read_track(
        tmp_path / "a.mp4", detector=detector, on_frame=lambda *told: seen.append(told)
    )
    np.testing.assert_allclose(track.points[1], right / 2 + [28.0, 5.0])
    assert seen == [(k, 3, f"a/{k - 1:06d}") for k in (1, 2, 3)]


def test_a_face_is_followed_near_the_last_and_found_again_when_it_leaps(monkeypatch):
    asked = []

    class Ours:
        def detect(self, picture):
            asked.append("all")
            return PhotographResult((_face_at(picture),), picture.shape[:2], (), 0.0)

        def detect_near(self, picture, frames):
            asked.append("near")
            face = _face_at(picture)
            close = np.linalg.norm(face.frame[:2] - frames[0, :2]) < 10
            return PhotographResult((face,) * int(close), picture.shape[:2], (), 0.0)

    monkeypatch.setattr(face_finder, "PhotographLandmarks", Ours)
    finder = face_finder.FaceFinder()
    for level in (0.0, 5.0, 60.0):
        found = finder.find(np.full((8, 8, 3), level), follow=True)
        np.testing.assert_allclose(found, STEADY + level)
    assert asked == ["all", "near", "near", "all"]
    finder.find(np.full((8, 8, 3), 61.0))
    assert asked[-1] == "all"


def _face_at(picture):
    points = STEADY + picture.mean()
    return PhotographFace(points, np.ones(68), np.ones(68), 1.0, frames_of(points))


def _long_gap(folder):
    for frame in (0, 1, 8, 9):
        write_pts(folder / f"{frame}.pts", STEADY)
    return folder, LandmarkError, "frames 2 to 7"


def _far_number(folder):
    for frame in (1, 2, 10**12):
        write_pts(folder / f"{frame}.pts", STEADY)
    return folder, LandmarkError, "frames 3 to 999999999999"


def _one_point_long(folder):
    points = moving(20)
    points[4:12, 7] = np.nan
    np.save(folder / "a.npy", points)
    return folder / "a.npy", LandmarkError, r"some points are missing in frames 4 to 11"


def _other_scheme(folder):
    write_pts(folder / "a.pts", np.ones((98, 2)))
    return folder, LandmarkError, "got 98"


def _named_scheme(folder):
    record = {"scheme": "wflw-98", "unit": "px", "points": STEADY.tolist()}
    (folder / "a.json").write_text(json.dumps(record))
    return folder, LandmarkError, "wflw-98"


def _several_schemes(folder):
    write_pts(folder / "1.pts", STEADY)
    write_pts(folder / "2.pts", to_66(STEADY))
    return folder, LandmarkError, r"68 in 1\.pts, 66 in 2\.pts"


def _twice(folder):
    write_pts(folder / "1.pts", STEADY)
    np.savetxt(folder / "1.txt", STEADY)
    return folder, FileFormatError, r"1\.pts and 1\.txt"


def _damaged(folder):
    write_pts(folder / "1.pts", STEADY)
    (folder / "2.pts").write_text("version: 1\n{ 1 2\n 3")
    return folder, FileFormatError, r"2\.pts"


def _all_missing(folder):
    np.save(folder / "a.npy", np.full((3, 68, 2), np.nan))
    return folder / "a.npy", LandmarkError, "got none in 3 frames"


def _no_face(folder):
    save_image(folder / "a.png", np.full((64, 64, 3), 0.5))
    return folder, LandmarkError, "no face was found in any of 1 frames"


def _array_of_another_shape(folder):
    np.savez(folder / "a.npz", points=np.zeros((68, 2)))
    return folder / "a.npz", LandmarkError, r"\(frames, 68, 2\)"


def _array_of_another_name(folder):
    np.savez(folder / "a.npz", landmarks=moving(2))
    return folder / "a.npz", FileFormatError, "'points'"


def _infinite(folder):
    np.save(folder / "a.npy", np.full((3, 68, 2), np.inf))
    return folder / "a.npy", LandmarkError, "infinity"


def _empty(folder):
    return folder, FileFormatError, "expected one video"


def _nowhere(folder):
    return folder / "none", FileFormatError, "there is none"


def _other_file(folder):
    (folder / "a.docx").write_bytes(b"x")
    return folder / "a.docx", FileFormatError, "got .docx"


@pytest.mark.parametrize(
    "case",
    [
        *(_long_gap, _far_number, _one_point_long, _other_scheme, _named_scheme, _several_schemes),
        *(_twice, _damaged, _all_missing, _no_face, _array_of_another_shape, _infinite),
        *(_array_of_another_name, _empty, _nowhere, _other_file),
    ],
)
def test_what_is_no_track_is_told_in_one_sentence(tmp_path, case):
    place, kind, words = case(tmp_path)
    with pytest.raises(kind, match=words) as caught:
        read_track(place)
    assert isinstance(caught.value, GeomfaceError)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
