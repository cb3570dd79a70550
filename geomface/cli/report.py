"""`geomface report`: one HTML file about the output of a batch or about a training run."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from geomface.cli.command import Command, CommandGroup
from geomface.cli.inputs import require_output
from geomface.cli.options import CommonOptions
from geomface.cli.run import Run
from geomface.datasets import layout
from geomface.errors import FileFormatError


@dataclasses.dataclass(frozen=True)
class ReportOptions:
    """Write a report of a batch's output or of a training run: one HTML file, no network.

    Where truth files lie beside the scans (scan000.truth.npz), errors are measured against them;
    without, distances to the scan are shown.
    """

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder that 'pipeline run', 'synth faces', 'synth textures' or 'train' wrote."""
    out: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: DIR/report.html)")
    ] = None
    """The report."""
    scans: Annotated[
        Path | None,
        tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: where the run found them)"),
    ] = None
    """Folder of the raw scans and truth files."""
    title: Annotated[
        str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="(default: by what it is)")
    ] = None
    """Title of the page."""
    common: CommonOptions = CommonOptions()


def run_report(options: ReportOptions, run: Run) -> int:
    """Build the report."""
    from geomface.pipeline import read_status
    from geomface.report import write_report
    from geomface.report.training import is_training_run, write_training_report

    run.require_cpu()
    if not options.folder.is_dir():
        raise FileFormatError(
            f"{options.folder}: expected the folder of a batch or a training, there is none. Check "
            "the path."
        )
    out = options.out or options.folder / layout.REPORT_PAGE
    require_output(out, "--out", (".html", ".htm"))
    if is_training_run(options.folder):
        if options.common.dry_run:
            return run.plan([f"write a report of the training in {options.folder} to {out}"])
        size = write_training_report(options.folder, out, title=options.title)
        run.finish({"path": out, "bytes": size})
        run.say(f"{out}: {size / 1e6:.1f} MB, {run.seconds:.1f} s")
        return 0
    status = read_status(options.folder)
    if options.common.dry_run:
        count = f"{len(status.done)} {status.kind.items}"
        return run.plan([f"write a report of {status.kind.what}, {count}, to {out}"])
    with run.progress("report", 1) as step:
        result = write_report(
            options.folder,
            out,
            scans=options.scans,
            title=options.title or "geomface report",
            on_progress=lambda done, total, what: step(done, what, total),
        )
    run.finish({"path": result.path, "bytes": result.size, "errors": result.errors})
    run.say(f"{result.path}: {result.size / 1e6:.1f} MB, {run.seconds:.1f} s")
    return 0


GROUP = CommandGroup(
    "report",
    "A single-file offline report of a batch's output folder or of a training run.",
    {"": Command(ReportOptions, run_report)},
)
