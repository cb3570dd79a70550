"""The texture GAN on the kit: killed lives, several processes, a phase's own networks."""

import dataclasses
from pathlib import Path

import pytest
from resume_cases import CASES, build_data, build_task
from training_kit import check_lives, check_only_its_own, check_processes_agree, train_and_kill

from geomface.gan.progressive_texture.task import train_texture_gan
from geomface.learning import ResumeError, read_metrics


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of runs that were killed, and of the same without."""
    folder = tmp_path_factory.mktemp("lives")
    train_and_kill([f"resume_cases:{name}" for name in CASES], folder)
    return folder


@pytest.mark.parametrize("name", CASES)
def test_killed_run_ends_as_one_that_was_not(name: str, lives: Path) -> None:
    check_lives(f"resume_cases:{name}", lives)
    lines = read_metrics(lives / name / "lives" / "metrics.jsonl")
    assert len(lines) == 5 and ("balance/k" in lines[0]) == name.endswith("began")
    if name.startswith("fade"):
        assert any(0 < line["alpha"] < 1 for line in lines)


def test_two_processes_are_one(tmp_path: Path) -> None:
    names = ("dcgan-lr-decay", "dcgan-began", "fade-wgan-gp")
    check_processes_agree([f"resume_cases:{name}" for name in names], tmp_path)


def test_phases_move_their_own_networks_only() -> None:
    task = build_task("dcgan-hinge")
    task.step()
    check_only_its_own(task)


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
