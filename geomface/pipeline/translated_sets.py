"""The job that makes photographs of a set of renders: a set of aligned faces, translated."""

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from geomface.batch.attempts import ItemTask, Outcome
from geomface.batch.job import Job
from geomface.batch.keys import content_key
from geomface.datasets import layout
from geomface.datasets.photographs import Photograph
from geomface.errors import GeomfaceError
from geomface.files.assets import asset_path
from geomface.files.reading import read_bytes
from geomface.gan.render_to_photo.sampling import RenderTranslator, load_translator
from geomface.gan.render_to_photo.settings import SYSTEM
from geomface.learning.fingerprint import content_hash
from geomface.learning.run_directory import newest_checkpoint
from geomface.pipeline.aligned_part import AlignedPartPayload, aligned_row, labelled_row
from geomface.pipeline.aligned_sets import AlignedSetSettings, aligned_job
from geomface.ranges import COUNT, POSITIVE, SEED, require_numbers
from geomface.recognition.aligned.aligned_faces import as_levels
from geomface.recognition.aligned.aligned_row import manifest_line
from geomface.recognition.aligned.read_face import read_face
from geomface.recognition.alignment.warp import align_landmarks
from geomface.recognition.embedder.face_embedder import ASSET, FaceEmbedder, load_embedder
from geomface.threads import one_torch_thread

STAGE, VERSION = "translated faces", 1
"""Raise the version when the same renders give other photographs."""
MEASURES = ("realism", "cycle", "identity")


@dataclasses.dataclass(frozen=True)
class TranslatedSetSettings:
    """Photographs of a set of renders and how they are made.

    Parameters
    ----------
    translator : run directory, checkpoint or model file
    images : folder of a set of `geomface synth faces`
    out : folder of the photographs; the same folder again goes on where it stopped
    seed : of what the translator drops at random
    realism, cycle : largest errors of pictures that are kept, in [-1, 1] colours; None keeps all
    identity : smallest cosine to the render of pictures that are kept; None keeps all
    embedder : file of what tells it; None is the one that ships
    workers : number of processes; the bytes do not depend on it
    part_pictures : pictures a part, which is what workers make and what is resumed
    """

    translator: Path
    images: Path
    out: Path
    seed: int = 0
    realism: float | None = None
    cycle: float | None = None
    identity: float | None = None
    embedder: Path | None = None
    workers: int = 1
    part_pictures: int = 64

    def __post_init__(self) -> None:
        require_numbers(
            self,
            seed=SEED,
            realism=POSITIVE,
            cycle=POSITIVE,
            identity="(-1, 1]",
            workers=COUNT,
            part_pictures="[1, 100000]",
        )


@dataclasses.dataclass(frozen=True)
class TranslatedPartPayload:
    """What a worker needs to translate some renders."""

    renders: AlignedPartPayload
    translator: Path
    embedder: Path
    seed: int
    limits: Mapping[str, float]


def translated_job(settings: TranslatedSetSettings) -> Job:
    """Return the job that translates a set of renders; writes nothing.

    The result is a set of aligned faces with the people of the renders, and with what each picture
    is worth in its row: `realism`, `cycle` and `identity`, see `TranslatedPictures`.

    Raises
    ------
    GeomfaceError : no such translator, or no pictures
    """
    path = Path(settings.translator)
    path = newest_checkpoint(path, system=SYSTEM) if path.is_dir() else path
    translator = load_translator(path)
    base = aligned_job(
        AlignedSetSettings(
            settings.images,
            settings.out,
            translator.alignment,
            workers=settings.workers,
            part_pictures=settings.part_pictures,
        )
    )
    embedder = asset_path(ASSET) if settings.embedder is None else settings.embedder
    load_embedder(embedder)  # refuses before a folder is made
    limits = {name: limit for name in MEASURES if (limit := getattr(settings, name)) is not None}
    shared = {
        "translator": content_hash(read_bytes(path, "a translator")),
        "step": translator.step,
        "embedder": content_hash(read_bytes(embedder, "an embedder")),
        "seed": settings.seed,
        "limits": limits,
    }
    items = tuple(
        dataclasses.replace(
            item,
            key=content_key(STAGE, VERSION, shared, item.key),
            payload=TranslatedPartPayload(item.payload, path, embedder, settings.seed, limits),
        )
        for item in base.items
    )
    head = {**base.head, "translated": {"version": VERSION, **shared}}
    return dataclasses.replace(
        base, head=head, items=items, work=translate_part, settings=None, prepare=_import_stages
    )


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
        made = _translator(part.translator).translate(
            renders, names, seed=part.seed, embedder=_embedder(part.embedder)
        )
    levels, lines = [], []
    for number, (photograph, face) in enumerate(zip(photographs, faces, strict=True)):
        worth = {name: round(float(getattr(made, name)[number]), 5) for name in MEASURES}
        bad = [
            f"{name} {worth[name]:.3g} where the limit is {limit:g}"
            for name, limit in part.limits.items()
            if (worth[name] < limit if name == "identity" else worth[name] > limit)
        ]
        if bad:
            lost.append((photograph.name, f"{photograph.name}: left out, {', '.join(bad)}."))
            continue
        level = as_levels(made.pictures[number][None])[0]
        row = labelled_row(aligned_row(photograph.name, face, level), photograph)
        row = dataclasses.replace(row, quality=worth, points=_points(photograph, part))
        lines.append(manifest_line(row, f"{task.place}/{layout.ALIGNED_IMAGES}", len(levels)))
        levels.append(level)
    np.save(
        folder / layout.ALIGNED_IMAGES,
        np.array(levels, np.uint8).reshape(-1, 3, *size[:2]),
    )
    (folder / layout.MANIFEST).write_bytes(b"".join(lines))
    if lost:
        text = "".join(json.dumps({"key": key, "message": why}) + "\n" for key, why in lost)
        (folder / layout.FAILURES).write_text(text, encoding="utf-8")
    return Outcome(figures={"written": len(levels), "failed": len(lost)})


@functools.lru_cache(maxsize=1)
def _translator(path: Path) -> RenderTranslator:
    """Return a translator, read once a process."""
    return load_translator(path)


@functools.lru_cache(maxsize=1)
def _embedder(path: Path) -> FaceEmbedder:
    """Return an embedder, read once a process."""
    return load_embedder(path)


def _points(photograph: Photograph, part: TranslatedPartPayload) -> tuple[tuple[float, float], ...]:
    """Return the landmarks of a render in its picture; none where it has none."""
    if photograph.landmarks is None:
        return ()
    points = align_landmarks(photograph.landmarks, part.renders.alignment)
    return tuple((round(float(x), 3), round(float(y), 3)) for x, y in points)


def _import_stages() -> None:
    """Import in a new worker what every part needs."""
    import geomface.pipeline.translated_sets  # noqa: F401
