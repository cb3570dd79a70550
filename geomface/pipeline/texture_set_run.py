"""Training sets of textures: made face by face by workers, resumed, failures recorded."""

import contextlib
import dataclasses
import functools
import hashlib
import json
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
from geomface.batch.keys import file_hash
from geomface.batch.records import FAILED, latest_records, make_folder
from geomface.datasets import layout
from geomface.files.atomic import write_bytes
from geomface.files.lock import run_lock
from geomface.files.records import write_json
from geomface.pipeline.template_stage import ensure_template
from geomface.pipeline.texture_items import (
    TRUTH,
    TexturePayload,
    import_stages,
    make_textured_face,
)
from geomface.pipeline.texture_set import (
    FAILURES,
    MANIFEST,
    SET_FILE,
    STAGE,
    TextureSetPlan,
    is_done,
    plan_textures,
)
from geomface.pipeline.texture_settings import TextureSetSettings

_MOST_REASONS = 10


@dataclasses.dataclass(frozen=True)
class TextureSetReport:
    """How a run went.

    Parameters
    ----------
    out : folder of the set
    faces : made, in this run or before
    made : of these, in this run
    complete : of these, without anything hidden
    failed : that could not be made
    reasons : the first sentences about them
    seconds : wall time
    sha256 : of all files' hashes; equal for equal sets
    message : one line
    """

    out: Path
    faces: int
    made: int
    complete: int
    failed: int
    reasons: tuple[str, ...]
    seconds: float
    sha256: str
    message: str

    @property
    def exit_code(self) -> int:
        """0 all good, 3 finished with failed faces."""
        return 3 if self.failed else 0


def make_textures(
    settings: TextureSetSettings, *, on_event: EventSink | None = None, work: Work | None = None
) -> TextureSetReport:
    """Make a training set of textures and geometry images with holes.

    Faces are made one by one, each whole or not there. What is there is not made again: a run that
    was killed or interrupted goes on when it is started again, and a larger count adds to a set.

    Parameters
    ----------
    settings : see `TextureSetSettings`
    on_event : called in this process with a `PipelineEvent` for everything that happens
    work : what is done for one face, default `texture_items.make_textured_face`; for tests

    Raises
    ------
    OutputError : the folder holds another set or something else, cannot be written, or another
        run works in it.
    GeomfaceError : a model or template that cannot be read or has no landmarks.
    KeyboardInterrupt : after the faces in flight are finished; start again to go on.
    """
    started = time.perf_counter()
    plan = plan_textures(settings)
    out = settings.out
    for folder in (out, out / layout.ITEMS, out / layout.RECORDS, out / TRUTH):
        make_folder(folder)
    workers = min(settings.workers, max(len(plan.todo), 1))
    executor = make_executor("processes" if workers > 1 else "serial", workers, import_stages)
    with run_lock(out), contextlib.closing(executor):
        for folder in (out, out / layout.ITEMS, out / layout.RECORDS, out / TRUTH):
            remove_leftovers(folder)
        write_json(out / SET_FILE, plan.info)
        progress = Progress(len(plan.todo), on_event)
        progress.say("plan", plan.sentence())
        if plan.todo:
            executor.warm_up()
            progress.say("template", ensure_template(settings.pipeline, plan.template_key))
            _do_faces(settings, plan, executor, progress, work or make_textured_face)
        report = _finish(settings, plan, time.perf_counter() - started)
        progress.say("finished", report.message)
    return report


def _do_faces(
    settings: TextureSetSettings,
    plan: TextureSetPlan,
    executor: Executor,
    progress: Progress,
    work: Work,
) -> None:
    tasks = [_task(settings, plan, index) for index in plan.todo]
    progress.begin()
    try:
        with contextlib.closing(executor.run(functools.partial(attempt_item, work), tasks)) as done:
            for index, result in done:
                if isinstance(result, WorkerDied):
                    result = failed_record(tasks[index], "WorkerDied", result.message)
                failed = result.status == FAILED
                text = result.message if failed else f"done in {result.seconds:.1f} s"
                progress.item(result.name, failed, f"face {result.name}: {text}")
    except KeyboardInterrupt:
        progress.say("interrupted", "interrupted; the same command goes on")
        raise
    remove_leftovers(settings.out / layout.ITEMS)  # of workers that died


def _task(settings: TextureSetSettings, plan: TextureSetPlan, index: int) -> ItemTask:
    name, which = plan.names[index], index % len(settings.models)
    before = plan.records.get(name)
    return ItemTask(
        name=name,
        stage=STAGE,
        key=plan.keys[index],
        attempt=1 if before is None else before.attempt + 1,
        out=settings.out,
        place=f"{layout.ITEMS}/{name}",
        records=layout.RECORDS,
        payload=TexturePayload(
            index, settings.models[which], plan.model_names[which], plan.template_key, settings.item
        ),
    )


def _finish(settings: TextureSetSettings, plan: TextureSetPlan, seconds: float) -> TextureSetReport:
    """Join the faces' reports to the manifest, list the failures, and sum up."""
    records = latest_records(settings.out / layout.RECORDS)
    rows, failures, complete, digest = [], [], 0, hashlib.sha256()
    for name, key in zip(plan.names, plan.keys, strict=True):
        record = records.get(name)
        if record is not None and is_done(settings.out, record, key):
            report = settings.out / layout.ITEMS / name / layout.ITEM_REPORT
            rows.append(report.read_bytes())
            complete += bool(record.figures.get("complete"))
            for output in record.outputs:
                digest.update(f"{output.path} {output.sha256}\n".encode())
            digest.update(f"{file_hash(settings.out / TRUTH / f'{name}.png')}\n".encode())
        else:
            message = "not made" if record is None else record.message
            failures.append({"name": name, "message": message})
    write_bytes(settings.out / MANIFEST, b"".join(rows))
    lines = "".join(json.dumps(row) + "\n" for row in failures)
    if failures:
        write_bytes(settings.out / FAILURES, lines.encode())
    else:
        (settings.out / FAILURES).unlink(missing_ok=True)
    lost = {row["name"] for row in failures}
    made = sum(plan.names[index] not in lost for index in plan.todo)
    message = f"{len(rows)} faces, {complete} of them complete, {made} made in this run"
    if failures:
        message += f"; {len(failures)} failed"
    return TextureSetReport(
        out=settings.out,
        faces=len(rows),
        made=made,
        complete=complete,
        failed=len(failures),
        reasons=tuple(f"face {row['name']}: {row['message']}" for row in failures[:_MOST_REASONS]),
        seconds=round(seconds, 3),
        sha256=digest.hexdigest(),
        message=message,
    )
