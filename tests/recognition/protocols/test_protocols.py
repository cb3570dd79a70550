"""The protocols on answers that are known."""

import dataclasses

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.learning.errors import DatasetError
from geomface.metrics import unit_rows
from geomface.recognition.protocols.identification import first_pictures, identify
from geomface.recognition.protocols.picture_pairs import PicturePairs, all_pairs
from geomface.recognition.protocols.thresholds import EQUAL_ERROR
from geomface.recognition.protocols.verification import verify

PEOPLE = [f"p{k // 5}" for k in range(60)]
"""12 people in 5 pictures each."""


def descriptors(rng: np.random.Generator, spread: float) -> np.ndarray:
    centres = np.repeat(rng.standard_normal((12, 16)), 5, axis=0)
    return unit_rows(centres + spread * rng.standard_normal((60, 16)))


def test_perfect_and_constant_scores() -> None:
    pairs = all_pairs(PEOPLE, folds=4)
    perfect = verify(np.where(pairs.same, 0.9, -0.2), pairs, resamples=20).left_out
    assert perfect.folds is not None and perfect.folds.accuracy.value == 1.0
    assert perfect.pairs.auc.value == 1.0 and perfect.pairs.equal_error.value == 0.0
    assert all(share.value == 1.0 for share in perfect.pairs.accepted.values())
    constant = verify(np.full(len(pairs), 0.3), pairs, resamples=20).left_out
    assert constant.folds is not None
    np.testing.assert_array_equal(constant.folds.accuracies, 0.5)
    assert constant.pairs.auc.value == 0.5 and constant.pairs.equal_error.value == 0.5
    everyone = np.repeat(np.eye(12), 5, axis=0)
    assert identify(everyone, PEOPLE).rank_1.value == 1.0
    same = identify(np.tile(np.eye(1, 12), (60, 1)), PEOPLE)
    assert same.rank_1.value == pytest.approx(1 / 12)
    np.testing.assert_allclose(same.ranks, np.arange(1, 13) / 12)


def test_a_fold_has_no_say_in_its_threshold(rng: np.random.Generator) -> None:
    pairs = all_pairs(PEOPLE, folds=4)
    scores = pairs.scores(descriptors(rng, 1.5))
    found = verify(scores, pairs, resamples=0).left_out.folds
    assert found is not None and pairs.folds is not None
    for fold in range(4):
        test = pairs.folds == fold
        other = verify(np.where(test, -scores, scores), pairs, resamples=0).left_out.folds
        assert other is not None and other.thresholds[fold] == found.thresholds[fold]
        assert other.accuracies[fold] != found.accuracies[fold]
        answers = scores[test] > found.thresholds[fold]
        kinds = [np.mean(answers[pairs.same[test]]), np.mean(~answers[~pairs.same[test]])]
        assert found.accuracies[fold] == pytest.approx(np.mean(kinds))


def test_pictures_without_a_face_are_left_out_and_refused(rng: np.random.Generator) -> None:
    pairs, rows = all_pairs(PEOPLE, folds=4), descriptors(rng, 1.0)
    found = np.ones(60, bool)
    found[[0, 17]] = False
    report = verify(pairs.scores(rows), pairs, found, resamples=50)
    whole = verify(pairs.scores(rows), pairs, resamples=50)
    assert whole.refused is whole.left_out and whole.missing == 0
    assert report.missing == 2 * 59 - 1 and any("without a face" in n for n in report.notes)
    # Two of sixty pictures take 8 of 120 pairs of one person with them.
    assert report.refused.pairs.accepted[0.1].value == pytest.approx(
        report.left_out.pairs.accepted[0.1].value * (1 - 8 / 120), abs=0.01
    )
    assert report.refused.pairs.equal_error.value > report.left_out.pairs.equal_error.value
    assert report.refused.folds is not None and report.left_out.folds is not None
    assert report.refused.folds.accuracy.value < report.left_out.folds.accuracy.value
    ident = identify(rows, PEOPLE, found)
    assert ident.probes == 58 and ident.errors == 2
    assert ident.rank_1_of_all.value == pytest.approx(ident.rank_1.value * 58 / 60)


