"""Frames of a face that follows landmarks, and `geomface sample landmark_reenactment`."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from reenactment_models import SMALL, save_untrained

import geomface as gf
from geomface.cli.main import main
from geomface.errors import LandmarkError, SettingsError
from geomface.files import load_image, save_image
from geomface.files.videos import video_frames
from geomface.gan.landmark_reenactment import Reenactor, load_reenactor, reenact, to_66
from geomface.gan.landmark_reenactment.conditions import condition_map
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks

FACE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
TARGETS = np.random.default_rng(1).uniform(2, 29, (20, 68, 2))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A picture with landmarks beside it, and an untrained model."""
    folder = tmp_path_factory.mktemp("sample")
    batch = gf.FaceSampler(gf.FaceImageSettings(size=96, seed=3)).batch([(0, 0)])
    save_image(folder / "a.png", batch.images["rgb"][0])
    points = batch.landmarks[0].astype(np.float64)
    save_pixel_landmarks(folder / "a.landmarks.json", PixelLandmarks(points, image_size=(96, 96)))
    np.save(folder / "track.npy", points + np.arange(30)[:, None, None])
    save_untrained(folder / "model.safetensors")
    return folder


def sample(place, out, *words, image="a.png"):
    """Run the command, and return its exit code."""
    return main(
        ["sample", "landmark_reenactment", str(place / "model.safetensors")]
        + ["--image", str(place / image), "--out", str(out), *map(str, words)]
    )


def test_every_frame_is_made_of_the_picture(place):
    reenactor = load_reenactor(place / "model.safetensors")
    assert (reenactor.step, reenactor.settings) == (7, SMALL)
    frames = np.stack(list(reenactor.reenact(FACE, TARGETS)))
    assert frames.shape == (20, 32, 32, 3) and frames.dtype == np.uint8
    # In another order and number the same; 66 landmarks are all that it is shown.
    again = np.stack(list(reenactor.reenact(FACE, to_66(TARGETS[::-1]))))
    assert np.abs(again[::-1].astype(int) - frames).max() <= 1
    image = torch.from_numpy(FACE).permute(2, 0, 1)[None] / 127.5 - 1.0
    condition = condition_map(torch.from_numpy(TARGETS[3:4]).float(), SMALL)
    with torch.no_grad():
        made = reenactor.generator(image, condition)[0].permute(1, 2, 0)
    assert np.abs(127.5 * (made.numpy() + 1) - frames[3]).max() < 1.0


def test_progressive_frames_are_made_of_each_other_without_rounding():
    black = np.zeros((32, 32, 3), np.uint8)

    def nearer(images, condition):
        return images + (1.0 - images) / 300.0  # less than a level a frame

    frames = np.stack(list(reenact(nearer, SMALL, black, TARGETS, progressive=True)))
    level = 127.5 * (2 - 2 * (1 - 1 / 300) ** np.arange(1, 21))
    assert np.abs(frames.mean(axis=(1, 2, 3)) - level).max() <= 0.51
    direct = np.stack(list(reenact(nearer, SMALL, black, TARGETS)))
    assert (direct == direct[0]).all()


def test_targets_fill_crops_of_their_own():
    wide = TARGETS * [3.0, 1.0] + [100.0, 7.0]
    places = Reenactor(lambda x, c: x, SMALL).targets(wide)
    np.testing.assert_allclose(places.min(axis=1) + places.max(axis=1), 31.0, atol=1e-9)


def test_pictures_and_tracks_of_another_form_are_refused():
    with pytest.raises(SettingsError, match="face"):
        list(reenact(lambda x, c: x, SMALL, FACE[:30], TARGETS))
    with pytest.raises(SettingsError, match="uint8"):
        list(reenact(lambda x, c: x, SMALL, FACE / 255.0, TARGETS))
    with pytest.raises(LandmarkError, match="68"):
        list(reenact(lambda x, c: x, SMALL, FACE, TARGETS[:, :29]))


