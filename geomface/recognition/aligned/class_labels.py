"""Classes of people: numbers for networks, mixed people as shares of those they are made of."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import IndexArray

UNLABELLED = -1
LONGEST = 18
"""Digits of what still counts as a number of a person."""
PARTS = 2
"""People that there is room for in a mix, at least."""


@dataclasses.dataclass(frozen=True, eq=False)
class ClassLabels:
    """Who is in N pictures, for networks.

    Parameters
    ----------
    names : of the classes, in the order of their numbers
    labels : (N,) int64 class, -1 for a mix and for who is not known
    classes : (N, K) int64, those of a mix, K at least 2; else one and -1
    masses : (N, K) float32, their shares; 0 where the class is -1
    notes : what was done about imperfect labels
    """

    names: tuple[str, ...]
    labels: IndexArray
    classes: IndexArray
    masses: np.ndarray
    notes: tuple[str, ...]


def class_labels(
    people: Sequence[str],
    parents: Sequence[tuple[str, ...]],
    weights: Sequence[tuple[float, ...]],
) -> ClassLabels:
    """Return the classes of pictures.

    Parameters
    ----------
    people : who is in each, "" where not known
    parents, weights : of those who are a mix, the people they are made of and their shares; empty
        for others. Mixed people are no class of their own

    Example
    -------
    >>> found = class_labels(["7", "9", "8"], [(), (), ("7", "9")], [(), (), (0.75, 0.25)])
    >>> found.names, found.labels.tolist(), found.classes[2].tolist(), found.masses[2].tolist()
    (('7', '9'), [0, 1, -1], [0, 1], [0.75, 0.25])
    """
    rows = zip(people, parents, weights, strict=True)
    shares = [_shares(person, mixed, masses) for person, mixed, masses in rows]
    names = sorted({name for row in shares for name in row})
    numbered = all(name.isdecimal() and len(name) <= LONGEST for name in names)
    if numbered:
        names.sort(key=int)
    number = {name: index for index, name in enumerate(names)}
    classes = np.full((len(shares), max([PARTS, *map(len, shares)])), UNLABELLED, np.int64)
    masses = np.zeros(classes.shape, np.float32)
    for row, share in enumerate(shares):
        for part, (name, mass) in enumerate(share.items()):
            classes[row, part], masses[row, part] = number[name], mass
    labels = np.where(masses[:, 1] > 0, UNLABELLED, classes[:, 0])
    notes = []
    if numbered and names and not any(parents) and int(names[-1]) != len(names) - 1:
        notes.append(
            f"the numbers of {len(names)} people go up to {names[-1]}: their classes are 0 to "
            f"{len(names) - 1}, in the same order."
        )
    if unknown := sum(not share for share in shares):
        notes.append(
            f"{unknown} of {len(shares)} pictures do not say who it is: they count as unlabelled."
        )
    return ClassLabels(tuple(names), labels, classes, masses, tuple(notes))


def _shares(person: str, parents: tuple[str, ...], weights: tuple[float, ...]) -> dict[str, float]:
    """Return the share of each class in one picture, largest first."""
    if not parents:
        return {person: 1.0} if person else {}
    total: dict[str, float] = {}
    for name, weight in zip(parents, weights, strict=True):
        if weight > 0:
            total[name] = total.get(name, 0.0) + weight
    return dict(sorted(total.items(), key=lambda item: -item[1]))
