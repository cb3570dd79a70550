"""The job that makes a set of aligned faces of photographs or of synthetic pictures."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from geomface.batch.events import EventSink
from geomface.batch.index import index_set
from geomface.batch.job import Ended, Ending, Item, Job, JobKind, JobReport
from geomface.batch.keys import content_key
from geomface.batch.run import MOST_REASONS, run_job
from geomface.datasets import layout
from geomface.datasets.manifest import read_rows
from geomface.datasets.photographs import Photograph, load_photographs
from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files.reading import log
from geomface.files.records import plain
from geomface.learning.fingerprint import content_hash
from geomface.pipeline.aligned_part import AlignedPartPayload, align_part
from geomface.pipeline.aligned_parts import divide_pictures, part_names
from geomface.ranges import COUNT, require_numbers
from geomface.recognition.aligned import aligned_faces
from geomface.recognition.aligned.aligned_faces import load_aligned
from geomface.recognition.aligned.read_face import LandmarkSource
from geomface.recognition.alignment.reference import Alignment

STAGE, VERSION = "aligned faces", 1
"""Raise the version when the same pictures give other aligned ones."""


@dataclasses.dataclass(frozen=True)
class AlignedSetSettings:
    """A set of aligned faces and how it is made.

    Parameters
    ----------
    images : folder of photographs, or of a set of `geomface synth faces`
    out : folder of the set; the same folder again goes on where it stopped
    alignment : size of the pictures
    landmarks : "given" takes those of the set or beside the photographs, and finds them where
        there are none; "found" finds all, as for a photograph of which nothing is known
    workers : number of processes; the bytes do not depend on it
    part_pictures : pictures a part, which is what workers make and what is resumed
    masked : keep where the face is, too, which sets of `geomface synth faces` know that have the
        output alpha
    """

    images: Path
    out: Path
    alignment: Alignment = Alignment()
    landmarks: LandmarkSource = "given"
    workers: int = 1
    part_pictures: int = 64
    masked: bool = False

    def __post_init__(self) -> None:
        if self.landmarks not in ("given", "found"):
            raise SettingsError(f"landmarks: expected given or found, got {self.landmarks!r}.")
        require_numbers(self, workers=COUNT, part_pictures="[1, 100000]")


def align_set(settings: AlignedSetSettings, *, on_event: EventSink | None = None) -> JobReport:
    """Make a set of aligned faces on disk, for `recognition.load_aligned`.

    Pictures without a face are listed and left out. A folder that grew adds to a set: what is new
    stands behind, and what is there is taken over as it is.

    Raises
    ------
    OutputError : the folder holds another set or something else, cannot be written, or another
        run works in it
    GeomfaceError : no pictures, or labels or landmarks that cannot be read
    KeyboardInterrupt : after the parts in flight are finished; start again to go on
    """
    return run_job(aligned_job(settings), on_event=on_event)


def aligned_job(settings: AlignedSetSettings) -> Job:
    """Return the job of a set of aligned faces; lists and hashes the pictures, writes nothing.

    Raises
    ------
    GeomfaceError : no pictures, or labels or landmarks that cannot be read
    """
    if settings.out.resolve().is_relative_to(settings.images.resolve()):
        raise OutputError(
            f"{settings.out}: lies among the pictures of {settings.images}, and would be some of "
            "them next time. Write elsewhere."
        )
    photographs = load_photographs(settings.images)
    _require_same_pictures(settings, {photograph.name for photograph in photographs})
    shared: dict[str, Any] = {
        "alignment": settings.alignment.id,
        "landmarks": settings.landmarks,
    }
    if settings.masked:
        _require_masks(settings.images, photographs)
        shared["masked"] = True
    items, way = [], content_key(STAGE, VERSION, shared)
    names = [photograph.name for photograph in photographs]
    for name, members in divide_pictures(names, settings.part_pictures, settings.out).items():
        part = tuple(photographs[number] for number in members)
        pixels = [_pixels(photograph) for photograph in part]
        key = content_key(STAGE, VERSION, shared, *map(_digest, part, pixels))
        sources = tuple(_source(way, *one) for one in zip(part, pixels, strict=True))
        payload = AlignedPartPayload(
            part, sources, settings.alignment, settings.landmarks, settings.masked
        )
        items.append(Item(name, key, payload, size=len(part)))
    head = {"kind": KIND.name, "schema": KIND.schema, "version": VERSION, **shared}
    head |= {"pictures": len(photographs), "part_pictures": settings.part_pictures}
    return Job(
        KIND,
        settings.out,
        head,
        tuple(items),
        align_part,
        workers=settings.workers,
        settings=settings,
        prepare=_import_stages,
        end=index_faces,
    )


def _require_masks(images: Path, photographs: Sequence[Photograph]) -> None:
    """Refuse pictures that do not show where the face is."""
    without = [photograph.name for photograph in photographs if photograph.alpha is None]
    if without:
        raise SettingsError(
            f"{images}: expected a set with the output alpha, which masks are made of, got "
            f"{len(without)} pictures without, such as {without[0]}. Make it with 'geomface synth "
            "faces --outputs rgb alpha'."
        )


def _require_same_pictures(settings: AlignedSetSettings, names: set[str]) -> None:
    """Refuse to write over the set of another folder, whose pictures are all called otherwise."""
    manifest = settings.out / layout.MANIFEST
    if not aligned_faces.is_aligned(settings.out) or not manifest.is_file():
        return
    try:
        has = list(read_rows(manifest, lambda row: str(row["name"]), ""))
    except FileFormatError:  # damaged or empty: it is written anew
        return
    if has and names.isdisjoint(has):
        raise OutputError(
            f"{settings.out}: expected the set of the pictures of {settings.images}, but it holds "
            f"{len(has)} others, such as {has[0]}. Choose another --out."
        )


def _pixels(photograph: Photograph) -> str:
    """Return a hash of the pixels, or why there is none."""
    try:
        return photograph.digest()
    except FileFormatError as error:  # it is listed when its turn comes, the others go on
        return str(error)


def _marks(photograph: Photograph) -> tuple[bytes, ...]:
    """Return the landmarks beside a picture as bytes, and why they cannot be used."""
    points = b"" if photograph.landmarks is None else photograph.landmarks.tobytes()
    return (points, photograph.fault.encode()) if photograph.fault else (points,)


def _digest(photograph: Photograph, pixels: str) -> str:
    """Return a hash of all that an aligned picture and its labels depend on."""
    known = (photograph.name, photograph.person, photograph.parents, photograph.parent_weights)
    return content_hash(json.dumps(plain([*known, pixels])).encode(), *_marks(photograph))


def _source(way: str, photograph: Photograph, pixels: str) -> str:
    """Return a hash of all that an aligned picture depends on, whoever is in it."""
    return content_hash(way.encode(), pixels.encode(), *_marks(photograph))


def _import_stages() -> None:
    """Import in a new worker what every part needs."""
    import geomface.pipeline.aligned_part  # noqa: F401


def index_faces(ended: Ended) -> Ending:
    """Join manifests and failures of the parts; say what was done about imperfect pictures."""
    out = ended.job.out
    listed = [out / layout.PARTS / record.name / layout.FAILURES for record in ended.done]
    failures = [path.read_bytes() for path in listed if path.is_file()]
    digest = index_set(ended, failures)
    rows = [json.loads(line) for line in b"".join(failures).splitlines()]
    reasons = tuple(row["message"] for row in rows[:MOST_REASONS])
    figures: dict[str, Any] = {"sha256": digest, "alignment": ended.job.head["alignment"]}
    figures["without_a_face"] = {row["key"]: row["message"] for row in rows}
    if any(record.figures["written"] for record in ended.done):
        faces = load_aligned(out)
        figures |= {"faces": len(faces), "people": len(faces.people.names)}
        figures["landmarks_found"] = sum(row.landmarks == "found" for row in faces.rows)
        if kept := _taken_over(ended):
            figures["taken_over"] = kept
            log.warning("%s: %d pictures did not change and are taken over as they are.", out, kept)
        for note in faces.notes:
            log.warning("%s: %s", out, note)
    return Ending(figures=figures, reasons=reasons)


def _taken_over(ended: Ended) -> int:
    """Count the pictures of parts of this run that were aligned before and did not change."""
    if ended.executor is None:
        return 0
    session = max(ended.records.values(), key=lambda record: record.started).session
    return sum(item.figures.get("kept", 0) for item in ended.done if item.session == session)


def _names(head: Mapping[str, Any]) -> Iterator[str]:
    return part_names(head["pictures"], head["part_pictures"])


def _rebuild(out: Path, head: Mapping[str, Any]) -> AlignedSetSettings:
    raise SettingsError(
        f"{out}: its records do not say which pictures it is of. Run the command that made it "
        "again."
    )


KIND = JobKind(
    name=aligned_faces.KIND,
    schema=aligned_faces.SCHEMA,
    what=aligned_faces.WHAT,
    file=layout.SET_FILE,
    place=layout.PARTS,
    stage=STAGE,
    noun="pictures",
    items="parts",
    command="geomface recognise align",
    names=_names,
    settings=AlignedSetSettings,
    job=aligned_job,
    rebuild=_rebuild,
    label="part ",
    rows=layout.MANIFEST,
    grows=("pictures",),
    grown="pictures",
    retries=True,
)
"""Aligned pictures in parts; a folder of photographs that grew adds to a set."""