def test_thresholds_answer_for_two_pictures(rng: np.random.Generator) -> None:
    pairs = all_pairs(PEOPLE)
    scores = pairs.scores(descriptors(rng, 1.0))
    report = verify(scores, pairs, resamples=0)
    assert set(report.thresholds) == {EQUAL_ERROR, "0.1", "0.01", "0.001"}
    above = scores > report.thresholds["0.01"]
    assert above[~pairs.same].mean() <= 0.01
    assert above[pairs.same].mean() == report.left_out.pairs.accepted[0.01].value
    few = all_pairs(PEOPLE[:10])
    noted = verify(few.scores(descriptors(rng, 1.0)[:10]), few, resamples=0)
    assert set(noted.thresholds) == {EQUAL_ERROR, "0.1"}
    assert any("25 pairs of two people cannot tell" in note for note in noted.notes)


def test_identification_in_a_gallery(rng: np.random.Generator) -> None:
    rows = descriptors(rng, 0.8)
    gallery = first_pictures(PEOPLE, np.ones(60, bool))
    np.testing.assert_array_equal(np.flatnonzero(gallery), np.arange(0, 60, 5))
    found = identify(rows, PEOPLE, gallery=gallery)
    assert found.probes == 48 and found.people == 12
    who = np.arange(60) // 5
    order = np.argsort(-(rows[~gallery] @ rows[gallery].T), axis=1)
    place = (order == who[~gallery][:, None]).argmax(axis=1)
    for rank in range(12):
        assert found.ranks[rank] == pytest.approx(np.mean(place <= rank))
    assert found.rank_1.low <= found.rank_1.value <= found.rank_1.high
    # Of all others: people with one picture cannot be looked for, but stand in the way.
    alone = identify(rows, [*PEOPLE[:55], "x", "y", "z", "", ""])
    assert alone.probes == 55 and alone.alone == 3 and alone.people == 14


def test_bad_protocols_are_refused_in_one_sentence(rng: np.random.Generator) -> None:
    pairs, rows = all_pairs(PEOPLE), descriptors(rng, 1.0)
    nobody = np.zeros(60, bool)
    for call, error, match in [
        (lambda: verify(pairs.scores(rows), pairs, nobody), DatasetError, "got 0 and 0 of 1770"),
        (lambda: verify(np.ones(3), pairs), SettingsError, "scores: expected"),
        (lambda: identify(rows, [str(k) for k in range(60)]), DatasetError, "Give people two"),
        (lambda: identify(rows, PEOPLE, nobody), DatasetError, "Give people two"),
        (lambda: identify(rows, PEOPLE, gallery=nobody[:3]), SettingsError, "gallery"),
        (lambda: identify(rows, PEOPLE, resamples=0), SettingsError, "one or more draws"),
    ]:
        with pytest.raises(error, match=match):
            call()


def test_folds_that_lose_a_kind_are_told(rng: np.random.Generator) -> None:
    pairs = all_pairs(PEOPLE, folds=6)
    found = np.ones(60, bool)
    found[:5] = False
    report = verify(pairs.scores(descriptors(rng, 1.0)), pairs, found, resamples=0)
    assert report.left_out.folds is None and any("no accuracy" in note for note in report.notes)
    assert report.refused.folds is not None


def test_pairs_without_known_people_have_intervals_over_pairs(rng: np.random.Generator) -> None:
    pairs = all_pairs(PEOPLE)
    unknown: PicturePairs = dataclasses.replace(pairs, people=None)
    scores = pairs.scores(descriptors(rng, 1.5))
    over = [verify(scores, p, resamples=100).left_out.pairs.auc for p in (pairs, unknown)]
    assert over[0].value == over[1].value
    assert over[0].high - over[0].low > over[1].high - over[1].low


def test_one_person_with_several_pictures_is_measured_over_pairs(rng: np.random.Generator) -> None:
    pairs = all_pairs(["a", "a", "a", "b", "c"])
    report = verify(rng.standard_normal(len(pairs)), pairs, resamples=20)
    assert report.settings["people"] is None
    assert any("One person alone" in note for note in report.notes)
    # Also where only one is left whose faces were found.
    pairs = all_pairs(["a", "a", "b", "b", "c"])
    found = np.array([True, True, False, True, True])
    report = verify(rng.standard_normal(len(pairs)), pairs, found, resamples=20)
    assert report.settings["people"] is None and report.missing == 4
