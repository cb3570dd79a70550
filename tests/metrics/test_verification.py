"""Verification: published statistics, the protocol of folds, intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from geomface.errors import SettingsError
from geomface.metrics import compare_verification, fold_accuracy, verify_pairs
from geomface.metrics.verification import ScoreCurve


def gaussian_pairs(
    rng: np.random.Generator, gap: float, each: int = 500
) -> tuple[np.ndarray, np.ndarray]:
    same = np.arange(2 * each) % 2 == 0
    return rng.normal(size=2 * each) + gap * same, same


def test_statistics_of_two_gaussians_are_those_of_the_formulas() -> None:
    """Gap d' between unit Gaussians: AUC = Phi(d'/sqrt 2), EER = Phi(-d'/2)."""
    scores, same = gaussian_pairs(np.random.default_rng(0), 1.8, each=40_000)
    found = verify_pairs(scores, same, resamples=0)
    assert found.d_prime.value == pytest.approx(1.8, abs=0.02)
    assert found.auc.value == pytest.approx(norm.cdf(1.8 / np.sqrt(2)), abs=0.004)
    assert found.equal_error.value == pytest.approx(norm.cdf(-0.9), abs=0.004)
    for rate, estimate in found.accepted.items():
        assert estimate.value == pytest.approx(norm.cdf(1.8 - norm.isf(rate)), abs=0.02)
    assert np.isnan(found.auc.low) and found.auc.settings["same_pairs"] == 40_000


def test_d_prime_of_published_means_and_deviations() -> None:
    """Gecer et al. 2018, Fig. 7: renders 0.596 +- 0.238 against 1.071 +- 0.294 give 1.78."""
    scores = -np.array([0.596 - 0.238, 0.596 + 0.238, 1.071 - 0.294, 1.071 + 0.294])
    found = verify_pairs(scores, np.array([True, True, False, False]), resamples=0)
    assert found.d_prime.value == pytest.approx(1.78, abs=0.005)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=4, max_size=40), st.data())
def test_statistics_are_those_of_all_comparisons(numbers: list[int], data) -> None:
    scores = np.array(numbers, float)
    same = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))))
    same[:2] = True, False
    found = verify_pairs(scores, same, rates=(0.2,), resamples=0)
    gap = scores[same][:, None] - scores[~same]
    assert found.auc.value == pytest.approx(np.mean((gap > 0) + 0.5 * (gap == 0)))
    mirrored = verify_pairs(-scores, ~same, resamples=0)
    assert mirrored.auc.value == pytest.approx(found.auc.value)
    allowed = [t for t in np.unique(scores) if np.mean(scores[~same] > t) <= 0.2]
    assert found.accepted[0.2].value == max(np.mean(scores[same] > t) for t in allowed)


def test_intervals_hold_what_they_say() -> None:
    rng = np.random.default_rng(3)
    truths = {"auc": norm.cdf(1.2 / np.sqrt(2)), "equal_error": norm.cdf(-0.6), "d_prime": 1.2}
    held = dict.fromkeys(truths, 0)
    folds = 0
    for draw in range(150):
        scores, same = gaussian_pairs(rng, 1.2, each=200)
        found = verify_pairs(scores, same, resamples=200, seed=draw)
        for name, truth in truths.items():
            estimate = getattr(found, name)
            held[name] += estimate.low <= truth <= estimate.high
        accuracy = fold_accuracy(scores, same).accuracy
        folds += accuracy.low <= norm.cdf(0.6) <= accuracy.high
    assert all(0.88 <= count / 150 <= 0.99 for count in (*held.values(), folds)), (held, folds)


def test_folds_perfect_scores_and_constant_ones() -> None:
    same = np.arange(100) % 2 == 0
    perfect = fold_accuracy(np.where(same, 0.9, 0.1), same)
    assert perfect.accuracy.value == 1.0
    np.testing.assert_allclose(perfect.thresholds, 0.5)
    assert fold_accuracy(np.ones(100), same).accuracy.value == 0.5
    grid = fold_accuracy(np.where(same, 0.9, 0.1), same, thresholds=np.arange(-1, 1.0025, 0.005))
    # Of equally good candidates the last, as the released code has it.
    np.testing.assert_allclose(grid.thresholds, 0.895)


def test_a_fold_has_no_say_in_its_own_threshold(rng: np.random.Generator) -> None:
    scores, same = gaussian_pairs(rng, 2.0, each=50)
    found = fold_accuracy(scores, same)
    for fold, test in enumerate(np.array_split(np.arange(100), 10)):
        spoiled = scores.copy()
        spoiled[test] = rng.normal(size=len(test)) * 100
        other = fold_accuracy(spoiled, same)
        assert other.thresholds[fold] == found.thresholds[fold]
        # Contiguous: only this fold's pairs make its accuracy.
        right = (scores[test] > found.thresholds[fold]) == same[test]
        assert found.accuracies[fold] == right.mean()
    assert found.accuracy.value == pytest.approx(found.accuracies.mean())
    assert found.accuracy.settings == {"folds": 10, "pairs": 100}


def test_bad_pairs_are_refused_in_one_sentence() -> None:
    same = np.arange(6) % 2 == 0
    for call, match in [
        (lambda: verify_pairs(np.ones(6), np.ones(6, bool)), "got 6 and 0"),
        (lambda: verify_pairs(np.ones(5), same), "same: expected"),
        (lambda: verify_pairs(np.full(6, np.inf), same), "NaN or infinity"),
        (lambda: verify_pairs(np.ones(6), same, rates=(0.0,)), "rates and a level"),
        (lambda: fold_accuracy(np.ones(6), same, folds=7), "as many as there are pairs"),
    ]:
        with pytest.raises(SettingsError, match=match):
            call()


