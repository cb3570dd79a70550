"""`geomface train|sample|evaluate progressive_texture` from end to end, at toy size."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.cli.main import main
from geomface.files import load_image, save_image
from geomface.files.tensors import read_header
from geomface.learning import is_held_out

TRAIN = ["train", "progressive_texture", "--recipe", "tiny", "--quiet"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes") / "run"
    assert main([*TRAIN, "--data", "shapes", "--out", str(folder)]) == 0
    return folder


def test_run_directory(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert record["settings"]["masking"] == "masked" and "torch" in record["versions"]
    names = [item.name for item in sorted((run / "checkpoints").iterdir())]
    assert names == ["step-000000010.safetensors", "step-000000020.safetensors"]
    assert read_header(run / "checkpoints" / names[0])["kind"] == "training-checkpoint"
    assert load_image(run / "samples" / "step-000000020.png").std() > 0


def test_sample_depends_on_seed_and_index_only(run: Path, tmp_path: Path) -> None:
    for name, count, seed in (("a", 3, 1), ("b", 5, 1), ("c", 3, 2)):
        words = ["--count", str(count), "--seed", str(seed), "--out", str(tmp_path / name)]
        assert main(["sample", "progressive_texture", str(run), *words, "--quiet"]) == 0
    a, b, c = ((tmp_path / name / "sample002.png").read_bytes() for name in "abc")
    # A batch of another size may round differently in the last bit of a float, not of a byte.
    difference = load_image(tmp_path / "a" / "sample002.png") - load_image(
        tmp_path / "b" / "sample002.png"
    )
    assert np.abs(difference).max() <= 1 / 255 + 1e-6
    assert a != c and b != c
    assert len(list((tmp_path / "b").glob("sample*.png"))) == 6


def test_evaluate(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "progressive_texture", str(run), "--count", "40", "--json"]
    assert main(words) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads((run / "evaluation.json").read_text())
    assert record["data"]["red_circle"] > 0.3 and record["generated"]["count"] == 40
    assert record["distances"]["swd_average"] > 2 * record["real_distances"]["swd_average"] > 0
    assert record["generated_to_train"]["median"] > record["test_to_train"]["median"] > 0
    assert record["distances"]["images"] == 40 and record["without_holes"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("textures")
    for index in range(30):
        mask = np.ones((16, 16), np.float32)
        mask[:4, : 2 * (index % 3)] = 0
        save_image(folder / f"{index}.png", rng.random((16, 16, 3)).astype(np.float32))
        save_image(folder / f"{index}.mask.png", mask)
    return folder


@pytest.fixture(scope="module")
def folder_run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("folder") / "run"
    words = ["--data", str(data), "--steps", "12", "--mirror", "--held-out", "0.3"]
    assert main([*TRAIN, *words, "--out", str(out)]) == 0
    return out


def test_growing_on_a_folder_with_init_from(data: Path, folder_run: Path, tmp_path: Path) -> None:
    checkpoint = folder_run / "checkpoints" / "step-000000012.safetensors"
    words = ["--data", str(data), "--steps", "12", "--init-from", str(checkpoint)]
    assert main([*TRAIN, *words, "--out", str(tmp_path / "second")]) == 0
    sample = ["sample", "progressive_texture", str(folder_run), "--out", str(tmp_path / "s")]
    assert main(sample) == 0
    # 12 steps of 8 images: 4 px for 32, 8 px fades in for 32 and is stable for the last 32.
    assert load_image(tmp_path / "s" / "sample000.png").shape == (8, 8, 3)


def test_evaluation_uses_the_held_out_share(
    data: Path, folder_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = json.loads((folder_run / "run.json").read_text())["settings"]
    assert settings["held_out"] == 0.3
    out = [index for index in range(30) if is_held_out(f"{index}.png", 0.3)]
    moved = tmp_path / "elsewhere"
    shutil.copytree(data, moved)
    words = ["evaluate", "progressive_texture", str(folder_run), "--count", "40", "--json"]
    assert main([*words, "--data", str(moved)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["test_images"] == len(out) and record["train_images"] == 30 - len(out)
    assert record["real_distances"]["swd_average"] < record["distances"]["swd_average"]
    assert main([*words, "--test", str(data)]) == 0  # not new at all, and the figures show it
    record = json.loads(capsys.readouterr().out)
    assert record["test_to_train"]["p05"] == 0 < record["generated_to_train"]["p05"]
    assert main(words[:-1]) == 0
    assert "held-out to train" in capsys.readouterr().out


def test_nothing_held_out_is_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    assert main([*TRAIN, "--data", str(data), "--steps", "2", "--held-out", "0", "--out", out]) == 0
    assert main(["evaluate", "progressive_texture", out, "--quiet"]) == 1
    assert "expected at least 2 that training left aside, got 0" in capsys.readouterr().err
    assert main(["evaluate", "progressive_texture", out, "--test", str(data), "--quiet"]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--recipe", "tiny", "--loss", "hinge"], "loss: 'hinge' -> "),
        (["--seed", "3"], "seed: 0 -> 3"),
        (["--resume", "never"], "expected no run, got one"),
        (["--device", "cuda"], "expected a CUDA device, got none"),
        (["--devices", "3"], "expected a divisor of the 8 images of a step, got 3"),
        (["--devices", "0"], "expected 1 or more, got 0"),
        (["--held-out", "0.5"], "expected 0 for shapes"),
        (["--held-out", "1"], "expected a number in [0, 1)"),
        (["--mirror"], "expected a folder in --data"),
        (["--precision", "bfloat16"], "bfloat16 needs a CUDA device"),
        (["--budget-minutes", "0"], "expected a positive number"),
        (["--data", "nowhere"], "expected a folder of textures, there is none"),
        (["--kind", "geometry"], "expected a folder in --data"),
        (["--size", "20"], "power of two"),
    ],
)
def test_bad_input_is_one_sentence(
    words: list[str],
    sentence: str,
    run: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)  # no bfloat16 here
    if sentence.startswith("loss"):
        words, sentence = ["--loss", "wgan-gp"], "adversarial.loss: 'hinge' -> 'wgan-gp'"
    code = main([*TRAIN, "--out", str(run), *words])
    complaint = capsys.readouterr().err
    assert code == 1 and sentence in complaint and "Traceback" not in complaint
    assert complaint.startswith("error: ") and len(complaint.strip().splitlines()) == 1


def test_unknown_recipe_is_a_usage_error(tmp_path: Path) -> None:
    words = ["train", "progressive_texture", "--recipe", "huge", "--out", str(tmp_path / "x")]
    assert main(words) == 2


def test_run_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("sample", "evaluate"):
        words = [verb, "progressive_texture", str(tmp_path / "none")]
        words += ["--out", str(tmp_path / "s")] if verb == "sample" else []
        assert main(words) == 1
        assert "no such file" in capsys.readouterr().err
