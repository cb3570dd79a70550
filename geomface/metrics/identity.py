"""Sets of identity descriptors: how far apart they lie, and how well they tell people apart."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_finite
from geomface.errors import SettingsError
from geomface.metrics.factors import unit_rows
from geomface.metrics.verification import ScoreCurve
from geomface.metrics.wasserstein import SCALE

_CHUNK = 64


def identity_distance(
    first: FloatArray, second: FloatArray, *, directions: int = 512, seed: int = 0
) -> float:
    """Return the sliced Wasserstein distance between two sets of descriptors, times 1000.

    SWD = 1000 mean over u of int_0^1 |F_u^-1(q) - G_u^-1(q)| dq

    u uniform on the unit sphere, F_u and G_u the distributions of the projections x . u of either
    set; for sets of one size the integral is the mean of |sort(A u) - sort(B u)|.

    Parameters
    ----------
    first, second : (N, D) and (M, D)
    directions : how many u
    seed : of the directions

    Returns
    -------
    >= 0; 0 for a set and itself in any order

    Raises
    ------
    SettingsError : empty sets, descriptors of different lengths, NaN, no directions

    Convention
    ----------
    Compare distances between sets of equal sizes only: they fall as sets grow.

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Table 3; 4 x 128 directions as Karras et al. 2018.
    """
    left, right = _checked(first, "first set"), _checked(second, "second set")
    if left.shape[1] != right.shape[1]:
        raise SettingsError(
            f"identity distance: expected descriptors of one length, got {left.shape[1]} and "
            f"{right.shape[1]}. Describe both sets with one embedder."
        )
    if directions < 1:
        raise SettingsError(f"identity distance: expected 1 or more directions, got {directions}.")
    axes = np.random.default_rng(seed).standard_normal((directions, left.shape[1]))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    # Between two neighbouring levels of either set, both inverse distributions are constant.
    a, b = len(left), len(right)
    levels = np.union1d(np.arange(a + 1) * b, np.arange(b + 1) * a)
    share = np.diff(levels) / (a * b)
    i, j = levels[:-1] // b, levels[:-1] // a
    total = 0.0
    for start in range(0, directions, _CHUNK):
        part = axes[start : start + _CHUNK].T
        gap = np.sort(left @ part, axis=0)[i] - np.sort(right @ part, axis=0)[j]
        total += float((share @ np.abs(gap)).sum())
    return SCALE * total / directions


@dataclasses.dataclass(frozen=True)
class VerificationResult:
    """How well descriptors tell whether two pictures show one person.

    Parameters
    ----------
    auc : probability that a pair of one person is more alike than a pair of two
    equal_error : where as many pairs of one person are refused as pairs of two are accepted
    d_prime : distance of the mean cosines of both kinds of pairs, in their mean deviation
    accepted : share of pairs of one person accepted when `far` of the pairs of two are
    far : that share
    rank_1 : share of pictures whose nearest other picture shows the same person
    same_mean, same_deviation, other_mean, other_deviation : of the pairs' cosines
    same_pairs, other_pairs : how many there are
    """

    auc: float
    equal_error: float
    d_prime: float
    accepted: float
    far: float
    rank_1: float
    same_mean: float
    same_deviation: float
    other_mean: float
    other_deviation: float
    same_pairs: int
    other_pairs: int


def verify_identities(
    descriptors: FloatArray, identities: IndexArray, *, far: float = 0.01
) -> VerificationResult:
    """Compare all pairs of labelled descriptors by their cosine.

    Parameters
    ----------
    descriptors : (N, D)
    identities : (N,) who each of them is
    far : false accept rate at which the share of true accepts is read

    Raises
    ------
    SettingsError : no pair of one person or none of two, NaN, a rate out of (0, 1)

    Source
    ------
    The verification protocol of Huang et al. 2007 (LFW) with all pairs, without folds: nothing is
    fitted here.
    """
    rows = _checked(descriptors, "descriptors")
    who = np.asarray(identities)
    if who.shape != (len(rows),) or not 0 < far < 1:
        raise SettingsError(
            f"verification: expected an identity for each of {len(rows)} descriptors and a rate in "
            f"(0, 1), got shape {who.shape} and {far}."
        )
    cosines = (unit := unit_rows(rows)) @ unit.T
    alike = who[:, None] == who[None]
    upper = np.triu_indices(len(rows), 1)
    pairs, match = cosines[upper], alike[upper]
    if not match.any() or match.all():
        raise SettingsError(
            f"verification: expected pairs of one person and pairs of two, got {match.sum()} and "
            f"{(~match).sum()}."
        )
    curve, same, other = ScoreCurve(pairs, match), pairs[match], pairs[~match]
    np.fill_diagonal(cosines, -np.inf)
    nearest = cosines.argmax(axis=1)
    return VerificationResult(
        auc=curve.auc(curve.same, curve.other),
        equal_error=curve.equal_error(curve.same, curve.other),
        d_prime=curve.d_prime(curve.same, curve.other),
        accepted=curve.accepted(curve.same, curve.other, far),
        far=far,
        rank_1=float(np.mean(who[nearest] == who)),
        same_mean=float(same.mean()),
        same_deviation=float(same.std()),
        other_mean=float(other.mean()),
        other_deviation=float(other.std()),
        same_pairs=len(same),
        other_pairs=len(other),
    )


def _checked(descriptors: FloatArray, label: str) -> FloatArray:
    rows = np.asarray(descriptors, np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise SettingsError(
            f"{label}: expected descriptors (N, D), at least one, got shape {rows.shape}."
        )
    require_finite(rows, label, SettingsError)
    return rows
