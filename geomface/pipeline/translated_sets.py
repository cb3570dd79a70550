"""The job that makes photographs of a set of renders: a set of aligned faces, translated."""

import dataclasses
from pathlib import Path

from geomface.batch.job import Ended, Ending, Job
from geomface.batch.keys import content_key
from geomface.datasets import layout
from geomface.datasets.labelled_pictures import load_synthetic
from geomface.files.assets import asset_path
from geomface.files.reading import log, read_bytes
from geomface.gan.render_to_photo.sampling import load_translator
from geomface.gan.render_to_photo.settings import SYSTEM
from geomface.learning.fingerprint import content_hash
from geomface.learning.run_directory import newest_checkpoint
from geomface.pipeline.aligned_sets import KIND, AlignedSetSettings, aligned_job, index_faces
from geomface.pipeline.shard_index import write_shard_index
from geomface.pipeline.translated_part import MEASURES, TranslatedPartPayload, translate_part
from geomface.ranges import COUNT, POSITIVE, SEED, require_numbers
from geomface.recognition.embedder.face_embedder import ASSET, load_embedder

STAGE, VERSION = "translated faces", 2
"""Raise the version when the same renders give other photographs."""
PART_PICTURES, SHARD_PICTURES = 64, 512


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
    part_pictures : pictures a part, which is what workers make and what is resumed; None is 64, and
        512 in shards
    shards : also write a tar a part, for WebDataset
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
    part_pictures: int | None = None
    shards: bool = False

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

    @property
    def part_size(self) -> int:
        """Pictures a part."""
        return self.part_pictures or (SHARD_PICTURES if self.shards else PART_PICTURES)


def translated_job(settings: TranslatedSetSettings) -> Job:
    """Return the job that translates a set of renders; writes nothing.

    The result is a set of aligned faces with the people of the renders, and with what each picture
    is worth in its row: `realism`, `cycle` and `identity`, see `TranslatedPictures`; its landmarks;
    and what it was drawn with.

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
            part_pictures=settings.part_size,
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
        "shards": settings.shards,
    }
    digests = (shared["translator"], shared["embedder"])
    items = tuple(
        dataclasses.replace(
            item,
            key=content_key(STAGE, VERSION, shared, item.key),
            payload=TranslatedPartPayload(
                item.payload, path, embedder, digests, settings.seed, limits, settings.shards
            ),
        )
        for item in base.items
    )
    head = {**base.head, "translated": {"version": VERSION, **shared}}
    _note_renders(settings.images)
    return dataclasses.replace(
        base,
        kind=dataclasses.replace(KIND, stage=STAGE, command="geomface sample render_to_photo"),
        head=head,
        items=items,
        work=translate_part,
        settings=None,
        prepare=_import_stages,
        end=_index,
    )


def _note_renders(images: Path) -> None:
    """Say of what else than plain renders photographs are made: translators know these alone."""
    if not (images / layout.SET_FILE).is_file():
        log.warning(
            "%s: expected a set of 'geomface synth faces', got a folder of pictures. All of them "
            "are taken for renders, of which nothing but their landmarks is known.",
            images,
        )
    elif (preset := load_synthetic(images).info["settings"].get("preset", "plain")) != "plain":
        log.warning(
            "%s: expected renders of the preset plain, got %s. What is made of them may look "
            "less like photographs than they do; draw the set again with --preset plain.",
            images,
            preset,
        )


def _index(ended: Ended) -> Ending:
    """Join what the parts wrote, as for aligned faces, and list the shards."""
    ending = index_faces(ended)
    if ended.job.head["translated"]["shards"]:
        write_shard_index(ended.job.out, ended.done)
    return ending


def _import_stages() -> None:
    """Import in a new worker what every part needs."""
    import geomface.pipeline.translated_part  # noqa: F401
