"""Bootstrap of scored pairs, by the people in them: pairs of one person are not independent."""

from collections.abc import Iterator

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_shape
from geomface.errors import SettingsError


def draw_weights(
    same: BoolArray, people: IndexArray | None, resamples: int, seed: int
) -> Iterator[FloatArray]:
    """Yield how often each pair stands in a sample of as many people, drawn with replacement.

    With person i drawn w_i times, a pair of one person counts w_i times, one of two w_i w_j times.

    Parameters
    ----------
    same : (P,) whether a pair shows one person
    people : (P, 2) who is in either picture of each pair; None: pairs are drawn, of each kind for
        itself, as if they were independent
    resamples : samples
    seed : of the draw; the same people in the same pairs are drawn alike, so that two embedders
        are compared on the same samples

    Yields
    ------
    (P,) float64 of each sample; samples without a pair of either kind are drawn again

    Raises
    ------
    SettingsError : people that contradict `same`, fewer than two with a pair of pictures

    Convention
    ----------
    All pictures of a person are kept: the interval is for other people, photographed alike.

    Source
    ------
    Bolle, Ratha, Pankanti 2004 (subset bootstrap): drawing single scores gives intervals that are
    too narrow, since scores of one person depend on each other.
    """
    rng = np.random.default_rng(seed)
    if people is None:
        for _ in range(resamples):
            weights = np.empty(len(same))
            for kind in (same, ~same):
                count = int(kind.sum())
                weights[kind] = np.bincount(rng.integers(0, count, count), minlength=count)
            yield weights
        return
    which, count = _numbered(people, same)
    one, two = np.ascontiguousarray(which.T)
    alike = np.flatnonzero(same)
    done = 0
    while done < resamples:
        drawn = np.bincount(rng.integers(0, count, count), minlength=count).astype(np.float64)
        weights = drawn[one] * drawn[two]
        weights[alike] = drawn[one[alike]]
        if (total := weights[alike].sum()) > 0 and weights.sum() > total:
            done += 1
            yield weights


def percentile_bounds(draws: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the interval (low, high) of draws (n, ...): those nearest to its quantiles.

    They are taken as they are, not between two: d' may be infinite.
    """
    ordered = np.sort(draws, axis=0)
    cut = round(0.5 * (1.0 - level) * (len(ordered) - 1))
    return ordered[cut], ordered[len(ordered) - 1 - cut]


def _numbered(people: IndexArray, same: BoolArray) -> tuple[IndexArray, int]:
    """Return people as numbers from 0, and how many there are."""
    people = require_shape(people, (len(same), 2), "people of pairs", SettingsError)
    if ((people[:, 0] == people[:, 1]) != same).any():
        raise SettingsError(
            "verification: expected pairs of one person where the people agree, and of two where "
            "they do not. Check the labels against the list of pairs."
        )
    names, which = np.unique(people, return_inverse=True)
    which = which.reshape(people.shape)
    if (paired := len(np.unique(which[same, 0]))) < 2:
        raise SettingsError(
            f"interval over people: expected two or more with a pair of pictures, got {paired}."
        )
    return which, len(names)
