"""A run of a job: plan, what comes before, the items, what comes after; a report."""

import contextlib
import functools
import time
from pathlib import Path

from geomface.batch.attempts import ItemTask, attempt_item, lost_record, remove_leftovers
from geomface.batch.events import EventSink, Progress
from geomface.batch.executors import Executor, WorkerDied, make_executor, require_executor
from geomface.batch.job import Ended, Ending, Job, JobReport, failed_in
from geomface.batch.plan import JobPlan, PlannedItem, plan_job, require_folder
from geomface.batch.records import DONE, FAILED, ItemRecord, item_record
from geomface.datasets import layout
from geomface.files.lock import run_lock
from geomface.files.marker import claim_folder, make_folder
from geomface.files.records import write_json

MOST_REASONS = 10
"""Sentences about failures in a report; the records hold all."""


def run_job(job: Job, *, on_event: EventSink | None = None) -> JobReport:
    """Do what a job has not done yet, and what comes after its items.

    Items are done one by one, each with a record. One that fails leaves a sentence in its record
    and the others go on. Outputs appear whole or not at all, and what is done is not done again: a
    run that was killed or interrupted goes on when it is started again.

    Parameters
    ----------
    job : see `Job`
    on_event : called in this process with a `JobEvent` for everything that happens

    Raises
    ------
    OutputError : the folder cannot be written, holds something else, or another run works in it
    KeyboardInterrupt : after the items in flight have finished; start again to go on
    """
    started = time.perf_counter()
    require_folder(job)
    mortal = job.item_timeout is not None
    require_executor(job.executor, job.workers, job.scheduler, mortal=mortal)
    # The marker comes first: wherever a run is killed, the folder stays its own.
    claim_folder(job.out, job.kind.folder)
    with contextlib.ExitStack() as held:
        session = held.enter_context(run_lock(job.out))
        for name in ("", *job.kind.folders):
            remove_leftovers(make_folder(job.out / name))
        plan = plan_job(job)
        executor = make_executor(
            job.executor, job.workers, len(plan.todo), job.prepare, job.scheduler, mortal=mortal
        )
        held.enter_context(contextlib.closing(executor))
        progress = Progress(plan.left, on_event)
        progress.say("plan", plan.sentence())
        write_json(job.out / job.kind.file, job.head)
        if job.settings is not None:
            write_json(job.out / layout.RUN_SETTINGS, job.settings)
        if job.digests is not None:
            job.digests.write(job.out / layout.INPUT_DIGESTS)
        if plan.todo:
            executor.warm_up()
            if job.begin is not None:
                progress.say("template", job.begin())
            _do_items(job, plan, executor, progress, session)
        ended = _ended(job, plan, executor if plan.todo else None, progress)
        ending = Ending() if job.end is None else job.end(ended)
        report = _report(job, plan, ended, ending, time.perf_counter() - started)
        progress.say("finished", report.message)
    return report


def _do_items(
    job: Job, plan: JobPlan, executor: Executor, progress: Progress, session: str
) -> None:
    todo = plan.todo
    tasks = [job.task(planned.item, planned.attempts + 1, session) for planned in todo]
    function = functools.partial(attempt_item, job.work)
    progress.begin()
    try:
        with contextlib.closing(executor.run(function, tasks)) as results:
            for index, result in results:
                item, record = todo[index].item, _record(tasks[index], result)
                failed = failed_in(item, record)
                text = f"{job.kind.label}{item.name}: {_outcome(job, record, failed)}"
                progress.count(item.name, item.size, failed, text)
    except KeyboardInterrupt:
        finished = _finished(job.out, plan)
        progress.say(
            "interrupted",
            f"interrupted after {finished} of {plan.left} {plan.noun}; the same command goes on",
        )
        raise
    for name in job.kind.folders:
        remove_leftovers(job.out / name)  # of workers that died


def _record(task: ItemTask, result: object) -> ItemRecord:
    """Return the record of what an executor said of a task; what is no answer is not believed."""
    if isinstance(result, WorkerDied):
        return lost_record(task, "WorkerDied", result.message)
    asked = (task.name, task.key, task.attempt)
    if isinstance(result, ItemRecord) and (result.name, result.key, result.attempt) == asked:
        return result
    message = (
        f"expected the worker to answer with the record of this item, got a "
        f"{type(result).__name__} and found no record. Look at that machine, and try it again."
    )
    return lost_record(task, "WrongAnswer", message)


def _outcome(job: Job, record: ItemRecord, failed: int) -> str:
    if record.status == FAILED:
        return record.message
    if failed:
        return f"{failed} {job.kind.noun} could not be made"
    return f"done in {record.seconds:.1f} s"


def _finished(out: Path, plan: JobPlan) -> int:
    """Count what has a record of this run, what finished while draining included."""
    return sum(planned.item.size for planned in plan.todo if _attempted(out, planned) is not None)


def _attempted(out: Path, planned: PlannedItem) -> ItemRecord | None:
    """Return the record that this run left of an item."""
    return item_record(out / layout.RECORDS, planned.item.name, planned.attempts + 1)


def _ended(job: Job, plan: JobPlan, executor: Executor | None, progress: Progress) -> Ended:
    records, done = {}, []
    for planned in plan.items:
        # What is done is known from the files, never from what the executor returned.
        fresh = _attempted(job.out, planned) if planned.todo else None
        record = fresh or planned.last
        if record is None:
            continue
        records[planned.item.name] = record
        # The plan has looked at all files; while items were done, they may have changed.
        unchanged = not plan.todo and record.status == DONE
        if unchanged or job.is_done(planned.item, record):
            done.append(record)
    return Ended(job, records, tuple(done), executor, progress.say)


def _report(job: Job, plan: JobPlan, ended: Ended, ending: Ending, seconds: float) -> JobReport:
    done = {record.name: record for record in ended.done}
    failed = {item.name: failed_in(item, done.get(item.name)) for item in job.items}
    reasons = []
    for item in job.items:
        if item.name not in done:
            record = ended.records.get(item.name)
            message = "not done" if record is None else record.message
            reasons.append(f"{job.kind.label}{item.name}: {message}")
    total, lost = sum(item.size for item in job.items), sum(failed.values())
    message = plan.sentence()
    if plan.todo:
        counts = f"{total - lost} done, {lost} failed, {plan.left} of them in this run"
        message = f"{total} {plan.noun}: {counts}"
    return JobReport(
        out=job.out,
        done=total - lost,
        failed=lost,
        did=plan.left,
        made=plan.left - sum(failed[planned.item.name] for planned in plan.todo),
        seconds=round(seconds, 3),
        message=message,
        reasons=(*reasons, *ending.reasons)[:MOST_REASONS],
        records=tuple(ended.records[name] for name in failed if name in ended.records),
        stages=ending.stages,
        figures=ending.figures,
    )
