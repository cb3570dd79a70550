"""Runs of the first version, whose settings and networks had other names, are read as before."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.files import load_image
from geomface.files.settings import settings_from_json
from geomface.files.tensors import save_tensors
from geomface.gan.progressive_texture import (
    SYSTEM,
    TextureGanSettings,
    shapes_set,
    train_texture_gan,
)
from geomface.learning import read_run
from geomface.learning.state import KIND, SCHEMA, read_checkpoint
from geomface.report.training import write_training_report

FORMER = Path(__file__).with_name("former_runs")
"""Written by the commit before the names changed: run.json has "arm" and "settle", the checkpoints
have "critic" and "average"; drawn.png and evaluation.json are what that version made of them."""


@pytest.fixture(params=["dcgan", "growing"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return shutil.copytree(FORMER / request.param, tmp_path / "run")


def test_it_is_sampled(run: Path, tmp_path: Path) -> None:
    words = ["--count", "4", "--out", str(tmp_path / "drawn"), "--quiet"]
    assert main(["sample", "progressive_texture", str(run), *words]) == 0
    drawn = load_image(tmp_path / "drawn" / "samples.png")
    # Another machine may round differently in the last bit of a float, not of a byte.
    assert np.abs(drawn - load_image(run / "drawn.png")).max() <= 1 / 255 + 1e-6


def test_it_is_evaluated_and_reported(run: Path, tmp_path: Path) -> None:
    before = json.loads((run / "evaluation.json").read_text())
    report = tmp_path / "evaluation.json"
    words = ["--count", "30", "--report", str(report), "--quiet"]
    assert main(["evaluate", "progressive_texture", str(run), *words]) == 0
    after = json.loads(report.read_text())
    # Not the sliced Wasserstein distance, which has taken more patches at other places since.
    for name in ("frechet", "kernel"):
        assert after["distances"][name] == pytest.approx(before["distances"][name], rel=1e-3)
    assert after["generated"] == before["generated"] and after["copies"] == before["copies"]
    write_training_report(run, tmp_path / "report.html")
    assert "loss: discriminator, generator" in (tmp_path / "report.html").read_text()


def go_on(run: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Train a run that stands at step 10 to its end, and return its last checkpoint."""
    settings = settings_from_json(TextureGanSettings, read_run(run, system=SYSTEM)["settings"])
    assert settings.shapes is not None
    result = train_texture_gan(settings, shapes_set(settings.shapes), run, resume="must")
    return read_checkpoint(result.checkpoint, system=SYSTEM)


def test_it_goes_on_as_it_would_have(run: Path, tmp_path: Path) -> None:
    newest = run / "checkpoints" / "step-000000020.safetensors"
    before, head = read_checkpoint(newest, system=SYSTEM)
    newest.unlink()
    renamed = shutil.copytree(run, tmp_path / "renamed")
    path = renamed / "checkpoints" / "step-000000010.safetensors"
    arrays, start = read_checkpoint(path, system=SYSTEM)
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, units=None, config=start)
    after, header = go_on(run)
    today, _ = go_on(renamed)
    networks = head["config"]["networks"]
    assert set(before) - {"module/balance/k"} <= set(after)
    for name in after:
        np.testing.assert_array_equal(after[name], today[name], err_msg=name)
        # The growing one's optimiser moves a weight by its rate however small the gradient, so that
        # in ten steps the rounding of another processor is all that is left of some.
        if name.startswith(("module", "optimizer")) and "generator_width" in networks:
            np.testing.assert_allclose(after[name], before[name], rtol=1e-3, atol=1e-5)
    assert header["scalars"]["shown"] == head["scalars"]["shown"] == {"images": 160}
    assert header["step"] == 20 and header["scalars"]["level"] == head["scalars"]["level"]
