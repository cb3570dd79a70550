"""Videos and GIFs: what is written is read again, and what cannot be is told."""

import sys

import numpy as np
import pytest
from PIL import Image

from geomface.errors import FileFormatError, MissingBackendError, OutputError
from geomface.files.videos import save_gif, save_video, video_frames, video_head


def grey_frames(count, size=(32, 48)):
    return [np.full((*size, 3), 10 * k, np.uint8) for k in range(count)]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "grey.mp4"
    save_video(path, grey_frames(20), rate=10)
    return path


def test_a_video_comes_back_frame_by_frame(video):
    assert video_head(video) == (10.0, 20)
    levels = [frame.mean() for frame in video_frames(video)]
    assert np.allclose(levels, 10 * np.arange(20), atol=2)
    assert next(video_frames(video)).shape == (32, 48, 3)


def test_an_odd_side_loses_a_pixel(tmp_path):
    save_video(tmp_path / "odd.mp4", grey_frames(2, (33, 47)))
    assert next(video_frames(tmp_path / "odd.mp4")).shape == (32, 46, 3)


def test_a_gif_has_every_frame_and_one_palette(tmp_path):
    save_gif(tmp_path / "a.gif", grey_frames(20), rate=20)
    with Image.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.info["duration"], gif.info["loop"]) == (20, 50, 0)
        gif.seek(7)
        assert abs(np.asarray(gif.convert("RGB")).mean() - 70) < 3


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "missing", "folder"])
def test_what_is_no_video_is_told_in_a_sentence(tmp_path, video, damage):
    path = tmp_path / "bad.mp4"
    whole = video.read_bytes()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(
            {"empty": b"", "cut": whole[: len(whole) // 2], "text": b"no " * 99}[damage]
        )
    with pytest.raises(FileFormatError, match=r"expected a video.*\.$"):
        list(video_frames(path))


def test_a_video_that_is_cut_off_gives_what_there_is_and_a_note(tmp_path, caplog):
    noise = np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3), np.uint8)
    save_video(tmp_path / "a.mkv", noise)
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(whole[: len(whole) // 2])
    count = len(list(video_frames(tmp_path / "a.mkv")))
    assert 5 < count < 35
    assert f"{count} frames could be read of about 40" in caplog.text


def test_without_the_extra_the_way_out_is_told(video, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingBackendError, match=r"geomface\[video\]"):
        list(video_frames(video))


@pytest.mark.parametrize("frames", [[], [*grey_frames(1), *grey_frames(1, (16, 16))]])
def test_frames_that_make_no_video_leave_nothing(tmp_path, frames):
    with pytest.raises(OutputError, match="frames"):
        save_video(tmp_path / "a.mp4", frames)
    assert not list(tmp_path.iterdir())
