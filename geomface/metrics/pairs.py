"""Which samples to compare with which: of all, of one label, as many of one label as of two."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, IndexArray
from geomface.errors import SettingsError


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs to measure, and how they were drawn.

    Parameters
    ----------
    rows : (P, 2) int64, two different samples each
    seed : of the draw
    same : what both share ("identity", say), "" where nothing is asked of them
    """

    rows: IndexArray
    seed: int
    same: str = ""


def draw_pairs(
    samples: int,
    *,
    count: int = 10_000,
    labels: IndexArray | None = None,
    same: str = "label",
    seed: int = 0,
) -> Pairs:
    """Draw pairs of different samples, of all or of those that share a label.

    The first of a pair is uniform over the samples that have a partner, the second over its
    partners.

    Parameters
    ----------
    samples : how many samples there are
    count : pairs, drawn with replacement
    labels : (samples,) int64, -1 unknown; both of a pair bear one known label. None: no condition
    same : name of the label, for the record
    seed : of the draw

    Raises
    ------
    SettingsError : fewer than two samples, labels of another length, no two that share one
    """
    rng = np.random.default_rng(seed)
    if labels is None:
        if samples < 2 or count < 1:
            raise SettingsError(
                f"pairs: expected two or more samples and one or more pairs, got {samples} and "
                f"{count}."
            )
        first = rng.integers(0, samples, count)
        second = (first + rng.integers(1, samples, count)) % samples
        return Pairs(np.stack([first, second], axis=1), seed)
    labels = np.asarray(labels)
    if labels.shape != (samples,) or count < 1:
        raise SettingsError(
            f"pairs: expected a label for each of {samples} samples and one or more pairs, got "
            f"shape {labels.shape} and {count}."
        )
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    start, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    useful = np.flatnonzero((size > 1) & (labels[order] >= 0))
    if not len(useful):
        raise SettingsError(f"pairs: expected two samples that share a {same}, got none.")
    first = rng.choice(useful, count)
    step = 1 + (rng.random(count) * (size[first] - 1)).astype(np.int64)
    second = start[first] + (first - start[first] + step) % size[first]
    return Pairs(order[np.stack([first, second], axis=1)], seed, same)


def balanced_pairs(
    labels: IndexArray, *, count: int = 10_000, seed: int = 0
) -> tuple[IndexArray, BoolArray]:
    """Draw as many pairs of one label as of two.

    Parameters
    ----------
    labels : (N,) int64, -1 unknown (never drawn)
    count : pairs in all, even
    seed : of the draw

    Returns
    -------
    (count, 2) int64 rows, (count,) bool: whether the labels agree

    Raises
    ------
    SettingsError : no two samples of one label, or all of one
    """
    labels = np.asarray(labels)
    known = np.flatnonzero(labels >= 0)
    if len(np.unique(labels[known])) < 2:
        raise SettingsError("pairs: expected two different labels or more.")
    same = draw_pairs(len(labels), count=count // 2, labels=labels, seed=seed).rows
    # Uniform over pairs of two labels: the first with the weight of its partners.
    order = known[np.argsort(labels[known], kind="stable")]
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    start, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    others = len(order) - size
    rng = np.random.default_rng([seed, 1])
    first = rng.choice(len(order), len(same), p=others / others.sum())
    step = (rng.random(len(same)) * others[first]).astype(np.int64)
    second = (start[first] + size[first] + step) % len(order)
    rows = np.concatenate([same, order[np.stack([first, second], axis=1)]])
    return rows, np.arange(len(rows)) < len(same)
