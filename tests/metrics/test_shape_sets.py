"""Sets of meshes: exact neighbours, diversity by labels, intervals that hold what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.metrics import (
    Pairs,
    diversity,
    draw_pairs,
    mean_estimate,
    nearest_meshes,
    reconstruction_error,
    sample_specificity,
)
from geomface.metrics import shape_sets as module


def meshes(rng: np.random.Generator, count: int, vertices: int = 150) -> np.ndarray:
    """Smooth random shapes: a few modes of a grid."""
    grid = rng.uniform(-1, 1, (vertices, 3))
    modes = rng.normal(size=(6, 3, 3))
    return grid + np.einsum("nk,kij,vj->nvi", rng.normal(size=(count, 6)), modes, grid)


def table(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.linalg.norm(left[:, None] - right, axis=3).mean(axis=2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearest_meshes_are_those_of_the_whole_table_block_by_block(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, dtype: type
) -> None:
    everything = meshes(rng, 70)
    samples, training = everything[:20], everything[20:].astype(dtype)
    samples[3] = training[41]
    wanted = table(samples, training.astype(np.float64))
    for rows in (1, 7, 1000):
        monkeypatch.setattr(module, "BLOCK_BYTES", 8 * samples[0].size * rows)
        distances, indices = nearest_meshes(samples, training)
        np.testing.assert_allclose(distances, wanted.min(axis=1), rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(indices, wanted.argmin(axis=1))
        assert distances[3] < 1e-12


def test_specificity_and_reconstruction_are_means_of_vertex_distances(
    rng: np.random.Generator,
) -> None:
    training = meshes(rng, 30)
    samples = training[:12] + [3.0, 0.0, -4.0]
    near = table(samples, training).min(axis=1)
    found = sample_specificity(samples, training)
    assert found.value == pytest.approx(near.mean(), rel=1e-10)
    assert found.deviation == pytest.approx(near.std(ddof=1))
    assert (found.n, found.unit, found.settings) == (12, "mm", {"training_meshes": 30})
    error = reconstruction_error(samples, training[:12])
    assert error.value == pytest.approx(5.0) and error.high - error.low < 1e-9
    half = reconstruction_error(samples, training[:12], vertices=np.arange(9))
    assert half.value == pytest.approx(5.0) and half.settings == {"vertices": 9}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-1, 4), min_size=2, max_size=40), st.integers(0, 9))
def test_pairs_share_what_is_asked_and_are_never_a_sample_with_itself(
    labels: list[int], seed: int
) -> None:
    who = np.array(labels)
    everyone = draw_pairs(len(who), count=50, seed=seed).rows
    assert (everyone[:, 0] != everyone[:, 1]).all() and everyone.max() < len(who)
    counts = np.bincount(who[who >= 0], minlength=5)
    if (counts < 2).all():
        with pytest.raises(SettingsError, match="share a person"):
            draw_pairs(len(who), labels=who, same="person")
        return
    rows = draw_pairs(len(who), count=50, labels=who, seed=seed).rows
    assert (rows[:, 0] != rows[:, 1]).all()
    assert (who[rows[:, 0]] == who[rows[:, 1]]).all() and (who[rows] >= 0).all()


def test_pairs_are_uniform() -> None:
    labels = np.array([0, 1, 0, 0, 2, 1])
    rows = np.sort(draw_pairs(6, count=40_000, labels=labels, seed=1).rows, axis=1)
    found, counts = np.unique(rows, axis=0, return_counts=True)
    assert found.tolist() == [[0, 2], [0, 3], [1, 5], [2, 3]]
    # First uniform over the five with partners: three pairs of 1/5, one of 2/5.
    np.testing.assert_allclose(counts / 40_000, [0.2, 0.2, 0.4, 0.2], atol=0.01)


def test_diversity_of_points_on_a_circle_and_of_one_person(rng: np.random.Generator) -> None:
    shape = rng.normal(size=(1, 20, 3))
    lifted = shape + np.array([0.0, 5.0])[np.arange(8) % 2][:, None, None] * [0, 0, 1]
    apart = diversity(lifted, Pairs(np.array([[0, 1], [2, 5], [0, 2]]), seed=0))
    assert apart.value == pytest.approx(10 / 3) and apart.n == 3 and apart.unit == "mm"
    one = draw_pairs(8, labels=np.arange(8) % 2, same="identity", seed=4)
    inside = diversity(lifted, one)
    assert inside.value == 0 and inside.deviation == 0
    assert inside.settings["same"] == "identity" and inside.seed == 4


def test_interval_of_diversity_counts_people_not_pairs() -> None:
    """95 % intervals of 10,000 pairs of 30 people hold the truth as often as they say."""
    rng = np.random.default_rng(5)
    truth = 2 / np.sqrt(np.pi)  # mean |a - b| of two standard normals
    held, reaches = 0, []
    for draw in range(200):
        heights = np.repeat(rng.normal(size=30), 4)
        stack = np.zeros((120, 1, 3))
        stack[:, 0, 2] = heights
        # Pairs of two different people only: those of one are at 0 by construction.
        rows = draw_pairs(120, count=10_000, seed=draw).rows
        rows = rows[rows[:, 0] // 4 != rows[:, 1] // 4]
        found = diversity(stack, Pairs(rows, draw), units=np.arange(120) // 4)
        held += found.low <= truth <= found.high
        reaches.append(found.high - found.value)
        naive = found.deviation / np.sqrt(found.n)
        assert reaches[-1] > 5 * naive
    assert 0.9 <= held / 200 <= 0.99


def test_interval_of_independent_pairs_is_that_of_a_mean(rng: np.random.Generator) -> None:
    stack = rng.normal(size=(600, 1, 3))
    rows = np.arange(600).reshape(300, 2)
    found = diversity(stack, Pairs(rows, 0))
    plain = mean_estimate(np.linalg.norm(stack[::2, 0] - stack[1::2, 0], axis=1))
    assert found.value == pytest.approx(plain.value)
    assert found.high - found.low == pytest.approx(plain.high - plain.low, rel=0.01)


def test_bad_meshes_are_refused_in_one_sentence(rng: np.random.Generator) -> None:
    stack = meshes(rng, 4)
    broken = stack.copy()
    broken[1, 2, 0] = np.nan
    refusals = [
        (lambda: nearest_meshes(stack, stack[:, :9]), "training meshes: expected an array"),
        (lambda: nearest_meshes(stack, stack[:0]), "got 4 and 0"),
        (lambda: nearest_meshes(broken, stack), "samples: 1 of 4"),
        (lambda: nearest_meshes(stack, broken), "training meshes: 1 of 4"),
        (lambda: reconstruction_error(stack, stack[:2]), "fitted meshes"),
        (lambda: reconstruction_error(stack[:0], stack[:0]), "at least one face"),
    ]
    for call, match in refusals:
        with pytest.raises(MeshError, match=match):
            call()
    rows = Pairs(np.array([[0, 9]]), 0)
    for call, match in [
        (lambda: diversity(stack, rows), "index 9"),
        (lambda: diversity(stack, Pairs(rows.rows // 9, 0), units=np.arange(3)), "a unit for each"),
        (lambda: draw_pairs(1), "two or more samples"),
        (lambda: draw_pairs(3, labels=np.arange(2)), "a label for each"),
        (lambda: mean_estimate(np.zeros(0)), "one or more finite values"),
        (lambda: mean_estimate(np.ones(3), level=1.0), r"share in \(0, 1\)"),
    ]:
        with pytest.raises(SettingsError, match=match):
            call()
