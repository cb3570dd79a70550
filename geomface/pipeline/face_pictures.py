"""The job that makes a set of labelled pictures of people who do not exist, part by part."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from geomface.batch.events import EventSink
from geomface.batch.index import index_set
from geomface.batch.job import Ended, Ending, Item, Job, JobKind, JobReport
from geomface.batch.keys import content_key
from geomface.batch.run import MOST_REASONS, run_job
from geomface.datasets import labelled_pictures as pictures
from geomface.datasets import layout
from geomface.datasets.picture_files import IMAGE_FORMATS, STORED
from geomface.errors import SettingsError
from geomface.files.records import plain
from geomface.files.settings import settings_from_json
from geomface.pipeline.shard_index import write_shard_index
from geomface.ranges import COUNT, require_numbers
from geomface.synthesis.settings import FaceImageSettings

if TYPE_CHECKING:
    from geomface.statistics import MorphableModel

STAGE, VERSION = "synthetic faces", 2
"""Raise the version when the same settings give other pictures."""
PART_PICTURES, SHARD_PICTURES = 32, 512
BUILTIN = "builtin"
"""What names the built-in face among model files."""


@dataclasses.dataclass(frozen=True)
class FaceSetSettings:
    """A set of pictures and how it is made.

    Parameters
    ----------
    images : what is drawn
    out : folder of the set; the same folder again goes on where it stopped
    model : face model file, None for the built-in face
    models : several instead, person i is of model i modulo their number; files, "builtin"
    workers : number of processes; the bytes do not depend on it
    image_format : "png" packs rgb, alpha, albedo and region; "npy" packs nothing and is faster
    shards : one tar a part, for WebDataset, instead of single files
    part_pictures : pictures a part; None is 32, and 512 in shards
    """

    images: FaceImageSettings
    out: Path
    model: Path | None = None
    models: tuple[str, ...] = ()
    workers: int = 1
    image_format: Literal["png", "npy"] = "png"
    shards: bool = False
    part_pictures: int | None = None

    def __post_init__(self) -> None:
        if self.image_format not in IMAGE_FORMATS:
            raise SettingsError(
                f"image_format: expected {' or '.join(IMAGE_FORMATS)}, got {self.image_format!r}."
            )
        require_numbers(self, workers=COUNT, part_pictures="[1, 100000]")
        if self.models and self.model is not None:
            raise SettingsError("model and models both say who is shown: give one of them.")

    @property
    def model_files(self) -> tuple[Path | None, ...]:
        """Files of the models, None for the built-in face."""
        named = tuple(None if name == BUILTIN else Path(name) for name in self.models)
        return named or (self.model,)

    @property
    def part_size(self) -> int:
        """Pictures a part."""
        return self.part_pictures or (SHARD_PICTURES if self.shards else PART_PICTURES)


def generate_faces(settings: FaceSetSettings, *, on_event: EventSink | None = None) -> JobReport:
    """Make a set of pictures on disk; a larger number of identities adds to a set.

    Parameters
    ----------
    settings : see `FaceSetSettings`
    on_event : called in this process with a `JobEvent` for everything that happens; its counts
        are pictures

    Raises
    ------
    OutputError : the folder holds another set or something else, cannot be written, or another
        run works in it.
    GeomfaceError : a model that cannot be read or has no landmarks, an unknown factor.
    KeyboardInterrupt : after the parts in flight are finished; start again to go on.
    """
    return run_job(face_job(settings), on_event=on_event)


def face_job(settings: FaceSetSettings) -> Job:
    """Return the job of a set of pictures; reads the model, writes nothing.

    Raises
    ------
    GeomfaceError : a model that cannot be read or has no landmarks, an unknown factor.
    """
    from geomface.pipeline.face_models import load_face_model, model_source
    from geomface.pipeline.picture_part import PartPayload, keep_sampler, make_part
    from geomface.synthesis.loading import model_hash
    from geomface.synthesis.mixed_sampler import people_sampler

    drawn = settings.images
    if not _mixed(settings):
        # Each picture depends on its numbers only: more identities leave what is there valid.
        drawn = dataclasses.replace(drawn, identities=1)
    models = [load_face_model(path) for path in settings.model_files]
    sampler = people_sampler(drawn, models)
    hashes = [model_hash(model) for model in models]
    model = hashes[0] if len(hashes) == 1 else content_key("models", 1, hashes)
    keep_sampler(sampler, model)
    shared = {"images": drawn, "format": settings.image_format, "shards": settings.shards}
    sources = tuple(model_source(path) for path in settings.model_files)
    common = (drawn, sources, model, settings.image_format, settings.shards)
    items = tuple(
        Item(
            name,
            content_key(STAGE, VERSION, shared, model, f"{first} {last}"),
            PartPayload(*common, first, last),
            size=last - first,
        )
        for name, first, last in _parts(settings.images.pictures, settings.part_size)
    )
    return Job(
        KIND,
        settings.out,
        _head(settings, models, model, sampler.region_names),
        items,
        make_part,
        workers=settings.workers,
        settings=settings,
        prepare=_import_stages,
        end=_index,
    )


def _parts(pictures: int, size: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, first and last + 1 picture of each part, identity after identity."""
    return (
        (f"{index:06d}", first, min(first + size, pictures))
        for index, first in enumerate(range(0, pictures, size))
    )


