"""What a set of pictures of people is worth for training: spread, separability, leakage, scores.

All of descriptors by one embedder, compared by their cosine.
"""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.metrics.estimate import Estimate, mean_estimate
from geomface.metrics.factors import unit_rows
from geomface.metrics.verification import ScoreCurve, checked_scores

_ROWS = 1024


def identity_centres(
    descriptors: FloatArray, identities: IndexArray
) -> tuple[FloatArray, IndexArray]:
    """Return the centre of each identity: the mean of its unit descriptors, brought to length 1.

    Parameters
    ----------
    descriptors : (N, D)
    identities : (N,) who each of them is; -1 unknown, left out

    Returns
    -------
    (K, D) float64 centres; (K,) the identities, in the order of their first pictures

    Raises
    ------
    SettingsError : nobody known, shapes that do not fit, NaN
    """
    rows, who = _labelled(descriptors, identities)
    names, first, which = np.unique(who, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return _centres(rows, which)[order], names[order]


def intra_class_spread(descriptors: FloatArray, identities: IndexArray) -> Estimate:
    """Return how widely pictures of one person scatter: mean of 1 - cos to the person's centre.

    Parameters
    ----------
    descriptors : (N, D)
    identities : (N,), -1 unknown; people with one picture are left out

    Returns
    -------
    Mean over people of their means, with its t interval over people; n is how many they are

    Raises
    ------
    SettingsError : nobody with two pictures, shapes that do not fit, NaN

    Source
    ------
    The variation that identity mixup adds: Qiu et al. 2021, Fig. 3.
    """
    rows, who = _labelled(descriptors, identities)
    _, which, counts = np.unique(who, return_inverse=True, return_counts=True)
    cosines = (rows * _centres(rows, which)[which]).sum(axis=1)
    spread = 1.0 - np.bincount(which, cosines) / counts
    if not (counts > 1).any():
        raise SettingsError(
            f"intra-class spread: expected someone with two pictures or more, got {len(counts)} "
            "people with one each."
        )
    return mean_estimate(spread[counts > 1], settings={"pictures": int(counts[counts > 1].sum())})


@dataclasses.dataclass(frozen=True, eq=False)
class Separability:
    """How many identities of a set are people of their own.

    Parameters
    ----------
    separate : (K,) whether the identity's centre is far enough from every earlier one
    count, share : of those that are
    most_alike : the largest cosine allowed
    """

    separate: BoolArray
    count: int
    share: float
    most_alike: float


def separability(centres: FloatArray, *, most_alike: float = 0.4) -> Separability:
    """Return which identities have a centre of cosine <= `most_alike` to every earlier centre.

    Parameters
    ----------
    centres : (K, D), such as of `identity_centres`
    most_alike : cosine in [-1, 1)

    Raises
    ------
    SettingsError : no centre, a cosine out of range, NaN

    Source
    ------
    Wu et al. 2024 (Vec2Face), threshold 0.4. It depends on the embedder: state which.
    """
    rows = unit_rows(_checked(centres, "centres"))
    if not -1 <= most_alike < 1:
        raise SettingsError(f"separability: expected a cosine in [-1, 1), got {most_alike}.")
    nearest = np.full(len(rows), -np.inf)
    for start in range(0, len(rows), _ROWS):
        stop = min(start + _ROWS, len(rows))
        cosines = rows[start:stop] @ rows[:stop].T
        later = np.arange(stop) >= np.arange(start, stop)[:, None]
        nearest[start:stop] = np.where(later, -np.inf, cosines).max(axis=1)
    separate = nearest <= most_alike
    return Separability(separate, int(separate.sum()), float(separate.mean()), most_alike)


@dataclasses.dataclass(frozen=True, eq=False)
class Leakage:
    """How near generated people come to real ones.

    Parameters
    ----------
    cosines : (N,) of each generated descriptor to the nearest real one
    nearest : (N,) which real one that is
    largest : the largest cosine
    above : share of `cosines` above the threshold, NaN without one
    between_real : largest cosine of each real person's descriptor to anyone else's, the quantiles
        .5, .95 and 1: what is usual among people who are not the same; NaN where nobody was told
    """

    cosines: FloatArray
    nearest: IndexArray
    largest: float
    above: float
    between_real: tuple[float, float, float]


def leakage(
    generated: FloatArray,
    real: FloatArray,
    *,
    identities: IndexArray | None = None,
    threshold: float | None = None,
) -> Leakage:
    """Return the largest cosine of generated pictures, or centres, to real training pictures.

    Parameters
    ----------
    generated, real : (N, D), (M, D)
    identities : (M,) who the real ones are, for `between_real`
    threshold : from which on a pair is taken for one person, as verification measured it

    Raises
    ------
    SettingsError : empty sets, descriptors of different lengths, NaN

    Source
    ------
    Boutros et al. 2023 (IDiff-Face) compare generated with training identities; the comparison
    with what is usual between real people is ours.
    """
    left = unit_rows(_checked(generated, "generated"))
    right = unit_rows(_checked(real, "real"))
    if left.shape[1] != right.shape[1]:
        raise SettingsError(
            f"leakage: expected descriptors of one length, got {left.shape[1]} and "
            f"{right.shape[1]}. Describe both sets with one embedder."
        )
    cosines, nearest = np.empty(len(left)), np.empty(len(left), np.int64)
    for start in range(0, len(left), _ROWS):
        part = left[start : start + _ROWS] @ right.T
        nearest[start : start + _ROWS] = part.argmax(axis=1)
        cosines[start : start + _ROWS] = part.max(axis=1)
    usual = (np.nan, np.nan, np.nan)
    if identities is not None:
        usual = _between(right, require_shape(identities, (len(right),), "identities"))
    above = np.nan if threshold is None else float(np.mean(cosines > threshold))
    return Leakage(cosines, nearest, float(cosines.max()), above, usual)


def _between(rows: FloatArray, who: IndexArray) -> tuple[float, float, float]:
    """Return quantiles of the largest cosine of each row to a row of someone else."""
    if len(np.unique(who)) < 2:
        return np.nan, np.nan, np.nan
    most = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS):
        mine = who[start : start + _ROWS, None] == who
        cosines = rows[start : start + _ROWS] @ rows.T
        most[start : start + _ROWS] = np.where(mine, -np.inf, cosines).max(axis=1)
    middle, high, largest = map(float, np.quantile(most, [0.5, 0.95, 1.0]))
    return middle, high, largest


