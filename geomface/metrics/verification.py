"""How well scores tell pairs of one person from pairs of two."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.metrics.estimate import Estimate, mean_estimate


@dataclasses.dataclass(frozen=True)
class PairVerification:
    """Statistics of scored pairs.

    Parameters
    ----------
    auc : probability that a pair of one person scores higher than a pair of two
    equal_error : where as many pairs of one person are refused as pairs of two are accepted
    d_prime : (m_1 - m_2) / sqrt((s_1^2 + s_2^2) / 2), means and deviations of both kinds
    accepted : {rate: share of the pairs of one person that is accepted when at most this rate of
        the pairs of two is}
    """

    auc: Estimate
    equal_error: Estimate
    d_prime: Estimate
    accepted: dict[float, Estimate]


@dataclasses.dataclass(frozen=True, eq=False)
class FoldAccuracy:
    """Accuracy of verification by cross-validation of its threshold.

    Parameters
    ----------
    accuracy : mean over the folds, with the t interval over them
    accuracies : (folds,) of each test fold
    thresholds : (folds,) chosen on the others
    """

    accuracy: Estimate
    accuracies: FloatArray
    thresholds: FloatArray


def verify_pairs(
    scores: FloatArray,
    same: BoolArray,
    *,
    rates: Sequence[float] = (0.1, 0.01, 0.001),
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> PairVerification:
    """Return AUC, equal error rate, d' and true accepts at given false accept rates.

    Parameters
    ----------
    scores : (P,) the higher, the more alike: cosines, or distances with a minus
    same : (P,) whether both show one person
    rates : false accept rates
    resamples : bootstrap draws of the pairs, of each kind for itself; 0: no intervals
    level : of the percentile intervals
    seed : of the draws

    Raises
    ------
    SettingsError : no pair of either kind, NaN, a rate out of (0, 1)

    Convention
    ----------
    The intervals take pairs as independent, as those of LFW nearly are. Where each picture stands
    in many pairs, they are too narrow.
    """
    scores, same = _checked(scores, same)
    if not all(0 < rate < 1 for rate in rates) or not 0 < level < 1:
        raise SettingsError(
            f"verification: expected rates and a level in (0, 1), got {tuple(rates)} and {level}."
        )
    curve = ScoreCurve(scores, same)
    whole = _figures(curve, curve.same, curve.other, rates)
    rng = np.random.default_rng(seed)

    def redraw(counts: np.ndarray) -> np.ndarray:
        return rng.multinomial(counts.sum(), counts / counts.sum())

    drawn = [
        _figures(curve, redraw(curve.same), redraw(curve.other), rates) for _ in range(resamples)
    ]
    bounds = np.full((2, len(whole)), np.nan)
    if resamples:
        bounds = np.quantile(drawn, [0.5 * (1 - level), 0.5 * (1 + level)], axis=0)
    settings = {
        "same_pairs": int(same.sum()),
        "other_pairs": int((~same).sum()),
        "resamples": resamples,
    }
    auc, equal_error, d_prime, *accepted = (
        Estimate(
            value,
            float(low),
            float(high),
            len(same),
            level=level,
            seed=seed,
            settings=settings,
        )
        for value, low, high in zip(whole, *bounds, strict=True)
    )
    return PairVerification(auc, equal_error, d_prime, dict(zip(rates, accepted, strict=True)))


class ScoreCurve:
    """How many pairs of either kind have each score, and what follows from such counts.

    Parameters
    ----------
    scores : (P,)
    same : (P,) bool
    """

    def __init__(self, scores: FloatArray, same: BoolArray) -> None:
        self.levels, place = np.unique(scores, return_inverse=True)
        size = len(self.levels)
        self.same, self.other = (np.bincount(place[kind], minlength=size) for kind in (same, ~same))

    def auc(self, same: np.ndarray, other: np.ndarray) -> float:
        """Return the area under the curve of counts by level; equal scores count half."""
        below = np.cumsum(other) - 0.5 * other
        return float(same @ below) / (float(same.sum()) * float(other.sum()))

    def equal_error(self, same: np.ndarray, other: np.ndarray) -> float:
        """Return the mean of both errors at the level where they are nearest to each other."""
        refused = (np.cumsum(same) - same) / same.sum()
        taken = 1.0 - (np.cumsum(other) - other) / other.sum()
        best = int(np.argmin(np.abs(refused - taken)))
        return 0.5 * float(refused[best] + taken[best])

    def accepted(self, same: np.ndarray, other: np.ndarray, rate: float) -> float:
        """Return the share of `same` above the lowest level with at most `rate` of `other` above"""
        above = other.sum() - np.cumsum(other)
        first = int(np.argmax(above <= rate * other.sum()))
        return float(same[first + 1 :].sum() / same.sum())

    def d_prime(self, same: np.ndarray, other: np.ndarray) -> float:
        """Return the distance of the means in mean deviations, infinity without deviation."""
        means = [float(kind @ self.levels) / float(kind.sum()) for kind in (same, other)]
        variances = [
            float(kind @ (self.levels - mean) ** 2) / float(kind.sum())
            for kind, mean in zip((same, other), means, strict=True)
        ]
        gap, spread = means[0] - means[1], float(np.sqrt(0.5 * sum(variances)))
        return gap / spread if spread > 0 else float(np.sign(gap) * np.inf if gap else 0.0)


def _figures(
    curve: ScoreCurve, same: np.ndarray, other: np.ndarray, rates: Sequence[float]
) -> list[float]:
    figures = [curve.auc(same, other), curve.equal_error(same, other), curve.d_prime(same, other)]
    return figures + [curve.accepted(same, other, rate) for rate in rates]


def fold_accuracy(
    scores: FloatArray,
    same: BoolArray,
    *,
    folds: int = 10,
    thresholds: FloatArray | None = None,
    level: float = 0.95,
) -> FoldAccuracy:
    """Return the accuracy of "alike if the score is above t", t chosen on the other folds.

    Parameters
    ----------
    scores : (P,) in the order of the protocol's list: folds are contiguous
    same : (P,) whether both show one person
    folds : of as equal sizes as can be
    thresholds : candidates t; default midway between neighbouring scores of the other folds, which
        is exact. Of equally good ones the highest is taken. SynFace: -1, -0.995, ... 1
    level : of the t interval over folds

    Raises
    ------
    SettingsError : fewer pairs than folds, fewer than two folds, no pair of either kind, NaN

    Source
    ------
    Huang et al. 2007 (LFW, view 2: 6,000 pairs in ten folds); Qiu et al. 2021 for the thresholds.
    """
    scores, same = _checked(scores, same)
    if not 2 <= folds <= len(scores):
        raise SettingsError(
            f"folds: expected 2 to as many as there are pairs ({len(scores)}), got {folds}."
        )
    members = np.array_split(np.arange(len(scores)), folds)
    chosen, accuracies = np.empty(folds), np.empty(folds)
    for fold, test in enumerate(members):
        rest = np.ones(len(scores), bool)
        rest[test] = False
        levels = np.unique(scores[rest])
        between = np.concatenate([[-np.inf], 0.5 * (levels[1:] + levels[:-1]), levels[-1:]])
        candidates = between if thresholds is None else np.sort(np.asarray(thresholds, np.float64))
        right = _right_answers(scores[rest], same[rest], candidates)
        chosen[fold] = candidates[len(right) - 1 - int(np.argmax(right[::-1]))]
        accuracies[fold] = _right_answers(scores[test], same[test], chosen[fold]) / len(test)
    settings = {"folds": folds, "pairs": len(scores)}
    return FoldAccuracy(
        mean_estimate(accuracies, level=level, settings=settings), accuracies, chosen
    )


def _right_answers(
    scores: FloatArray, same: BoolArray, thresholds: FloatArray | np.floating
) -> np.ndarray:
    """Return how many answers are right at each threshold."""
    alike, others = np.sort(scores[same]), np.sort(scores[~same])
    below = [np.searchsorted(kind, thresholds, "right") for kind in (alike, others)]
    return len(alike) - below[0] + below[1]


def _checked(scores: FloatArray, same: BoolArray) -> tuple[FloatArray, BoolArray]:
    scores, same = np.asarray(scores, np.float64), np.asarray(same, bool)
    require_shape(scores, (None,), "scores", SettingsError)
    require_shape(same, scores.shape, "same", SettingsError)
    require_finite(scores, "scores", SettingsError)
    if not same.any() or same.all():
        raise SettingsError(
            f"verification: expected pairs of one person and pairs of two, got {int(same.sum())} "
            f"and {int((~same).sum())}."
        )
    return scores, same
