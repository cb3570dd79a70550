"""Accuracy of verification whose threshold is chosen on other pairs than it is measured on."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_shape
from geomface.errors import SettingsError
from geomface.metrics.estimate import Estimate, mean_estimate
from geomface.metrics.verification import checked_scores


@dataclasses.dataclass(frozen=True, eq=False)
class FoldAccuracy:
    """Accuracy of verification by cross-validation of its threshold.

    Parameters
    ----------
    accuracy : mean over the folds, with the t interval over them, cut to [0, 1]
    accuracies : (folds,) of each test fold
    thresholds : (folds,) chosen on the others
    """

    accuracy: Estimate
    accuracies: FloatArray
    thresholds: FloatArray


def fold_accuracy(
    scores: FloatArray,
    same: BoolArray,
    *,
    folds: int | IndexArray = 10,
    balanced: bool = False,
    thresholds: FloatArray | None = None,
    level: float = 0.95,
) -> FoldAccuracy:
    """Return the accuracy of "alike if the score is above t", t chosen on the other folds.

    Parameters
    ----------
    scores : (P,) in the order of the protocol's list; -inf for a pair that is always refused
    same : (P,) whether both show one person
    folds : how many, contiguous and of as equal sizes as can be; or (P,) the fold of each pair,
        0, 1, ..., and -1 for pairs that are in none
    balanced : count right answers as the mean of their shares of both kinds, which is the accuracy
        where a fold has as many of either kind, as LFW's have
    thresholds : candidates t; default midway between neighbouring scores of the other folds, which
        is exact. Of equally good ones the highest is taken. SynFace: -1, -0.995, ... 1
    level : of the t interval over folds

    Raises
    ------
    SettingsError : fewer pairs than folds, fewer than two folds, no pair of either kind (balanced:
        in a fold), NaN

    Source
    ------
    Huang et al. 2007 (LFW, view 2: 6,000 pairs in ten folds); Qiu et al. 2021 for the thresholds.
    """
    scores, same = checked_scores(scores, same)
    members = _members(folds, len(scores))
    if balanced:
        _require_both_kinds(members, same)
    chosen, accuracies = np.empty(len(members)), np.empty(len(members))
    for fold, test in enumerate(members):
        rest = np.concatenate(members[:fold] + members[fold + 1 :])
        levels = np.unique(scores[rest])
        levels = levels[np.isfinite(levels)]
        between = np.concatenate([[-np.inf], 0.5 * (levels[1:] + levels[:-1]), levels[-1:]])
        candidates = between if thresholds is None else np.sort(np.asarray(thresholds, np.float64))
        right = _right_answers(scores[rest], same[rest], candidates, balanced)
        best = np.flatnonzero(right >= right.max() - 1e-12)[-1]
        chosen[fold] = candidates[best]
        accuracies[fold] = _right_answers(scores[test], same[test], chosen[fold], balanced)
    settings = {"folds": len(members), "pairs": sum(map(len, members))}
    accuracy = mean_estimate(accuracies, level=level, settings=settings)
    # A share lies in [0, 1], its t interval need not.
    low, high = (float(np.clip(bound, 0.0, 1.0)) for bound in (accuracy.low, accuracy.high))
    accuracy = dataclasses.replace(accuracy, low=low, high=high)
    return FoldAccuracy(accuracy, accuracies, chosen)


def _members(folds: int | IndexArray, pairs: int) -> list[np.ndarray]:
    """Return the pairs of each fold."""
    if isinstance(folds, np.ndarray):
        which = require_shape(folds, (pairs,), "folds of pairs", SettingsError)
        members = [np.flatnonzero(which == fold) for fold in np.unique(which[which >= 0])]
        if len(members) < 2:
            raise SettingsError(f"folds: expected two or more with pairs, got {len(members)}.")
        return members
    if not 2 <= folds <= pairs:
        raise SettingsError(
            f"folds: expected 2 to as many as there are pairs ({pairs}), got {folds}."
        )
    return np.array_split(np.arange(pairs), folds)


def _require_both_kinds(members: list[np.ndarray], same: BoolArray) -> None:
    for fold, test in enumerate(members, 1):
        if same[test].all() or not same[test].any():
            raise SettingsError(
                f"folds: expected pairs of one person and of two in each, fold {fold} of "
                f"{len(members)} has {int(same[test].sum())} and {int((~same[test]).sum())}. Take "
                "fewer folds."
            )


def _right_answers(
    scores: FloatArray, same: BoolArray, thresholds: FloatArray | np.floating, balanced: bool
) -> np.ndarray:
    """Return the share of right answers at each threshold."""
    alike, others = np.sort(scores[same]), np.sort(scores[~same])
    refused = [np.searchsorted(kind, thresholds, "right") for kind in (alike, others)]
    if balanced:
        return 0.5 * (1.0 - refused[0] / len(alike) + refused[1] / len(others))
    return (len(alike) - refused[0] + refused[1]) / len(scores)