def test_a_track_becomes_frames_a_sheet_a_gif_and_a_video(place, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--track", place / "track.npy", "--as-it-is", "--progressive", "--mp4", "--json"]
    assert sample(place, out, *words) == 0
    told = capsys.readouterr()
    record = json.loads(told.out)
    assert (record["frames"], record["size"], record["step"]) == (30, 32, 7)
    assert "frames: 30/30" in told.err
    assert sorted(p.name for p in out.iterdir() if p.name[0] != ".") == [
        *("frames", "reenactment.gif", "reenactment.mp4", "sheet.png"),
    ]
    frames = sorted((out / "frames").iterdir())
    assert [path.name for path in frames] == [f"{k:05d}.png" for k in range(30)]
    assert load_image(frames[0]).shape == (32, 32, 3)
    assert load_image(out / "sheet.png").shape == (256, 11 * 128, 3)
    with Image.open(out / "reenactment.gif") as gif:
        assert (gif.n_frames, gif.size) == (30, (192, 192))
    assert next(video_frames(out / "reenactment.mp4")).shape == (192, 192, 3)


@pytest.mark.parametrize(
    "words",
    [
        ("--turn", "yaw", "-30", "30", "--frames", "3"),
        ("--frontal", "--expression", "happy", "--frames", "3"),
        ("--track", "TRACK"),
    ],
)
def test_the_3d_model_moves_the_face(place, tmp_path, words, capsys):
    words = [place / "track.npy" if word == "TRACK" else word for word in words]
    assert sample(place, tmp_path / "out", *words) == 0
    count = 30 if "--track" in words else 3
    assert len(list((tmp_path / "out" / "frames").iterdir())) == count


def test_a_dry_run_writes_nothing(place, tmp_path, capsys):
    assert sample(place, tmp_path / "out", "--frontal", "--dry-run") == 0
    assert "25 frames of 32 px" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_an_earlier_result_is_kept(place, tmp_path, capsys):
    (tmp_path / "frames").mkdir()
    assert sample(place, tmp_path, "--frontal") == 1
    assert "earlier result" in capsys.readouterr().err


def test_landmarks_are_found_where_none_are_beside(place, tmp_path, capsys):
    (tmp_path / "b.png").write_bytes((place / "a.png").read_bytes())
    words = ("--track", place / "track.npy", "--as-it-is")
    assert sample(place, tmp_path / "out", *words, image=tmp_path / "b.png") == 0
    assert "they were found" in capsys.readouterr().err


def _no_face(folder, place):
    save_image(folder / "grey.png", np.full((64, 64, 3), 0.5))
    return ["--image", folder / "grey.png", "--frontal"], "no face was found"


def _another_size(folder, place):
    save_pixel_landmarks(folder / "l.json", PixelLandmarks(TARGETS[0], image_size=(50, 70)))
    return ["--landmarks", folder / "l.json", "--frontal"], "of an image of 70 x 50"


def _outside(folder, place):
    save_pixel_landmarks(folder / "l.json", PixelLandmarks(TARGETS[0] + 500.0))
    return ["--landmarks", folder / "l.json", "--frontal"], "0 % of them are"


def _another_scheme(folder, place):
    save_pixel_landmarks(folder / "l.json", PixelLandmarks(TARGETS[0][:29], "points-29"))
    return ["--landmarks", folder / "l.json", "--frontal"], "got 29 of points-29"


def _no_picture(folder, place):
    return ["--image", folder / "none.png", "--frontal"], "no such file"


def _gap(folder, place):
    points = np.load(place / "track.npy")
    points[3:12] = np.nan
    np.save(folder / "gap.npy", points)
    return ["--track", folder / "gap.npy"], "frames 3 to 11"


def _video_that_is_none(folder, place):
    (folder / "a.mp4").write_bytes(b"no video")
    return ["--track", folder / "a.mp4"], "cannot be decoded"


def _unknown_expression(folder, place):
    return ["--expression", "joyful"], "got 'joyful'"


def _nothing_moves(folder, place):
    return [], "got neither"


def _too_much_moves(folder, place):
    return ["--track", place / "track.npy", "--frontal"], "got both"


def _two_turns(folder, place):
    return ["--turn", "yaw", 0, 1, "--frontal"], "give one"


def _as_it_is_of_nothing(folder, place):
    return ["--frontal", "--as-it-is"], "--as-it-is"


def _no_frames(folder, place):
    return ["--frontal", "--frames", 0], "--frames"


def _even_window(folder, place):
    return ["--track", place / "track.npy", "--smooth", 4], "--smooth: expected an odd number"


def _out_is_a_file(folder, place):
    (folder / "file").write_bytes(b"x")
    return ["--out", folder / "file", "--frontal"], "is a file"


@pytest.mark.parametrize(
    "case",
    [
        *(_no_face, _another_size, _outside, _another_scheme, _no_picture, _gap),
        *(_video_that_is_none, _unknown_expression, _nothing_moves, _too_much_moves),
        *(_two_turns, _as_it_is_of_nothing, _no_frames, _out_is_a_file),
        _even_window,
    ],
)
def test_bad_input_is_told_in_a_sentence_and_nothing_is_written(place, tmp_path, capsys, case):
    words, told = case(tmp_path, place)
    assert sample(place, tmp_path / "out", *words) in (1, 2)
    error = capsys.readouterr().err
    assert told in " ".join(error.split())
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_video_without_the_extra_is_refused_before_the_work(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert sample(place, tmp_path / "out", "--frontal", "--mp4") == 1
    assert "geomface[video]" in capsys.readouterr().err


def test_what_breaks_in_the_middle_leaves_no_frames(place, tmp_path, monkeypatch):
    from geomface.files import png16

    def full(levels):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(png16, "encode_quickly", full)
    words = ("--track", place / "track.npy", "--as-it-is")
    assert sample(place, tmp_path / "out", *words) == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == [".geomface.json"]
