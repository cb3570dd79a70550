"""Run directories, resuming, checkpoints: what is kept and what is refused."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files import load_image
from geomface.learning import (
    CheckpointError,
    DivergenceError,
    LoopSettings,
    ResumeError,
    System,
    TrainingState,
    fingerprint_files,
    load_checkpoint,
    load_trained,
    newest_checkpoint,
    open_run,
    read_metrics,
    read_run,
    save_checkpoint,
    settings_difference,
    stream_generator,
    train,
)
from geomface.learning.samples import save_samples
from geomface.mesh import Mesh
from geomface.mesh.io import load_mesh

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
        ".geomface.json",
        "checkpoints/step-000000015.safetensors",
        "checkpoints/step-000000020.safetensors",
        "data.json",
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


def test_what_a_killed_process_left_is_swept_up(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", {}, system=SYSTEM)
    left = [run.path / part / f".x.{k}.part.png" for k, part in enumerate(("", "samples"))]
    for path in left:
        path.write_bytes(b"half")
    train(Line(), run, loop())
    assert not any(path.exists() for path in left)


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
        load_trained(path, system=SYSTEM).fill("network", torch.nn.BatchNorm1d(2))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(FileFormatError, match="truncated"):
        load_checkpoint(path, Line().state, system=SYSTEM)
    with pytest.raises(FileFormatError, match="no such file"):
        newest_checkpoint(tmp_path / "nowhere", system=SYSTEM)
    with pytest.raises(OutputError, match="expected a folder, got a file"):
        open_run(path, {}, system=SYSTEM)


def test_unknown_schemas_are_refused(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", {}, system=SYSTEM)
    text = (run.path / "run.json").read_text()
    (run.path / "run.json").write_text(text.replace('"schema": 2', '"schema": 9'))
    with pytest.raises(FileFormatError, match=r"schema 9, this version .* schemas 1 to 2"):
        open_run(run.path, {}, system=SYSTEM)


def test_two_trainings_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code = (
        "import sys, time\n"
        "from geomface.files.lock import run_lock\n"
        "from pathlib import Path\n"
        "with run_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)\n"
    )
    run = open_run(folder, {}, system=SYSTEM)
    other = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match=f"another run .process {other.pid} on .* works in"):
            train(Line(), run, loop())
    finally:
        other.kill()
        other.communicate()
    assert not run.checkpoints()
    assert train(Line(), run, loop()).steps == 20  # what a killed process held is free


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline"
    pipeline.mkdir()
    (pipeline / "run.json").write_text('{"kind": "pipeline-run", "schema": 1}')
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "set.json").write_text('{"kind": "texture-set"}')
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    for name, held in (("pipeline", "run.json"), ("set", "set.json"), ("mine", "notes.txt")):
        before = sorted((tmp_path / name).rglob("*"))
        with pytest.raises(OutputError, match=f"'geomface train' wrote, but it holds {held}"):
            open_run(tmp_path / name, {}, system=SYSTEM)
        assert sorted((tmp_path / name).rglob("*")) == before


def test_a_kill_before_the_settings_are_written_refuses_nothing(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", {"a": 1}, system=SYSTEM)
    (run.path / "run.json").unlink()
    assert open_run(run.path, {"a": 2}, system=SYSTEM).checkpoint is None
    assert read_run(run.path, system=SYSTEM)["settings"] == {"a": 2}


def test_half_precision_weights_come_back_bit_by_bit(tmp_path: Path) -> None:
    first, second = Line(), Line()
    for task in (first, second):
        task.network.to(torch.bfloat16)
        task.state.optimizers["network"].state.clear()
        task.network.forward = lambda x, n=task.network: torch.nn.functional.linear(  # type: ignore[method-assign]
            x.bfloat16(), n.weight, n.bias
        )
    for _ in range(7):
        first.step()
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, first.state, system=SYSTEM, step=7)
    load_checkpoint(path, second.state, system=SYSTEM)
    for a, b in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert b.dtype == torch.bfloat16 and torch.equal(a, b)
    for _ in range(3):
        assert torch.equal(first.step()["loss"], second.step()["loss"])


def test_changed_data_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    files = [tmp_path / "set" / f"{name}.png" for name in "abcd"]
    for file in files:
        file.write_text(file.name)

    def resume() -> None:
        data = {"images": fingerprint_files(sorted((tmp_path / "set").iterdir()), tmp_path)}
        open_run(tmp_path / "run", {}, system=SYSTEM, data=data)

    resume()
    resume()
    files[1].write_text("B.png")  # as long as before
    with pytest.raises(ResumeError, match=r"images: 1 changed, such as set/b\.png\)"):
        resume()
    files[1].write_text("b.png")
    files[0].rename(tmp_path / "set" / "e.png")
    with pytest.raises(ResumeError, match=r"1 gone, such as set/a\.png; .*1 new, such as set/e"):
        resume()


def test_runs_of_the_first_schema_are_compared_in_what_they_tell(tmp_path: Path) -> None:
    system = System("line", settings={"settle": "optimizer.lr_decay"})
    run = open_run(tmp_path / "run", {"settle": 0.5, "kind": "texture"}, system=system)
    text = (run.path / "run.json").read_text()
    (run.path / "run.json").write_text(text.replace('"schema": 2', '"schema": 1'))
    now = {"optimizer": {"lr_decay": 0.5, "clip": None}, "kind": "texture", "mirror": True}
    open_run(tmp_path / "run", now, system=system)
    with pytest.raises(ResumeError, match="kind: 'texture' -> 'geometry'"):
        open_run(tmp_path / "run", now | {"kind": "geometry"}, system=system)
    with pytest.raises(ResumeError, match=r"optimizer\.lr_decay: 0\.5 -> 0\.1"):
        open_run(tmp_path / "run", now | {"optimizer": {"lr_decay": 0.1}}, system=system)


def test_looking_changes_no_step(tmp_path: Path) -> None:
    """Samples and evaluations may draw from torch's own generators, in the loop alone."""

    class Looking(Line):
        def step(self) -> dict[str, torch.Tensor]:
            return super().step() | {"drawn": torch.rand(())}

        def samples(self) -> torch.Tensor:
            return torch.rand(4, 3, 8, 8)

    ends = []
    for every in (1, 20):
        run = open_run(tmp_path / str(every), {}, system=SYSTEM)
        settings = LoopSettings(20, 5, every, 20, evaluate_every=every)
        train(Looking(), run, settings)
        lines = read_metrics(run.path / "metrics.jsonl")
        ends.append([(line["loss"], line["drawn"]) for line in lines])
        assert read_metrics(run.path / "evaluations.jsonl")[-1]["step"] == 20
    assert ends[0] == ends[1]


def test_messages_name_options_that_exist(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError) as caught:
        train(Line(poison_at=8), open_run(tmp_path / "run", {}, system=SYSTEM), loop())
    named = re.findall(r"--[\w-]+", str(caught.value))
    done = subprocess.run(
        [sys.executable, "-m", "geomface", "train", "progressive_texture", "--help"],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "100"},
    )
    assert named and all(name in done.stdout for name in named)


def test_samples_are_pictures_meshes_and_tables(tmp_path: Path) -> None:
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]]))
    samples = {"grey": torch.zeros(2, 1, 112, 96), "face": mesh, "rows": [{"x": 1.0}]}
    save_samples(tmp_path / "step-1", samples)
    save_samples(tmp_path / "step-2", torch.zeros(2, 3, 8, 8))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["step-1-face.ply", "step-1-grey.png", "step-1-rows.json", "step-2.png"]
    assert load_image(tmp_path / "step-1-grey.png").shape == (112, 2 * 96 + 2, 3)
    assert load_mesh(tmp_path / "step-1-face.ply").vertices.shape == (3, 3)
