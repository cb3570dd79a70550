"""Which people an embedder learns from, and on whom it is measured meanwhile."""

from collections.abc import Sequence

import numpy as np

from geomface.learning.errors import DatasetError
from geomface.learning.holdout import is_held_out
from geomface.recognition.aligned.aligned_faces import AlignedFaces
from geomface.recognition.aligned.joined import joined_faces


def gather_faces(sets: Sequence[AlignedFaces], names: Sequence[str] = ()) -> AlignedFaces:
    """Return the labelled pictures of one or several sets; people of several are never the same.

    Parameters
    ----------
    sets : of one alignment
    names : of the sets, for messages

    Raises
    ------
    DatasetError : another alignment, nobody labelled
    """
    first = sets[0]
    for name, other in zip(names or map(str, range(len(sets))), sets, strict=True):
        if other.alignment.id != first.alignment.id:
            raise DatasetError(
                f"{name}: expected faces aligned as the first set, {first.alignment.id}, got "
                f"{other.alignment.id}. Align it again with the same --size."
            )
    faces = first if len(sets) == 1 else joined_faces(sets)
    known = np.asarray(faces.people.classes[:, 0] >= 0)
    if not known.any():
        raise DatasetError(
            f"{', '.join(names) or 'training set'}: expected to know who is in the pictures, got "
            "no labels. Put each person's pictures in a folder, or write labels.csv, and align "
            "again."
        )
    return faces if known.all() else faces.subset(known)


def require_people(faces: AlignedFaces, real: AlignedFaces | None = None) -> int:
    """Return how many people there are to tell apart, synthetic and real.

    Raises
    ------
    DatasetError : fewer than two
    """
    people = len(faces.people.names) + (0 if real is None else len(real.people.names))
    if people < 2:
        raise DatasetError(
            f"training set: expected pictures of two people or more, got {people}. Add people, or "
            "hold out fewer."
        )
    return people


def people_with_one(faces: AlignedFaces) -> int:
    """Return how many people have one picture, alone or as a part of a mix."""
    classes = faces.people.classes
    return int((np.bincount(classes[classes >= 0], minlength=1) == 1).sum())


def split_people(faces: AlignedFaces, share: float) -> tuple[AlignedFaces, AlignedFaces | None]:
    """Divide by a hash of the names: whole people are in training or held out.

    A mix of people is learned from where nobody in it is held out, and never measured.

    Returns
    -------
    (training, held out); None where no two pictures of one person would be held out

    Raises
    ------
    DatasetError : nothing is left to learn from
    """
    out = np.array([is_held_out(name, share) for name in faces.people.names] + [False])
    inside = out[faces.people.classes]  # the last flag is what class -1 finds
    training = np.asarray(~inside.any(axis=1))
    held_out = np.asarray(out[faces.people.labels] & (faces.people.labels >= 0))
    if not training.any():
        raise DatasetError(
            f"training set: expected people left to learn from, but a held-out share of {share} "
            f"takes all {len(faces.people.names)}. Lower it."
        )
    counts = np.bincount(faces.people.labels[held_out], minlength=1)
    if (counts > 1).sum() < 1 or (counts > 0).sum() < 2:
        return faces, None  # held out for nothing: there would be no pair to measure
    return faces.subset(training), faces.subset(held_out)


def first_people(faces: AlignedFaces, people: int) -> AlignedFaces:
    """Return the pictures of the first so many people, those of one kind of set or another.

    Raises
    ------
    DatasetError : there are fewer
    """
    if people > len(faces.people.names):
        raise DatasetError(
            f"training set: expected at least {people} people, got {len(faces.people.names)}. "
            "Ask for fewer."
        )
    return faces.subset(np.asarray((faces.people.classes < people).all(axis=1)))
