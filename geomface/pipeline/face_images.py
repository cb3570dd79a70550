"""Synthetic face images on disk: made in parts by workers, resumed, failures recorded."""

import contextlib
import dataclasses
import functools
import time
from collections.abc import Iterator
from pathlib import Path

from geomface.batch.attempts import (
    ItemTask,
    Outcome,
    attempt_item,
    failed_record,
    remove_leftovers,
)
from geomface.batch.events import EventSink, Progress
from geomface.batch.executors import Executor, WorkerDied, make_executor
from geomface.batch.keys import content_key
from geomface.batch.records import FAILED, make_folder
from geomface.files.lock import run_lock
from geomface.files.records import write_json
from geomface.model_files import load_model
from geomface.pipeline.face_set import (
    PARTS,
    RECORDS,
    STAGE,
    VERSION,
    FaceSetPlan,
    FaceSetSettings,
    Part,
    plan_faces,
)
from geomface.pipeline.face_set_index import FaceSetReport, finish_set
from geomface.synthesis.manifest import SET_FILE
from geomface.synthesis.sampler import FaceSampler
from geomface.synthesis.settings import FaceImageSettings
from geomface.synthesis.writing import write_part

__all__ = ["FaceSetPlan", "FaceSetReport", "FaceSetSettings", "generate_faces", "plan_faces"]


def generate_faces(
    settings: FaceSetSettings, *, on_event: EventSink | None = None
) -> FaceSetReport:
    """Make a set of pictures on disk.

    Pictures are made in parts, each whole or not there. What is there is not made again: a run
    that was killed or interrupted goes on when it is started again, and a larger number of
    identities adds to a set.

    Parameters
    ----------
    settings : see `FaceSetSettings`
    on_event : called in this process with a `PipelineEvent` for everything that happens; its
        counts are pictures

    Raises
    ------
    OutputError : the folder holds another set or something else, cannot be written, or another
        run works in it.
    GeomfaceError : a model that cannot be read or has no landmarks, an unknown factor.
    KeyboardInterrupt : after the parts in flight are finished; start again to go on.
    """
    started = time.perf_counter()
    plan = plan_faces(settings)
    todo = plan.todo
    progress = _PictureProgress(sum(part.last - part.first for part in todo), on_event)
    make_folder(settings.out)
    workers = min(settings.workers, max(len(todo), 1))
    name = "processes" if workers > 1 else "serial"
    if name == "serial":
        _keep(plan.sampler, plan.info["model_hash"])
    executor = make_executor(name, workers, _import_stages)
    with run_lock(settings.out), contextlib.closing(executor):
        for folder in (settings.out, settings.out / PARTS, settings.out / RECORDS):
            remove_leftovers(folder)
        write_json(settings.out / SET_FILE, plan.info)
        progress.say("plan", plan.sentence())
        drawn = _do_parts(settings, plan, executor, progress)
        report = finish_set(settings, plan, drawn, time.perf_counter() - started)
        progress.say("finished", report.message)
    return report


class _PictureProgress(Progress):
    """Counts pictures instead of items."""

    def part(self, part: Part, failed: int, message: str, whole: bool) -> None:
        """Count the pictures of one part and say so."""
        self.finished += part.last - part.first
        self.failed += failed
        self.say("done" if whole else "failed", message, part.name)


def _do_parts(
    settings: FaceSetSettings, plan: FaceSetPlan, executor: Executor, progress: _PictureProgress
) -> int:
    """Make the missing parts; return the number of pictures written."""
    tasks = [_task(settings, plan, part) for part in plan.todo]
    function = functools.partial(attempt_item, _make_part)
    progress.begin()
    drawn = 0
    try:
        with contextlib.closing(executor.run(function, tasks)) as results:
            for index, result in results:
                part = plan.todo[index]
                if isinstance(result, WorkerDied):
                    result = failed_record(tasks[index], "WorkerDied", result.message)
                if result.status == FAILED:
                    count = part.last - part.first
                    progress.part(part, count, f"part {part.name}: {result.message}", False)
                    continue
                drawn += int(result.figures["written"])
                failed = int(result.figures["failed"])
                text = f"{failed} pictures could not be drawn" if failed else "done"
                progress.part(part, failed, f"part {part.name}: {text}", not failed)
    except KeyboardInterrupt:
        progress.say("interrupted", "interrupted; the same command goes on")
        raise
    remove_leftovers(settings.out / PARTS)  # of workers that died
    return drawn


@dataclasses.dataclass(frozen=True)
class _PartPayload:
    """What a worker needs to make a part."""

    images: FaceImageSettings
    model: Path | None
    model_hash: str
    image_format: str
    shards: bool
    first: int
    last: int


def _task(settings: FaceSetSettings, plan: FaceSetPlan, part: Part) -> ItemTask:
    return ItemTask(
        name=part.name,
        stage=STAGE,
        key=plan.keys[part.index],
        attempt=plan.attempts.get(part.name, 0) + 1,
        out=settings.out,
        place=f"{PARTS}/{part.name}",
        records=RECORDS,
        payload=_PartPayload(
            dataclasses.replace(settings.images, identities=1),
            settings.model,
            plan.info["model_hash"],
            settings.image_format,
            settings.shards,
            part.first,
            part.last,
        ),
    )


def _make_part(task: ItemTask, folder: Path) -> Outcome:
    """Render and write one part."""
    payload: _PartPayload = task.payload
    sampler = _sampler(payload)
    each = payload.images.pictures_per_identity
    pictures = [divmod(number, each) for number in range(payload.first, payload.last)]
    busy = time.process_time()
    with _one_torch_thread():
        counts = write_part(
            sampler,
            pictures,
            folder,
            place=task.place,
            image_format=payload.image_format,
            shard=payload.shards,
        )
    busy = round(time.process_time() - busy, 4)
    return Outcome(figures={**dataclasses.asdict(counts), "processor_seconds": busy})


_KEPT: dict[str, FaceSampler] = {}


def _sampler(payload: _PartPayload) -> FaceSampler:
    """Return this process's sampler of a set: tables are built once for all its parts."""
    key = content_key(STAGE, VERSION, payload.images, payload.model_hash)
    if key not in _KEPT:
        _keep(FaceSampler(payload.images, load_model(payload.model)), payload.model_hash)
    return _KEPT[key]


def _keep(sampler: FaceSampler, model: str) -> None:
    """Let the parts that this process makes use a sampler; one is kept."""
    _KEPT.clear()
    _KEPT[content_key(STAGE, VERSION, sampler.settings, model)] = sampler


@contextlib.contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Let torch use one thread, as in a worker, so that sums have one order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _import_stages() -> None:
    """Import in a new worker what every part needs."""
    from geomface.synthesis import sampler, writing  # noqa: F401
