"""A training from start to end: processes, task, run directory, loop."""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from geomface.files.lock import run_lock
from geomface.files.marker import claim_folder
from geomface.files.records import plain
from geomface.learning.device import ComputeSettings
from geomface.learning.distributed import join_ranks
from geomface.learning.loop import FREE, LoopSettings, TrainingResult, train
from geomface.learning.memory import keep_freed_memory
from geomface.learning.phase import PhasedTask
from geomface.learning.run_directory import RUN, RUN_FILE, Resume, find_run, open_run
from geomface.learning.system import System
from geomface.learning.trained import load_trained

FREE_SETTINGS = FREE | {"compute"}
"""What may differ when a run is resumed: how long, how often, and where it computes."""


class TrainingSettings(Protocol):
    """The settings of a system: a dataclass with these among its fields."""

    @property
    def loop(self) -> LoopSettings:
        """How long, how often."""
        ...

    @property
    def compute(self) -> ComputeSettings:
        """Device, precision, processes."""
        ...


def run_training(
    make_task: Callable[[], PhasedTask],
    out: Path | str,
    settings: TrainingSettings,
    *,
    system: System,
    inputs: Mapping[str, Any] | None = None,
    resume: Resume = "auto",
    init_from: Path | str | None = None,
    record: Mapping[str, Any] | None = None,
    on_log: Callable[[dict[str, float]], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train a system into a run directory, or go on with one.

    Parameters
    ----------
    make_task : builds the task; runs inside the group of processes, if there are several
    out : the run directory
    settings : all that makes the run; compared when it is resumed, as its data are
    system : its name, and older names of its parts
    inputs : what else makes the run, such as how its data are read; compared as settings are
    resume : "never", "auto" or "must"
    init_from : checkpoint or model file whose networks a new run begins with
    record : further entries for run.json, such as versions
    on_log, on_progress : as for `learning.loop.train`

    Returns
    -------
    How it ended, and the checkpoint.

    Raises
    ------
    GeomfaceError : bad data, settings or data that differ on resume, NaN, a full disk, another
        training in the folder; nothing is lost
    """
    keep_freed_memory()
    with join_ranks(settings.compute) as ranks, contextlib.ExitStack() as held:
        task = make_task()  # refuses before a folder is made
        begun = (Path(out) / RUN_FILE).exists()
        if init_from is not None and not begun:
            _begin_with(task, init_from, system)  # refuses before that, too
        wanted = compared_settings(settings, inputs)
        data = task.fingerprints() if ranks.first else None
        with ranks.main_process_first():
            if ranks.first:
                # One training is in the folder from its first file to its last.
                find_run(out, wanted, system=system, resume=resume, free=FREE_SETTINGS, data=data)
                held.enter_context(run_lock(claim_folder(Path(out), RUN)))
            run = open_run(
                out,
                wanted,
                system=system,
                resume=resume if ranks.first else "auto",  # the first has made the folder
                free=FREE_SETTINGS,
                record={**(record or {}), "init_from": init_from},
                data=data,
            )
        if init_from is not None and begun and run.checkpoint is None:
            _begin_with(task, init_from, system)
        return train(task, run, settings.loop, on_log=on_log, on_progress=on_progress)


def compared_settings(
    settings: TrainingSettings, inputs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what `find_run` compares of a training: its settings and what else makes it."""
    return {**plain(settings), **({"inputs": inputs} if inputs else {})}


def _begin_with(task: PhasedTask, path: Path | str, system: System) -> None:
    """Fill the networks of a task from a checkpoint or a model file."""
    model = load_trained(path, system=system)
    for name, module in task.state.modules.items():
        model.fill(name, module)
