"""`geomface train|sample|evaluate progressive_texture` from end to end, at toy size."""

import json
from pathlib import Path

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.mesh.io import load_image, save_image
from geomface.mesh.io.tensors import read_header

TRAIN = ["train", "progressive_texture", "--recipe", "tiny", "--quiet"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes") / "run"
    assert main([*TRAIN, "--data", "shapes", "--out", str(folder)]) == 0
    return folder


def test_run_directory(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert record["settings"]["arm"] == "masked" and "torch" in record["versions"]
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
    assert record["distances"]["swd_average"] > record["distances"]["swd_reference"] > 0


def test_growing_on_a_folder_with_init_from(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = tmp_path / "data"
    data.mkdir()
    for index in range(10):
        mask = np.ones((16, 16), np.float32)
        mask[:4, : 2 * (index % 3)] = 0
        save_image(data / f"{index}.png", rng.random((16, 16, 3)).astype(np.float32))
        save_image(data / f"{index}.mask.png", mask)
    first, second = tmp_path / "first", tmp_path / "second"
    words = [*TRAIN, "--data", str(data), "--steps", "12", "--mirror"]
    assert main([*words, "--out", str(first)]) == 0
    checkpoint = first / "checkpoints" / "step-000000012.safetensors"
    assert main([*words, "--out", str(second), "--init-from", str(checkpoint)]) == 0
    evaluated = ["evaluate", "progressive_texture", str(first), "--count", "20", "--quiet"]
    assert main(evaluated) == 0
    assert main(["sample", "progressive_texture", str(first), "--out", str(tmp_path / "s")]) == 0
    # 12 steps of 8 images: 4 px for 32, 8 px fades in for 32 and is stable for the last 32.
    assert load_image(tmp_path / "s" / "sample000.png").shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--recipe", "tiny", "--loss", "hinge"], "loss: 'hinge' -> "),
        (["--seed", "3"], "seed: 0 -> 3"),
        (["--resume", "never"], "expected no run, got one"),
        (["--device", "cuda"], "expected a CUDA device, got none"),
        (["--devices", "2"], "Lightning Fabric"),
        (["--precision", "bfloat16"], "bfloat16 needs a CUDA device"),
        (["--budget-minutes", "0"], "expected more than 0"),
        (["--data", "nowhere"], "expected a folder of textures, there is none"),
        (["--kind", "geometry"], "expected a folder in --data"),
        (["--size", "20"], "power of two"),
    ],
)
def test_bad_input_is_one_sentence(
    words: list[str], sentence: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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
