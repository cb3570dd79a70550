"""Two embedders on the same pairs: how far apart their figures are, and how sure that is."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import SettingsError
from geomface.metrics.estimate import Estimate
from geomface.metrics.pair_draws import draw_weights, percentile_bounds
from geomface.metrics.verification import ScoreCurve, checked_scores, pair_figures


@dataclasses.dataclass(frozen=True)
class PairedVerification:
    """Figures of one set of scores less those of another on the same pairs.

    Parameters
    ----------
    auc, equal_error : differences
    equal_error_ratio : equal error of the first over that of the second, 1 where both have none
    accepted : {rate: difference of the share of pairs of one person accepted}
    better : share of the draws in which the first has the lower equal error, equal ones count half
    """

    auc: Estimate
    equal_error: Estimate
    equal_error_ratio: Estimate
    accepted: dict[float, Estimate]
    better: float


def compare_verification(
    first: FloatArray,
    second: FloatArray,
    same: BoolArray,
    *,
    people: IndexArray | None = None,
    rates: Sequence[float] = (0.1, 0.01, 0.001),
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> PairedVerification:
    """Return what differs between two embedders' scores of the same pairs.

    Every draw of people is measured by both, so that what makes people easy or hard for either
    cancels: the interval of the difference is narrower than the two intervals suggest.

    Parameters
    ----------
    first, second : (P,) scores as in `verify_pairs`
    same, people, rates, resamples, level, seed : as in `verify_pairs`

    Raises
    ------
    SettingsError : as `verify_pairs`, or no draw
    """
    if resamples < 1:
        raise SettingsError(f"comparison: expected one or more draws, got {resamples}.")
    (one, same), (other, _) = (checked_scores(scores, same) for scores in (first, second))
    curves = ScoreCurve(one, same), ScoreCurve(other, same)
    whole = np.array([pair_figures(curve, curve.same, curve.other, rates) for curve in curves])
    drawn = np.array(
        [
            [pair_figures(curve, *curve.counts(weights), rates) for curve in curves]
            for weights in draw_weights(same, people, resamples, seed)
        ]
    )
    settings: dict[str, int] = {"resamples": resamples}
    if people is not None:
        settings["people"] = len(np.unique(people))

    def estimate(value: float, draws: FloatArray) -> Estimate:
        low, high = map(float, percentile_bounds(draws, level))
        figure = float(value)
        return Estimate(figure, low, high, len(same), level=level, seed=seed, settings=settings)

    told = [0, 1, *range(3, 3 + len(rates))]  # not d', which may be infinite
    gaps = (whole[0] - whole[1])[told]
    draws = drawn[:, 0][:, told] - drawn[:, 1][:, told]
    errors, floor = np.vstack([whole[None], drawn])[:, :, 1].T, 1e-12
    ratios = (errors[0] + floor) / (errors[1] + floor)
    ratio = estimate(ratios[0], ratios[1:])
    auc, equal_error, *accepted = (estimate(*pair) for pair in zip(gaps, draws.T, strict=True))
    better = float(np.mean(draws[:, 1] < 0) + 0.5 * np.mean(draws[:, 1] == 0))
    return PairedVerification(
        auc, equal_error, ratio, dict(zip(rates, accepted, strict=True)), better
    )
