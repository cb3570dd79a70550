"""The frame of every `train` command: a system adds its settings and its data."""

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tyro

from geomface.cli.options import CommonOptions, Flag, MaybeFile, require_options
from geomface.cli.run import Run
from geomface.ranges import COUNT, POSITIVE

if TYPE_CHECKING:
    from geomface.learning import PhasedTask, System, TrainingResult
    from geomface.learning.training import TrainingSettings

Settings = TypeVar("Settings", bound="TrainingSettings")
RecipeNumber = Annotated[
    int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: the recipe's)")
]


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """Every training takes these."""

    out: Annotated[Path, tyro.conf.arg(metavar="RUN")]
    """The run directory: settings, metrics, pictures, checkpoints."""
    steps: RecipeNumber = None
    """Steps in all."""
    resume: Literal["never", "auto", "must"] = "auto"
    """Go on with the run in --out: never, if there is one, or else fail."""
    init_from: MaybeFile = None
    """Checkpoint whose weights a new run begins with."""
    budget_minutes: Annotated[
        float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(optional)")
    ] = None
    """Save and end after this wall-clock time; the same command goes on."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 runs on CUDA and on processors that multiply it (AMX, AVX-512 BF16)."""
    compile: Flag = False
    """Compile the networks first."""
    devices: int = 1
    """GPUs in all (with --device cpu, processes), which share every batch; under torchrun, as many
    as it started."""

    def __post_init__(self) -> None:
        require_options(self, steps=COUNT, budget_minutes=POSITIVE, devices=COUNT)


@dataclasses.dataclass(frozen=True)
class Training:
    """What a system adds to the frame.

    Parameters
    ----------
    system : its name
    settings : a dataclass with `loop` and `compute`, from `apply_options`
    plan : what a dry run says of the training, such as "64 px on FOLDER"
    prepare : reads the data and returns what builds the task, and what the report tells of them;
        the main process does it first, so that what fails there is told once
    inputs : what else makes the run, such as how the data are read; compared when it is resumed
    data : where the data come from, for run.json
    finish : writes what a training that was not interrupted leaves for use, in the main process,
        and returns what the report tells of it
    """

    system: "System"
    settings: "TrainingSettings"
    plan: str
    prepare: "Callable[[], tuple[Callable[[], PhasedTask], Mapping[str, Any]]]"
    inputs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    data: str = ""
    finish: "Callable[[], Mapping[str, Any]] | None" = None


def apply_options(settings: Settings, options: TrainOptions, common: CommonOptions) -> Settings:
    """Return a recipe's settings with the changes of the frame's options."""
    from geomface.learning import ComputeSettings

    minutes, loop = options.budget_minutes, settings.loop
    if minutes is not None:
        loop = dataclasses.replace(loop, budget_seconds=60.0 * minutes)
    if options.steps is not None:
        loop = dataclasses.replace(loop, steps=options.steps)
    compute = ComputeSettings(
        common.device, options.precision, compile=options.compile, devices=options.devices
    )
    return dataclasses.replace(settings, loop=loop, compute=compute)  # type: ignore[type-var]


def run_training_command(
    training: Training, options: TrainOptions, run: Run, *, script: str | None = None
) -> int:
    """Plan, or start the processes, or train and say how it ended; returns the exit code.

    A `script` of ours starts itself where several processes are wanted, geomface otherwise.
    """
    from geomface.learning import LostPeerError
    from geomface.learning.device import check_compute
    from geomface.learning.distributed import is_started, join_ranks
    from geomface.learning.launcher import LOST, start_processes
    from geomface.learning.run_directory import find_run
    from geomface.learning.training import FREE_SETTINGS, compared_settings

    compute, steps = training.settings.compute, training.settings.loop.steps
    device = check_compute(compute)
    found = None
    if not is_started():  # where another process may have begun by now, the first one looks
        found = find_run(
            options.out,
            compared_settings(training.settings, training.inputs),
            system=training.system,
            resume=options.resume,
            free=FREE_SETTINGS,
        )
    if run.common.dry_run:
        what = f"train {training.plan} for {steps} steps on {compute.devices} x {device.type}"
        went = "" if found is None else f", where a run stopped after step {found.step}"
        return run.plan([what, f"write {options.out}{went}"])
    if compute.devices > 1 and not is_started():
        program = (sys.executable, *((script,) if script else ("-m", "geomface")))
        words = [*run.title.split()[1:], *run.words]
        return start_processes(words, compute.devices, program=program)
    try:
        with join_ranks(compute) as ranks:
            if not ranks.first:
                run.common = dataclasses.replace(run.common, quiet=True)
            with ranks.main_process_first():
                make_task, told = training.prepare()
            result = _train(training, make_task, options, run)
    except LostPeerError:
        # The one that failed tells why, and the launcher who it was. The process ends here: its
        # group of processes is broken, and so torch's own way out could abort it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(LOST)
    if not ranks.first:
        return 0
    if training.finish is not None and result.ended != "interrupt":
        told = {**told, **training.finish()}
    record = {"steps": result.steps, "ended": result.ended, "checkpoint": result.checkpoint}
    # Scripts written for the first version read `figures`.
    run.finish({**record, **told, "metrics": result.metrics, "figures": result.metrics})
    if result.ended == "interrupt":
        raise KeyboardInterrupt
    run.say(f"{result.checkpoint}: {result.steps} steps, {result.ended}, {run.seconds:.0f} s")
    return 0


def _train(
    training: Training, make_task: "Callable[[], PhasedTask]", options: TrainOptions, run: Run
) -> "TrainingResult":
    """Train with progress; time left counts from where this process began."""
    from geomface.cli.record import package_versions
    from geomface.learning import choose_device, format_metrics, run_training

    settings = training.settings
    first: list[int] = []
    with run.progress("train", settings.loop.steps) as step:

        def advance(done: int, total: int) -> None:
            first.append(done - 1)
            step(done - first[0], f"step {done}", total - first[0])

        def log(metrics: Mapping[str, Any]) -> None:
            if set(metrics) - {"step"}:  # a measure on nobody says nothing
                run.warn(format_metrics(metrics))

        return run_training(
            make_task,
            options.out,
            settings,
            system=training.system,
            inputs=training.inputs,
            resume=options.resume,
            init_from=options.init_from,
            record={
                "versions": package_versions(),
                "device": str(choose_device(settings.compute.device)),
                "data": training.data,
            },
            on_log=log,
            on_progress=advance,
        )
