"""Pairs of the pictures that are there: those of a list, or all of a labelled set."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import SettingsError
from geomface.files.images import IMAGE_SUFFIXES
from geomface.learning.errors import DatasetError
from geomface.metrics.pairs import balanced_pairs
from geomface.recognition.protocols.pair_list import PairList
from geomface.recognition.protocols.people import people_of

FOLDS = 10
MOST = 2_000_000
"""Pairs at most; of more, so many are drawn."""


@dataclasses.dataclass(frozen=True, eq=False)
class PicturePairs:
    """Pairs of pictures by their rows.

    Parameters
    ----------
    rows : (P, 2) int64 into the pictures
    same : (P,) whether both show one person
    people : (P, 2) int64 who is in them, None where that is not known
    folds : (P,) int64, -1 for pairs that are in none; None: there are too few for folds
    what : what they are, for the record
    notes : what the reader of their figures should know

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import PicturePairs, all_pairs
    >>> pairs = all_pairs(["anna", "anna", "ben"])
    >>> isinstance(pairs, PicturePairs), pairs.scores(np.eye(3)).tolist()
    (True, [0.0, 0.0, 0.0])
    """

    rows: IndexArray
    same: BoolArray
    people: IndexArray | None
    folds: IndexArray | None
    what: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def people_for_intervals(self, which: BoolArray) -> IndexArray | None:
        """Return who is in some of the pairs; None where fewer than two have a pair of pictures.

        Samples of people mean nothing then: whoever is drawn, it is the same one.
        """
        if self.people is None or len(np.unique(self.people[which & self.same])) < 2:
            return None
        return self.people[which]

    def scores(self, descriptors: FloatArray) -> FloatArray:
        """Return the cosines (P,) of unit descriptors (N, D)."""
        found = np.empty(len(self))
        for start in range(0, len(self), 65536):
            one, two = self.rows[start : start + 65536].T
            found[start : start + 65536] = np.einsum("pd,pd->p", descriptors[one], descriptors[two])
        return found


def listed_pairs(
    pairs: PairList,
    names: Sequence[str],
    labels: Mapping[str, str] | None = None,
    *,
    folds: int = FOLDS,
) -> PicturePairs:
    """Return the pairs of a list among pictures.

    A name of the list is the name of a picture, the same without its ending, or, where only one
    picture has it, the same without its folders and ending.

    Parameters
    ----------
    pairs : the list
    names : of the pictures
    labels : {picture: person}, where the list does not tell who is in it; default: its folder
    folds : where the list has none: as many contiguous parts of the pairs of one person, and of
        those of two

    Raises
    ------
    DatasetError : names of pictures that are not there, labels that contradict the list
    SettingsError : fewer than two folds

    Example
    -------
    >>> from pathlib import Path
    >>> from geomface.recognition import listed_pairs, load_pair_list
    >>> text = "anna/1.png anna/2.png 1\\nanna/1.png ben/1.png 0\\n"
    >>> count = Path("pairs.txt").write_text(text)
    >>> names = ["anna/1.png", "anna/2.png", "ben/1.png"]
    >>> listed_pairs(load_pair_list("pairs.txt"), names).rows.tolist()
    [[0, 1], [0, 2]]
    """
    places = _places(names)
    named = np.array([pairs.first, pairs.second]).T
    rows = np.array([_place(places, name) for name in named.ravel()], np.int64).reshape(-1, 2)
    if (rows < 0).any():
        wanted = named[rows < 0]
        raise DatasetError(
            f"{pairs.source}: names {len(np.unique(wanted))} pictures that are not among the "
            f"{len(names)} that were given, such as {wanted[0]} (those are called like "
            f"{names[0]}). Give the folder that the list is of, or list pairs as A.png B.png 1: "
            "LFW's NAME 1 4 means NAME/NAME_0001 and NAME/NAME_0004."
        )
    notes: list[str] = []
    people, told = _people_of(pairs, rows, names, labels), pairs.folds
    if people is None:
        notes.append(
            "Who is in the pictures is not known: the intervals take pairs as independent, and are "
            "too narrow where pictures stand in several pairs. Name the people with labels."
        )
    if told is None:
        told = _kinds_in_folds(pairs.same, folds)
    elif people is not None and (shared := _in_several(people, told)):
        notes.append(
            f"{shared} people are in several folds: thresholds were chosen on pictures of people "
            "whom they are measured on."
        )
    return PicturePairs(rows, pairs.same, people, told, pairs.source, tuple(notes))


def all_pairs(
    people: Sequence[str], *, folds: int = FOLDS, most: int = MOST, seed: int = 0
) -> PicturePairs:
    """Return all pairs of the labelled pictures of a set.

    A fold holds the pairs within some of the people, so that its threshold is chosen on other
    people; pairs across folds are in none of them. Where there are too few people for folds of two
    there are fewer folds.

    Parameters
    ----------
    people : who is in each picture, "" where not known (then it is in no pair)
    folds : of contiguous people, in the order of their first pictures
    most : pairs; where there are more, they are drawn, as many of one person as of two
    seed : of that draw

    Raises
    ------
    DatasetError : one person, nobody with two pictures

    Example
    -------
    >>> from geomface.recognition import all_pairs
    >>> all_pairs(["anna", "anna", "ben"]).same
    array([ True, False, False])
    """
    numbers = {name: number for number, name in enumerate(dict.fromkeys(filter(None, people)))}
    who = np.array([numbers.get(name, -1) for name in people], np.int64)
    counts = np.bincount(who[who >= 0], minlength=len(numbers))
    if len(numbers) < 2 or not (counts > 1).any():
        raise DatasetError(
            f"all pairs: expected two people or more, one of them in two pictures at least, got "
            f"{len(numbers)} people in {int(counts.sum())} pictures with labels. Label them "
            "(labels.csv with file and identity), put each person into a folder of its own, or add "
            "pictures of the same people."
        )
    known = np.flatnonzero(who >= 0)
    total = len(known) * (len(known) - 1) // 2
    if total > most:
        rows, same = balanced_pairs(who, count=most, seed=seed)
    else:
        rows = known[np.stack(np.triu_indices(len(known), 1), axis=1)]
        same = who[rows[:, 0]] == who[rows[:, 1]]
    notes = []
    if total > most:
        notes.append(f"Of {total} pairs {most} were drawn, as many of one person as of two.")
    if len(known) < len(who):
        notes.append(f"{len(who) - len(known)} pictures have no label and are in no pair.")
    pairs = who[rows]
    parts = min(folds, len(numbers) // 2)
    members = None
    if parts > 1:
        of_person = np.arange(len(numbers)) * parts // len(numbers)
        both = of_person[pairs]
        members = np.where(both[:, 0] == both[:, 1], both[:, 0], -1)
        if not all(len(np.unique(same[members == fold])) == 2 for fold in range(parts)):
            members = None
    if members is None:
        notes.append("There are too few people with several pictures for folds: no accuracy.")
    return PicturePairs(
        rows, same, pairs, members, f"all pairs of {len(numbers)} people", tuple(notes)
    )


def _places(names: Sequence[str]) -> dict[str, int]:
    """Return the row of everything that a list may call a picture."""
    places: dict[str, int] = {}
    for shorten in (lambda name: PurePosixPath(stem_of(name)).name, stem_of, str):
        short = [shorten(name) for name in names]
        times = Counter(short)
        places |= {key: row for row, key in enumerate(short) if times[key] == 1}
    return places


def _place(places: Mapping[str, int], name: str) -> int:
    """Return the row of a name of a list, -1 where there is no such picture."""
    stem = stem_of(name)
    keys = (name, stem, PurePosixPath(stem).name)
    return next((places[key] for key in keys if key in places), -1)


def stem_of(name: str) -> str:
    """Return a name without the ending of a picture; a person may be called A.J._Cook."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES else name


