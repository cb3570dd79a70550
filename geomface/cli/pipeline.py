"""`geomface pipeline`: a folder of scans run; status, retry and verify of every batch."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro

from geomface.cli.batch import execute
from geomface.cli.command import Command, CommandGroup
from geomface.cli.options import (
    CommonOptions,
    ExecutorOptions,
    Flag,
    Folder,
    MaybeFolder,
    TemplateOptions,
    require_options,
)
from geomface.cli.run import Run
from geomface.errors import OutputError
from geomface.pipeline.settings import ItemSettings, ModelSettings, PipelineSettings
from geomface.ranges import COUNT, NOT_NEGATIVE

MOST_LINES = 100
"""Lines of one sort that `status` prints."""
ResultFolder = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]


@dataclasses.dataclass(frozen=True)
class PipelineRunOptions:
    """Bring every scan of a folder onto one template, and fit a model to the results.

    Every scan gets a registered mesh, a texture with its mask, a geometry image and a record. A
    scan that fails leaves a reason in its record and the others go on (exit code 3). The same
    command again does only what is not done yet.
    """

    scans: Folder
    """Folder of scans; the landmarks of anna.ply lie beside it in anna.landmarks.json."""
    out: Folder
    """Folder for everything that is made."""
    workers: int = 1
    """Number of worker processes."""
    resume: Literal["never", "auto", "must"] = "auto"
    """never wants an empty --out, must wants one that holds a run, auto takes what it finds."""
    retry_failed: Flag = False
    """Also do the items that failed before with the same input and settings."""
    limit: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: all)")
    ] = None
    """Only the first N scans."""
    landmarks: Literal["auto", "required", "optional"] = PipelineSettings.landmarks
    """Is a scan without a landmark file refused? auto and optional find the landmarks on it."""
    textures: MaybeFolder = None
    """Where the scans' pictures lie too: files name pictures in their own folder only."""
    no_model: Flag = False
    """Fit no model and draw no new faces."""
    variance: float = ModelSettings.variance
    """The models keep the fewest modes that hold this share of the variance."""
    remove_size: Flag = False
    """Scale all meshes to one size before the fit of the model."""
    samples: int = ModelSettings.samples
    """Number of new textured faces to draw from the models."""
    executor: ExecutorOptions = ExecutorOptions()
    template: TemplateOptions = TemplateOptions()
    item: ItemSettings = ItemSettings()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, workers=COUNT, limit=COUNT, variance="(0, 1]", samples=NOT_NEGATIVE)


@dataclasses.dataclass(frozen=True)
class PipelineStatusOptions:
    """Say what a result folder holds: done, failed with the reason, missing."""

    folder: ResultFolder
    """Folder that 'geomface pipeline run', 'synth faces' or 'synth textures' wrote."""
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class PipelineRetryOptions:
    """Do the failed items of a result folder again, with the settings it was made with."""

    folder: ResultFolder
    """Folder that 'geomface pipeline run', 'synth faces' or 'synth textures' wrote."""
    workers: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: as before)")
    ] = None
    """Number of worker processes."""
    executor: ExecutorOptions = ExecutorOptions()
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, workers=COUNT)


@dataclasses.dataclass(frozen=True)
class PipelineVerifyOptions:
    """Hash all outputs of a result folder again and compare them with the records."""

    folder: ResultFolder
    """Folder that 'geomface pipeline run', 'synth faces' or 'synth textures' wrote."""
    common: CommonOptions = CommonOptions()


def run_run(options: PipelineRunOptions, run: Run) -> int:
    """Plan, and run unless it is a dry run."""
    from geomface.pipeline.scans import scan_job

    run.require_cpu()
    _check_resume(options)
    settings = PipelineSettings(
        scans=options.scans,
        out=options.out,
        template=options.template.template,
        template_landmarks=options.template.template_landmarks,
        regions=options.template.regions,
        workers=options.workers,
        executor=options.executor.executor,
        scheduler=options.executor.scheduler,
        retry_failed=options.retry_failed,
        limit=options.limit,
        landmarks=options.landmarks,
        textures=options.textures,
        item=options.item,
        model=ModelSettings(
            enabled=not options.no_model,
            variance=options.variance,
            remove_size=options.remove_size,
            samples=options.samples,
            seed=options.common.seed,
        ),
    )
    return execute(scan_job(settings), run, options.executor)


def run_status(options: PipelineStatusOptions, run: Run) -> int:
    """Read the records and print them."""
    from geomface.batch.run import MOST_REASONS
    from geomface.pipeline.jobs import read_status

    status = read_status(options.folder)
    failed = {record.name: record.message for record in (*status.failed, *status.failed_stages)}
    run.finish(
        {
            "kind": status.kind.name,
            "done": [record.name for record in status.done],
            "failed": failed,
            "failed_inside": status.inside,
            "missing": status.missing,
            "model": next((record.status for record in status.stages), None),
            "work_seconds": status.seconds,
        }
    )
    inside = ""
    if status.failed_inside:
        inside = f" ({status.failed_inside} {status.kind.noun} in them failed)"
    run.say(
        f"{options.folder}: {status.kind.what}, {len(status.done)} {status.kind.items} done"
        f"{inside}, {len(status.failed)} failed, {len(status.missing)} not attempted, "
        f"{status.seconds:.1f} s of work"
    )
    _say_some(run, [f"{name}: {message}" for name, message in failed.items()])
    _say_some(run, [f"{name}: {message}" for name, message in status.inside.items()], MOST_REASONS)
    _say_some(run, [f"{name}: not attempted" for name in status.missing])
    return status.exit_code


def _say_some(run: Run, lines: list[str], most: int = MOST_LINES) -> None:
    for line in lines[:most]:
        run.say(f"  {line}")
    if len(lines) > most:
        run.say(f"  and {len(lines) - most:,} more of these; --json names all")


def run_retry(options: PipelineRetryOptions, run: Run) -> int:
    """Run again with the settings of the folder, failed items included."""
    from geomface.pipeline.jobs import open_job

    run.require_cpu()
    return execute(open_job(options.folder, workers=options.workers), run, options.executor)


def run_verify(options: PipelineVerifyOptions, run: Run) -> int:
    """Compare hashes and name what differs."""
    from geomface.pipeline.jobs import read_status, verify_outputs

    checked = len(read_status(options.folder).done)
    changed = verify_outputs(options.folder)
    run.finish({"checked": checked, "changed": changed})
    for name, paths in changed.items():
        run.say(f"  {name}: changed or missing: {', '.join(paths)}")
    run.say(
        f"{options.folder}: {checked} items checked, "
        + (f"{len(changed)} differ: delete them and run again" if changed else "all as written")
    )
    return 1 if changed else 0


def _check_resume(options: PipelineRunOptions) -> None:
    from geomface.datasets.layout import RUN_FILE

    holds_run = (options.out / RUN_FILE).is_file()
    if options.resume == "must" and not holds_run:
        raise OutputError(
            f"--resume must: expected a run in {options.out}, found none. Check --out, or use "
            "--resume auto."
        )
    if options.resume == "never" and options.out.is_dir() and any(options.out.iterdir()):
        raise OutputError(
            f"--resume never: expected an empty folder, {options.out} holds something. Give "
            "another --out, or use --resume auto."
        )


GROUP = CommandGroup(
    "pipeline",
    "A folder of scans onto one template.",
    {
        "run": Command(PipelineRunOptions, run_run),
        "status": Command(PipelineStatusOptions, run_status),
        "retry": Command(PipelineRetryOptions, run_retry),
        "verify": Command(PipelineVerifyOptions, run_verify),
    },
)
