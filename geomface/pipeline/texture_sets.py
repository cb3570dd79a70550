"""The job that makes a training set of textures and geometry images with holes, face by face."""

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomface.batch.attempts import Work
from geomface.batch.events import EventSink
from geomface.batch.index import index_set
from geomface.batch.job import Ended, Ending, Item, Job, JobKind, JobReport
from geomface.batch.keys import key_maker
from geomface.batch.run import run_job
from geomface.datasets import layout
from geomface.errors import LandmarkError
from geomface.files.records import plain
from geomface.files.settings import settings_from_json
from geomface.pipeline.template import ensure_template, read_run_template, template_key
from geomface.pipeline.texture_face import TexturePayload, import_stages, make_textured_face
from geomface.pipeline.texture_settings import BUILTIN, TextureItemSettings, TextureSetSettings

if TYPE_CHECKING:
    from geomface.mesh import LandmarkEmbedding

STAGE, VERSION = "textures", 3
"""Raise the version when the same settings give other faces."""


def make_textures(
    settings: TextureSetSettings, *, on_event: EventSink | None = None, work: Work | None = None
) -> JobReport:
    """Make a training set of textures and geometry images with holes; a larger count adds to it.

    Parameters
    ----------
    settings : see `TextureSetSettings`
    on_event : called in this process with a `JobEvent` for everything that happens
    work : what is done for one face, default `texture_face.make_textured_face`; for tests

    Raises
    ------
    OutputError : the folder holds another set or something else, cannot be written, or another
        run works in it.
    GeomfaceError : a model or template that cannot be read or has no landmarks.
    KeyboardInterrupt : after the faces in flight are finished; start again to go on.
    """
    return run_job(texture_job(settings, work=work), on_event=on_event)


def texture_job(settings: TextureSetSettings, *, work: Work | None = None) -> Job:
    """Return the job of a training set; reads models and template, writes nothing.

    Raises
    ------
    GeomfaceError : a model or template that cannot be read or has no landmarks.
    """
    models, hashes = _models(settings)
    marks = read_run_template(settings.pipeline).landmarks
    _require_landmarks("template", settings.template or BUILTIN, marks)
    template = template_key(settings.pipeline)
    head = {
        "kind": KIND.name,
        "schema": KIND.schema,
        "version": VERSION,
        "count": settings.count,
        "settings": settings.item,
        "models": models,
        "model_hashes": hashes,
        "template_key": template,
        "units": "mm; colours sRGB in [0, 1]; image row 0 at the top",
    }
    files = [None if name == BUILTIN else Path(name) for name in settings.models]
    items, key_of = [], key_maker(STAGE, VERSION, settings.item)
    for index, name in enumerate(_numbered(settings.count)):
        which = index % len(models)
        key = key_of(hashes[which], template, name)
        payload = TexturePayload(
            index, files[which], hashes[which], models[which], template, settings.item
        )
        items.append(Item(name, key, payload))
    return Job(
        KIND,
        settings.out,
        plain(head),
        tuple(items),
        make_textured_face if work is None else work,
        workers=settings.workers,
        retry_failed=settings.retry_failed,
        settings=settings,
        prepare=import_stages,
        begin=functools.partial(ensure_template, settings.pipeline, template),
        end=_index,
    )


def _numbered(count: int) -> Iterator[str]:
    return (f"{index:06d}" for index in range(count))


def _models(settings: TextureSetSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return name and hash of every model.

    Raises
    ------
    LandmarkError : a model without the 68 landmarks. FileFormatError : one that cannot be read.
    """
    from geomface.model_files import load_model
    from geomface.synthesis.loading import model_hash

    names, hashes = [], []
    for name in settings.models:
        model = load_model(None if name == BUILTIN else Path(name))
        _require_landmarks("model", name, model.template.landmarks)
        names.append(model.name)
        hashes.append(model_hash(model))
    return tuple(names), tuple(hashes)


def _require_landmarks(what: str, name: Path | str, marks: "LandmarkEmbedding | None") -> None:
    if marks is None or len(marks) != 68 or marks.scheme != "multi-pie-68":
        raise LandmarkError(
            f"{name}: expected a {what} with the 68 landmarks of multi-pie-68, got "
            f"{'none' if marks is None else f'{len(marks)} of {marks.scheme}'}. Choose another "
            f"{what}, or give this one landmarks."
        )


def _index(ended: Ended) -> Ending:
    """Join the faces' reports to the manifest and list the failures."""
    done = {record.name for record in ended.done}
    failures = []
    for item in ended.job.items:
        if item.name not in done:
            record = ended.records.get(item.name)
            message = "not made" if record is None else record.message
            failures.append(json.dumps({"name": item.name, "message": message}).encode() + b"\n")
    digest = index_set(ended, failures)
    complete = sum(bool(record.figures.get("complete")) for record in ended.done)
    return Ending(figures={"sha256": digest, "complete": complete})


def _names(head: Mapping[str, Any]) -> Iterator[str]:
    return _numbered(head["count"])


def _rebuild(out: Path, head: Mapping[str, Any]) -> TextureSetSettings:
    """Return the settings of a set that does not say which models it is of: the built-in face."""
    item = settings_from_json(TextureItemSettings, head["settings"])
    return TextureSetSettings(out, head["count"], (BUILTIN,) * len(head["models"]), item=item)


KIND = JobKind(
    name="texture-set",
    schema=1,
    what="a set of textures",
    file=layout.SET_FILE,
    place=layout.ITEMS,
    stage=STAGE,
    noun="faces",
    items="faces",
    command="geomface synth textures",
    names=_names,
    settings=TextureSetSettings,
    job=texture_job,
    rebuild=_rebuild,
    label="face ",
    beside=f"{layout.TRUTH}/{{name}}.png",
    rows=layout.ITEM_REPORT,
    grows=("count",),
    grown="faces",
)
"""Textures; a larger count adds to a set."""
