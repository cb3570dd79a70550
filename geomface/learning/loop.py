"""The training loop: step, log, look, save, until the steps, the time or the user ends it."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import torch

from geomface.files.lock import run_lock
from geomface.learning.distributed import ALONE, Ranks, acting_as, current_ranks
from geomface.learning.errors import DivergenceError
from geomface.learning.metrics_log import Metrics, MetricsLog, append_record, cut_after
from geomface.learning.run_directory import EVALUATIONS, METRICS, RunDirectory
from geomface.learning.samples import Samples, save_samples
from geomface.learning.state import (
    TrainingState,
    iterate_tensors,
    load_checkpoint,
    own_randomness,
    save_checkpoint,
)
from geomface.learning.stopping import StopRequest
from geomface.ranges import COUNT, NOT_NEGATIVE, require_numbers


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
    evaluate_every: int | None = None
    """Steps between two evaluations; None never evaluates."""

    def __post_init__(self) -> None:
        require_numbers(
            self,
            steps=COUNT,
            log_every=COUNT,
            sample_every=COUNT,
            checkpoint_every=COUNT,
            keep=COUNT,
            budget_seconds=NOT_NEGATIVE,
            evaluate_every=COUNT,
        )


TIMES = frozenset({"steps_per_second", "waiting"})
"""Metrics that the clock tells: steps a second, and the share of the time that waited for data."""

REASONS = ("", "budget", "interrupt")
"""Why training ends before its last step; the last word that any process says counts."""

FREE = frozenset(f"loop.{field.name}" for field in dataclasses.fields(LoopSettings))
"""Settings of the loop may change when a run is resumed: none alters a step."""


class Task(Protocol):
    """What the loop trains; `PhasedTask` is one to build on."""

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

    def samples(self) -> Samples:
        """Return pictures, meshes or tables made from latents that never change."""
        ...

    def evaluate(self) -> Mapping[str, float]:
        """Return numbers that tell how good it is, by name."""
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
    on_log: Callable[[dict[str, float]], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train a task until its steps are done, the budget is spent, or the user interrupts.

    20 steps at once and 10 steps, a kill, and 10 more give the same bytes on one machine's CPU.
    Where several processes train together (`join_ranks`), the first one alone writes.

    Parameters
    ----------
    task : networks, losses and data
    run : where everything goes; with a checkpoint, training goes on from there
    settings : how long, how often
    on_log : gets each line of metrics.jsonl and evaluations.jsonl
    on_progress : called with (steps done, steps in all)

    Raises
    ------
    DivergenceError : NaN or infinity; the last checkpoint is from before
    OutputError : the disk is full, and the last checkpoint survives; or another training works in
        the folder
    """
    ranks, state = current_ranks(), task.state
    with contextlib.ExitStack() as held:
        if ranks.first:
            held.enter_context(run_lock(run.path))
            run.drop_remains()
        held.enter_context(own_randomness(state.seed, "layers"))
        step, saved = 0, run.checkpoint
        if saved is not None:
            step = load_checkpoint(saved, state, system=run.system)
        log = _open_log(run, state, step, ranks)
        metrics: dict[str, float] = {}
        mark, mark_step, waited = time.perf_counter(), step, _waited(task)
        stop = held.enter_context(StopRequest(settings.budget_seconds))
        ended = ranks.agree(REASONS, stop.reason)
        while step < settings.steps and not ended:
            log.add(ranks.average_metrics(task.step()))
            step += 1
            ended = ranks.agree(REASONS, stop.reason)
            last = step == settings.steps
            if on_progress is not None:
                on_progress(step, settings.steps)
            if step % settings.log_every == 0 or last:
                _refuse_divergence(step, log.not_finite(), saved)
                now = time.perf_counter()
                rate = (step - mark_step) / max(now - mark, 1e-9)
                waiting = (_waited(task) - waited) / max(now - mark, 1e-9)
                mark, mark_step, waited = now, step, _waited(task)
                metrics = log.flush(
                    step, steps_per_second=round(rate, 3), waiting=round(waiting, 4)
                )
                if on_log is not None:
                    on_log(metrics)
            if ranks.first:
                _look(task, run, settings, step, on_log)
            if step % settings.checkpoint_every == 0 or last or ended:
                saved = _save(task, run, log, step, saved, settings.keep)
        if saved is None or (ended and saved != run.checkpoint_path(step)):
            saved = _save(task, run, log, step, saved, settings.keep)
        reason = "finished" if step >= settings.steps else ended
        return TrainingResult(step, reason, stop.seconds, metrics, saved)  # type: ignore[arg-type]


def _open_log(run: RunDirectory, state: TrainingState, step: int, ranks: Ranks) -> MetricsLog:
    window = state.scalars.pop("log", None)
    if ranks.first:
        cut_after(run.path / EVALUATIONS, step)
    return MetricsLog(run.path / METRICS if ranks.first else None, step, window)


def _look(
    task: Task,
    run: RunDirectory,
    settings: LoopSettings,
    step: int,
    on_log: Callable[[dict[str, float]], None] | None,
) -> None:
    """Write samples and evaluations that are due; the next step is the same without."""

    last = step == settings.steps
    show = last or step % settings.sample_every == 0
    every = settings.evaluate_every
    measure = every is not None and (last or step % every == 0)
    if not (show or measure):
        return
    with acting_as(ALONE), own_randomness(task.state.seed, "look"):
        if show:
            save_samples(run.sample_stem(step), task.samples())
        if measure:
            record = {"step": step} | {k: float(v) for k, v in task.evaluate().items()}
            append_record(run.path / EVALUATIONS, record)
            if on_log is not None:
                on_log(record)


def _save(
    task: Task, run: RunDirectory, log: MetricsLog, step: int, saved: Path | None, keep: int
) -> Path:
    """Save a checkpoint if all is finite, then drop the oldest."""
    _refuse_divergence(step, log.not_finite(), saved)
    path = run.checkpoint_path(step)
    if not current_ranks().first:
        return path
    state = task.state
    for name, tensor in iterate_tensors(state):
        if not bool(torch.isfinite(tensor).all()):
            _refuse_divergence(step, [name], saved)
    logged = dataclasses.replace(state, scalars=state.scalars | {"log": log.pending()})
    save_checkpoint(path, logged, system=run.system, step=step, config=task.config)
    run.drop_old_checkpoints(keep)
    return path


def _waited(task: Task) -> float:
    """Return the seconds that its steps have waited for data, of a task that counts them."""
    return float(getattr(task, "waited", 0.0))


def _refuse_divergence(step: int, names: list[str], saved: Path | None) -> None:
    if names:
        way_out = (
            "Begin a new run with another --seed."
            if saved is None
            else "Going on from the last checkpoint, from before, would meet it again: begin a new "
            f"run from its weights with --init-from {saved} and another --seed."
        )
        raise DivergenceError(
            f"step {step}: expected finite numbers, got NaN or infinity in {', '.join(names)}. "
            + way_out
        )
