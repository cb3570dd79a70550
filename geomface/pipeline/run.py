"""A run over a folder of scans: plan, template, items, model."""

import contextlib
import dataclasses
import functools
import time
from pathlib import Path

from geomface.batch.attempts import (
    ItemTask,
    Work,
    attempt_item,
    failed_record,
    remove_leftovers,
)
from geomface.batch.events import EventSink, Progress
from geomface.batch.executors import Executor, WorkerDied, make_executor
from geomface.batch.records import DONE, FAILED, ItemRecord, latest_records, make_folder
from geomface.datasets import layout
from geomface.errors import GeomfaceError
from geomface.files.lock import run_lock
from geomface.files.records import write_json
from geomface.pipeline.plan import ITEM_STAGE, PipelinePlan, PlannedItem, plan_pipeline
from geomface.pipeline.settings import PipelineSettings

SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class PipelineReport:
    """How a run went.

    Parameters
    ----------
    out : the run's folder
    done : items done, in this run or before
    failed : items that failed, in this run or before
    did : items attempted in this run
    seconds : wall time
    message : one line
    records : last record of every item of the scan folder, by name
    model : record of the model step, None when it was not asked for
    notes : what was done about imperfect input outside the items
    """

    out: Path
    done: int
    failed: int
    did: int
    seconds: float
    message: str
    records: tuple[ItemRecord, ...]
    model: ItemRecord | None = None
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 all good, 3 finished with failed items."""
        model_failed = self.model is not None and self.model.status == FAILED
        return 3 if self.failed or model_failed else 0


def run_pipeline(
    settings: PipelineSettings, *, on_event: EventSink | None = None, work: Work | None = None
) -> PipelineReport:
    """Bring every scan of a folder onto one template, then fit a model to the results.

    Scans are done one by one, each with a record. One that fails leaves a sentence in its record
    and the others go on. Outputs appear whole or not at all, and what is done is not done again:
    a run that was killed or interrupted goes on when it is started again.

    Parameters
    ----------
    settings : see `PipelineSettings`
    on_event : called in this process with a `PipelineEvent` for everything that happens
    work : what is done to one scan, default `items.process_scan`; for tests and own stages

    Raises
    ------
    FileFormatError : no scans, or a template that cannot be read.
    OutputError : the folder cannot be written, or another run works in it.
    KeyboardInterrupt : after the items in flight have finished; start again to go on.
    """
    started = time.perf_counter()
    plan = plan_pipeline(settings)
    prepare = _prepare if work is None else None
    executor = make_executor(settings.executor_name, settings.workers, prepare)
    make_folder(settings.out)
    with run_lock(settings.out), contextlib.closing(executor):
        for folder in (settings.out, settings.out / layout.ITEMS, settings.out / layout.RECORDS):
            remove_leftovers(folder)
        progress = Progress(len(plan.todo), on_event)
        progress.say("plan", plan.sentence())
        _write_run_file(settings, plan)
        if plan.todo:
            executor.warm_up()
            if work is None:
                _make_template(settings, plan, progress)
            _do_items(settings, plan, executor, progress, work)
        latest = latest_records(settings.out / layout.RECORDS)
        records = tuple(latest[item.scan.name] for item in plan.items if item.scan.name in latest)
        model = None
        if settings.model.enabled and work is None:
            model = _make_model(settings, plan, records, executor, progress)
        report = _report(settings, plan, records, model, time.perf_counter() - started)
        progress.say("finished", report.message)
    return report


def _prepare() -> None:
    """Import in a new worker what every item needs, while the parent is busy."""
    from geomface.pipeline import items

    items.import_stages()


def _write_run_file(settings: PipelineSettings, plan: PipelinePlan) -> None:
    write_json(
        settings.out / layout.RUN_FILE,
        {
            "kind": "pipeline-run",
            "schema": SCHEMA,
            "settings": settings,
            "template_key": plan.template_key,
            "scans": [item.scan.name for item in plan.items],
        },
    )


def _make_template(settings: PipelineSettings, plan: PipelinePlan, progress: Progress) -> None:
    from geomface.pipeline.template_stage import ensure_template

    sentence = ensure_template(settings, plan.template_key)
    progress.say("template", sentence)


def _do_items(
    settings: PipelineSettings,
    plan: PipelinePlan,
    executor: Executor,
    progress: Progress,
    work: Work | None,
) -> None:
    from geomface.pipeline.items import process_scan

    tasks = [_task(item, settings, plan) for item in plan.todo]
    function = functools.partial(attempt_item, work or process_scan)
    progress.begin()
    try:
        with contextlib.closing(executor.run(function, tasks)) as results:
            for index, result in results:
                if isinstance(result, WorkerDied):
                    result = failed_record(tasks[index], "WorkerDied", result.message)
                failed = result.status == FAILED
                text = result.message if failed else f"done in {result.seconds:.1f} s"
                progress.item(result.name, failed, f"{result.name}: {text}")
    except KeyboardInterrupt:
        finished = _count_finished(settings.out, plan)
        progress.say(
            "interrupted",
            f"interrupted after {finished} of {len(tasks)} scans; the same command goes on",
        )
        raise
    remove_leftovers(settings.out / layout.ITEMS)  # of workers that died


def _count_finished(out: Path, plan: PipelinePlan) -> int:
    """Count the items of this run with a record, those that finished while draining included."""
    records = latest_records(out / layout.RECORDS)
    return sum(
        1
        for item in plan.todo
        if item.scan.name in records and records[item.scan.name].attempt > item.attempts
    )


def _task(item: PlannedItem, settings: PipelineSettings, plan: PipelinePlan) -> ItemTask:
    from geomface.pipeline.items import ScanPayload

    return ItemTask(
        name=item.scan.name,
        stage=ITEM_STAGE,
        key=item.key,
        attempt=item.attempts + 1,
        out=settings.out,
        place=f"{layout.ITEMS}/{item.scan.name}",
        records=layout.RECORDS,
        payload=ScanPayload(
            scan=item.scan.scan,
            landmarks=item.scan.landmarks,
            needs_landmarks=plan.use_landmarks,
            template_key=plan.template_key,
            settings=settings.item,
        ),
    )


def _make_model(
    settings: PipelineSettings,
    plan: PipelinePlan,
    records: tuple[ItemRecord, ...],
    executor: Executor,
    progress: Progress,
) -> ItemRecord | None:
    """Fit the model to all items that are done, unless that was done before."""
    from geomface.pipeline.collect import collect_model

    done = tuple(record for record in records if record.status == DONE)
    if len(done) < 2:
        progress.say("model", f"no model: it needs 2 registered scans, there are {len(done)}")
        return None
    # Workers that have not started for items are not worth starting for a few samples.
    record, fresh = collect_model(
        settings, plan.template_key, done, executor if plan.todo else None
    )
    if fresh:
        if record.status == FAILED:
            text = f"the model failed: {record.message}"
        else:
            figures = record.figures
            text = f"model of {figures.get('modes')} modes from {len(done)} scans"
        progress.say("model", text)
    return record


def _report(
    settings: PipelineSettings,
    plan: PipelinePlan,
    records: tuple[ItemRecord, ...],
    model: ItemRecord | None,
    seconds: float,
) -> PipelineReport:
    failed = sum(1 for record in records if record.status == FAILED)
    done = len(records) - failed
    if plan.todo:
        message = f"{done} done, {failed} failed, {len(plan.todo)} of them in this run"
    else:
        message = plan.sentence()
    return PipelineReport(
        out=settings.out,
        done=done,
        failed=failed,
        did=len(plan.todo),
        seconds=round(seconds, 3),
        message=message,
        records=records,
        model=model,
    )


def load_run(out: Path | str) -> PipelineSettings:
    """Return the settings of the run that a folder holds.

    Raises
    ------
    FileFormatError : no run, a damaged file, or one of another version.
    """
    from geomface.errors import FileFormatError
    from geomface.files.records import read_json
    from geomface.files.settings import settings_from_json

    path = Path(out) / layout.RUN_FILE
    data = read_json(path, "the folder of a pipeline run")
    if not isinstance(data, dict) or data.get("kind") != "pipeline-run":
        raise FileFormatError(f"{path}: expected the file of a pipeline run.")
    if data.get("schema") != SCHEMA:
        raise FileFormatError(
            f"{path}: run schema {data.get('schema')} is unknown to this version ({SCHEMA}). "
            "Use the version that wrote it, or a new output folder."
        )
    try:
        return settings_from_json(PipelineSettings, data["settings"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, GeomfaceError):
            raise
        raise FileFormatError(f"{path}: the settings are damaged ({error}).") from error
