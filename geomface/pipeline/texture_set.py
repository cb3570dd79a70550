"""A training set of textures on disk: what belongs to it, and what is still to be made."""

import dataclasses
from pathlib import Path
from typing import Any

from geomface.batch.keys import content_key
from geomface.batch.records import DONE, FAILED, ItemRecord, latest_records, outputs_present
from geomface.datasets import layout
from geomface.errors import FileFormatError, LandmarkError, OutputError
from geomface.files.lock import NAME as LOCK
from geomface.files.records import plain, read_json
from geomface.mesh import LandmarkEmbedding
from geomface.model_files import load_model
from geomface.pipeline.plan import template_key
from geomface.pipeline.template_stage import read_run_template
from geomface.pipeline.texture_items import TRUTH
from geomface.pipeline.texture_settings import BUILTIN, TextureSetSettings
from geomface.synthesis.loading import model_hash

KIND, SCHEMA = "texture-set", 1
STAGE, VERSION = "textures", 1
"""Raise the version when the same settings give other faces."""
SET_FILE, MANIFEST, FAILURES = "set.json", "manifest.jsonl", "failures.jsonl"


@dataclasses.dataclass(frozen=True, eq=False)
class TextureSetPlan:
    """What a run would do.

    Parameters
    ----------
    names : of all faces of the set
    keys : content key of each
    todo : indices of those to make in this run
    records : last record of each face that has one, by name
    info : content of the set's file
    model_names : of each model
    template_key : content key of the template
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    todo: tuple[int, ...]
    records: dict[str, ItemRecord]
    info: dict[str, Any]
    model_names: tuple[str, ...]
    template_key: str

    def sentence(self) -> str:
        """Say in one line what is there and what is left."""
        skipped = set(range(len(self.names))) - set(self.todo)
        done = sum(self.records[self.names[index]].status == DONE for index in skipped)
        failed = len(skipped) - done
        parts = [f"{len(self.todo)} faces to make"] if self.todo else ["nothing to make"]
        if done:
            parts.append(f"{done} there already")
        if failed:
            parts.append(f"{failed} failed before (--retry-failed does them again)")
        return ", ".join(parts)


def plan_textures(settings: TextureSetSettings) -> TextureSetPlan:
    """Read models and the output folder, and say what is left to do; writes nothing.

    Raises
    ------
    OutputError : the folder holds another set, or something else.
    GeomfaceError : a model or template that cannot be read or has no landmarks.
    """
    names = tuple(f"{index:06d}" for index in range(settings.count))
    model_names, hashes = _models(settings)
    template_marks = read_run_template(settings.pipeline).landmarks
    _require_landmarks("template", settings.template or BUILTIN, template_marks)
    template = template_key(settings.pipeline)
    info = _set_info(settings, model_names, hashes, template)
    _check_folder(settings.out, info)
    keys = tuple(
        content_key(STAGE, VERSION, settings.item, hashes[index % len(hashes)], template, name)
        for index, name in enumerate(names)
    )
    records = latest_records(settings.out / layout.RECORDS)
    todo = tuple(
        index
        for index, (name, key) in enumerate(zip(names, keys, strict=True))
        if not (
            is_done(settings.out, records.get(name), key)
            or (_has_failed(records.get(name), key) and not settings.retry_failed)
        )
    )
    return TextureSetPlan(names, keys, todo, records, info, model_names, template)


def is_done(out: Path, record: ItemRecord | None, key: str) -> bool:
    """Say whether a record is that of a face with this key, and its files are there."""
    return (
        record is not None
        and record.status == DONE
        and record.key == key
        and outputs_present(out, record)
        and (out / TRUTH / f"{record.name}.png").is_file()
    )


def _has_failed(record: ItemRecord | None, key: str) -> bool:
    return record is not None and record.status == FAILED and record.key == key


def _models(settings: TextureSetSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return name and hash of every model.

    Raises
    ------
    LandmarkError : a model without the 68 landmarks. FileFormatError : one that cannot be read.
    """
    names, hashes = [], []
    for name in settings.models:
        model = load_model(None if name == BUILTIN else Path(name))
        _require_landmarks("model", name, model.template.landmarks)
        names.append(model.name)
        hashes.append(model_hash(model))
    return tuple(names), tuple(hashes)


def _require_landmarks(what: str, name: Path | str, marks: LandmarkEmbedding | None) -> None:
    if marks is None or len(marks) != 68 or marks.scheme != "multi-pie-68":
        raise LandmarkError(
            f"{name}: expected a {what} with the 68 landmarks of multi-pie-68, got "
            f"{'none' if marks is None else f'{len(marks)} of {marks.scheme}'}. Choose another "
            f"{what}, or give this one landmarks."
        )


def _set_info(
    settings: TextureSetSettings, names: tuple[str, ...], hashes: tuple[str, ...], template: str
) -> dict[str, Any]:
    """Return the content of the set's file: all that its bytes depend on, and the count."""
    return plain(
        {
            "kind": KIND,
            "schema": SCHEMA,
            "version": VERSION,
            "count": settings.count,
            "settings": settings.item,
            "models": names,
            "model_hashes": hashes,
            "template_key": template,
            "units": "mm; colours sRGB in [0, 1]; image row 0 at the top",
        }
    )


def _check_folder(out: Path, info: dict[str, Any]) -> None:
    """Refuse a folder that holds anything but an unfinished or smaller set of the same kind."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: expected a folder, got a file. Choose another --out.")
    path = out / SET_FILE
    if not path.is_file():
        held = sorted(item.name for item in out.iterdir()) if out.is_dir() else []
        held = [name for name in held if name != LOCK]
        if held:
            raise OutputError(
                f"{out}: expected an empty folder or one that 'geomface synth textures' wrote, but "
                f"it holds {held[0]}{' and more' if len(held) > 1 else ''}. Choose another --out."
            )
        return
    try:
        before = read_json(path, "the file of a set of textures")
    except FileFormatError as error:
        raise OutputError(f"{error} Nothing was written; choose another --out.") from error
    if not isinstance(before, dict) or before.get("kind") != KIND:
        raise OutputError(
            f"{path}: expected the file of a set of textures, got something else. Choose another "
            "--out."
        )
    differing = _differences(before, info)
    if differing:
        raise OutputError(
            f"{out}: holds another set of textures: {', '.join(differing)}. Choose another --out, "
            "or give the settings that it was made with."
        )
    if before.get("count", 0) > info["count"]:
        raise OutputError(
            f"{out}: holds a set of {before['count']} faces, more than the {info['count']} asked "
            f"for. Choose another --out, or ask for at least {before['count']}."
        )


def _differences(before: Any, now: Any, name: str = "") -> list[str]:
    """Name every value that differs: "size was 64, now 128"."""
    if isinstance(before, dict) and isinstance(now, dict):
        found = []
        for key in dict.fromkeys([*now, *before]):
            if name or key != "count":
                inner = key if key == "settings" or name in ("", "settings") else f"{name}.{key}"
                found += _differences(before.get(key), now.get(key), inner)
        return found
    return [] if before == now else [f"{name} was {before}, now {now}"]
