"""Principal components of streamed blocks: equal to those in memory, repeatable, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.statistics.decomposition import decompose_blocks, decompose_rows


def decaying(rng, count, size, modes=60, power=1.5):
    """Rows with standard deviations k^-power and a little noise."""
    modes = min(modes, size)
    directions = np.linalg.qr(rng.standard_normal((size, modes)))[0].T
    scores = rng.standard_normal((count, modes)) / np.arange(1, modes + 1) ** power
    return scores @ directions + 1e-4 * rng.standard_normal((count, size))


def sine(found, truth):
    """The largest sine of the angles between rows `truth` and the span of rows `found`."""
    found, truth = found.astype(np.float64), truth.astype(np.float64)
    return np.linalg.norm(truth - (truth @ found.T) @ found, 2)


def cut(rows, lengths):
    """The rows in blocks of the lengths, over and over; a zero is an empty block."""
    blocks, start, index = [], 0, 0
    while start < len(rows):
        length = lengths[index % len(lengths)]
        blocks.append(rows[start : start + length])
        start, index = start + length, index + 1
    return blocks


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(30, 150),
    size=st.integers(20, 120),
    lengths=st.lists(st.integers(0, 60), min_size=1, max_size=5).filter(any),
    dtype=st.sampled_from((np.float32, np.float64)),
)
def test_streamed_equals_in_memory(seed, count, size, lengths, dtype):
    rng = np.random.default_rng(seed)
    rows = (decaying(rng, count, size) + 3 * rng.standard_normal(size)).astype(dtype)
    rows.flags.writeable = False
    truth = decompose_rows(rows, components=8, method="thin")
    found = decompose_blocks(lambda: cut(rows, lengths), components=8)
    assert found.method == "streamed" and found.count == count
    assert found.directions.dtype == dtype and found.variances.dtype == np.float64
    tight = 1e-4 if dtype == np.float32 else 1e-7
    np.testing.assert_allclose(found.mean, rows.mean(axis=0, dtype=np.float64), atol=1e-6)
    np.testing.assert_allclose(found.variances, truth.variances, rtol=tight)
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(8), atol=1e-6)
    assert sine(found.directions, truth.directions) < 1e-3
    assert found.total_variance == pytest.approx(truth.total_variance, rel=1e-5)
    assert found.noise_variance == pytest.approx(truth.noise_variance, rel=1e-2)


@pytest.mark.parametrize("passes", [2, 3, 6])
def test_each_pass_brings_the_modes_nearer(rng, passes):
    rows = decaying(rng, 300, 200, modes=200, power=0.7)
    truth = decompose_rows(rows, components=20, method="thin")
    errors = {
        count: sine(
            decompose_blocks(lambda: cut(rows, [64]), components=20, passes=count).directions,
            truth.directions,
        )
        for count in (passes, passes + 1)
    }
    assert errors[passes + 1] < 0.5 * errors[passes]


def test_mean_and_total_are_exact_however_few_the_passes(rng):
    rows = decaying(rng, 200, 90) + rng.standard_normal(90)
    found = decompose_blocks(lambda: cut(rows, [7, 50]), components=3, passes=2, divisor="n")
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), atol=1e-13)
    assert found.total_variance == pytest.approx(rows.var(axis=0).sum(), rel=1e-12)


def test_a_mean_far_from_the_origin_costs_no_accuracy(rng):
    """Faces 100 mm from the origin that differ by 0.1 mm, in float32, sorted by the main mode."""
    rows = 0.1 * decaying(rng, 300, 400, power=1.0)
    order = np.argsort(rows @ np.linalg.svd(rows, full_matrices=False)[2][0])
    rows = (rows[order] + 100 + 10 * rng.standard_normal(400)).astype(np.float32)
    exact = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, singular, directions = np.linalg.svd(exact, full_matrices=False)
    found = decompose_blocks(lambda: cut(rows, [40]), components=10, passes=6)
    np.testing.assert_allclose(
        np.sqrt(found.variances * 299), singular[:10], atol=1e-6 * singular[0]
    )
    assert sine(found.directions, directions[:10]) < 1e-4
    assert found.total_variance == pytest.approx((exact**2).sum() / 299, rel=1e-6)


def test_the_number_of_calls_is_the_number_of_passes(rng):
    rows, calls = rng.standard_normal((60, 20)), []

    def source():
        calls.append(len(calls))
        yield from cut(rows, [25])

    decompose_blocks(source, components=2, passes=3)
    assert len(calls) == 3


def test_results_repeat(rng):
    rows = rng.standard_normal((80, 30))
    first, second, other = (
        decompose_blocks(
            lambda: cut(rows, [33]), components=4, passes=2, rng=np.random.default_rng(seed)
        )
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.directions, second.directions)
    assert (first.directions != other.directions).any()
    plain = [decompose_blocks(lambda: cut(rows, [33]), components=4).directions for _ in "ab"]
    np.testing.assert_array_equal(*plain)
    largest = np.abs(plain[0]).argmax(axis=1)
    assert (plain[0][np.arange(4), largest] > 0).all()


def test_fewer_modes_than_asked_for(rng):
    rows = rng.standard_normal((50, 3)) @ rng.standard_normal((3, 40)) + rng.standard_normal(40)
    found = decompose_blocks(lambda: cut(rows, [16]), components=10)
    assert len(found) == 3
    assert found.variances.sum() == pytest.approx(found.total_variance, rel=1e-10)
    np.testing.assert_allclose(found.variances, decompose_rows(rows).variances, rtol=1e-10)
    rows = np.tile(100.1 + rng.standard_normal(30).astype(np.float32), (40, 1))
    flat = decompose_blocks(lambda: cut(rows, [16]), components=4)
    assert flat.directions.shape == (0, 30) and flat.total_variance == 0
    np.testing.assert_array_equal(flat.mean, rows[0])


def test_all_modes_of_few_rows(rng):
    rows = rng.standard_normal((6, 50))
    truth = decompose_rows(rows)
    found = decompose_blocks(lambda: cut(rows, [1]), components=5)
    np.testing.assert_allclose(found.variances, truth.variances, rtol=1e-10)
    np.testing.assert_allclose(found.directions, truth.directions, atol=1e-8)


def test_bad_blocks(rng):
    rows = rng.standard_normal((40, 6))
    for empty in ([], [rows[:0]]):
        with pytest.raises(MeshError, match="no rows"):
            decompose_blocks(lambda empty=empty: empty, components=2)
    with pytest.raises(MeshError, match="at least 2 rows, got 1"):
        decompose_blocks(lambda: [rows[:1]], components=1)
    with pytest.raises(MeshError, match="block 1: expected 6 columns"):
        decompose_blocks(lambda: [rows, rows[:, :5]], components=2)
    with pytest.raises(MeshError, match="block 2: expected a matrix"):
        decompose_blocks(lambda: [rows, rows, rows[0]], components=2)
    broken = rows.copy()
    broken[3, 1] = np.nan
    for place in (0, 2):
        blocks = [rows, rows, rows]
        blocks[place] = broken
        with pytest.raises(MeshError, match=f"block {place}: row 3 "):
            decompose_blocks(lambda blocks=blocks: blocks, components=2)


def test_blocks_must_be_the_same_at_each_pass(rng):
    rows = rng.standard_normal((200, 30))
    calls = []

    def shorter():
        calls.append(1)
        return [rows if len(calls) < 2 else rows[:150]]

    with pytest.raises(MeshError, match="same 200 rows"):
        decompose_blocks(shorter, components=2)
    with pytest.raises(MeshError, match="same 200 rows"):
        decompose_blocks(lambda: [rng.standard_normal((200, 30))], components=2)
    once = iter([rows])
    with pytest.raises(MeshError, match="no rows"):
        decompose_blocks(lambda: once, components=2)
    # Another order is the same set of rows.
    shuffled = decompose_blocks(lambda: [rng.permutation(rows)], components=2)
    assert len(shuffled) == 2


def test_bad_settings(rng):
    rows = rng.standard_normal((20, 30))
    with pytest.raises(SettingsError, match="function"):
        decompose_blocks([rows], components=2)
    with pytest.raises(SettingsError, match="at most 19"):
        decompose_blocks(lambda: [rows], components=20)
    with pytest.raises(SettingsError, match="at least 1"):
        decompose_blocks(lambda: [rows], components=0)
    for passes in (1, 2.5):
        with pytest.raises(SettingsError, match="passes"):
            decompose_blocks(lambda: [rows], components=2, passes=passes)
    with pytest.raises(SettingsError, match="divisor"):
        decompose_blocks(lambda: [rows], components=2, divisor="N")
