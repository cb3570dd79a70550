"""Verification: what an embedder's answers to "is this the same person?" are worth."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_shape
from geomface.errors import SettingsError
from geomface.learning.errors import DatasetError
from geomface.metrics.folds import FoldAccuracy, fold_accuracy
from geomface.metrics.verification import PairVerification, ScoreCurve, verify_pairs
from geomface.recognition.protocols.picture_pairs import PicturePairs
from geomface.recognition.protocols.thresholds import EQUAL_ERROR

RATES = (0.1, 0.01, 0.001)
"""False accept rates at which true accepts are read."""


@dataclasses.dataclass(frozen=True, eq=False)
class VerificationFigures:
    """Figures of some pairs.

    Parameters
    ----------
    pairs : AUC, equal error, d', true accepts, with intervals over people where they are known
    folds : accuracy with thresholds of the other folds, None where there are no folds
    """

    pairs: PairVerification
    folds: FoldAccuracy | None


@dataclasses.dataclass(frozen=True, eq=False)
class VerificationReport:
    """Verification of a list of pairs.

    Parameters
    ----------
    left_out : without the pairs of which a picture has no face
    refused : with those, refused at every threshold as a system would: an error where both show one
        person. The same object where there are none
    missing : how many pairs that are
    thresholds : {"equal error" or a false accept rate: cosine above which two pictures are taken
        for one person}, measured on all pairs together
    settings : what the figures depend on
    notes : what their reader should know

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import VerificationReport, all_pairs, verify
    >>> pairs = all_pairs(["anna", "anna", "ben", "ben"])
    >>> report = verify(pairs.scores(np.repeat(np.eye(2), 2, axis=0)), pairs)
    >>> isinstance(report, VerificationReport), report.left_out.pairs.auc.value
    (True, 1.0)
    """

    left_out: VerificationFigures
    refused: VerificationFigures
    missing: int
    thresholds: dict[str, float]
    settings: dict[str, object]
    notes: tuple[str, ...]


def verify(
    scores: FloatArray,
    pairs: PicturePairs,
    found: BoolArray | None = None,
    *,
    rates: Sequence[float] = RATES,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> VerificationReport:
    """Measure scores of pairs.

    Parameters
    ----------
    scores : (P,) cosines of the pairs, `pairs.scores(descriptors)`, or other numbers that are the
        higher, the more alike
    pairs : which they are of
    found : (N,) whether the pictures have a face, default all
    rates : false accept rates; those below one pair of two people are left out, and it is noted
    resamples : draws of people for the intervals
    level : of the intervals
    seed : of the draws

    Raises
    ------
    DatasetError : no pair of either kind is left
    SettingsError : scores that do not fit, NaN, settings out of range

    Convention
    ----------
    Accuracy counts both kinds alike, which is that of LFW where a fold has as many of either. The
    threshold of each fold is the best of the other folds, never of its own.

    Source
    ------
    Huang et al. 2007 (LFW, view 2). Pictures without a face as errors of acquisition: ISO/IEC
    19795-1, generalised error rates.

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import all_pairs, verify
    >>> descriptors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8]])
    >>> pairs = all_pairs(["anna", "anna", "ben", "ben"])
    >>> verify(pairs.scores(descriptors), pairs).left_out.pairs.equal_error.value
    0.0
    """
    scores = require_shape(np.asarray(scores, np.float64), (len(pairs),), "scores", SettingsError)
    seen = np.ones(len(pairs), bool)
    if found is not None:
        one, two = pairs.rows.T
        seen = np.asarray(found, bool)[one] & np.asarray(found, bool)[two]
    same = pairs.same
    if not same[seen].any() or same[seen].all():
        raise DatasetError(
            f"{pairs.what}: expected pairs of one person and of two whose faces were found, got "
            f"{int(same[seen].sum())} and {int((~same[seen]).sum())} of {len(pairs)} pairs."
        )
    others = int((~same[seen]).sum())
    told = tuple(rate for rate in rates if rate * others >= 1)
    notes = list(pairs.notes)
    if len(told) < len(rates):
        notes.append(
            f"{others} pairs of two people cannot tell false accept rates below "
            f"{100 / others:.2g} %."
        )

    everyone = None if pairs.people_for_intervals(seen) is None else pairs.people
    if everyone is None and pairs.people is not None:
        notes.append(
            "One person alone has several pictures with a face: the intervals take pairs as "
            "independent, and are too narrow."
        )

    def figures(scores: FloatArray, which: BoolArray) -> VerificationFigures:
        people = None if everyone is None else everyone[which]
        folds = _usable(pairs.folds, which, same)
        return VerificationFigures(
            verify_pairs(
                scores[which],
                same[which],
                people=people,
                rates=told,
                resamples=resamples,
                level=level,
                seed=seed,
            ),
            None
            if folds is None
            else fold_accuracy(scores[which], same[which], folds=folds, balanced=True, level=level),
        )

    left_out = figures(scores, seen)
    if left_out.folds is None and pairs.folds is not None:
        notes.append("In some fold no pair of either kind is left: no accuracy.")
    refused = left_out
    if not seen.all():
        refused = figures(np.where(seen, scores, -np.inf), np.ones(len(pairs), bool))
        notes.append(f"{int((~seen).sum())} pairs have a picture without a face.")
    curve = ScoreCurve(scores[seen], same[seen])
    thresholds = {EQUAL_ERROR: curve.equal_error_threshold()}
    thresholds |= {f"{rate:g}": curve.accepted_threshold(rate) for rate in told}
    settings: dict[str, object] = {
        "pairs": pairs.what,
        "same_pairs": int(same.sum()),
        "other_pairs": int((~same).sum()),
        "people": None if everyone is None else len(np.unique(everyone)),
        "resamples": resamples,
        "level": level,
        "seed": seed,
    }
    return VerificationReport(
        left_out, refused, int((~seen).sum()), thresholds, settings, tuple(notes)
    )


def _usable(folds: IndexArray | None, which: BoolArray, same: BoolArray) -> IndexArray | None:
    """Return the folds of some of the pairs, None unless each has pairs of both kinds."""
    if folds is None:
        return None
    kinds = (np.unique(folds[which & kind & (folds >= 0)]) for kind in (same, ~same))
    whole = all(np.array_equal(kind, np.unique(folds[folds >= 0])) for kind in kinds)
    return folds[which] if whole else None