def _head(
    settings: FaceSetSettings,
    models: "Sequence[MorphableModel]",
    model_hash: str,
    region_names: Sequence[str],
) -> dict[str, Any]:
    return plain(
        {
            "kind": KIND.name,
            "schema": KIND.schema,
            "version": VERSION,
            "settings": settings.images,
            "image_format": settings.image_format,
            "shards": settings.shards,
            # Partners are any others of the set, so such a set cannot grow.
            **({"mixed among": settings.images.identities} if _mixed(settings) else {}),
            "part_pictures": settings.part_size,
            "model": ", ".join(model.name for model in models),
            "model_hash": model_hash,
            "topology_id": ", ".join(model.mesh.topology_id for model in models),
            "expression_names": tuple(
                dict.fromkeys(name for model in models for name in model.blendshapes.names)
            ),
            "landmark_scheme": "multi-pie-68",
            "region_names": region_names,
            "stored": {name: STORED[name] for name in settings.images.outputs if name in STORED},
            "units": "mm, degrees, pixels (x right, y down, first pixel's centre at 0.5, 0.5)",
        }
    )


def _mixed(settings: FaceSetSettings) -> bool:
    return settings.images.identity.mixup is not None


def _import_stages() -> None:
    """Import in a new worker what every part needs."""
    import geomface.pipeline.picture_part  # noqa: F401


def _index(ended: Ended) -> Ending:
    """Join manifests and failures of the parts, and list the shards."""
    out = ended.job.out
    listed = [out / layout.PARTS / record.name / layout.FAILURES for record in ended.done]
    failures = [path.read_bytes() for path in listed if path.is_file()]
    digest = index_set(ended, failures)
    if ended.job.head["shards"]:
        write_shard_index(out, ended.done)
    rows = [json.loads(line) for line in b"".join(failures).splitlines()[:MOST_REASONS]]
    reasons = tuple(f"picture {row['key']}: {row['message']}" for row in rows)
    return Ending(figures={"sha256": digest}, reasons=reasons)


def _names(head: Mapping[str, Any]) -> Iterator[str]:
    images = settings_from_json(FaceImageSettings, head["settings"])
    return (name for name, _, _ in _parts(images.pictures, head["part_pictures"]))


def _rebuild(out: Path, head: Mapping[str, Any]) -> FaceSetSettings:
    """Return the settings of a set that does not say which model it is of: the built-in face."""
    images = settings_from_json(FaceImageSettings, head["settings"])
    return FaceSetSettings(
        images,
        out,
        image_format=head["image_format"],
        shards=head["shards"],
        part_pictures=head["part_pictures"],
    )


KIND = JobKind(
    name=pictures.KIND,
    schema=pictures.SCHEMA,
    what=pictures.WHAT,
    file=layout.SET_FILE,
    place=layout.PARTS,
    stage=STAGE,
    noun="pictures",
    items="parts",
    command="geomface synth faces",
    names=_names,
    settings=FaceSetSettings,
    job=face_job,
    rebuild=_rebuild,
    label="part ",
    rows=layout.MANIFEST,
    grows=("settings", "identities"),
    grown="identities",
    retries=True,
)
"""Pictures in parts; more identities add to a set."""
