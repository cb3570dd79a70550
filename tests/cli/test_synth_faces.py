"""`geomface synth faces`: sets made, plans told, bad input refused in a sentence."""

import json
from pathlib import Path

import pytest

from geomface.cli.main import main
from geomface.datasets import load_synthetic
from geomface.synthesis import FaceImageSettings

SMALL = ["synth", "faces", "--identities", "2", "--samples", "2", "--size", "32"]


def test_a_set_is_made_and_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    words = [*SMALL, "--out", str(out), "--outputs", "rgb", "alpha", "landmarks", "--json"]
    assert main([*words, "--seed", "5", "--yaw", "uniform(20,30)"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["pictures"] == record["drawn"] == 4 and record["failed"] == 0
    faces = load_synthetic(out)
    assert all(20 <= item.parameters["yaw"] <= 30 for item in faces)
    assert faces.image(faces.records[0], "rgb").shape == (32, 32, 3)
    assert main([*words, "--seed", "5", "--yaw", "uniform(20,30)"]) == 0
    assert json.loads(capsys.readouterr().out)["drawn"] == 0
    assert main([*words, "--seed", "6", "--yaw", "uniform(20,30)"]) == 1
    assert "made with other settings: seed was 5, now 6" in capsys.readouterr().err


def test_a_grid_in_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    words = ["synth", "faces", "--identities", "1", "--size", "32", "--out", str(out), "--shards"]
    assert main([*words, "--grid", "yaw=-60:60:60", "light_azimuth=-60,60"]) == 0
    assert "6 pictures" in capsys.readouterr().out
    assert [item.parameters["yaw"] for item in load_synthetic(out)] == [-60, -60, 0, 0, 60, 60]
    assert (out / "index.json").is_file()


def test_defaults_are_those_of_the_library(tmp_path: Path) -> None:
    from geomface.cli.synth_faces import SynthFacesOptions, image_settings

    options = SynthFacesOptions(out=tmp_path, identities=1, samples=1)
    assert image_settings(options) == FaceImageSettings()


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--out", str(tmp_path / "set"), "--dry-run"]) == 0
    assert "4 of 4 pictures to do" in capsys.readouterr().out and not (tmp_path / "set").exists()


def test_failed_pictures_end_with_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*SMALL, "--out", str(tmp_path / "set"), "--identity", "constant(1e15)"]
    assert main(words) == 3
    captured = capsys.readouterr()
    assert "4 failed" in captured.out and "few sigma" in captured.out
    assert "4 pictures could not be made" in captured.err
    assert main(["pipeline", "status", str(tmp_path / "set")]) == 3
    assert "4 pictures in them failed" in (text := capsys.readouterr().out) and "few sigma" in text
    # The same numbers fail again, but they are tried.
    assert main(["pipeline", "retry", str(tmp_path / "set"), "--json", "--quiet"]) == 3
    assert json.loads(capsys.readouterr().out)["did"] == 4
    assert main(["pipeline", "verify", str(tmp_path / "set")]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--yaw", "gaussian(0,-12)"], "expected a sigma of 0 or more, got -12"),
        (["--yaw", "mixture(0.7*gaussian(0,5),0.2*uniform(-60,60))"], "weights that sum to 1"),
        (["--yaw", "often"], "'often' is none of them"),
        (["--identities", "0"], "identities: expected 1"),
        (["--size", "3"], "size: expected 16 to 4096"),
        (["--workers", "0"], "workers: expected 1 or more"),
        (["--outputs", "rgb", "heat"], "got 'heat'"),
        (["--grid", "yaw=0,1"], "leave out samples"),
        (["--cosine", "constant(2)"], "cosine: expected -1 to 1"),
        (["--mix-share", "1"], "--mix-share: expected 0 to 0.9"),
        (["--hats", "nan"], "--hats: expected 0 to 1, got nan"),
        (["--subsurface", "4"], "--subsurface: expected 0 to 3"),
        (["--blur", "constant(1e9)"], "blur: expected at most 50, got values such as 1000000000.0"),
        (["--noise", "uniform(0,2)"], "noise: expected at most 1,"),
        (["--sharpening", "constant(-1)"], "sharpening: expected 0 to 10,"),
        (["--model", "no-such-model.safetensors"], "no-such-model.safetensors"),
        (["--device", "cuda"], "has no GPU path"),
        (["--identity", "empirical(nowhere.npy)"], "nowhere.npy"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main([*SMALL, "--out", str(tmp_path / "set"), *words]) == 1
    captured = capsys.readouterr()
    assert sentence in captured.err and captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1 and not (tmp_path / "set").exists()


def test_an_unknown_factor_names_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["synth", "faces", "--out", str(tmp_path / "set"), "--grid", "smile=0,1"]
    assert main(words) == 1
    assert "jawOpen" in capsys.readouterr().err
