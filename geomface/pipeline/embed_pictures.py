"""Descriptors of the faces of a folder of pictures, in any number of worker processes."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from geomface.arrays import FloatArray
from geomface.batch.executors import WorkerDied, make_executor
from geomface.datasets.photographs import Photograph, load_photographs
from geomface.errors import GeomfaceError, LandmarkError
from geomface.ranges import COUNT, require_number
from geomface.recognition.aligned.aligned_faces import is_aligned, load_aligned
from geomface.recognition.aligned.read_face import LandmarkSource, read_face
from geomface.recognition.alignment.reference import Alignment, require_alignment
from geomface.recognition.protocols.embeddings import Embeddings
from geomface.threads import one_torch_thread

CHUNK = 8
"""Pictures that a worker takes at a time and shows to the embedder together."""


class Embedder(Protocol):
    """What describes aligned faces."""

    @property
    def alignment(self) -> Alignment:
        """How they must be aligned."""
        ...

    def embed(self, aligned: np.ndarray) -> FloatArray:
        """Return descriptors (N, D) of length 1 of pictures (N, h, w, 3) float32 in [0, 1]."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class EmbeddedPictures:
    """Descriptors of a folder of pictures.

    Parameters
    ----------
    embeddings : see `Embeddings`
    failures : {name: why} of pictures without a descriptor
    detected : pictures whose landmarks were found
    notes : what was done about imperfect pictures
    """

    embeddings: Embeddings
    failures: dict[str, str]
    detected: int
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Chunk:
    """What a worker is told."""

    photographs: tuple[Photograph, ...]
    load: Callable[[Path], Embedder]
    embedder: Path
    landmarks: LandmarkSource


@dataclasses.dataclass(frozen=True, eq=False)
class _Described:
    """What a worker answers: descriptors of the pictures that have a face, why others have not."""

    rows: dict[int, FloatArray]
    why: dict[int, str]
    detected: int
    grey: int


def pictures_to_embed(
    folder: Path, alignment: Alignment
) -> tuple[tuple[Photograph, ...], dict[str, str]]:
    """Return the pictures of a folder, and {name: why} of those known to have no face.

    Parameters
    ----------
    folder : of photographs, of a set of `geomface synth faces`, or of aligned faces
    alignment : that aligned faces must have

    Raises
    ------
    DatasetError : faces that are aligned another way
    FileFormatError : no pictures
    """
    if not is_aligned(folder):
        return load_photographs(folder), {}
    faces = load_aligned(folder)
    require_alignment(str(folder), faces.alignment, alignment)
    aligned = tuple(
        Photograph(
            row.name,
            row.person,
            alignment.points,
            functools.partial(_stored, folder, index),
            functools.partial(str, row.digest),
        )
        for index, row in enumerate(faces.rows)
    )
    return aligned, dict(faces.failures)


def embed_pictures(
    photographs: Sequence[Photograph],
    load: Callable[[Path], Embedder],
    embedder: Path,
    *,
    landmarks: LandmarkSource = "given",
    workers: int = 1,
    lost: dict[str, str] | None = None,
    on_progress: Callable[[int, str], None] | None = None,
) -> EmbeddedPictures:
    """Describe the face of each picture; the numbers do not depend on the workers.

    Parameters
    ----------
    photographs : the pictures
    load : reads an embedder; a function of a module, which worker processes call too
    embedder : its file
    landmarks : "given" are used where there are some, "found" are those of the detector
    workers : number of processes
    lost : {name: why} of further pictures, known to have no face
    on_progress : called with how many are done, and the last one's name

    Raises
    ------
    LandmarkError : no picture has a face
    FileFormatError : the embedder cannot be read
    """
    require_number("workers", workers, COUNT, whole=True)
    alignment = load(embedder).alignment  # a file that cannot be read is told before all work
    chunks = [
        _Chunk(tuple(photographs[start : start + CHUNK]), load, embedder, landmarks)
        for start in range(0, len(photographs), CHUNK)
    ]
    rows: dict[int, FloatArray] = {}
    why: dict[int, str] = {}
    done = detected = grey = 0
    executor = make_executor("auto", workers, len(chunks))
    with contextlib.closing(executor), contextlib.closing(executor.run(_describe, chunks)) as run:
        for index, answer in run:
            chunk, first = chunks[index].photographs, index * CHUNK
            if isinstance(answer, WorkerDied):
                answer = _Described({}, dict.fromkeys(range(len(chunk)), answer.message), 0, 0)
            rows |= {first + at: row for at, row in answer.rows.items()}
            why |= {first + at: text for at, text in answer.why.items()}
            done, detected, grey = done + len(chunk), detected + answer.detected, grey + answer.grey
            if on_progress is not None:
                on_progress(done, chunk[-1].name)
    failures = {photographs[at].name: why[at] for at in sorted(why)} | (lost or {})
    if not rows:
        raise LandmarkError(
            f"no face in any of {len(failures)} pictures, nothing to describe. The first: "
            f"{next(iter(failures.values()), 'there is none')}"
        )
    names = (*(photograph.name for photograph in photographs), *(lost or {}))
    descriptors = np.zeros((len(names), len(next(iter(rows.values())))))
    found = np.zeros(len(names), bool)
    for at, row in rows.items():
        descriptors[at], found[at] = row, True
    notes = []
    if 0 < grey < len(rows):
        notes.append(
            f"{grey} of {len(rows)} faces are grey, the others in colour: grey is shown to the "
            "embedder as three equal channels."
        )
    people = (*(photograph.person for photograph in photographs), *("" for _ in lost or {}))
    told = people if any(people) else ()
    embeddings = Embeddings(names, descriptors, found, alignment.id, people=told)
    return EmbeddedPictures(embeddings, failures, detected, tuple(notes))


def _describe(chunk: _Chunk) -> _Described:
    embedder = _loaded(chunk.load, chunk.embedder)
    pictures: dict[int, np.ndarray] = {}
    why: dict[int, str] = {}
    detected = grey = 0
    with one_torch_thread():
        for at, photograph in enumerate(chunk.photographs):
            try:
                face = read_face(photograph, embedder.alignment, chunk.landmarks)
            except GeomfaceError as error:
                why[at] = str(error)
                continue
            pictures[at] = face.picture
            detected += face.landmarks == "found"
            grey += bool((face.picture == face.picture[..., :1]).all())
        rows = embedder.embed(np.stack(list(pictures.values()))) if pictures else ()
    return _Described(dict(zip(pictures, rows, strict=True)), why, detected, grey)


@functools.cache
def _loaded(load: Callable[[Path], Embedder], path: Path) -> Embedder:
    """Return an embedder, read once a process."""
    return load(path)


def _stored(folder: Path, index: int) -> np.ndarray:
    return _aligned(folder).pictures(slice(index, index + 1))[0]


_aligned = functools.cache(load_aligned)
