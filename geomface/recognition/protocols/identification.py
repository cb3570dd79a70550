"""Identification: whether the nearest picture of a gallery shows the same person."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, require_shape
from geomface.errors import SettingsError
from geomface.learning.errors import DatasetError
from geomface.metrics.estimate import Estimate
from geomface.metrics.pair_draws import percentile_bounds

RANKS = 20
_ROWS = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class Identification:
    """How often the right person is among the nearest.

    Parameters
    ----------
    rank_1 : share of the probes whose nearest gallery picture shows the same person, of those with
        a face and a picture of the person in the gallery; interval over people
    rank_1_of_all : with probes without a face, or with none to be found in the gallery, as errors
    ranks : (R,) share of the probes whose person is among the nearest 1, 2, ... R people
    probes : how many were asked
    people : in the gallery
    errors : how many probes only `rank_1_of_all` counts
    alone : pictures of people with no other picture: nobody can be asked for them

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import Identification, identify
    >>> people = ["anna", "anna", "ben", "ben", "cy", "cy"]
    >>> found = identify(np.repeat(np.eye(3), 2, axis=0), people)
    >>> isinstance(found, Identification), found.people, found.alone
    (True, 3, 0)
    """

    rank_1: Estimate
    rank_1_of_all: Estimate
    ranks: FloatArray
    probes: int
    people: int
    errors: int
    alone: int


def identify(
    descriptors: FloatArray,
    people: Sequence[str],
    found: BoolArray | None = None,
    *,
    gallery: BoolArray | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Identification:
    """Look for each picture among the others, or for probes in a gallery.

    Parameters
    ----------
    descriptors : (N, D) of length 1
    people : who is in each, "" where not known (left out)
    found : (N,) whether the picture has a face, default all
    gallery : (N,) which pictures are the gallery, the others are the probes; None: each picture is
        looked for among all others
    resamples, level, seed : of the interval, for which people are drawn, once or more

    Raises
    ------
    DatasetError : no probe has another picture of its person to be found
    SettingsError : arrays that do not fit

    Convention
    ----------
    Where several people are equally near, each of them counts with its chance: constant descriptors
    give the rate of guessing.

    Source
    ------
    Cumulative match characteristic: Phillips et al. 2000 (FERET).

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import identify
    >>> descriptors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8]])
    >>> identify(descriptors, ["anna", "anna", "ben", "ben"]).rank_1.value
    1.0
    """
    rows = np.asarray(descriptors, np.float64)
    require_shape(rows, (len(people), None), "descriptors", SettingsError)
    seen = np.ones(len(rows), bool) if found is None else np.asarray(found, bool)
    names = {name: number for number, name in enumerate(dict.fromkeys(filter(None, people)))}
    who = np.array([names.get(name, -1) for name in people], np.int64)
    shelf = np.ones(len(rows), bool) if gallery is None else np.asarray(gallery, bool)
    for what, item in (("found", seen), ("gallery", shelf)):
        require_shape(item, (len(rows),), what, SettingsError)
    asked = (who >= 0) & (np.ones(len(rows), bool) if gallery is None else ~shelf)
    # Others of the person in the gallery: without a face they count as what should be found.
    listed = np.bincount(who[shelf & (who >= 0)], minlength=len(names))
    usable = np.bincount(who[shelf & seen & (who >= 0)], minlength=len(names))
    itself = np.ones(len(rows), np.int64) if gallery is None else np.zeros(len(rows), np.int64)
    has_other = asked & (listed[who] - itself > 0)
    can = has_other & seen & (usable[who] - itself > 0)
    if not can.any():
        raise DatasetError(
            f"identification: expected someone with a picture to look for and another to be found, "
            f"got {int(asked.sum())} pictures of {len(names)} people. Give people two pictures."
        )
    stock = np.flatnonzero(shelf & seen & (who >= 0))
    stock = stock[np.argsort(who[stock], kind="stable")]
    inside, starts = np.unique(who[stock], return_index=True)
    probes = np.flatnonzero(can)
    ranks = min(RANKS, len(inside))
    hits = np.empty((len(probes), ranks))
    for start in range(0, len(probes), _ROWS):
        some = probes[start : start + _ROWS]
        cosines = rows[some] @ rows[stock].T
        cosines[some[:, None] == stock] = -np.inf
        best = np.maximum.reduceat(cosines, starts, axis=1)
        own = best[np.arange(len(some)), np.searchsorted(inside, who[some])][:, None]
        better, equal = (best > own).sum(axis=1), (best == own).sum(axis=1)
        places = np.arange(1, ranks + 1) - better[:, None]
        hits[start : start + _ROWS] = np.clip(places / equal[:, None], 0.0, 1.0)
    settings = {"people": len(names), "probes": len(probes)}
    sums = np.bincount(who[probes], hits[:, 0], len(names)).astype(np.float64)

    def rate(asked: BoolArray) -> Estimate:
        totals = np.bincount(who[asked], minlength=len(names)).astype(np.float64)
        draws = _draws(sums, totals, resamples, seed)
        low, high = percentile_bounds(draws, level)
        value = float(sums.sum() / totals.sum())
        return Estimate(
            value,
            float(low),
            float(high),
            int(totals.sum()),
            level=level,
            seed=seed,
            settings=settings,
        )

    return Identification(
        rank_1=rate(can),
        rank_1_of_all=rate(has_other),
        ranks=hits.mean(axis=0),
        probes=len(probes),
        people=len(inside),
        errors=int((has_other & ~can).sum()),
        alone=int((asked & ~has_other).sum()),
    )


def _draws(sums: FloatArray, totals: FloatArray, resamples: int, seed: int) -> FloatArray:
    """Return the share of hits in samples of as many people, drawn with replacement."""
    asked = np.flatnonzero(totals)
    rng = np.random.default_rng(seed)
    if resamples < 1:
        raise SettingsError(f"identification: expected one or more draws, got {resamples}.")
    drawn = asked[rng.integers(0, len(asked), (resamples, len(asked)))]
    return sums[drawn].sum(axis=1) / totals[drawn].sum(axis=1)


def first_pictures(people: Sequence[str], found: BoolArray) -> BoolArray:
    """Return (N,) which pictures are the first of their person with a face: a usual gallery."""
    first: dict[str, int] = {}
    for row, (name, seen) in enumerate(zip(people, found, strict=True)):
        if name and seen:
            first.setdefault(name, row)
    gallery = np.zeros(len(people), bool)
    gallery[list(first.values())] = True
    return gallery
