"""The frame of a `train` command: what makes a run is compared when it goes on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from geomface.cli.main import main
from geomface.errors import FileFormatError
from geomface.files.tensors import read_header
from geomface.learning import CheckpointError, System, load_trained, save_trained

SYSTEM = System("progressive_texture")


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A training of two steps on twelve pictures, done once."""
    draw = np.random.default_rng(0)
    (tmp_path / "set").mkdir()
    for index in range(12):
        pixels = draw.integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "set" / f"{index}.png")
    words = ["train", "progressive_texture", "--recipe", "tiny", "--device", "cpu", "--quiet"]
    words += ["--data", str(tmp_path / "set"), "--out", str(tmp_path / "run"), "--held-out", "0"]
    assert main([*words, "--steps", "2"]) == 0
    return words


def test_what_makes_a_run_is_compared(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*changes: str) -> str:
        capsys.readouterr()
        assert main([*words, "--steps", "4", *changes]) == 1
        return capsys.readouterr().err

    assert "inputs.mirror: False -> True" in refused("--mirror")
    assert "masking: 'masked' -> 'unmasked'" in refused("--masking", "unmasked")
    (tmp_path / "other").mkdir()
    for index in range(3):
        Image.new("RGB", (16, 16), (index, 0, 0)).save(tmp_path / "other" / f"{index}.png")
    text = refused("--data", str(tmp_path / "other"))
    assert "images: 3 changed, such as 0.png, 1.png, 2.png" in text and "9 gone" in text
    Image.new("RGB", (16, 16)).save(tmp_path / "set" / "7.png")
    assert "images: 1 changed, such as 7.png" in refused()


def test_a_dry_run_compares_too(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for word in words if word != "--quiet"] + ["--dry-run"]
    assert main([*words, "--steps", "4"]) == 0
    assert "where a run stopped after step 2" in capsys.readouterr().out
    assert main([*words, "--mirror"]) == 1
    assert "inputs.mirror: False -> True" in capsys.readouterr().err
    assert main([*words, "--resume", "never"]) == 1
    assert main([*words, "--out", str(tmp_path / "set")]) == 1
    assert "but it holds 0.png" in capsys.readouterr().err


def test_moved_data_are_the_same_data(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "set").rename(tmp_path / "moved")
    assert main([*words, "--steps", "3", "--data", str(tmp_path / "moved")]) == 0
    assert (tmp_path / "run/checkpoints/step-000000003.safetensors").is_file()


def test_model_files_know_what_they_are(words: list[str], tmp_path: Path) -> None:
    model = load_trained(tmp_path / "run", system=SYSTEM)
    assert model.step == 2 and "generator_ema" in model.arrays
    small = tmp_path / "small.safetensors"
    save_trained(small, model, system=SYSTEM, networks=("generator_ema",), precision="float16")
    again = load_trained(small, system=SYSTEM)
    assert list(again.arrays) == ["generator_ema"] and again.config == model.config
    for key, array in again.arrays["generator_ema"].items():
        exact = model.arrays["generator_ema"][key]
        assert array.dtype == (np.float16 if exact.ndim > 1 else exact.dtype)
        np.testing.assert_allclose(array, exact, rtol=1e-3, atol=1e-4)
    with pytest.raises(CheckpointError, match="expected the network 'critic', got generator_ema"):
        again.fill("critic", torch.nn.Linear(1, 1))
    with pytest.raises(CheckpointError, match="expected a model of 'other', got one of 'progr"):
        load_trained(small, system=System("other"))
    assert read_header(small)["kind"] == "trained-model"
    data = bytearray(small.read_bytes())
    data[-3] ^= 1
    small.write_bytes(data)
    with pytest.raises(FileFormatError, match="the weights are damaged"):
        load_trained(small, system=SYSTEM)
