"""An evaluation beside other sets: real training pictures, another embedder's descriptors."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import SettingsError
from geomface.learning.errors import DatasetError
from geomface.metrics.identity_sets import (
    identity_centres,
    intra_class_spread,
    leakage,
    separability,
)
from geomface.metrics.paired import PairedVerification, compare_verification
from geomface.recognition.protocols.embeddings import Embeddings, load_embeddings
from geomface.recognition.protocols.picture_pairs import PicturePairs


@dataclasses.dataclass(frozen=True, eq=False)
class OtherSet:
    """Descriptors of a file beside those that are measured."""

    path: Path
    embeddings: Embeddings


def read_other(path: Path | None, same_as: Sequence[str] = ()) -> OtherSet | None:
    """Read descriptors of another set, before any work is done; None where there is no file.

    Parameters
    ----------
    path : the file
    same_as : names of the pictures that must be among them

    Raises
    ------
    FileFormatError : embeddings that cannot be read
    SettingsError : of other pictures
    """
    if path is None:
        return None
    found = load_embeddings(path)
    known = set(found.names)
    missing = [name for name in same_as if name not in known]
    if missing:
        raise SettingsError(
            f"--against {path}: expected the same pictures, {len(missing)} of {len(same_as)} are "
            f"not among them, such as {missing[0]}. Describe the same folder with both embedders."
        )
    return OtherSet(path, found)


def set_figures(
    given: Embeddings, people: Sequence[str], threshold: float, training: OtherSet | None
) -> dict[str, Any]:
    """Measure the set itself: how widely people scatter, how many are apart, how near to others.

    Parameters
    ----------
    given : descriptors of the set
    people : who is in each picture, "" where not known
    threshold : cosine above which two pictures are taken for one person
    training : embeddings of real training pictures, people in folders

    Raises
    ------
    SettingsError : by another embedder
    """
    figures: dict[str, Any] = {}
    seen = given.found & np.array([bool(name) for name in people])
    if seen.any():
        rows = given.descriptors[seen]
        _, who = np.unique(np.array(people)[seen], return_inverse=True)
        apart = separability(identity_centres(rows, who)[0])
        figures["people"] = len(apart.separate)
        figures["separable"] = {"people": apart.count, "most_alike": apart.most_alike}
        if (np.bincount(who) > 1).any():
            figures["intra_class_spread"] = intra_class_spread(rows, who)
    if training is not None:
        real = training.embeddings
        _require_one_embedder(training.path, real, given)
        names = np.unique([name.split("/")[0] for name in real.names], return_inverse=True)[1]
        found = leakage(
            given.descriptors[given.found],
            real.descriptors[real.found],
            identities=names[real.found],
            threshold=threshold,
        )
        worst = int(np.argmax(found.cosines))
        known = [np.array(item.names)[item.found] for item in (given, real)]
        figures["leakage"] = {
            "largest": found.largest,
            "above_threshold": found.above,
            "between_real_people": dict(zip(("50", "95", "100"), found.between_real, strict=True)),
            "nearest": [str(known[0][worst]), str(known[1][found.nearest[worst]])],
        }
    return figures


def _require_one_embedder(path: Path, other: Embeddings, given: Embeddings) -> None:
    """Refuse descriptors that cannot be compared with those given."""
    sizes = [item.descriptors.shape[1] for item in (given, other)]
    marks = [(item.embedder, item.alignment) for item in (given, other)]
    if sizes[0] != sizes[1] or (all(map(any, marks)) and marks[0] != marks[1]):
        raise SettingsError(
            f"{path}: expected descriptors by the same embedder ({marks[0][0] or 'unnamed'}, "
            f"{sizes[0]} numbers, {marks[0][1] or 'no alignment told'}), got "
            f"{marks[1][0] or 'unnamed'}, {sizes[1]} numbers, {marks[1][1] or 'none told'}. "
            "Describe both with one."
        )


def compared(
    against: OtherSet, given: Embeddings, pairs: PicturePairs, *, draws: int, seed: int
) -> PairedVerification:
    """Compare with another embedder on the pairs whose faces both found.

    Parameters
    ----------
    against : embeddings of the same pictures by the other
    given, pairs : descriptors of the first, and the pairs
    draws, seed : of people

    Raises
    ------
    DatasetError : no pair of either kind has faces that both found
    """
    other = against.embeddings
    rows = {name: row for row, name in enumerate(other.names)}
    order = [rows[name] for name in given.names]
    both = np.asarray((given.found & other.found[order])[pairs.rows].all(axis=1))
    if not pairs.same[both].any() or pairs.same[both].all():
        raise DatasetError(
            f"--against {against.path}: expected pairs of one person and of two whose faces both "
            f"embedders found, got {int(pairs.same[both].sum())} and "
            f"{int((~pairs.same[both]).sum())}. Leave it away."
        )
    return compare_verification(
        pairs.scores(given.descriptors)[both],
        pairs.scores(other.descriptors[order])[both],
        pairs.same[both],
        people=pairs.people_for_intervals(both),
        rates=(0.1, 0.01),
        resamples=draws,
        seed=seed,
    )