@dataclasses.dataclass(frozen=True, eq=False)
class ScoreStatistics:
    """How the scores of pairs of one person and of two are distributed.

    Parameters
    ----------
    edges : (B + 1,) of the bins of both histograms
    genuine, impostor : (B,) densities of pairs of one person and of two
    genuine_mean, genuine_deviation, impostor_mean, impostor_deviation : of the scores
    overlap : integral of the smaller density: 0 apart, 1 the same
    equal_error : of telling them by a threshold
    """

    edges: FloatArray
    genuine: FloatArray
    impostor: FloatArray
    genuine_mean: float
    genuine_deviation: float
    impostor_mean: float
    impostor_deviation: float
    overlap: float
    equal_error: float


def score_statistics(scores: FloatArray, same: BoolArray, *, bins: int = 60) -> ScoreStatistics:
    """Return histograms and moments of the scores of both kinds of pairs; refused ones are left out

    Parameters
    ----------
    scores : (P,); -inf for refused pairs
    same : (P,) whether both show one person
    bins : of the histograms, from the lowest score to the highest

    Raises
    ------
    SettingsError : no pair of either kind, NaN, no bin
    """
    scores, same = np.asarray(scores, np.float64), np.asarray(same, bool)
    require_shape(same, scores.shape, "same", SettingsError)
    known = scores > -np.inf
    scores, same = checked_scores(scores[known], same[known])
    if bins < 1:
        raise SettingsError(f"histograms: expected one or more bins, got {bins}.")
    low, high = float(scores.min()), float(scores.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # as good as constant: around it
        low, high = low - 0.5, high + 0.5
    edges = np.histogram_bin_edges(scores, bins, (low, high))
    genuine, impostor = (
        np.histogram(scores[kind], edges, density=True)[0] for kind in (same, ~same)
    )
    curve = ScoreCurve(scores, same)
    return ScoreStatistics(
        edges=edges,
        genuine=genuine,
        impostor=impostor,
        genuine_mean=float(scores[same].mean()),
        genuine_deviation=float(scores[same].std()),
        impostor_mean=float(scores[~same].mean()),
        impostor_deviation=float(scores[~same].std()),
        overlap=float(np.minimum(genuine, impostor) @ np.diff(edges)),
        equal_error=curve.equal_error(curve.same, curve.other),
    )


def _centres(rows: FloatArray, which: IndexArray) -> FloatArray:
    """Return the mean of the rows of each number, of length 1."""
    sums = np.zeros((int(which.max()) + 1, rows.shape[1]))
    np.add.at(sums, which, rows)
    return unit_rows(sums)


def _labelled(descriptors: FloatArray, identities: IndexArray) -> tuple[FloatArray, IndexArray]:
    """Return the unit descriptors of known people, and who they are."""
    rows = unit_rows(_checked(descriptors, "descriptors"))
    who = require_shape(np.asarray(identities), (len(rows),), "identities", SettingsError)
    if not (known := who >= 0).any():
        raise SettingsError("identities: expected someone who is known, all are -1.")
    return rows[known], who[known]


def _checked(descriptors: FloatArray, label: str) -> FloatArray:
    rows = np.asarray(descriptors, np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise SettingsError(f"{label}: expected (N, D), at least one, got shape {rows.shape}.")
    require_finite(rows, label, SettingsError)
    return rows
