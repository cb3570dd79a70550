"""Frames to train with: sets, stills, frame folders and videos, with who is in them."""

import numpy as np
import pytest

import geomface as gf
from geomface.errors import FileFormatError, LandmarkError
from geomface.files import save_image
from geomface.files.videos import save_video
from geomface.gan.landmark_reenactment import read_face_frames, read_track
from geomface.learning.errors import DatasetError
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
from geomface.pipeline import FaceSetSettings, generate_faces

POINTS = np.random.default_rng(0).uniform(10, 50, (68, 2))
PICTURE = np.random.default_rng(1).random((60, 60, 3))


def still(path, points=POINTS):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_image(path, PICTURE)
    if points is not None:
        save_pixel_landmarks(path.with_suffix(".landmarks.json"), PixelLandmarks(points))


def video(folder, frames, annotated):
    """A folder as 300VW has it; its frames are numbered from 1."""
    folder.mkdir(parents=True)
    save_video(folder / "vid.avi", [np.full((64, 64, 3), 9 * k, np.uint8) for k in range(frames)])
    for frame in annotated:
        points = POINTS + [0.5 * frame, 0.0]
        place = folder / "annot" / f"{frame + 1:06d}.pts"
        place.parent.mkdir(exist_ok=True)
        place.write_text("{\n" + "\n".join(f"{x} {y}" for x, y in points) + "\n}\n")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    images = gf.FaceImageSettings(identities=2, samples=3, size=32)
    tracks = gf.FaceImageSettings(identities=2, samples=3, size=32, track=4)
    generate_faces(FaceSetSettings(images, folder / "stills"))
    generate_faces(FaceSetSettings(tracks, folder / "tracks"))
    return folder


def test_a_set_knows_its_people_and_whether_they_move(sets):
    read = read_face_frames([sets / "stills", sets / "tracks"], 16)
    frames = read.frames
    assert read.failed == () and frames.images.shape == (12, 3, 16, 16)
    assert frames.people.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert frames.groups.tolist() == [0, 1, 2, 3, 4, 5, 6, 6, 6, 7, 7, 7]
    assert frames.moments.tolist() == [0] * 6 + [0, 1, 2] * 2
    # The landmarks' box with its margin fills each crop, pixel centres at whole numbers.
    assert np.allclose(frames.points.min(axis=1) + frames.points.max(axis=1), 15.0, atol=1e-3)


def test_a_set_of_tracks_of_one_person_alone_is_a_track(sets):
    with pytest.raises(LandmarkError, match="one person"):
        read_track(sets / "tracks")


def test_stills_are_people_of_their_folders_or_anybody(tmp_path):
    for name in ("ann/1.png", "ann/2.png", "bob/1.png", "x.png", "y.png"):
        still(tmp_path / name)
    frames = read_face_frames([tmp_path], 16).frames
    assert frames.names == ("ann/1.png", "ann/2.png", "bob/1.png", "x.png", "y.png")
    assert frames.people.tolist() == [0, 0, 1, 2, 3]
    assert frames.groups.tolist() == [0, 1, 2, 3, 4]


def test_300vw_is_read_as_it_lies(tmp_path):
    video(tmp_path / "001", 6, range(6))
    video(tmp_path / "002", 6, (0, 1, 2, 4, 5))
    seen = []
    read = read_face_frames(
        [], 16, videos=[tmp_path], detect=False, on_frame=lambda *told: seen.append(told)
    )
    frames = read.frames
    assert frames.groups.tolist() == [0] * 6 + [1] * 5
    assert frames.moments.tolist() == [*range(6), 0, 1, 2, 4, 5]
    assert [name for name, _ in read.failed] == ["002/000003"]
    assert "landmark file" in read.failed[0][1]
    assert seen[-1] == (12, 12, "002/000005")
    # Frame k of the video goes with file k + 1: the picture of frame 4 is the brightest but one.
    levels = frames.images[6:].mean(axis=(1, 2, 3))
    assert np.allclose(levels, 9 * np.array([0, 1, 2, 4, 5]), atol=3)
    other = read_face_frames([], 16, videos=[tmp_path], every=2).frames
    assert other.moments.tolist() == [0, 2, 4, 0, 2, 4]


def test_frame_folders_and_single_files_are_videos(tmp_path):
    for frame in (0, 1, 2, 10):
        still(tmp_path / "talk" / f"frame_{frame}.png")
    video(tmp_path / "007", 2, range(2))
    places = [tmp_path / "talk", tmp_path / "007" / "vid.avi"]
    frames = read_face_frames([], 16, videos=places).frames
    assert frames.groups.tolist() == [0] * 4 + [1] * 2
    assert frames.moments.tolist() == [0, 1, 2, 10, 0, 1]
    assert read_face_frames([], 16, videos=[tmp_path]).frames.groups.max() == 1


def test_landmarks_are_found_where_none_are_given(tmp_path):
    still(tmp_path / "a.png")
    still(tmp_path / "b.png", None)
    found = read_face_frames([tmp_path], 16, detector=lambda picture: POINTS).frames
    assert np.array_equal(found.images[0], found.images[1])


def test_what_fails_is_listed_and_the_others_go_on(tmp_path):
    still(tmp_path / "good.png")
    still(tmp_path / "unmarked.png", None)
    still(tmp_path / "outside.png", POINTS + 1000.0)
    still(tmp_path / "line.png", POINTS * [1.0, 0.0])
    still(tmp_path / "scheme.png", POINTS[:29])
    still(tmp_path / "broken.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    read = read_face_frames([tmp_path], 16, detector=lambda picture: None)
    assert read.frames.names == ("good.png",)
    why = dict(read.failed)
    assert set(why) == {"unmarked.png", "outside.png", "line.png", "scheme.png", "broken.png"}
    assert "no face" in why["unmarked.png"] and "0 % of them" in why["outside.png"]
    assert "span a box" in why["line.png"] and "got 29" in why["scheme.png"]
    (tmp_path / "good.png").unlink()
    with pytest.raises(DatasetError, match="none of 5 could be read; broken.png"):
        read_face_frames([tmp_path], 16, detector=lambda picture: None)


def test_places_without_frames_are_refused(tmp_path):
    (tmp_path / "two").mkdir()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "two" / name).write_bytes(b"x")
    cases = [((tmp_path,), ()), ((tmp_path / "none",), ()), ((), (tmp_path / "none",))]
    cases += [((), (tmp_path / "two" / "a.mp4",)), ((), (tmp_path / "a.txt",))]
    (tmp_path / "a.txt").write_text("x")
    for stills, videos in cases:
        with pytest.raises(FileFormatError):
            read_face_frames(stills, 16, videos=videos)
