"""What is done to one part of a set of labelled pictures: render, write."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from geomface.batch.attempts import ItemTask, Outcome
from geomface.batch.keys import content_key
from geomface.pipeline.face_models import load_face_model
from geomface.synthesis.mixed_sampler import MixedSampler, people_sampler
from geomface.synthesis.sampler import FaceSampler
from geomface.synthesis.settings import FaceImageSettings
from geomface.synthesis.writing import write_part
from geomface.threads import one_torch_thread


@dataclasses.dataclass(frozen=True)
class PartPayload:
    """What a worker needs to make pictures first .. last - 1 of a set."""

    images: FaceImageSettings
    models: tuple[Path | str | None, ...]
    model_hash: str
    image_format: str
    shards: bool
    first: int
    last: int


def make_part(task: ItemTask, folder: Path) -> Outcome:
    """Render and write one part."""
    part: PartPayload = task.payload
    busy = time.process_time()
    with one_torch_thread():
        counts = write_part(
            kept_sampler(part.images, part.models, part.model_hash),
            [part.images.picture(number) for number in range(part.first, part.last)],
            folder,
            place=task.place,
            image_format=part.image_format,
            shard=part.shards,
        )
    busy = round(time.process_time() - busy, 4)
    return Outcome(figures={**dataclasses.asdict(counts), "processor_seconds": busy})


_KEPT: dict[str, FaceSampler | MixedSampler] = {}


def kept_sampler(
    images: FaceImageSettings, models: Sequence[Path | str | None], model_hash: str
) -> FaceSampler | MixedSampler:
    """Return this process's sampler of a set: tables are built once for all its parts."""
    key = content_key("sampler", 1, images, model_hash)
    if key not in _KEPT:
        loaded = [load_face_model(path) for path in models]
        keep_sampler(people_sampler(images, loaded), model_hash)
    return _KEPT[key]


def keep_sampler(sampler: FaceSampler | MixedSampler, model: str) -> None:
    """Let the parts that this process makes use a sampler; one is kept."""
    _KEPT.clear()
    _KEPT[content_key("sampler", 1, sampler.settings, model)] = sampler