def _people_of(
    pairs: PairList, rows: IndexArray, names: Sequence[str], labels: Mapping[str, str] | None
) -> IndexArray | None:
    """Return who is in the pairs: as the list tells, the labels, or the folders if they agree."""
    told: Sequence[tuple[str, str]] = pairs.people
    guessed = False
    if not all(all(pair) for pair in told):
        guessed = labels is None
        owners = people_of(names) if labels is None else labels
        who = [owners.get(name, "") for name in names]
        told = [(who[one], who[two]) for one, two in rows]
    if not all(all(pair) for pair in told):
        return None
    differ = np.flatnonzero(np.array([one == two for one, two in told]) != pairs.same)
    if len(differ) and guessed:
        return None  # folders of dates or cameras, not of people
    if len(differ):
        first = int(differ[0])
        raise DatasetError(
            f"{pairs.source}: {len(differ)} pairs contradict the labels, such as "
            f"{pairs.first[first]} and {pairs.second[first]}. Check both."
        )
    _, which = np.unique(np.array(told), return_inverse=True)
    return which.reshape(-1, 2).astype(np.int64)


def _kinds_in_folds(same: BoolArray, folds: int) -> IndexArray | None:
    """Return folds of contiguous pairs of either kind; None where there are too few."""
    if folds < 2:
        raise SettingsError(f"folds: expected 2 or more, got {folds}.")
    found = np.empty(len(same), np.int64)
    for kind in (same, ~same):
        if (count := int(kind.sum())) < folds:
            return None
        found[kind] = np.arange(count) * folds // count
    return found


def _in_several(people: IndexArray, folds: IndexArray) -> int:
    """Return how many people stand in more than one fold."""
    both = np.stack([people.ravel(), np.repeat(folds, 2)], axis=1)
    return int((np.unique(np.unique(both, axis=0)[:, 0], return_counts=True)[1] > 1).sum())