def people_of_pictures(
    rng: np.random.Generator, people: int, pictures: int, *, habit: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw scores of all pairs; some people resemble themselves and others more (`habit`)."""
    who = np.repeat(np.arange(people), pictures)
    one, two = np.triu_indices(len(who), 1)
    rows = np.stack([who[one], who[two]], axis=1)
    same = rows[:, 0] == rows[:, 1]
    own = habit * rng.standard_normal(people)
    scores = 2.0 * same + rng.standard_normal(len(same)) + np.where(same, own[rows[:, 0]], 0.0)
    return scores, same, rows


def test_intervals_over_people_hold_where_those_over_pairs_are_too_narrow() -> None:
    rng = np.random.default_rng(8)
    truth = norm.cdf(2 / np.sqrt(2 + 0.8**2))
    held = {"people": 0, "pairs": 0}
    for draw in range(40):
        scores, same, people = people_of_pictures(rng, 14, 5, habit=0.8)
        for kind, rows in (("people", people), ("pairs", None)):
            auc = verify_pairs(scores, same, people=rows, resamples=100, seed=draw).auc
            held[kind] += auc.low <= truth <= auc.high
    assert held["people"] >= 33 and held["pairs"] <= 28, held


def test_the_same_people_are_drawn_for_both_of_a_comparison() -> None:
    rng = np.random.default_rng(2)
    scores, same, people = people_of_pictures(rng, 12, 5, habit=1.0)
    nothing = compare_verification(scores, scores, same, people=people, resamples=50)
    gap = nothing.equal_error
    assert (gap.value, gap.low, gap.high) == (0, 0, 0)
    assert nothing.equal_error_ratio.value == 1.0 and nothing.better == 0.5
    worse = scores - 0.7 * same
    found = compare_verification(scores, worse, same, people=people, resamples=200)
    results = [verify_pairs(s, same, people=people, resamples=200) for s in (scores, worse)]
    both = [result.equal_error for result in results]
    assert found.equal_error.value == pytest.approx(both[0].value - both[1].value)
    assert found.equal_error.high < 0 and found.better > 0.99
    assert found.equal_error.high - found.equal_error.low < both[1].high - both[1].low
    assert found.equal_error_ratio.value == pytest.approx(both[0].value / both[1].value)
    shares = [result.accepted[0.01].value for result in results]
    assert found.accepted[0.01].value == pytest.approx(shares[0] - shares[1])


def test_thresholds_are_those_of_the_figures(rng: np.random.Generator) -> None:
    scores, same = gaussian_pairs(rng, 1.5, each=300)
    curve, found = ScoreCurve(scores, same), verify_pairs(scores, same, resamples=0)
    refused = np.mean(scores[same] <= curve.equal_error_threshold())
    taken = np.mean(scores[~same] > curve.equal_error_threshold())
    assert 0.5 * (refused + taken) == pytest.approx(found.equal_error.value)
    for rate, share in found.accepted.items():
        threshold = curve.accepted_threshold(rate)
        assert np.mean(scores[~same] > threshold) <= rate
        assert np.mean(scores[same] > threshold) == pytest.approx(share.value)


def test_refused_pairs_are_errors_of_one_person_only(rng: np.random.Generator) -> None:
    scores, same = gaussian_pairs(rng, 40.0, each=100)
    scores[:20] = -np.inf
    found = verify_pairs(scores, same, resamples=20)
    assert found.accepted[0.01].value == pytest.approx(0.9)
    assert found.d_prime.value == pytest.approx(40.0, rel=0.15)
    accuracy = fold_accuracy(scores, same)
    np.testing.assert_allclose(accuracy.accuracies, [0.5, *[1.0] * 9])
    assert accuracy.accuracy.high == 1.0


def test_balanced_folds_of_unequal_kinds_and_pairs_in_none() -> None:
    same = np.arange(90) % 9 == 0
    assert fold_accuracy(np.ones(90), same).accuracy.value == pytest.approx(8 / 9)
    assert fold_accuracy(np.ones(90), same, balanced=True).accuracy.value == 0.5
    folds = np.arange(90) // 30
    folds[::9][::2] = -1
    found = fold_accuracy(np.where(same, 1.0, 0.0), same, folds=folds, balanced=True)
    assert found.accuracy.value == 1.0 and found.accuracies.shape == (3,)
    assert found.accuracy.settings == {"folds": 3, "pairs": 85}
    with pytest.raises(SettingsError, match="fold 2 of 3 has 0 and"):
        fold_accuracy(
            np.ones(90), same & (np.arange(90) < 30) | (np.arange(90) > 85), folds=3, balanced=True
        )


def test_people_that_contradict_the_pairs_are_refused() -> None:
    same = np.array([True, False, True, False])
    for people, match in [
        ([[0, 0], [0, 0], [1, 1], [0, 1]], "where the people agree"),
        ([[0, 0], [0, 1], [0, 0], [0, 1]], "two or more with a pair"),
        ([[0, 0]], "people of pairs"),
    ]:
        with pytest.raises(SettingsError, match=match):
            verify_pairs(np.ones(4), same, people=np.array(people))
    with pytest.raises(SettingsError, match="one or more draws"):
        compare_verification(np.ones(4), np.ones(4), same, resamples=0)
