"""What is done to one part of a set of translated faces: align, translate, judge, write."""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from geomface.batch.attempts import ItemTask, Outcome
from geomface.datasets import layout
from geomface.datasets.photographs import Photograph
from geomface.errors import GeomfaceError
from geomface.files.images import encode_bytes
from geomface.files.records import plain
from geomface.gan.render_to_photo.sampling import RenderTranslator, load_translator
from geomface.pipeline.aligned_part import AlignedPartPayload, aligned_row, labelled_row
from geomface.recognition.aligned.aligned_faces import as_levels
from geomface.recognition.aligned.aligned_row import AlignedRow, manifest_line
from geomface.recognition.aligned.read_face import read_face
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.alignment.warp import align_camera, align_landmarks
from geomface.recognition.embedder.face_embedder import FaceEmbedder, load_embedder
from geomface.recognition.protocols.picture_pairs import stem_of
from geomface.synthesis.shards import ShardWriter
from geomface.threads import one_torch_thread

MEASURES = ("realism", "cycle", "identity")
PERSONAL = ("identity", "albedo", "relief", "traits", "mixed_of", "mixed_at")
"""Parameters that a picture's row leaves to the set of the renders: they are long."""


@dataclasses.dataclass(frozen=True)
class TranslatedPartPayload:
    """What a worker needs to translate some renders; digests are of translator and embedder."""

    renders: AlignedPartPayload
    translator: Path
    embedder: Path
    digests: tuple[str, str]
    seed: int
    limits: Mapping[str, float]
    shards: bool = False


def translate_part(task: ItemTask, folder: Path) -> Outcome:
    """Align the renders of one part and translate them; those that are not good are left out."""
    part: TranslatedPartPayload = task.payload
    photographs, faces, lost = [], [], []
    with one_torch_thread():
        for photograph in part.renders.photographs:
            try:
                faces.append(read_face(photograph, part.renders.alignment, part.renders.landmarks))
                photographs.append(photograph)
            except GeomfaceError as error:
                lost.append((photograph.name, str(error)))
        size = (part.renders.alignment.height, part.renders.alignment.width, 3)
        renders = np.array([face.picture for face in faces], np.float32).reshape(-1, *size)
        names = [photograph.name for photograph in photographs]
        made = _translator(part.translator, part.digests[0]).translate(
            renders, names, seed=part.seed, embedder=_embedder(part.embedder, part.digests[1])
        )
    levels, rows, shown = [], [], []
    for number, (photograph, face) in enumerate(zip(photographs, faces, strict=True)):
        worth = {name: round(float(getattr(made, name)[number]), 5) for name in MEASURES}
        if bad := _beyond(worth, part.limits):
            lost.append((photograph.name, f"{photograph.name}: left out, {', '.join(bad)}."))
            continue
        level = as_levels(made.pictures[number][None])[0]
        row = labelled_row(aligned_row(photograph.name, face, level), photograph)
        rows.append(_translated_row(row, worth, photograph, part.renders.alignment))
        levels.append(level)
        shown.append(photograph)
    np.save(
        folder / layout.ALIGNED_IMAGES,
        np.array(levels, np.uint8).reshape(-1, 3, *size[:2]),
    )
    place = f"{task.place}/{layout.ALIGNED_IMAGES}"
    lines = [manifest_line(row, place, number) for number, row in enumerate(rows)]
    (folder / layout.MANIFEST).write_bytes(b"".join(lines))
    if part.shards:
        _write_shard(folder / layout.SHARD, rows, levels, shown)
    if lost:
        text = "".join(json.dumps({"key": key, "message": why}) + "\n" for key, why in lost)
        (folder / layout.FAILURES).write_text(text, encoding="utf-8")
    return Outcome(figures={"written": len(levels), "failed": len(lost)})


def _beyond(worth: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    """Return what a picture is left out for; cosines have a lower limit, errors an upper one."""
    return [
        f"{name} {worth[name]:.3g} where the limit is {limit:g}"
        for name, limit in limits.items()
        if not (worth[name] >= limit if name == "identity" else worth[name] <= limit)
    ]


def _translated_row(
    row: AlignedRow, worth: Mapping[str, float], photograph: Photograph, alignment: Alignment
) -> AlignedRow:
    """Return the row of a picture with what it is worth and what is known of its render."""
    row = dataclasses.replace(row, quality=worth)
    if photograph.landmarks is None:
        return row
    points = align_landmarks(photograph.landmarks, alignment)
    row = dataclasses.replace(
        row, points=tuple((round(x, 3), round(y, 3)) for x, y in points.tolist())
    )
    if not photograph.drawn:
        return row
    told = {k: v for k, v in photograph.drawn["parameters"].items() if k not in PERSONAL}
    camera = align_camera(photograph.drawn["camera"], photograph.landmarks, alignment)
    return dataclasses.replace(row, drawn=plain({"parameters": told, "camera": camera}))


def _write_shard(
    path: Path,
    rows: Sequence[AlignedRow],
    levels: Sequence[np.ndarray],
    photographs: Sequence[Photograph],
) -> None:
    """Write pictures and labels into a tar: its readers see no manifest."""
    with open(path, "wb") as stream:
        writer = ShardWriter(stream)
        for row, level, photograph in zip(rows, levels, photographs, strict=True):
            # What follows the first dot of a name tells its readers what the file is.
            key = stem_of(row.name).replace(".", "%2E")
            record = plain(row)
            if row.drawn:
                record["drawn"]["parameters"] |= plain(photograph.drawn["parameters"])
            writer.add(f"{key}.png", encode_bytes(level.transpose(1, 2, 0)))
            writer.add(f"{key}.json", json.dumps(record, ensure_ascii=False).encode() + b"\n")
        writer.finish()


@functools.lru_cache(maxsize=1)
def _translator(path: Path, digest: str) -> RenderTranslator:
    """Return a translator, read once a process unless another one is there."""
    return load_translator(path)


@functools.lru_cache(maxsize=1)
def _embedder(path: Path, digest: str) -> FaceEmbedder:
    """Return an embedder, read once a process unless another one is there."""
    return load_embedder(path)
