"""The job that draws, for a list of pairs of photographs, as many pictures of invented people."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from geomface.arrays import FloatArray
from geomface.batch.attempts import ItemTask, Outcome
from geomface.batch.job import Ended, Ending, Item, Job, JobKind
from geomface.batch.keys import content_key
from geomface.datasets import layout
from geomface.datasets.manifest import join_files
from geomface.datasets.picture_files import encode_output
from geomface.errors import FileFormatError, SettingsError
from geomface.files.atomic import write_bytes
from geomface.files.reading import log, read_bytes
from geomface.files.records import plain
from geomface.learning.errors import DatasetError
from geomface.learning.fingerprint import content_hash
from geomface.pipeline.face_models import load_face_model, model_source
from geomface.pipeline.picture_part import keep_sampler, kept_sampler
from geomface.ranges import COUNT, require_numbers
from geomface.recognition.generator.populations import collect_population
from geomface.recognition.protocols.drawn_pairs import (
    DrawnPairsSettings,
    draw_pair_list,
    person_name,
)
from geomface.recognition.protocols.pair_list import load_pair_list
from geomface.recognition.protocols.picture_pairs import stem_of
from geomface.statistics import MorphableModel
from geomface.synthesis.loading import model_hash
from geomface.synthesis.parameters import FaceParameters, with_factors
from geomface.synthesis.sampler import RENDER_BATCH, FaceSampler
from geomface.synthesis.settings import FaceImageSettings
from geomface.synthesis.writing import manifest_row
from geomface.threads import one_torch_thread

STAGE, VERSION = "synthetic pairs", 1
"""Raise the version when the same list gives other pictures."""
FACES, PAIRS = "faces", "pairs.txt"
_LABELS = "labels"

Factors = tuple[FloatArray, FloatArray, FloatArray]
"""Expression (X,), light (9, 3) and pose (3,) of one picture."""


@dataclasses.dataclass(frozen=True)
class PairSetSettings:
    """Pictures for a list of pairs, and how they are made.

    Parameters
    ----------
    images : how the pictures are; number of people and of pictures are those of the list
    out : folder of the set; the same folder again goes on where it stopped
    pairs : the list; None draws one
    drawn : how that is drawn
    fits : folder of results of `geomface model fit-image` of the pictures of the list: they are
        shown with the same expression, light and pose
    model : face model file, None for the built-in face
    workers : number of processes; the bytes do not depend on it
    """

    images: FaceImageSettings
    out: Path
    pairs: Path | None = None
    drawn: DrawnPairsSettings = DrawnPairsSettings()
    fits: Path | None = None
    model: Path | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        require_numbers(self, workers=COUNT)
        lamps = self.images.preset == "photo" and self.images.photo.light_rig != "room"
        if self.fits is not None and lamps:
            raise SettingsError(
                "fits: photographs are lit by lamps unless light_rig is room, so the light that "
                "was fitted would not count. Take light_rig room, or preset plain."
            )


@dataclasses.dataclass(frozen=True)
class PersonPayload:
    """What a worker needs to draw the pictures of one person."""

    images: FaceImageSettings
    model: Path | str | None
    model_hash: str
    identity: int
    pictures: tuple[str, ...]
    factors: tuple[Factors | None, ...]


def pair_job(settings: PairSetSettings) -> Job:
    """Return the job of a set for a list of pairs; reads list, fits and model, writes nothing.

    Raises
    ------
    GeomfaceError : a list, fits or a model that cannot be read or do not belong together

    Source
    ------
    Qiu et al. 2021, SynFace, Sec. 4.1 (Syn-LFW) and Fig. 5 (Syn-LFW-R).
    """
    people, text = _listed(settings)
    images = dataclasses.replace(settings.images, identities=len(people), samples=1, samples_of=())
    model = load_face_model(settings.model)
    digest = model_hash(model)
    keep_sampler(FaceSampler(images, model), digest)
    names = [f"{person}/{picture}" for person, pictures in people.items() for picture in pictures]
    given = _fitted(settings.fits, names, model)
    items, source = [], model_source(settings.model)
    for identity, (person, pictures) in enumerate(people.items()):
        factors = tuple(given.get(f"{person}/{picture}") for picture in pictures)
        key = content_key(
            STAGE, VERSION, [images, identity, pictures, factors], digest, content_hash(text)
        )
        payload = PersonPayload(images, source, digest, identity, pictures, factors)
        items.append(Item(person, key, payload, size=len(pictures)))
    head = {
        "kind": KIND.name,
        "schema": KIND.schema,
        "version": VERSION,
        "people": list(people),
        "pictures": len(names),
        "as_fitted": len(given),
        "pairs": content_hash(text),
        "settings": images,
        "model": model.name,
        "model_hash": digest,
        "topology_id": model.mesh.topology_id,
    }

    def end(ended: Ended) -> Ending:
        write_bytes(settings.out / PAIRS, text)
        return _index(ended)

    return Job(
        KIND,
        settings.out,
        plain(head),
        tuple(items),
        draw_person_of_list,
        workers=settings.workers,
        settings=settings,
        end=end,
    )


def draw_person_of_list(task: ItemTask, folder: Path) -> Outcome:
    """Render and write the pictures of one person, and their rows of the manifest."""
    work: PersonPayload = task.payload
    with one_torch_thread():
        kept = kept_sampler(work.images, (work.model,), work.model_hash)
        sampler = cast(FaceSampler, kept)  # there is one model
        items: list[FaceParameters] = []
        for sample, factors in enumerate(work.factors):
            item = sampler.parameters(work.identity, sample)
            items.append(item if factors is None else with_factors(item, *factors))
        rows = []
        for start in range(0, len(items), RENDER_BATCH):
            batch = sampler.render(items[start : start + RENDER_BATCH])
            for place, picture in enumerate(work.pictures[start : start + RENDER_BATCH]):
                noisy = work.images.preset == "photo"
                data = encode_output("rgb", batch.images["rgb"][place], "png", noisy=noisy)
                write_bytes(folder / f"{picture}.png", data)
                files = {"rgb": f"{task.place}/{picture}.png"}
                row = manifest_row(batch, place, sampler.expression_names(work.identity), files)
                as_fitted = work.factors[start + place] is not None
                rows.append(row | {"key": f"{task.name}/{picture}", "as_fitted": as_fitted})
    lines = [json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n" for row in rows]
    write_bytes(task.out / _LABELS / f"{task.name}.jsonl", "".join(lines).encode())
    return Outcome(figures={"pictures": len(rows)})


def _listed(settings: PairSetSettings) -> tuple[dict[str, tuple[str, ...]], bytes]:
    """Return {person: names of their pictures}, in order, and the text of the list."""
    if settings.pairs is None:
        drawn = settings.drawn
        names = [person_name(index) for index in range(drawn.people)]
        people = {
            name: tuple(f"{name}_{number:04d}" for number in range(1, drawn.samples + 1))
            for name in names
        }
        return people, draw_pair_list(drawn, settings.images.seed).encode()
    pairs = load_pair_list(settings.pairs)
    found: dict[str, set[str]] = {}
    for name in (*pairs.first, *pairs.second):
        person, slash, picture = stem_of(name).rpartition("/")
        if not slash or "/" in person or person in (".", "..") or person.startswith("."):
            raise DatasetError(
                f"{settings.pairs}: expected names like PERSON/PICTURE, got {name}: people are "
                "told by their folders. List the pairs so."
            )
        found.setdefault(person, set()).add(picture)
    for first, second, same in zip(pairs.first, pairs.second, pairs.same, strict=True):
        if (first.split("/")[0] == second.split("/")[0]) != same:
            raise DatasetError(
                f"{settings.pairs}: {first} and {second} are listed as {'one' if same else 'two'}, "
                "their folders say otherwise. Check the list."
            )
    people = {person: tuple(sorted(found[person])) for person in sorted(found)}
    return people, read_bytes(settings.pairs, "a list of pairs")


def _fitted(folder: Path | None, names: Sequence[str], model: MorphableModel) -> dict[str, Factors]:
    """Return the factors that fits found, by the names of the list.

    Raises
    ------
    FileFormatError, SettingsError, DatasetError : no fits, of another model, of other pictures
    """
    if folder is None:
        return {}
    fits = collect_population(folder)
    if fits.topology_id != model.mesh.topology_id:
        raise SettingsError(
            f"{folder}: expected fits of {model.name} ({model.mesh.topology_id}), got those of "
            f"{fits.topology_id}. Give the model that was fitted."
        )
    lacking = set(model.blendshapes.names).difference(fits.expression_names)
    if lacking:
        raise FileFormatError(
            f"{folder}: expected fits with all expressions of {model.name}, {min(lacking)} is "
            "missing. Fit the pictures again."
        )
    order = [fits.expression_names.index(name) for name in model.blendshapes.names]
    rows = {stem_of(name): row for row, name in enumerate(fits.names)}
    # A flat folder of fits does where pictures of different people are called differently.
    short = Counter(name.rpartition("/")[2] for name in names)
    found = {}
    for name in names:
        last = name.rpartition("/")[2]
        row = rows.get(name, rows.get(last) if short[last] == 1 else None)
        if row is not None:
            light = fits.light[row].reshape(9, 3)
            found[name] = (fits.expression[row][order], light, fits.pose[row])
    if not found:
        raise DatasetError(
            f"{folder}: none of the {len(fits.names)} fits is of a picture of the list: they are "
            f"called like {fits.names[0]}, those of the list like {names[0]}. Fit the pictures of "
            "the list, each into a folder of its name."
        )
    if len(found) < len(names):
        log.warning(
            "%s: %d of %d pictures have no fit: their expression, light and pose are drawn",
            folder,
            len(names) - len(found),
            len(names),
        )
    return found


def _index(ended: Ended) -> Ending:
    """Join the rows of all people to the manifest."""
    out = ended.job.out
    join_files(
        out / layout.MANIFEST, [out / _LABELS / f"{record.name}.jsonl" for record in ended.done]
    )
    pictures = sum(int(record.figures["pictures"]) for record in ended.done)
    return Ending(figures={"people": len(ended.done), "pictures": pictures})


def _names(head: Mapping[str, Any]) -> Sequence[str]:
    return head["people"]


def _rebuild(out: Path, head: Mapping[str, Any]) -> PairSetSettings:
    raise SettingsError(
        f"{out}: its records do not say which list it is for. Run the command that made it again."
    )


KIND = JobKind(
    name="synthetic-pairs",
    schema=1,
    what="a set of synthetic pairs",
    file="pairs.json",
    place=FACES,
    stage=STAGE,
    noun="pictures",
    items="people",
    command="geomface synth pairs",
    names=_names,
    settings=PairSetSettings,
    job=pair_job,
    rebuild=_rebuild,
    label="person ",
    beside=f"{_LABELS}/{{name}}.jsonl",
    retries=True,
)
"""Pictures of one person a folder, as LFW has them."""
