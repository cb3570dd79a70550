"""What every command that runs a batch job shares: the plan, the progress, how it ended."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from geomface.cli.options import ExecutorOptions
from geomface.cli.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from geomface.batch.events import JobEvent
    from geomface.batch.job import Job, JobReport
    from geomface.batch.records import ItemRecord


def execute(
    job: "Job",
    run: Run,
    executor: ExecutorOptions,
    names: Mapping[str, str] | None = None,
    *,
    items: bool = True,
) -> int:
    """Run a job, or tell its plan under --dry-run; return the exit code.

    Parameters
    ----------
    job : what to do
    run : of the command
    executor : where its items are worked on; auto leaves the job as it is
    names : what the record of the command calls some of the report's fields, by their names
    items : whether the record tells the figures of every item
    """
    from geomface.batch.plan import plan_job

    job = dataclasses.replace(job, item_timeout=executor.item_timeout)
    if executor.executor != "auto":
        job = dataclasses.replace(job, executor=executor.executor, scheduler=executor.scheduler)
    if run.common.dry_run:
        plan = plan_job(job)
        figures = {
            "todo": [planned.item.name for planned in plan.todo],
            "items": len(plan.items),
            "parts": len(plan.todo),
            plan.noun: sum(planned.item.size for planned in plan.items),
        }
        return run.plan([plan.sentence(), f"write into {job.out}"], figures)
    if executor.copy_to:
        _fetch_copy(job.out, executor.copy_to, run)
    report = run_with_progress(job, run)
    if executor.copy_to:
        _bring_up_to_date(job.out, executor.copy_to, run)
    run.finish(_figures(report, names or {}, report.records if items else ()))
    each = f", {report.seconds / report.did:.3g} s each" if report.did else ""
    run.say(f"{job.out}: {report.message}, {report.seconds:.1f} s{each}")
    for reason in report.reasons:
        run.say(f"  {reason}")
    for record in report.stages:
        if record.message:
            run.say(f"  {record.name}: {record.message}")
    return report.exit_code


def _fetch_copy(out: "Path", url: str, run: Run) -> None:
    """Begin where the copy ends, unless the folder has content of its own."""
    from geomface.files.folder_copy import fetch_folder

    if not out.is_dir() or not any(out.iterdir()):
        with run.progress("fetched", 0) as step:
            count = fetch_folder(
                url, out, on_file=lambda done, total, name: step(done, name, total)
            )
        if count:
            run.note(f"{out} goes on from {count} files of {url}.")


def _bring_up_to_date(out: "Path", url: str, run: Run) -> None:
    from geomface.files.folder_copy import copy_folder

    with run.progress("copied", 0) as step:
        copy_folder(out, url, on_file=lambda done, total, name: step(done, name, total))


def run_with_progress(job: "Job", run: Run) -> "JobReport":
    """Run a job; events move the progress bar, failures are told at once."""
    from geomface.batch.run import run_job

    with run.progress(job.kind.noun, sum(item.size for item in job.items)) as step:

        def on_event(event: "JobEvent") -> None:
            if event.kind in ("done", "failed") or (event.kind == "plan" and event.total):
                step(event.finished, event.name, total=event.total)
            if event.kind == "failed":
                run.warn(f"failed: {event.message}")

        return run_job(job, on_event=on_event)


def _figures(
    report: "JobReport", names: Mapping[str, str], items: "Sequence[ItemRecord]"
) -> dict[str, Any]:
    fields = ("out", "done", "failed", "did", "made", "seconds", "message", "reasons")
    figures = {names.get(name, name): getattr(report, name) for name in fields}
    if items:
        figures["items"] = {record.name: _item_figures(record) for record in items}
    stages = {record.name: _item_figures(record) for record in report.stages}
    return figures | dict(report.figures) | stages


def _item_figures(record: "ItemRecord") -> dict[str, Any]:
    figures: dict[str, Any] = {"status": record.status, "item_seconds": record.seconds}
    if record.status == "failed":
        return figures | {"error": record.error, "message": record.message}
    return figures | dict(record.figures)
