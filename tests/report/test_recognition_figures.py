"""Figures of recognition: what is drawn is what was measured."""

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.metrics.identity_sets import score_statistics
from geomface.metrics.roc import roc_curve
from geomface.metrics.verification import verify_pairs
from geomface.report.recognition_figures import ranks_figure, roc_figure, score_figure


def pairs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    who = np.repeat(np.arange(8), 4)
    people = who[np.stack(np.triu_indices(32, 1), axis=1)]
    same = people[:, 0] == people[:, 1]
    return 1.5 * same + rng.standard_normal(len(same)), same, people


def test_the_curve_goes_through_the_true_accepts(rng: np.random.Generator) -> None:
    scores, same, people = pairs(rng)
    curve = roc_curve(scores, same, people=people, rates=np.array([0.01, 0.1, 1.0]), resamples=200)
    found = verify_pairs(scores, same, people=people, rates=(0.1, 0.01), resamples=200)
    for place, rate in enumerate((0.01, 0.1)):
        share = found.accepted[rate]
        assert curve.accepted[place] == pytest.approx(share.value)
        assert (curve.low[place], curve.high[place]) == pytest.approx((share.low, share.high))
    assert curve.accepted[2] == 1.0 and curve.equal_error == found.equal_error.value
    for rates in ([0.0], [1.1], []):
        with pytest.raises(SettingsError, match="false accept rates"):
            roc_curve(scores, same, rates=np.array(rates))


def test_figures_show_curves_bands_and_thresholds(rng: np.random.Generator) -> None:
    scores, same, people = pairs(rng)
    curves = {
        "with a band": roc_curve(scores, same, people=people, resamples=20),
        "without": roc_curve(scores, same, resamples=0),
    }
    (axis,) = roc_figure(curves).axes
    assert len(axis.collections) == 1 and len(axis.lines) == 5
    np.testing.assert_allclose(axis.lines[0].get_ydata(), curves["with a band"].accepted)
    (axis,) = score_figure(score_statistics(scores, same), thresholds={"t": 0.5}).axes
    assert axis.lines[0].get_xdata()[0] == 0.5 and len(axis.patches) == 2
    (axis,) = ranks_figure({"e": np.array([0.5, 1.0])}).axes
    np.testing.assert_array_equal(axis.lines[0].get_xdata(), [1, 2])
    with pytest.raises(SettingsError, match="got 0"):
        roc_figure({})
