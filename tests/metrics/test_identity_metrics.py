"""Sets of descriptors: distance, verification, plane, annotation."""

import sys

import numpy as np
import pytest

from geomface.errors import MissingBackendError, SettingsError
from geomface.metrics import annotate, embed_in_plane, identity_distance, verify_identities


def clusters(rng: np.random.Generator, each: int = 20) -> tuple[np.ndarray, list[str]]:
    centres = 4.0 * np.eye(3, 16)
    rows = np.concatenate([c + 0.2 * rng.standard_normal((each, 16)) for c in centres])
    return rows, [name for name in "abc" for _ in range(each)]


def axes(seed: int, count: int, length: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((count, length))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_distance_of_equal_sets_is_zero(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((50, 8))
    assert identity_distance(rows, rows) == 0.0
    assert identity_distance(rows, rng.permutation(rows)) == pytest.approx(0.0, abs=1e-10)
    # Every row twice is the same distribution.
    assert identity_distance(rows, np.repeat(rows, 2, axis=0)) == pytest.approx(0.0, abs=1e-10)


def test_distance_of_a_shifted_set_is_the_mean_projection(rng: np.random.Generator) -> None:
    rows, shift = rng.standard_normal((60, 8)), rng.standard_normal(8)
    expected = 1000 * np.abs(axes(5, 128, 8) @ shift).mean()
    found = identity_distance(rows, rows + shift, directions=128, seed=5)
    assert found == pytest.approx(expected, rel=1e-12)
    twice = identity_distance(np.repeat(rows, 3, axis=0), rows + shift, directions=128, seed=5)
    assert twice == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("counts", [(40, 40), (40, 27), (3, 100), (1, 1)])
def test_distance_is_that_of_scipy_and_symmetric(
    rng: np.random.Generator, counts: tuple[int, int]
) -> None:
    from scipy.stats import wasserstein_distance

    first, second = (rng.standard_normal((count, 5)) + count for count in counts)
    found = identity_distance(first, second, directions=20, seed=3)
    one_by_one = [wasserstein_distance(first @ u, second @ u) for u in axes(3, 20, 5)]
    assert found == pytest.approx(1000 * np.mean(one_by_one), rel=1e-9)
    assert identity_distance(second, first, directions=20, seed=3) == pytest.approx(found)
    assert identity_distance(first, second, directions=20, seed=3) == found
    assert identity_distance(first, second, directions=20, seed=4) != found


def test_verification_of_clusters_and_of_chance(rng: np.random.Generator) -> None:
    rows, names = clusters(rng)
    who = np.array([ord(name) for name in names])
    good = verify_identities(rows, who)
    assert (good.auc, good.accepted, good.rank_1) == (1.0, 1.0, 1.0)
    assert good.equal_error < 1e-3 and good.same_mean > 0.9 > 0.5 > good.other_mean
    assert (good.same_pairs, good.other_pairs) == (570, 1200)
    chance = verify_identities(rng.standard_normal((300, 16)), np.arange(300) // 10)
    assert chance.auc == pytest.approx(0.5, abs=0.03)
    assert chance.equal_error == pytest.approx(0.5, abs=0.03)
    assert chance.accepted == pytest.approx(0.01, abs=0.01)


def test_all_alike_is_chance_not_success() -> None:
    same = verify_identities(np.ones((10, 4)), np.arange(10) // 2)
    assert same.auc == 0.5 and same.accepted == 0.0


def test_annotation_by_centre_and_by_vote(rng: np.random.Generator) -> None:
    known, names = clusters(rng)
    new, truth = clusters(rng, each=7)
    for neighbours in (None, 1, 9):
        result = annotate(new, known, names, neighbours=neighbours)
        assert list(result.labels) == truth and result.names == ("a", "b", "c")
        assert (result.confidence > 0.7).all() and (result.confidence <= 1).all()
    between = annotate([[0.0, 0.0]], [[-1.0, 0.0], [1.0, 0.0]], ["l", "r"])
    assert between.confidence[0] == pytest.approx(0.5)
    on = annotate([[1.0, 0.0]], [[-1.0, 0.0], [1.0, 0.0]], ["l", "r"])
    assert on.labels == ("r",) and on.confidence[0] == 1.0
    tie = annotate([[0.9, 0.0]], [[-1.0, 0.0], [1.0, 0.0]], ["l", "r"], neighbours=2)
    assert tie.labels == ("r",) and tie.confidence[0] == 0.5
    assert annotate(new, known, ["x"] * len(known)).confidence.min() == 1.0


def test_plane_keeps_clusters_together(rng: np.random.Generator) -> None:
    pytest.importorskip("sklearn")
    rows, names = clusters(rng)
    places = embed_in_plane(rows, perplexity=8, seed=1)
    assert places.shape == (60, 2) and places.dtype == np.float64
    assert list(annotate(places, places, names).labels) == names
    np.testing.assert_array_equal(places, embed_in_plane(rows, perplexity=8, seed=1))


def test_without_scikit_learn_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(MissingBackendError, match=r"pip install 'geomface\[analysis\]'"):
        embed_in_plane(rng.standard_normal((50, 4)), perplexity=5)


def test_bad_descriptors_are_refused_in_one_sentence(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((6, 4))
    holes = np.where(np.eye(6, 4) > 0, np.nan, rows)
    refusals = [
        (lambda: identity_distance(rows, rows[:, :3]), "one length, got 4 and 3"),
        (lambda: identity_distance(rows, rows[:0]), "second set: expected descriptors"),
        (lambda: identity_distance(holes, rows), "first set: 4 of 6 rows hold NaN"),
        (lambda: identity_distance(rows, rows, directions=0), "1 or more directions"),
        (lambda: verify_identities(rows, np.arange(6)), "pairs of one person"),
        (lambda: verify_identities(rows, np.arange(5)), "identity for each of 6"),
        (lambda: verify_identities(rows, np.arange(6) // 2, far=1.0), "a rate in"),
        (lambda: embed_in_plane(rows), "perplexity"),
        (lambda: embed_in_plane(rows[0]), r"expected \(N, D\)"),
        (lambda: annotate(rows, rows, ["a"] * 5), "5 labels for 6"),
        (lambda: annotate(rows, rows[:, :2], ["a"] * 6), "lengths 4 and 2"),
        (lambda: annotate(rows, rows, ["a"] * 6, neighbours=7), "1 to 6 neighbours"),
        (lambda: annotate(rows, holes, ["a"] * 6), "NaN"),
    ]
    for call, match in refusals:
        with pytest.raises(SettingsError, match=match):
            call()
