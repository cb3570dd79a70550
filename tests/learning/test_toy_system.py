"""A system with what all four papers need, on the public base: resume, processes, isolation."""

from pathlib import Path

import pytest
from toy_system import Toy
from training_kit import check_lives, check_only_its_own, check_processes_agree, train_and_kill

FACTORY = "toy_system:Toy"


def test_the_toy_is_small() -> None:
    lines = Path(__file__).with_name("toy_system.py").read_text().splitlines()
    assert len(lines) <= 150
    assert all("geomface" not in line or line.endswith("gl") for line in lines if "import" in line)


def test_killed_lives_leave_what_one_leaves(tmp_path: Path) -> None:
    """The toy; and dropout alone, which draws from torch's own generator."""
    factories = [FACTORY, "test_phases:Dropped"]
    train_and_kill(factories, tmp_path)
    for factory in factories:
        check_lives(factory, tmp_path)


def test_two_processes_are_one(tmp_path: Path) -> None:
    """The toy; and a task of which one process lacks a gradient, which is zero there."""
    check_processes_agree([FACTORY, "test_phases:Lacking"], tmp_path)


def test_phases_move_their_own_networks_only() -> None:
    check_only_its_own(Toy())


def test_the_page_on_learning_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "learning.md").read_text()
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    exec(page.split("```python\n")[1].split("```")[0], names)
    assert (tmp_path / "run/checkpoints/step-000000008.safetensors").is_file()
