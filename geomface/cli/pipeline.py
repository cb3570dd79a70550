"""`geomface pipeline`: a folder of scans: run, status, retry, verify."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import make_folder
from geomface.cli.options import CommonOptions, Flag, Folder, TemplateOptions
from geomface.cli.run import Run
from geomface.errors import OutputError
from geomface.pipeline.settings import ItemSettings, ModelSettings, PipelineSettings

if TYPE_CHECKING:
    from geomface.pipeline import ItemRecord, PipelineEvent, PipelineReport

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
    executor: Literal["auto", "serial", "processes"] = PipelineSettings.executor
    """Where items run; auto takes processes for two workers or more."""
    resume: Literal["never", "auto", "must"] = "auto"
    """never wants an empty --out, must wants one that holds a run, auto takes what it finds."""
    retry_failed: Flag = False
    """Also do the items that failed before with the same input and settings."""
    limit: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: all)")
    ] = None
    """Only the first N scans."""
    landmarks: Literal["auto", "required", "optional"] = PipelineSettings.landmarks
    """Is a scan without a landmark file refused? auto refuses it if another scan has one."""
    no_model: Flag = False
    """Fit no model and draw no new faces."""
    variance: float = ModelSettings.variance
    """The models keep the fewest modes that hold this share of the variance."""
    remove_size: Flag = False
    """Scale all meshes to one size before the fit of the model."""
    samples: int = ModelSettings.samples
    """Number of new textured faces to draw from the models."""
    template: TemplateOptions = TemplateOptions()
    item: ItemSettings = ItemSettings()
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class PipelineStatusOptions:
    """Say what a result folder holds: done, failed with the reason, missing."""

    folder: ResultFolder
    """Folder that 'geomface pipeline run' wrote."""
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class PipelineRetryOptions:
    """Do the failed items of a result folder again, with the settings it was made with."""

    folder: ResultFolder
    """Folder that 'geomface pipeline run' wrote."""
    workers: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: as before)")
    ] = None
    """Number of worker processes."""
    common: CommonOptions = CommonOptions()


@dataclasses.dataclass(frozen=True)
class PipelineVerifyOptions:
    """Hash all outputs of a result folder again and compare them with the records."""

    folder: ResultFolder
    """Folder that 'geomface pipeline run' wrote."""
    common: CommonOptions = CommonOptions()


def run_run(options: PipelineRunOptions, run: Run) -> int:
    """Plan, and run unless it is a dry run."""
    run.require_cpu()
    _check_resume(options)
    settings = PipelineSettings(
        scans=options.scans,
        out=options.out,
        template=options.template.template,
        template_landmarks=options.template.template_landmarks,
        regions=options.template.regions,
        workers=options.workers,
        executor=options.executor,
        retry_failed=options.retry_failed,
        limit=options.limit,
        landmarks=options.landmarks,
        item=options.item,
        model=ModelSettings(
            enabled=not options.no_model,
            variance=options.variance,
            remove_size=options.remove_size,
            samples=options.samples,
            seed=options.common.seed,
        ),
    )
    return execute(settings, run)


def execute(settings: PipelineSettings, run: Run) -> int:
    """Run a pipeline with progress and print how it went; shared by `run` and `retry`."""
    make_folder(settings.out, create=False)
    if run.common.dry_run:
        from geomface.pipeline import plan_pipeline

        plan = plan_pipeline(settings)
        figures = {"todo": [item.scan.name for item in plan.todo], "items": len(plan.items)}
        return run.plan([plan.sentence(), f"write into {settings.out}"], figures)
    report = run_with_progress(settings, run)
    failed = [record for record in report.records if record.status == "failed"]
    run.finish(report_figures(report))
    run.say(f"{settings.out}: {report.message}, {run.seconds:.1f} s")
    for record in failed:
        run.say(f"  {record.name}: {record.message}")
    if report.model is not None and report.model.status == "failed":
        run.say(f"  model: {report.model.message}")
    return report.exit_code


def run_with_progress(settings: PipelineSettings, run: Run) -> "PipelineReport":
    """Run a pipeline; events move the progress bar, failures are told at once."""
    from geomface.pipeline import plan_pipeline, run_pipeline

    total = len(plan_pipeline(settings).todo)
    with run.progress("scans", total) as step:

        def on_event(event: "PipelineEvent") -> None:
            if event.kind in ("done", "failed"):
                step(event.finished, event.name)
            if event.kind == "failed":
                run.warn(f"failed: {event.message}")

        report = run_pipeline(settings, on_event=on_event)
    run.add_notes(report.notes)
    return report


def run_status(options: PipelineStatusOptions, run: Run) -> int:
    """Read the records and print them."""
    from geomface.pipeline import read_status

    status = read_status(options.folder)
    run.finish(
        {
            "done": [record.name for record in status.done],
            "failed": {record.name: record.message for record in status.failed},
            "missing": status.missing,
            "model": None if status.model is None else status.model.status,
            "work_seconds": status.seconds,
        }
    )
    run.say(
        f"{options.folder}: {len(status.done)} done, {len(status.failed)} failed, "
        f"{len(status.missing)} not attempted, {status.seconds:.1f} s of work"
    )
    for record in status.failed:
        run.say(f"  {record.name}: {record.message}")
    for name in status.missing:
        run.say(f"  {name}: not attempted")
    return 3 if status.failed or status.missing else 0


def run_retry(options: PipelineRetryOptions, run: Run) -> int:
    """Run again with the settings of the folder, failed items included."""
    from geomface.pipeline import read_status

    run.require_cpu()
    settings = dataclasses.replace(read_status(options.folder).settings, retry_failed=True)
    if options.workers is not None:
        settings = dataclasses.replace(settings, workers=options.workers)
    return execute(settings, run)


def run_verify(options: PipelineVerifyOptions, run: Run) -> int:
    """Compare hashes and name what differs."""
    from geomface.pipeline import read_status, verify_outputs

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


def report_figures(report: "PipelineReport") -> dict[str, Any]:
    """Return the figures of a run for its record."""
    return {
        "done": report.done,
        "failed": report.failed,
        "did": report.did,
        "message": report.message,
        "items": {record.name: _item_figures(record) for record in report.records},
        "model": None if report.model is None else _item_figures(report.model),
    }


def _item_figures(record: "ItemRecord") -> dict[str, Any]:
    figures: dict[str, Any] = {"status": record.status, "item_seconds": record.seconds}
    if record.status == "failed":
        return figures | {"error": record.error, "message": record.message}
    return figures | dict(record.figures)


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
