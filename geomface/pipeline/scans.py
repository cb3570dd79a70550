"""The job over a folder of scans: each onto one template, then a model of the results."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from geomface.batch.attempts import Work
from geomface.batch.digests import FileDigests, read_digests
from geomface.batch.events import EventSink
from geomface.batch.job import Ended, Ending, Item, Job, JobKind, JobReport
from geomface.batch.keys import key_maker
from geomface.batch.records import FAILED
from geomface.batch.run import run_job
from geomface.datasets import layout
from geomface.datasets.manifest import read_head
from geomface.datasets.scan_files import ScanFile, find_scans
from geomface.errors import FileFormatError
from geomface.files.settings import settings_from_json
from geomface.pipeline.scan_item import ScanPayload, import_stages, process_scan
from geomface.pipeline.settings import PipelineSettings
from geomface.pipeline.template import ensure_template, template_key

VERSION = 4
"""Raise it when the same scan and settings give other files."""


def run_pipeline(
    settings: PipelineSettings, *, on_event: EventSink | None = None, work: Work | None = None
) -> JobReport:
    """Bring every scan of a folder onto one template, then fit a model to the results.

    Parameters
    ----------
    settings : see `PipelineSettings`
    on_event : called in this process with a `JobEvent` for everything that happens
    work : what is done to one scan, default `scan_item.process_scan`; for tests and own stages

    Raises
    ------
    FileFormatError : no scans, or a template that cannot be read.
    OutputError : the folder cannot be written, or another run works in it.
    KeyboardInterrupt : after the items in flight have finished; start again to go on.

    Example
    -------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import geomface as gf
    >>> scan = gf.simulate_scan(gf.load_builtin_face(), rng=np.random.default_rng(1))
    >>> gf.save_mesh("anna.ply", scan.mesh)
    >>> gf.save_landmarks("anna.landmarks.json", scan.landmarks)
    >>> report = gf.run_pipeline(gf.PipelineSettings(scans=Path("."), out=Path("my-result")))
    >>> report.done, report.failed
    (1, 0)
    """
    return run_job(scan_job(settings, work=work), on_event=on_event)


def scan_job(settings: PipelineSettings, *, work: Work | None = None) -> Job:
    """Return the job over a folder of scans; reads scans and template, writes nothing.

    Raises
    ------
    FileFormatError : no scans, or a template that cannot be read.
    """
    scans = find_scans(settings.scans, textures=settings.textures)[: settings.limit]
    template = template_key(settings)
    needs_landmarks = settings.landmarks == "required"
    digests = read_digests(settings.out / layout.INPUT_DIGESTS)
    hash_once = functools.cache(functools.partial(_hash_or_note, digests))  # shared by many scans
    suffixes = {scan.scan.suffix.lower() for scan in scans}
    keys = {
        suffix: key_maker(KIND.stage, VERSION, {"settings": settings.item, "suffix": suffix})
        for suffix in suffixes
    }
    head = {
        "kind": KIND.name,
        "schema": KIND.schema,
        "settings": settings,
        "template_key": template,
        "scans": [scan.name for scan in scans],
    }
    items = tuple(
        Item(
            scan.name,
            keys[scan.scan.suffix.lower()](template, *_hashes(scan, needs_landmarks, hash_once)),
            ScanPayload(
                scan.scan,
                scan.landmarks,
                needs_landmarks,
                template,
                settings.item,
                settings.textures,
            ),
        )
        for scan in scans
    )
    real = work is None
    return Job(
        KIND,
        settings.out,
        head,
        items,
        process_scan if work is None else work,
        workers=settings.workers,
        executor=settings.executor,
        scheduler=settings.scheduler,
        retry_failed=settings.retry_failed,
        digests=digests,
        prepare=import_stages if real else None,
        begin=functools.partial(ensure_template, settings, template) if real else None,
        end=functools.partial(_fit_model, settings, template) if real else None,
    )


def _hashes(scan: ScanFile, needs_landmarks: bool, hash_of: Callable[[Path], str]) -> list[str]:
    hashes = [hash_of(scan.scan)]
    hashes.append(hash_of(scan.landmarks) if scan.landmarks else f"none:{needs_landmarks}")
    return hashes + [f"{path.name}:{hash_of(path)}" for path in scan.companions]


def _hash_or_note(digests: FileDigests, path: Path) -> str:
    """Return the file's hash; an unreadable file gets a key too, and then a failed record."""
    try:
        return digests.of(path)
    except FileFormatError:
        return "unreadable"


def _fit_model(settings: PipelineSettings, template: str, ended: Ended) -> Ending:
    """Fit the model to all items that are done, unless that was done before."""
    from geomface.pipeline.scan_model import collect_model

    if not settings.model.enabled:
        return Ending(figures={"model": None})
    if len(ended.done) < 2:
        ended.say("model", f"no model: it needs 2 registered scans, there are {len(ended.done)}")
        return Ending(figures={"model": None})
    record, fresh = collect_model(settings, template, ended.done, ended.executor)
    if fresh and record.status == FAILED:
        ended.say("model", f"the model failed: {record.message}")
    elif fresh:
        count = len(ended.done)
        ended.say("model", f"model of {record.figures.get('modes')} modes from {count} scans")
    return Ending(stages=(record,))


def load_run(out: Path | str) -> PipelineSettings:
    """Return the settings of the run that a folder holds.

    Raises
    ------
    FileFormatError : no run, a damaged file, or one of another version.
    """
    path = Path(out) / layout.RUN_FILE
    head = read_head(path, kind=KIND.name, schema=KIND.schema, what=KIND.what)
    return _rebuild(path, head)


def _names(head: Mapping[str, Any]) -> Sequence[str]:
    return head["scans"]


def _rebuild(out: Path, head: Mapping[str, Any]) -> PipelineSettings:
    return settings_from_json(PipelineSettings, head.get("settings"), f"{out}: settings")


KIND = JobKind(
    name="pipeline-run",
    schema=1,
    what="a pipeline run",
    file=layout.RUN_FILE,
    place=layout.ITEMS,
    stage="item",
    noun="scans",
    items="scans",
    command="geomface pipeline run",
    names=_names,
    settings=PipelineSettings,
    job=scan_job,
    rebuild=_rebuild,
)
"""Scans: another run may change anything, and does again the scans that this concerns."""
