"""20 steps equal 10 steps, SIGKILL, 10 steps, bit by bit."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from resume_cases import CASES, build_data

from geomface.gan.progressive_texture.training import train_texture_gan
from geomface.learning import ResumeError, read_metrics


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of runs, each killed in its thirteenth step."""
    folder = tmp_path_factory.mktemp("killed")
    worker = Path(__file__).with_name("resume_worker.py")
    done = subprocess.run(
        [sys.executable, str(worker), str(folder)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"},
    )
    assert done.returncode == 0, done.stderr
    return folder


def timeless(run: Path) -> list[dict[str, float]]:
    records = read_metrics(run / "metrics.jsonl")
    return [{k: v for k, v in item.items() if k != "steps_per_second"} for item in records]


@pytest.mark.parametrize("name", CASES)
def test_killed_run_ends_as_one_that_was_not(name: str, killed: Path, tmp_path: Path) -> None:
    settings = CASES[name]
    data, run = build_data(settings), killed / name
    assert [item.name for item in (run / "checkpoints").iterdir()] == ["step-000000010.safetensors"]
    resumed = train_texture_gan(settings, data, run, resume="must")
    straight = train_texture_gan(settings, data, tmp_path / "straight")
    assert resumed.checkpoint.name == "step-000000020.safetensors"
    assert resumed.checkpoint.read_bytes() == straight.checkpoint.read_bytes()
    sheets = [
        (at / "samples" / "step-000000020.png").read_bytes() for at in (run, tmp_path / "straight")
    ]
    assert sheets[0] == sheets[1]
    lines = timeless(run)
    assert lines == timeless(tmp_path / "straight") and len(lines) == 5
    if name.startswith("fade"):
        assert any(0 < line["alpha"] < 1 for line in lines)


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    settings = CASES["dcgan-hinge"]
    short = dataclasses.replace(settings, loop=dataclasses.replace(settings.loop, steps=2))
    data = build_data(settings)
    first = train_texture_gan(short, data, tmp_path / "a")
    other = dataclasses.replace(short, seed=1)
    second = train_texture_gan(other, data, tmp_path / "b")
    assert first.checkpoint.read_bytes() != second.checkpoint.read_bytes()
    with pytest.raises(ResumeError, match="seed: 0 -> 1"):
        train_texture_gan(other, data, tmp_path / "a")
