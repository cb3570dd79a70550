"""`geomface demo`: simulated scans through the whole chain to a report."""

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING

import geomface
from geomface.cli.batch import run_with_progress
from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import make_folder
from geomface.cli.machine import usable_cores
from geomface.cli.options import CommonOptions, Folder, require_options
from geomface.cli.run import Run
from geomface.cli.synth import ScanTask, write_scans
from geomface.datasets import layout
from geomface.errors import OutputError
from geomface.ranges import NOT_NEGATIVE
from geomface.scans.settings import ScanSettings

if TYPE_CHECKING:
    from geomface.pipeline import PipelineSettings
    from geomface.report import ReportResult

SCANS, RESULT = "scans", "result"
SCAN = ScanSettings(vertices=9000)
"""A little coarser than usual, so that the demo ends within a minute on two cores."""


@dataclasses.dataclass(frozen=True)
class DemoOptions:
    """See everything work: simulated scans of the built-in face, through the whole chain.

    Simulates scans with known truth, registers the template to each, unwraps it, bakes textures,
    encodes geometry images and reads them back, fits a model, draws new faces, measures the error
    against the truth, and writes report.html to look at. Needs no data and no network.
    """

    out: Folder = Path("geomface-demo")
    """Folder for everything that is made; run again, it goes on where it stopped."""
    count: int = 12
    """Number of scans."""
    workers: int = 0
    """Number of worker processes; 0 takes the cores there are, at most 4."""
    common: CommonOptions = CommonOptions()

    def __post_init__(self) -> None:
        require_options(self, count="[3, inf)", workers=NOT_NEGATIVE)


def run_demo(options: DemoOptions, run: Run) -> int:
    """Simulate, run the pipeline, report, and print the error table."""
    from geomface.pipeline.scans import scan_job
    from geomface.pipeline.settings import ModelSettings, PipelineSettings
    from geomface.report import write_report

    run.require_cpu()
    workers = options.workers or max(1, min(int(usable_cores()), 4))
    settings = PipelineSettings(
        scans=options.out / SCANS,
        out=options.out / RESULT,
        workers=workers,
        model=ModelSettings(remove_size=True, seed=options.common.seed),
    )
    make_folder(options.out, create=False)
    if options.common.dry_run:
        return run.plan(
            [
                f"simulate {options.count} scans in {settings.scans}",
                f"run the pipeline with {workers} workers into {settings.out}",
                f"write {options.out / layout.REPORT_PAGE}",
            ]
        )
    make_folder(options.out)
    settings.scans.mkdir(exist_ok=True)
    seconds = {"simulate": _simulate(settings, options.count, options.common.seed, run)}
    began = run.seconds
    result = run_with_progress(scan_job(settings), run)
    seconds["pipeline"] = run.seconds - began
    began = run.seconds
    with run.progress("report", 1) as step:
        report = write_report(
            settings.out,
            options.out / layout.REPORT_PAGE,
            title="geomface demo",
            on_progress=lambda done, total, what: step(done, what, total),
        )
    seconds["report"] = run.seconds - began
    run.finish(
        {
            "report": report.path,
            "bytes": report.size,
            "done": result.done,
            "failed": result.failed,
            "step_seconds": seconds,
            "errors": report.errors,
        }
    )
    _print_errors(report, run)
    steps = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    run.say(f"{run.seconds:.1f} s in all ({steps})")
    run.say(f"new faces as OBJ, PLY and GLB: {settings.out / 'model'}")
    run.say(f"open this in a browser: {report.path.resolve()}")
    return result.exit_code


def _simulate(settings: "PipelineSettings", count: int, seed: int, run: Run) -> float:
    """Write the scans that are not there yet; return the seconds it took."""
    from geomface.files.records import read_json, write_json

    began = run.seconds
    note = settings.scans / "simulated.json"
    made = {"made_by": "geomface demo", "version": geomface.__version__, "seed": seed}
    present = sorted(settings.scans.glob("scan*.*"))
    if present and not note.is_file():
        raise OutputError(
            f"--out: {settings.scans} holds scans that the demo did not make. Give another --out."
        )
    if present and read_json(note) != made:
        for path in present:
            path.unlink()
    tasks = [ScanTask(None, settings.scans, index, seed, SCAN) for index in range(count)]
    # The truth is written last, so it says that a scan is complete.
    tasks = [
        task for task in tasks if not (task.folder / f"{task.name}{layout.SCAN_TRUTH}").is_file()
    ]
    write_json(note, made)
    with run.progress("simulating scans", len(tasks)) as step:
        write_scans(tasks, settings.workers, step)
    return run.seconds - began


def _print_errors(report: "ReportResult", run: Run) -> None:
    """Print the distances to the truth, scan by scan."""
    from geomface.report.scan_table import ERROR_COLUMNS, number

    rows = [
        [name, *(number(figures.get(key), digits) for key, _, digits in ERROR_COLUMNS)]
        for name, figures in report.errors.items()
    ]
    means = ["mean"]
    for key, _, digits in ERROR_COLUMNS:
        known = [figures[key] for figures in report.errors.values() if key in figures]
        finite = [value for value in known if math.isfinite(value)]
        means.append(number(sum(finite) / len(finite) if finite else None, digits))
    run.say("distance to the truth, vertex by vertex over the face:")
    run.table(["scan", *(title for _, title, _ in ERROR_COLUMNS)], [*rows, means])


GROUP = CommandGroup(
    "demo",
    "12 simulated scans through the whole chain.",
    {"": Command(DemoOptions, run_demo)},
)
