"""Run directories, resuming, checkpoints: what is kept and what is refused."""

import errno
from pathlib import Path
from typing import Any

import pytest
import torch

from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.learning import (
    CheckpointError,
    DivergenceError,
    LoopSettings,
    ResumeError,
    System,
    TrainingState,
    load_checkpoint,
    load_module,
    newest_checkpoint,
    open_run,
    read_metrics,
    read_run,
    save_checkpoint,
    settings_difference,
    stream_generator,
    train,
)

SYSTEM = System("line")


class Line:
    """The smallest task there is: a line fitted to noise."""

    config = None

    def __init__(self, width: int = 2, poison_at: int = 0) -> None:
        torch.manual_seed(0)
        self.network = torch.nn.Linear(width, 1)
        optimizer = torch.optim.Adam(self.network.parameters(), lr=0.1)
        self.state = TrainingState(
            {"network": self.network},
            {"network": optimizer},
            {"noise": stream_generator(0, "noise")},
            {"steps": 0},
        )
        self.width, self.poison_at = width, poison_at

    def step(self) -> dict[str, torch.Tensor]:
        """One step."""
        noise = torch.randn(4, self.width, generator=self.state.generators["noise"])
        loss = (self.network(noise) - 1).square().mean()
        optimizer = self.state.optimizers["network"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        self.state.scalars["steps"] += 1
        if self.state.scalars["steps"] == self.poison_at:
            loss = loss * torch.nan
        return {"loss": loss}

    def samples(self) -> torch.Tensor:
        """A black picture."""
        return torch.full((4, 3, 8, 8), -1.0)

    def evaluate(self) -> dict[str, float]:
        """How far the line is from 1."""
        return {"bias": float(self.network.bias.detach()) - 1}


def loop(steps: int = 20, **further: Any) -> LoopSettings:
    return LoopSettings(steps, log_every=3, sample_every=10, checkpoint_every=5, **further)


def test_run_directory_is_the_product(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", {"a": 1}, system=SYSTEM, record={"versions": {"x": "1"}})
    result = train(Line(), run, loop())
    assert (result.steps, result.ended) == (20, "finished")
    names = sorted(str(p.relative_to(run.path)) for p in run.path.rglob("*") if p.is_file())
    assert names == [
        "checkpoints/step-000000015.safetensors",
        "checkpoints/step-000000020.safetensors",
        "metrics.jsonl",
        "run.json",
        "samples/step-000000010.png",
        "samples/step-000000020.png",
    ]
    record = read_run(run.path, system=SYSTEM)
    assert record["settings"] == {"a": 1} and record["versions"] == {"x": "1"}
    assert [item["step"] for item in read_metrics(run.path / "metrics.jsonl")] == [
        3, 6, 9, 12, 15, 18, 20,
    ]  # fmt: skip


def test_state_comes_back_bit_by_bit(tmp_path: Path) -> None:
    first, second = Line(), Line()
    for _ in range(7):
        first.step()
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, first.state, system=SYSTEM, step=7)
    assert load_checkpoint(path, second.state, system=SYSTEM) == 7
    assert second.state.scalars == {"steps": 7}
    for _ in range(5):
        assert torch.equal(first.step()["loss"], second.step()["loss"])
    for a, b in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_resume_is_tri_state(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(ResumeError, match="expected a run to resume, got none"):
        open_run(folder, {}, system=SYSTEM, resume="must")
    run = open_run(folder, {}, system=SYSTEM, resume="never")
    with pytest.raises(ResumeError, match="expected no run, got one"):
        open_run(folder, {}, system=SYSTEM, resume="never")
    with pytest.raises(ResumeError, match="expected a checkpoint to resume from, got none"):
        open_run(folder, {}, system=SYSTEM, resume="must")
    assert open_run(folder, {}, system=SYSTEM).checkpoint is None
    train(Line(), run, loop())
    for resume in ("auto", "must"):
        found = open_run(folder, {}, system=SYSTEM, resume=resume)  # type: ignore[arg-type]
        assert found.checkpoint == newest_checkpoint(folder, system=SYSTEM)
    with pytest.raises(SettingsError, match="never, auto or must"):
        open_run(folder, {}, system=SYSTEM, resume="perhaps")  # type: ignore[arg-type]


def test_other_settings_are_refused_with_their_difference(tmp_path: Path) -> None:
    old = {"rate": 0.1, "loop": {"steps": 5}, "net": {"width": 2, "depth": 1}}
    new = {"rate": 0.2, "loop": {"steps": 9}, "net": {"width": 3, "depth": 1}}
    free = frozenset({"loop.steps"})
    open_run(tmp_path / "run", old, system=SYSTEM)
    with pytest.raises(ResumeError, match=r"net.width: 2 -> 3; rate: 0.1 -> 0.2"):
        open_run(tmp_path / "run", new, system=SYSTEM, free=free)
    assert settings_difference(old, old | {"loop": {"steps": 9}}, free) == []
    with pytest.raises(FileFormatError, match="expected a run of 'other', got one of 'line'"):
        open_run(tmp_path / "run", old, system=System("other"))


def test_a_finished_run_goes_on_when_asked_for_more(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(Line(), open_run(folder, {}, system=SYSTEM), loop(10))
    again = train(Line(), open_run(folder, {}, system=SYSTEM), loop(10))
    assert again.steps == 10 and again.ended == "finished"
    more = train(Line(), open_run(folder, {}, system=SYSTEM), loop(20))
    straight = train(Line(), open_run(tmp_path / "other", {}, system=SYSTEM), loop(20))
    assert more.checkpoint.read_bytes() == straight.checkpoint.read_bytes()


def test_spent_budget_saves_and_ends(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    result = train(Line(), open_run(folder, {}, system=SYSTEM), loop(20, budget_seconds=0.0))
    assert (result.steps, result.ended) == (0, "budget")
    assert result.checkpoint.is_file()
    done = train(Line(), open_run(folder, {}, system=SYSTEM), loop(20))
    assert (done.steps, done.ended) == (20, "finished")


def test_full_disk_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    before = train(Line(), open_run(folder, {}, system=SYSTEM), loop(10)).checkpoint
    kept = before.read_bytes()
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.suffix != ".safetensors":
            return write(path, data)
        write(path, bytes(data)[:100])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"No space left on device.*nothing was left behind"):
        train(Line(), open_run(folder, {}, system=SYSTEM), loop(20))
    monkeypatch.undo()
    assert newest_checkpoint(folder, system=SYSTEM) == before and before.read_bytes() == kept
    assert not [item for item in before.parent.iterdir() if item.name.startswith(".")]
    done = train(Line(), open_run(folder, {}, system=SYSTEM), loop(20))
    straight = train(Line(), open_run(tmp_path / "other", {}, system=SYSTEM), loop(20))
    assert done.checkpoint.read_bytes() == straight.checkpoint.read_bytes()


def test_nan_is_never_saved(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", {}, system=SYSTEM)
    with pytest.raises(DivergenceError, match="NaN or infinity in loss.*--init-from.*000000005"):
        train(Line(poison_at=8), run, loop())
    assert [item.name for item in run.checkpoints()] == ["step-000000005.safetensors"]
    task = Line()
    with torch.no_grad():
        task.network.bias.fill_(torch.nan)
    task.step = lambda: {"loss": torch.zeros(())}  # type: ignore[method-assign]
    with pytest.raises(DivergenceError, match="NaN or infinity in network/bias.*another --seed"):
        train(task, open_run(tmp_path / "weights", {}, system=SYSTEM), loop())


def test_foreign_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, Line().state, system=SYSTEM, step=1)
    with pytest.raises(CheckpointError, match=r"'weight' of shape \(1, 3\), got \(1, 2\)"):
        load_checkpoint(path, Line(width=3).state, system=SYSTEM)
    with pytest.raises(CheckpointError, match="checkpoint of 'other', got one of 'line'"):
        load_checkpoint(path, Line().state, system=System("other"))
    with pytest.raises(CheckpointError, match="is not in the checkpoint"):
        load_module(path, torch.nn.BatchNorm1d(2), system=SYSTEM, name="network")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(FileFormatError, match="truncated"):
        load_checkpoint(path, Line().state, system=SYSTEM)
    with pytest.raises(FileFormatError, match="no such file"):
        newest_checkpoint(tmp_path / "nowhere", system=SYSTEM)
    with pytest.raises(OutputError, match="expected a folder for the run, got a file"):
        open_run(path, {}, system=SYSTEM)


def test_unknown_schemas_are_refused(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", {}, system=SYSTEM)
    text = (run.path / "run.json").read_text()
    (run.path / "run.json").write_text(text.replace('"schema": 1', '"schema": 9'))
    with pytest.raises(FileFormatError, match=r"schema 9, this version .* schema 1"):
        open_run(run.path, {}, system=SYSTEM)
