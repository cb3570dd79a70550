"""One part of a set: some consecutive pictures, rendered and written into a folder."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.datasets import layout
from geomface.datasets.picture_files import encode_output, suffix_of
from geomface.errors import GeomfaceError, OutputError
from geomface.files.atomic import write_bytes
from geomface.files.records import plain
from geomface.synthesis.identities import Person
from geomface.synthesis.mixed_sampler import MixedSampler
from geomface.synthesis.sampler import RENDER_BATCH, FaceBatch, FaceSampler
from geomface.synthesis.shards import ShardWriter


@dataclasses.dataclass(frozen=True)
class PartCounts:
    """How many pictures of a part were written, and how many could not be drawn."""

    written: int
    failed: int


def write_part(
    sampler: FaceSampler | MixedSampler,
    pictures: Iterable[tuple[int, int]],
    folder: Path,
    *,
    place: str,
    image_format: str = "png",
    shard: bool = False,
) -> PartCounts:
    """Render pictures and write their files, manifest and failures into a folder.

    A picture that cannot be drawn is left out, with the reason in `failures.jsonl`; the others go
    on.

    Parameters
    ----------
    sampler : of the set
    pictures : (identity, sample) in order
    folder : where the files go; it exists
    place : how the folder will be called in the set, for the paths in the manifest
    image_format : see `encode_output`
    shard : one tar of all pictures instead of single files

    Raises
    ------
    OutputError : the files cannot be written.
    """
    rows: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    chosen = list(pictures)
    writer = _ShardFiles(folder, place) if shard else _SingleFiles(folder, place)
    with writer:
        for start in range(0, len(chosen), RENDER_BATCH):
            for batch in _rendered(sampler, chosen[start : start + RENDER_BATCH], failures):
                for index in range(len(batch)):
                    rows.append(_write_picture(sampler, batch, index, image_format, writer))
    write_bytes(folder / layout.MANIFEST, _lines(rows))
    if failures:
        write_bytes(folder / layout.FAILURES, _lines(failures))
    return PartCounts(len(rows), len(failures))


def _rendered(
    sampler: FaceSampler | MixedSampler,
    pictures: list[tuple[int, int]],
    failures: list[dict[str, Any]],
) -> Iterable[FaceBatch]:
    """Yield the pictures as one batch, or one by one when one of them cannot be drawn."""
    try:
        yield sampler.batch(pictures)
        return
    except GeomfaceError:
        pass
    for identity, sample in pictures:
        try:
            yield sampler.batch([(identity, sample)])
        except GeomfaceError as error:
            failures.append(
                {
                    "key": picture_key(identity, sample),
                    "identity": identity,
                    "sample": sample,
                    "error": type(error).__name__,
                    "message": " ".join(str(error).split()),
                }
            )


def _write_picture(
    sampler: FaceSampler | MixedSampler,
    batch: FaceBatch,
    index: int,
    image_format: str,
    writer: "_SingleFiles | _ShardFiles",
) -> dict[str, Any]:
    parameters = batch.parameters[index]
    key = picture_key(parameters.identity, parameters.sample)
    noisy = sampler.settings.preset == "photo"
    files = {
        output: writer.add(
            key + suffix_of(output, image_format),
            encode_output(output, image[index], image_format, noisy=noisy),
        )
        for output, image in batch.images.items()
    }
    row = manifest_row(batch, index, sampler.expression_names(parameters.identity), files)
    rig = sampler.light_labels(parameters)
    if rig is not None:
        row["parameters"]["rig"] = rig
    if sampler.settings.track:
        row["parameters"]["track"] = sampler.settings.track
    if isinstance(writer, _ShardFiles):
        # Readers of shards see no manifest, so the labels travel with the picture.
        writer.add(f"{key}.json", _line({**row, "files": {}}))
    return row


def picture_key(identity: int, sample: int) -> str:
    """Return the stem of a picture's files."""
    return f"{identity:06d}_{sample:05d}"


def manifest_row(
    batch: FaceBatch, place: int, expression_names: tuple[str, ...], files: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the manifest says about one picture of a batch, in JSON's own types.

    Parameters
    ----------
    place : of the picture in the batch
    expression_names : those of the face model; weights of 0 are left out
    files : {output: path relative to the set's folder}, or with the place in a shard
    """
    parameters, camera = batch.parameters[place], batch.cameras[place]
    person = parameters.person
    weights = zip(expression_names, parameters.expression.tolist(), strict=True)
    return {
        "key": picture_key(parameters.identity, parameters.sample),
        "identity": parameters.identity,
        "sample": parameters.sample,
        "parents": [] if person.known_as_one else list(person.parents),
        "parent_weights": [] if person.known_as_one else list(person.parent_weights),
        "parameters": {
            "identity": person.coefficients.tolist(),
            "albedo": person.albedo.tolist(),
            # How much of the shape `identity` does not tell.
            "relief": round(float(np.sqrt(np.mean(person.relief**2))), 4)
            if person.relief.size
            else 0,
            "traits": plain(person.traits),
            **_hidden_mix(person),
            "expression": {name: weight for name, weight in weights if weight},
            "gaze": parameters.gaze.tolist(),
            "yaw": parameters.yaw,
            "pitch": parameters.pitch,
            "roll": parameters.roll,
            "distance": parameters.distance,
            "scale": parameters.scale,
            "offset": parameters.offset.tolist(),
            "light": parameters.light.tolist(),
            "background": parameters.background,
        },
        "camera": {
            "weak": camera.weak,
            "focal": camera.focal,
            "principal": camera.principal.tolist(),
            "rotation": camera.rotation.tolist(),
            "translation": camera.translation.tolist(),
        },
        "landmarks": np.round(batch.landmarks[place].astype(np.float64), 4).tolist(),
        "landmarks_visible": batch.landmarks_visible[place].tolist(),
        "files": dict(files),
    }


def _hidden_mix(person: Person) -> dict[str, Any]:
    """Return what a picture is mixed of when its label does not say so."""
    if not person.known_as_one:
        return {}
    return {"mixed_of": list(person.parents), "mixed_at": list(person.parent_weights)}


class _SingleFiles:
    """A file for every output."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder, self._place = folder, place

    def __enter__(self) -> "_SingleFiles":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self, name: str, data: bytes) -> str:
        try:
            # Not atomic by itself: the folder is renamed when it is whole.
            (self._folder / name).write_bytes(data)
        except OSError as error:
            raise _refusal(self._folder / name, error) from error
        return f"{self._place}/{name}"


class _ShardFiles:
    """One tar for all."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder, self._path = folder, f"{place}/{layout.SHARD}"
        self._stream = open(folder / layout.SHARD, "wb")  # noqa: SIM115 closed by __exit__
        self._writer = ShardWriter(self._stream)

    def __enter__(self) -> "_ShardFiles":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None:
            self._writer.finish()
        self._stream.close()

    def add(self, name: str, data: bytes) -> list[str | int]:
        try:
            return [self._path, *self._writer.add(name, data)]
        except OSError as error:
            raise _refusal(self._folder / layout.SHARD, error) from error


def _refusal(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be written ({error.strerror}). Free space, or mend the permissions, and "
        "run again: what is done is kept."
    )


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(_line(row) for row in rows)
