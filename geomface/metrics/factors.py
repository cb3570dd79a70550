"""Whether a code keeps what it stands for while all other codes change."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.metrics.estimate import Estimate, reach_of, share_interval


@dataclasses.dataclass(frozen=True)
class SameThreshold:
    """From which distance on two embeddings no longer show the same.

    Parameters
    ----------
    value : pairs nearer than this are called the same
    accuracy : mean of the shares of right answers among pairs that are the same and that are not
    false_acceptance : share of pairs that are not the same but nearer than `value`
    most_false : what false_acceptance was not to exceed
    same_pairs, other_pairs : how many pairs it was chosen on
    """

    value: float
    accuracy: float
    false_acceptance: float
    most_false: float
    same_pairs: int
    other_pairs: int


def pair_distances(embeddings: FloatArray, rows: IndexArray) -> FloatArray:
    """Return the Euclidean distances (P,) of pairs (P, 2) of embeddings (N, D)."""
    embeddings = require_shape(embeddings, (None, None), "embeddings", SettingsError)
    return np.linalg.norm(embeddings[rows[:, 0]] - embeddings[rows[:, 1]], axis=1)


def unit_rows(embeddings: FloatArray) -> FloatArray:
    """Return embeddings (..., D) of length 1, zeros where there is none.

    Between them Euclidean distances order pairs as cosines do: |a - b|^2 = 2 - 2 cos.
    """
    embeddings = np.asarray(embeddings, np.float64)
    lengths = np.linalg.norm(embeddings, axis=-1, keepdims=True)
    return embeddings / np.where(lengths > 0, lengths, 1.0)


def choose_threshold(
    distances: FloatArray, same: BoolArray, *, most_false: float = 0.1, loosest: bool = False
) -> SameThreshold:
    """Choose the distance that tells pairs of one label from pairs of two.

    The most accurate of all with a false acceptance of at most `most_false`, or the largest of
    them, midway between two observed distances.

    Parameters
    ----------
    distances : (P,) of held-out pairs
    same : (P,) whether they bear one label
    most_false : largest share of pairs of two labels that may be called the same
    loosest : take the largest, so that this share is reached, instead of the most accurate

    Raises
    ------
    SettingsError : no pair of either kind, NaN, a share outside (0, 1)

    Source
    ------
    Abrevaya et al. 2019, supplementary material; accuracies there are 98.66 % for identity and
    84.2 % for expression, at 1.21 % and 8.03 % false acceptances.
    """
    distances, same = np.asarray(distances, np.float64), np.asarray(same, bool)
    require_shape(distances, (None,), "distances", SettingsError)
    require_shape(same, distances.shape, "same", SettingsError)
    require_finite(distances, "distances", SettingsError)
    if not 0 < most_false < 1 or not same.any() or same.all():
        raise SettingsError(
            f"threshold: expected pairs of one label and of two and a share in (0, 1), got "
            f"{int(same.sum())}, {int((~same).sum())} and {most_false}."
        )
    levels, place = np.unique(distances, return_inverse=True)
    accepted = [
        np.append(0, np.cumsum(np.bincount(place[kind], minlength=len(levels)))) / kind.sum()
        for kind in (same, ~same)
    ]
    accuracy = 0.5 * (accepted[0] + 1.0 - accepted[1])
    allowed = np.flatnonzero(accepted[1] <= most_false)
    best = int(allowed[-1] if loosest else allowed[np.argmax(accuracy[allowed])])
    edges = np.concatenate([levels[:1], 0.5 * (levels[1:] + levels[:-1]), [np.inf]])
    return SameThreshold(
        value=float(edges[best]),
        accuracy=float(accuracy[best]),
        false_acceptance=float(accepted[1][best]),
        most_false=most_false,
        same_pairs=int(same.sum()),
        other_pairs=int((~same).sum()),
    )


def decoupling(
    anchors: FloatArray,
    redraws: FloatArray,
    threshold: SameThreshold,
    *,
    level: float = 0.95,
) -> Estimate:
    """Measure how often samples that share one code are taken for the same.

    share of all (i, j) with |f(anchor_i) - f(redraw_ij)| < threshold

    Parameters
    ----------
    anchors : (n, D) embeddings f of samples with n different codes
    redraws : (n, m, D) of samples with the same codes, everything else drawn anew
    threshold : from `choose_threshold`, with held-out real samples and the same f
    level : of the interval

    Returns
    -------
    Estimate of a share in [0, 1]; n counts the pairs

    Raises
    ------
    SettingsError : shapes that do not fit, no samples, NaN

    Convention
    ----------
    f is any embedding: a network, or coefficients that `OracleReadout` reads; give unit rows to
    compare by cosine. A generator that ignores all other codes has 1: read it beside `diversity`
    of samples that share the code. The m pairs of a code are no independent witnesses; the interval
    is that of as many independent trials as have the deviation seen between codes, of n trials
    where all agree.

    Source
    ------
    Abrevaya et al. 2019, section 5.3, with n = m = 100, after Donahue et al. 2018; effective
    numbers of trials: Korn and Graubard 1998.
    """
    redraws = require_shape(redraws, (None, None, None), "redraws", SettingsError)
    codes, draws, width = redraws.shape
    anchors = require_shape(anchors, (codes, width), "anchors", SettingsError)
    if 0 in redraws.shape:
        raise SettingsError(f"decoupling: expected samples, got shape {redraws.shape}.")
    require_finite(anchors, "anchors", SettingsError)
    require_finite(redraws, "redraws", SettingsError)
    near = np.linalg.norm(redraws - anchors[:, None], axis=2) < threshold.value
    shares = near.mean(axis=1)
    share = float(shares.mean())
    low, high = share_interval(share, _effective_trials(shares, draws, level), level)
    settings = {
        "codes": codes,
        "draws": draws,
        "threshold": threshold.value,
        "threshold_accuracy": threshold.accuracy,
        "false_acceptance": threshold.false_acceptance,
    }
    return Estimate(
        share, low, high, codes * draws, deviation=_spread(shares), level=level, settings=settings
    )


def _spread(shares: FloatArray) -> float:
    return float(shares.std(ddof=1)) if len(shares) > 1 else np.nan


def _effective_trials(shares: FloatArray, draws: int, level: float) -> float:
    """Return how many independent trials vary as the mean of these shares of `draws` trials."""
    codes, share = len(shares), float(shares.mean())
    binomial = share * (1.0 - share)
    if codes < 2 or binomial == 0.0:
        return float(codes)
    error = float(shares.var(ddof=1)) / codes
    # A deviation from few codes is itself uncertain, as t says beside the normal.
    wider = reach_of(1.0, codes - 1, level) / reach_of(1.0, np.inf, level)
    return min(binomial / max(error, 1e-300), codes * draws) / wider**2
