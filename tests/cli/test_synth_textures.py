"""`geomface synth textures`: sets made, plans told, failures counted, bad input refused."""

import json
from pathlib import Path

import pytest

from geomface.cli.main import main
from geomface.errors import RegistrationError
from geomface.pipeline import texture_sets

SMALL = ["synth", "textures", "--count", "1", "--size", "16", "--vertices", "1500"]


def test_a_set_is_made_and_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    assert main([*SMALL, "--out", str(out), "--seed", "5", "--json"]) == 0
    captured = capsys.readouterr()
    record = json.loads(captured.out)
    assert record["faces"] == record["made"] == 1 and record["failed"] == 0
    assert "faces: 1/1" in captured.err
    assert main([*SMALL, "--out", str(out), "--seed", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made"] == 0
    assert main([*SMALL, "--out", str(out), "--seed", "6"]) == 1
    assert "seed was 5, now 6" in capsys.readouterr().err


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--out", str(tmp_path / "set"), "--dry-run"]) == 0
    assert "1 of 1 faces to do" in capsys.readouterr().out and not (tmp_path / "set").exists()


def test_failed_faces_end_with_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(task: object, folder: Path) -> None:
        raise RegistrationError("there is no face.")

    monkeypatch.setattr(texture_sets, "make_textured_face", fail)
    assert main([*SMALL, "--out", str(tmp_path / "set")]) == 3
    captured = capsys.readouterr()
    assert "1 failed" in captured.out and "face 000000: there is no face." in captured.out
    assert "failed: face 000000" in captured.err
    folder = str(tmp_path / "set")
    assert main(["pipeline", "status", folder]) == 3
    assert "000000: there is no face." in capsys.readouterr().out
    monkeypatch.undo()
    assert main(["pipeline", "retry", folder, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["did"] == record["made"] == 1 and record["items"]["000000"]["status"] == "done"
    assert main(["pipeline", "status", folder]) == main(["pipeline", "verify", folder]) == 0
    (tmp_path / "set" / "truth" / "000000.png").unlink()
    assert main(["pipeline", "verify", folder]) == 1
    assert "000000: changed or missing: truth/000000.png" in capsys.readouterr().out


def test_defaults_are_those_of_the_library(tmp_path: Path) -> None:
    from geomface.cli.synth_textures import SynthTexturesOptions, set_settings
    from geomface.pipeline.texture_settings import TextureSetSettings

    options = SynthTexturesOptions(out=tmp_path, count=7)
    assert set_settings(options) == TextureSetSettings(tmp_path, 7)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--size", "100"], "size: expected a power of two"),
        (["--count", "0"], "count: expected 1 or more"),
        (["--seed", "-1"], "seed: expected 0 to"),
        (["--covered", "2"], "covered: expected 0 to 1"),
        (["--model", "nothing.npz"], "nothing.npz: expected a face model"),
        (["--template", "nothing.obj"], "nothing.obj"),
        (["--device", "cuda"], "has no GPU path"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    code = main([*SMALL, "--out", str(tmp_path / "set"), *words])
    captured = capsys.readouterr()
    text = captured.err.strip()
    assert sentence in text and "Traceback" not in text and code in (1, 2)
    assert not (tmp_path / "set").exists()
