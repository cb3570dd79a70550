"""The curve of true accepts over false accepts, with a band over people."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import SettingsError
from geomface.metrics.pair_draws import draw_weights, percentile_bounds
from geomface.metrics.verification import ScoreCurve, checked_scores


@dataclasses.dataclass(frozen=True, eq=False)
class RocCurve:
    """True accepts at false accept rates.

    Parameters
    ----------
    rates : (R,) false accept rates, ascending
    accepted : (R,) share of the pairs of one person that is accepted when at most this rate of the
        pairs of two is
    low, high : (R,) interval of it at each rate, NaN without draws
    equal_error : where both errors are the same
    """

    rates: FloatArray
    accepted: FloatArray
    low: FloatArray
    high: FloatArray
    equal_error: float


def roc_curve(
    scores: FloatArray,
    same: BoolArray,
    *,
    people: IndexArray | None = None,
    rates: FloatArray | None = None,
    resamples: int = 300,
    level: float = 0.95,
    seed: int = 0,
) -> RocCurve:
    """Return the curve of scored pairs.

    Parameters
    ----------
    scores, same, people, resamples, level, seed : as in `verify_pairs`
    rates : false accept rates, default 120 from that of one pair to 1, evenly in their logarithms

    Raises
    ------
    SettingsError : as `verify_pairs`; rates out of (0, 1]
    """
    scores, same = checked_scores(scores, same)
    if rates is None:
        rates = np.geomspace(1.0 / max(int((~same).sum()), 2), 1.0, 120)
    rates = np.sort(np.asarray(rates, np.float64))
    if not len(rates) or not (0 < rates[0] and rates[-1] <= 1):
        raise SettingsError("ROC curve: expected false accept rates in (0, 1].")
    curve = ScoreCurve(scores, same)
    drawn = [
        _accepted(*curve.counts(weights), rates)
        for weights in draw_weights(same, people, resamples, seed)
    ]
    low = high = np.full(len(rates), np.nan)
    if drawn:
        low, high = percentile_bounds(np.array(drawn), level)
    return RocCurve(
        rates,
        _accepted(curve.same, curve.other, rates),
        low,
        high,
        curve.equal_error(curve.same, curve.other),
    )


def _accepted(same: np.ndarray, other: np.ndarray, rates: FloatArray) -> FloatArray:
    """Return the share of `same` above the lowest level with at most each rate of `other` above."""
    # From the highest level down: shares at this level or above, and nobody at first.
    right, wrong = (np.append(0.0, np.cumsum(kind[::-1]) / kind.sum()) for kind in (same, other))
    return right[np.searchsorted(wrong, rates + 1e-9, "right") - 1]
