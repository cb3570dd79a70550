"""A set of synthetic face images on disk: what belongs to it, and what is still to be made."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from geomface.batch.keys import content_key
from geomface.batch.records import DONE, ItemRecord, latest_records, outputs_present
from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files.lock import NAME as LOCK
from geomface.files.records import plain, read_json
from geomface.model_files import load_model
from geomface.statistics import MorphableModel
from geomface.synthesis.encoding import IMAGE_FORMATS, STORED
from geomface.synthesis.loading import model_hash
from geomface.synthesis.manifest import KIND, SCHEMA, SET_FILE, check_set
from geomface.synthesis.sampler import FaceSampler
from geomface.synthesis.settings import FaceImageSettings

STAGE, VERSION = "synthetic faces", 1
"""Raise the version when the same settings give other pictures."""
PARTS, RECORDS = "parts", "records"
PART_PICTURES, SHARD_PICTURES = 32, 512


@dataclasses.dataclass(frozen=True)
class FaceSetSettings:
    """A set of pictures and how it is made.

    Parameters
    ----------
    images : what is drawn
    out : folder of the set; the same folder again goes on where it stopped
    model : face model file, None for the built-in face
    workers : number of processes; the bytes do not depend on it
    image_format : "png" packs rgb, alpha, albedo and region; "npy" packs nothing and is faster
    shards : one tar a part, for WebDataset, instead of single files
    part_pictures : pictures a part; None is 32, and 512 in shards
    """

    images: FaceImageSettings
    out: Path
    model: Path | None = None
    workers: int = 1
    image_format: Literal["png", "npy"] = "png"
    shards: bool = False
    part_pictures: int | None = None

    def __post_init__(self) -> None:
        if self.image_format not in IMAGE_FORMATS:
            raise SettingsError(
                f"image_format: expected {' or '.join(IMAGE_FORMATS)}, got {self.image_format!r}."
            )
        if self.workers < 1:
            raise SettingsError(f"workers: expected at least 1, got {self.workers}.")
        if self.part_pictures is not None and not 1 <= self.part_pictures <= 100_000:
            raise SettingsError(f"part_pictures: expected 1 to 100000, got {self.part_pictures}.")

    @property
    def part_size(self) -> int:
        """Pictures a part."""
        return self.part_pictures or (SHARD_PICTURES if self.shards else PART_PICTURES)


@dataclasses.dataclass(frozen=True)
class Part:
    """Consecutive pictures first .. last - 1 of a set, identity after identity."""

    index: int
    first: int
    last: int

    @property
    def name(self) -> str:
        """Name of its folder and records."""
        return f"{self.index:06d}"


@dataclasses.dataclass(frozen=True, eq=False)
class FaceSetPlan:
    """What a run would do.

    Parameters
    ----------
    parts : all of the set
    keys : content key of each
    todo : those that are not there yet
    attempts : attempts so far, by name
    info : content of the set's file
    sampler : of the set, for any number of identities
    """

    parts: tuple[Part, ...]
    keys: tuple[str, ...]
    todo: tuple[Part, ...]
    attempts: dict[str, int]
    info: dict[str, Any]
    sampler: FaceSampler

    def sentence(self) -> str:
        """Say in one line what is there and what is left."""
        total = sum(part.last - part.first for part in self.parts)
        left = sum(part.last - part.first for part in self.todo)
        if not left:
            return f"{total} pictures, all there"
        there = f", {total - left} there already" if left < total else ""
        return f"{left} pictures to draw{there}"


def plan_faces(settings: FaceSetSettings) -> FaceSetPlan:
    """Read the model and the output folder, and say what is left to do; writes nothing.

    Raises
    ------
    OutputError : the folder holds another set, or something else.
    GeomfaceError : a model that cannot be read or has no landmarks, an unknown factor.
    """
    # Each picture depends on its numbers only, so more identities leave what is there valid.
    drawn = dataclasses.replace(settings.images, identities=1)
    sampler = FaceSampler(drawn, load_model(settings.model))
    info = _set_info(settings, sampler.model, sampler.region_names)
    _check_folder(settings.out, info)
    size, total = settings.part_size, settings.images.pictures
    parts = tuple(
        Part(index, first, min(first + size, total))
        for index, first in enumerate(range(0, total, size))
    )
    shared = {"images": drawn, "format": settings.image_format, "shards": settings.shards}
    keys = tuple(
        content_key(STAGE, VERSION, shared, info["model_hash"], f"{part.first} {part.last}")
        for part in parts
    )
    records = latest_records(settings.out / RECORDS)
    todo = tuple(
        part
        for part, key in zip(parts, keys, strict=True)
        if not is_done(settings.out, records.get(part.name), key)
    )
    attempts = {name: record.attempt for name, record in records.items()}
    return FaceSetPlan(parts, keys, todo, attempts, info, sampler)


def _set_info(
    settings: FaceSetSettings, model: MorphableModel, region_names: Sequence[str]
) -> dict[str, Any]:
    """Return the content of the set's file: all that its bytes depend on, and nothing else."""
    return plain(
        {
            "kind": KIND,
            "schema": SCHEMA,
            "version": VERSION,
            "settings": settings.images,
            "image_format": settings.image_format,
            "shards": settings.shards,
            "part_pictures": settings.part_size,
            "model": model.name,
            "model_hash": model_hash(model),
            "topology_id": model.mesh.topology_id,
            "expression_names": model.blendshapes.names,
            "landmark_scheme": "multi-pie-68",
            "region_names": region_names,
            "stored": {name: STORED[name] for name in settings.images.outputs if name in STORED},
            "units": "mm, degrees, pixels (x right, y down, first pixel's centre at 0.5, 0.5)",
        }
    )


def _check_folder(out: Path, info: dict[str, Any]) -> None:
    """Refuse a folder that holds anything but an unfinished or smaller set of the same kind."""
    path = out / SET_FILE
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: expected a folder, got a file. Choose another --out.")
    if not path.is_file():
        held = sorted(item.name for item in out.iterdir()) if out.is_dir() else []
        held = [name for name in held if name != LOCK]
        if held:
            raise OutputError(
                f"{out}: expected an empty folder or one that 'geomface synth faces' wrote, but it "
                f"holds {held[0]}{' and more' if len(held) > 1 else ''}. Choose another --out."
            )
        return
    try:
        before = read_json(path, "the file of a set of synthetic faces")
        check_set(path, before)
    except FileFormatError as error:
        raise OutputError(f"{error} Nothing was written; choose another --out.") from error
    differing = _differences(before, info)
    if differing:
        raise OutputError(
            f"{out}: holds another set of pictures, made with other {', '.join(differing)}. Choose "
            "another --out, or give the settings that it was made with."
        )
    had, wanted = before["settings"]["identities"], info["settings"]["identities"]
    if wanted < had:
        raise OutputError(
            f"{out}: holds a set of {had} identities, more than the {wanted} asked for. Choose "
            f"another --out, or ask for at least {had}."
        )


def _differences(before: dict[str, Any], info: dict[str, Any]) -> list[str]:
    names = [name for name in info if name != "settings" and before.get(name) != info[name]]
    old, new = before.get("settings", {}), info["settings"]
    names += [name for name in new if name != "identities" and old.get(name) != new[name]]
    return names


def is_done(out: Path, record: ItemRecord | None, key: str) -> bool:
    """Say whether a record is that of a part with this key, and its files are there."""
    return (
        record is not None
        and record.status == DONE
        and record.key == key
        and outputs_present(out, record)
    )
