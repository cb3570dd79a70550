"""The training loop: step, log, sample, save, until the steps, the time or the user ends it."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import torch

from geomface.errors import SettingsError
from geomface.files import save_image
from geomface.learning.distributed import ALONE, Ranks
from geomface.learning.errors import DivergenceError
from geomface.learning.grid import image_grid
from geomface.learning.metrics_log import Metrics, MetricsLog
from geomface.learning.run_directory import METRICS, RunDirectory
from geomface.learning.state import (
    TrainingState,
    iterate_tensors,
    load_checkpoint,
    save_checkpoint,
)
from geomface.learning.stopping import StopRequest


@dataclasses.dataclass(frozen=True)
class LoopSettings:
    """How long to train and how often to look."""

    steps: int = 1000
    """Steps in all; a finished run goes on when this is raised."""
    log_every: int = 50
    """Steps between two lines of metrics."""
    sample_every: int = 500
    """Steps between two pictures of the same latents."""
    checkpoint_every: int = 500
    """Steps between two checkpoints."""
    keep: int = 2
    """Checkpoints kept, the newest."""
    budget_seconds: float | None = None
    """Wall-clock time of one command; training then saves and ends, to be resumed."""

    def __post_init__(self) -> None:
        for name in ("steps", "log_every", "sample_every", "checkpoint_every", "keep"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name}: expected 1 or more, got {getattr(self, name)}.")


REASONS = ("", "budget", "interrupt")
"""Why training ends before its last step; the last word that any process says counts."""

FREE = frozenset(f"loop.{field.name}" for field in dataclasses.fields(LoopSettings))
"""Settings of the loop may change when a run is resumed: none alters a step."""


class Task(Protocol):
    """What the loop trains."""

    @property
    def state(self) -> TrainingState:
        """All that the next step depends on."""
        ...

    @property
    def config(self) -> Any:
        """What a reader of a checkpoint needs to build the networks again."""
        ...

    def step(self) -> Metrics:
        """Do one step and return its metrics by name."""
        ...

    def samples(self) -> torch.Tensor:
        """Return (N, 3, H, W) images in [-1, 1] of latents that never change."""
        ...


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """How training ended: after how many steps, why, with which metrics, where it was saved."""

    steps: int
    ended: Literal["finished", "budget", "interrupt"]
    seconds: float
    metrics: dict[str, float]
    checkpoint: Path


def train(
    task: Task,
    run: RunDirectory,
    settings: LoopSettings,
    *,
    ranks: Ranks = ALONE,
    on_log: Callable[[dict[str, float]], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train a task until its steps are done, the budget is spent, or the user interrupts.

    20 steps at once and 10 steps, a kill, and 10 more give the same bytes on one machine's CPU.

    Parameters
    ----------
    task : networks, losses and data
    run : where everything goes; with a checkpoint, training goes on from there
    settings : how long, how often
    ranks : this process among several that train together; the first one alone writes
    on_log : gets each line of metrics.jsonl
    on_progress : called with (steps done, steps in all)

    Raises
    ------
    DivergenceError : NaN or infinity; the last checkpoint is from before
    OutputError : the disk is full; the last checkpoint survives
    """
    state, step = task.state, 0
    if run.checkpoint is not None:
        step = load_checkpoint(run.checkpoint, state, system=run.system)
    window = state.scalars.pop("log", None)
    log = MetricsLog(run.path / METRICS if ranks.first else None, step, window)
    metrics: dict[str, float] = {}
    saved = run.checkpoint if step else None
    mark, mark_step = time.perf_counter(), step

    with StopRequest(settings.budget_seconds) as stop:
        ended = ranks.agree(REASONS, stop.reason)
        while step < settings.steps and not ended:
            log.add(ranks.average_metrics(task.step()))
            step += 1
            ended = ranks.agree(REASONS, stop.reason)
            last = step == settings.steps or bool(ended)
            if on_progress is not None:
                on_progress(step, settings.steps)
            if step % settings.log_every == 0 or step == settings.steps:
                log.check(step)
                now = time.perf_counter()
                rate = (step - mark_step) / max(now - mark, 1e-9)
                mark, mark_step = now, step
                metrics = log.flush(step, steps_per_second=round(rate, 3))
                if on_log is not None:
                    on_log(metrics)
            if ranks.first and (step % settings.sample_every == 0 or step == settings.steps):
                save_image(run.sample_path(step), image_grid(task.samples()))
            if step % settings.checkpoint_every == 0 or last:
                saved = _save(task, run, log, step, settings.keep, ranks)
        seconds = stop.seconds

    if saved is None or (ended and saved != run.checkpoint_path(step)):
        saved = _save(task, run, log, step, settings.keep, ranks)
    reason = "finished" if step >= settings.steps else ended
    return TrainingResult(step, reason, seconds, metrics, saved)  # type: ignore[arg-type]


def _save(
    task: Task, run: RunDirectory, log: MetricsLog, step: int, keep: int, ranks: Ranks
) -> Path:
    """Save a checkpoint if all is finite, then drop the oldest."""
    log.check(step)
    path = run.checkpoint_path(step)
    if not ranks.first:
        return path
    state = task.state
    for name, tensor in iterate_tensors(state):
        if not bool(torch.isfinite(tensor).all()):
            raise DivergenceError(
                f"step {step}: expected finite weights, got NaN or infinity in {name}. The last "
                "checkpoint is from before; resume with a lower learning rate."
            )
    logged = dataclasses.replace(state, scalars=state.scalars | {"log": log.pending()})
    save_checkpoint(path, logged, system=run.system, step=step, config=task.config)
    run.drop_old_checkpoints(keep)
    return path
