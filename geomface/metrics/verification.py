"""How well scores tell pairs of one person from pairs of two."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_shape
from geomface.errors import SettingsError
from geomface.metrics.estimate import Estimate
from geomface.metrics.pair_draws import draw_weights, percentile_bounds


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


def verify_pairs(
    scores: FloatArray,
    same: BoolArray,
    *,
    people: IndexArray | None = None,
    rates: Sequence[float] = (0.1, 0.01, 0.001),
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> PairVerification:
    """Return AUC, equal error rate, d' and true accepts at given false accept rates.

    Parameters
    ----------
    scores : (P,) the higher, the more alike: cosines, or distances with a minus; -inf for a pair
        that is refused whatever the threshold (d' leaves it out)
    same : (P,) whether both show one person
    people : (P, 2) who is in either picture: then people are drawn for the intervals
    rates : false accept rates
    resamples : bootstrap draws; 0: no intervals
    level : of the percentile intervals
    seed : of the draws

    Raises
    ------
    SettingsError : no pair of either kind, NaN, a rate out of (0, 1), people that contradict `same`

    Convention
    ----------
    Without `people` pairs are drawn, of each kind for itself, as if they were independent, as those
    of LFW nearly are. Where each picture stands in many pairs, such intervals are too narrow.
    """
    scores, same = checked_scores(scores, same)
    if not all(0 < rate < 1 for rate in rates) or not 0 < level < 1:
        raise SettingsError(
            f"verification: expected rates and a level in (0, 1), got {tuple(rates)} and {level}."
        )
    curve = ScoreCurve(scores, same)
    whole = pair_figures(curve, curve.same, curve.other, rates)
    weights = draw_weights(same, people, resamples, seed)
    drawn = [pair_figures(curve, *curve.counts(weight), rates) for weight in weights]
    bounds = np.full((2, len(whole)), np.nan)
    if resamples:
        bounds = np.stack(percentile_bounds(np.array(drawn), level))
    settings: dict[str, int] = {
        "same_pairs": int(same.sum()),
        "other_pairs": int((~same).sum()),
        "resamples": resamples,
    }
    if people is not None:
        settings["people"] = len(np.unique(people))
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
        self.kinds = np.flatnonzero(same), np.flatnonzero(~np.asarray(same))
        self._places = tuple(place[kind] for kind in self.kinds)
        self.same, self.other = self.counts()

    def counts(self, weights: FloatArray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return how many pairs of one person and of two have each level, each as its weight."""
        same, other = (
            np.bincount(place, None if weights is None else weights[kind], len(self.levels))
            for kind, place in zip(self.kinds, self._places, strict=True)
        )
        return same, other

    def auc(self, same: np.ndarray, other: np.ndarray) -> float:
        """Return the area under the curve of counts by level; equal scores count half."""
        below = np.cumsum(other) - 0.5 * other
        return float(same @ below) / (float(same.sum()) * float(other.sum()))

    def taken(self, same: np.ndarray, other: np.ndarray) -> tuple[FloatArray, FloatArray]:
        """Return the shares of both kinds that are accepted by "at this level or above"."""
        one, two = (1.0 - (np.cumsum(kind) - kind) / kind.sum() for kind in (same, other))
        return one, two

    def equal_error(self, same: np.ndarray, other: np.ndarray) -> float:
        """Return the mean of both errors at the level where they are nearest to each other."""
        right, wrong = self.taken(same, other)
        best = int(np.argmin(np.abs(1.0 - right - wrong)))
        return 0.5 * float(1.0 - right[best] + wrong[best])

    def accepted(self, same: np.ndarray, other: np.ndarray, rate: float) -> float:
        """Return the share of `same` above the lowest level with at most `rate` of `other` above"""
        first = self._lowest(other, rate)
        return float(same[first + 1 :].sum() / same.sum())

    def equal_error_threshold(self) -> float:
        """Return t, midway between two scores, for "alike if above t" with equal errors."""
        right, wrong = self.taken(self.same, self.other)
        return self._midway(int(np.argmin(np.abs(1.0 - right - wrong))))

    def accepted_threshold(self, rate: float) -> float:
        """Return t, midway between two scores, above which at most `rate` of pairs of two lie."""
        return self._midway(self._lowest(self.other, rate) + 1)

    def _lowest(self, other: np.ndarray, rate: float) -> int:
        """Return the lowest level above which at most `rate` of `other` lies."""
        above = other.sum() - np.cumsum(other)
        # Sums of weights are not exact.
        return int(np.argmax(above <= rate * other.sum() + 1e-9 * other.sum()))

    def _midway(self, place: int) -> float:
        """Return the middle of a level and the one below, the outermost at the ends."""
        low, high = self.levels[max(place - 1, 0)], self.levels[min(place, len(self.levels) - 1)]
        return float(high if np.isinf(low) else 0.5 * (low + high))

    def d_prime(self, same: np.ndarray, other: np.ndarray) -> float:
        """Return the distance of the means in mean deviations, infinity without deviation."""
        known = np.isfinite(self.levels)
        levels, kinds = self.levels[known], (same[known], other[known])
        if not all(kind.any() for kind in kinds):
            return 0.0
        means = [float(kind @ levels) / float(kind.sum()) for kind in kinds]
        variances = [
            float(kind @ (levels - mean) ** 2) / float(kind.sum())
            for kind, mean in zip(kinds, means, strict=True)
        ]
        gap, spread = means[0] - means[1], float(np.sqrt(0.5 * sum(variances)))
        return gap / spread if spread > 0 else float(np.sign(gap) * np.inf if gap else 0.0)


def pair_figures(
    curve: ScoreCurve, same: np.ndarray, other: np.ndarray, rates: Sequence[float]
) -> list[float]:
    """Return AUC, equal error rate, d' and the share accepted at each rate, of counts by level."""
    figures = [curve.auc(same, other), curve.equal_error(same, other), curve.d_prime(same, other)]
    return figures + [curve.accepted(same, other, rate) for rate in rates]


def checked_scores(scores: FloatArray, same: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Return scores and kinds of pairs as arrays.

    Raises
    ------
    SettingsError : shapes that do not fit, no pair of either kind, NaN, infinity
    """
    scores, same = np.asarray(scores, np.float64), np.asarray(same, bool)
    require_shape(scores, (None,), "scores", SettingsError)
    require_shape(same, scores.shape, "same", SettingsError)
    if (np.isnan(scores) | (scores == np.inf)).any():
        raise SettingsError("scores: expected numbers, or -inf where refused, got NaN or infinity.")
    if not same.any() or same.all():
        raise SettingsError(
            f"verification: expected pairs of one person and pairs of two, got {int(same.sum())} "
            f"and {int((~same).sum())}."
        )
    return scores, same
