"""The prepared script for a GPU runs on a CPU, on the smallest networks."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from geomface.files import load_image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import recognition_gpu  # noqa: E402


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpu")
    words = "--device cpu --recipe tiny --turns 2 --steps 1 --train-seconds 0.5"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["recognition_gpu.py", *words.split(), "--out", str(folder)])
        recognition_gpu.main()
    return folder


def test_the_record_has_steps_limits_and_a_training(out: Path) -> None:
    record = json.loads((out / "speed.json").read_text())
    (steps,) = record["steps"]
    assert steps["ways"]["plain float32"]["times_plain"][0] == 1.0
    assert all(way["ms"] > 0 for way in steps["ways"].values()) and "float32" in steps["ways"]
    assert all(limit > 0 for limit in steps["limits_ms"].values()) and len(steps["limits_ms"]) == 3
    assert record["training"]["steps"] > 0 and 0 <= record["training"]["waiting"] <= 1
    assert record["left_out"] == []


def test_the_sheet_shows_pictures_beside_their_nearest(out: Path) -> None:
    sheet = load_image(out / "sheet.png")
    assert sheet.ndim == 3 and np.ptp(sheet) > 0.5


def test_the_plain_loop_has_the_loss_of_the_library() -> None:
    import torch

    from geomface.recognition import arcface, margin_loss, one_hot
    from geomface.recognition.networks.embedder_network import NetworkSettings

    plain = recognition_gpu.PlainLoop(NetworkSettings("compact", 28, 24), 5, torch.device("cpu"))
    images, people = torch.randn(6, 3, 28, 24), torch.arange(6) % 5
    with torch.no_grad():
        cosines = plain.head(plain.network(images))
        expected = margin_loss(cosines, one_hot(people), arcface())
        torch.testing.assert_close(plain.loss(images, people), expected, rtol=1e-4, atol=1e-4)
