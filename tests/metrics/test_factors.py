"""Decoupling and the read-out that it rests on: closed forms, thresholds, intervals."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.mesh import Mesh, Template
from geomface.metrics import (
    OracleReadout,
    balanced_pairs,
    choose_threshold,
    decoupling,
    pair_distances,
    unit_rows,
)
from geomface.metrics.estimate import share_interval
from geomface.statistics import ExpressionModel, LinearModel, MorphableModel

PERFECT = choose_threshold(np.array([0.0, 2.0]), np.array([True, False]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=40), st.integers(0, 9), st.data())
def test_threshold_is_the_best_of_all_allowed(numbers: list[int], seed: int, data) -> None:
    distances = np.array(numbers, float)
    same = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(numbers), max_size=len(numbers)))
    )
    same[:2] = True, False
    most = data.draw(st.sampled_from([0.1, 0.3, 0.9]))
    found = choose_threshold(distances, same, most_false=most)
    best = -1.0
    for tau in np.append(np.unique(distances), 99.0):
        hit, false = (float((distances[kind] < tau).mean()) for kind in (same, ~same))
        if false <= most:
            best = max(best, 0.5 * (hit + 1 - false))
    assert found.accuracy == best and found.false_acceptance <= most
    hit, false = (float((distances[kind] < found.value).mean()) for kind in (same, ~same))
    assert 0.5 * (hit + 1 - false) == best and false == found.false_acceptance
    loosest = choose_threshold(distances, same, most_false=most, loosest=True)
    assert found.value <= loosest.value and loosest.false_acceptance <= most
    beyond = distances[distances >= loosest.value]
    if len(beyond):
        assert (distances[~same] <= beyond.min()).mean() > most, "the next one is not allowed"


def test_threshold_of_separate_kinds_lies_midway_and_of_equal_ones_accepts_nobody() -> None:
    assert PERFECT.value == 1.0 and PERFECT.accuracy == 1.0 and PERFECT.false_acceptance == 0.0
    chance = choose_threshold(np.ones(10), np.arange(10) < 5)
    assert chance.accuracy == 0.5 and chance.false_acceptance == 0.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-1, 3), min_size=4, max_size=30), st.integers(0, 9))
def test_balanced_pairs_are_half_and_half(labels: list[int], seed: int) -> None:
    who = np.array([0, 0, 1, *labels])
    rows, same = balanced_pairs(who, count=60, seed=seed)
    assert rows.shape == (60, 2) and same.sum() == 30
    assert (rows[:, 0] != rows[:, 1]).all() and (who[rows] >= 0).all()
    np.testing.assert_array_equal(who[rows[:, 0]] == who[rows[:, 1]], same)


def test_decoupling_counts_pairs_below_the_threshold(rng: np.random.Generator) -> None:
    anchors = rng.normal(size=(10, 4))
    redraws = np.repeat(anchors[:, None], 8, axis=1)
    whole = decoupling(anchors, redraws, PERFECT)
    assert (whole.value, whole.high, whole.n) == (1.0, 1.0, 80)
    # Of ten agreeing codes no more is known than of ten trials, and never certainty.
    assert whole.low == pytest.approx(0.025 ** (1 / 10))
    redraws[:, ::2, 0] += 5.0
    half = decoupling(anchors, redraws, PERFECT)
    assert half.value == 0.5 and half.settings["false_acceptance"] == 0.0
    assert half.settings["codes"] == 10 and half.settings["draws"] == 8


def test_interval_of_decoupling_holds_what_it_says() -> None:
    """Codes whose shares differ (beta distributed), of which the naive interval knows nothing."""
    rng = np.random.default_rng(11)
    for alpha, beta in ((20.0, 2.0), (2.0, 1.0)):
        truth, held, naive = alpha / (alpha + beta), 0, 0
        for _ in range(300):
            share = rng.beta(alpha, beta, 40)
            near = rng.random((40, 30)) < share[:, None]
            redraws = np.where(near, 0.0, 9.0)[..., None]
            found = decoupling(np.zeros((40, 1)), redraws, PERFECT)
            held += found.low <= truth <= found.high
            low, high = share_interval(found.value, found.n, 0.95)
            naive += low <= truth <= high
        assert 0.92 <= held / 300 <= 0.995
        assert naive / 300 < 0.85


def test_embeddings_compared_by_cosine(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(6, 3))
    unit = unit_rows(rows)
    pairs = np.array([[0, 1], [2, 5]])
    cosines = (unit[pairs[:, 0]] * unit[pairs[:, 1]]).sum(axis=1)
    np.testing.assert_allclose(pair_distances(unit, pairs) ** 2, 2 - 2 * cosines, rtol=1e-12)
    np.testing.assert_allclose(unit_rows(7.0 * rows), unit, rtol=1e-12)
    assert (unit_rows(np.zeros((1, 3))) == 0).all()


def test_read_out_is_exact_for_meshes_of_the_model_on_any_vertices(
    rng: np.random.Generator,
) -> None:
    mean = rng.normal(size=(60, 3))
    bases = {"identity": rng.normal(size=(60, 3, 7)), "expression": rng.normal(size=(60, 3, 4))}
    codes = {name: rng.normal(size=(9, basis.shape[2])) for name, basis in bases.items()}
    stack = mean + sum(np.einsum("nk,vck->nvc", codes[name], bases[name]) for name in bases)
    for vertices in (None, np.arange(0, 60, 4)):
        read = OracleReadout(mean, bases, ridge=1e-9, vertices=vertices).read(stack)
        for name, code in codes.items():
            np.testing.assert_allclose(read.coefficients[name], code, atol=1e-6)
        assert read.residual.max() < 1e-6
    shrunk = OracleReadout(mean, bases, ridge=1e9).read(stack).coefficients["identity"]
    assert np.abs(shrunk).max() < 1e-3
    lifted = OracleReadout(mean, {"up": np.ones((60, 3, 1))}).read(mean[None] + 2.0)
    assert lifted.coefficients["up"][0, 0] == pytest.approx(2.0)


def test_read_out_says_how_far_a_mesh_leaves_the_model(rng: np.random.Generator) -> None:
    mean, basis = np.zeros((2, 3)), np.zeros((2, 3, 1))
    basis[0, 0, 0] = 1.0
    mesh = np.zeros((1, 2, 3))
    mesh[0, 0, 0], mesh[0, 1, 2] = 4.0, 6.0
    read = OracleReadout(mean, {"x": basis}, ridge=0.0).read(mesh)
    assert read.coefficients["x"][0, 0] == pytest.approx(4.0)
    assert read.residual[0] == pytest.approx(3.0)


def test_read_out_of_a_known_face_model(shared_data: Path, rng: np.random.Generator) -> None:
    """ICT from every eighth vertex of its meshes in millimetres: identity and expression."""
    with np.load(shared_data / "ict" / "ict_face.npz") as file:
        mean = 10.0 * file["vertices_cm"].astype(np.float64)
        quads = file["quads"].astype(np.int64)
        parts = [10.0 * np.moveaxis(file[f"{k}_cm"], 0, -1) for k in ("identity", "expression")]
    model = MorphableModel(
        Template(Mesh(mean, quads=quads)),
        LinearModel(mean, parts[0]),
        ExpressionModel(np.zeros_like(mean), parts[1], kind="blendshapes"),
    )
    identity, weights = rng.normal(size=(5, 100)), rng.uniform(0, 1, (5, 53))
    stack = np.stack([model.vertices(a, w) for a, w in zip(identity, weights, strict=True)])
    read = OracleReadout.of(model, vertices=np.arange(0, 6706, 8)).read(stack)
    np.testing.assert_allclose(read.coefficients["identity"], identity, atol=1e-5)
    np.testing.assert_allclose(read.coefficients["expression"], weights, atol=1e-5)
    exact = OracleReadout.of(model, ridge=1e-9).read(stack)
    np.testing.assert_allclose(exact.coefficients["identity"], identity, atol=1e-6)
    np.testing.assert_allclose(exact.coefficients["expression"], weights, atol=1e-6)


def test_bad_factors_are_refused_in_one_sentence(rng: np.random.Generator) -> None:
    flat = np.zeros((3, 3, 1))
    for call, match in [
        (lambda: choose_threshold(np.ones(3), np.ones(3, bool)), "pairs of one label and of two"),
        (lambda: choose_threshold(np.ones(3), np.ones(2, bool)), "same: expected"),
        (lambda: choose_threshold(np.full(3, np.nan), np.arange(3) > 0), "NaN"),
        (lambda: balanced_pairs(np.zeros(5, int)), "two different labels"),
        (lambda: decoupling(np.zeros((2, 3)), np.zeros((2, 4, 2)), PERFECT), "anchors: expected"),
        (lambda: decoupling(np.zeros((2, 3)), np.zeros((2, 0, 3)), PERFECT), "expected samples"),
        (lambda: OracleReadout(np.zeros((3, 3)), {}), "one or more bases"),
        (lambda: OracleReadout(np.zeros((3, 3)), {"x": flat}, ridge=0.0), "depend on each other"),
        (lambda: OracleReadout(np.zeros((3, 3)), {"x": flat}, ridge=-1.0), "at least 0"),
    ]:
        with pytest.raises(SettingsError, match=match):
            call()
    with pytest.raises(MeshError, match="basis of x"):
        OracleReadout(np.zeros((3, 3)), {"x": np.zeros((2, 3, 1))})
    with pytest.raises(MeshError, match="meshes"):
        OracleReadout(np.zeros((3, 3)), {"x": flat}).read(np.zeros((1, 4, 3)))
