"""Principal components of rows: closed form, numpy's SVD, agreement of the methods, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.statistics.decomposition import Decomposition, decompose_rows
from geomface.statistics.decomposition.krylov import STEPS, extend_basis
from geomface.statistics.decomposition.rows import choose_method

METHODS = ("thin", "dual", "randomized")


def toy(rng, variances, count, size, mean=0.0):
    """Rows whose sample covariance is exactly sum_k variance_k d_k d_k^T."""
    modes = len(variances)
    directions = np.linalg.qr(rng.standard_normal((size, modes)))[0].T
    scores = rng.standard_normal((count, modes))
    scores = np.linalg.qr(scores - scores.mean(axis=0))[0] * np.sqrt(count - 1)
    return directions, mean + (scores * np.sqrt(variances)) @ directions


def exact(rows):
    """numpy's SVD of the centred rows in float64: singular values and directions."""
    rows = np.asarray(rows, np.float64)
    _, singular, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    return singular, directions


def sine(found, truth):
    """The largest sine of the angles between rows `truth` and the span of rows `found`."""
    found, truth = found.astype(np.float64), truth.astype(np.float64)
    return np.linalg.norm(truth - (truth @ found.T) @ found, 2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(12, 40), (40, 12)])
def test_recovers_a_covariance_in_closed_form(rng, method, shape):
    variances = np.array([9.0, 4.0, 1.0, 0.25])
    mean = rng.standard_normal(shape[1])
    directions, rows = toy(rng, variances, *shape, mean=mean)
    rows.flags.writeable = False
    found = decompose_rows(rows, method=method)
    assert found.method == method and found.count == shape[0] and len(found) == 4
    np.testing.assert_allclose(found.mean, mean, atol=1e-13)
    np.testing.assert_allclose(found.variances, variances, rtol=1e-11)
    np.testing.assert_allclose(np.abs(found.directions @ directions.T), np.eye(4), atol=1e-9)
    assert found.total_variance == pytest.approx(14.25, rel=1e-12)
    assert found.noise_variance == pytest.approx(0, abs=1e-12)
    two = decompose_rows(rows, components=2, method=method)
    assert two.total_variance == pytest.approx(14.25, rel=1e-12)
    # Tipping and Bishop: the eigenvalues left out, zeros too, averaged over D - K.
    assert two.noise_variance == pytest.approx(1.25 / (shape[1] - 2), rel=1e-10)


def test_the_paper_divides_by_n(rng):
    _, rows = toy(rng, np.array([4.0, 1.0]), 10, 7)
    unbiased, paper = (decompose_rows(rows, components=1, divisor=d) for d in ("n-1", "n"))
    np.testing.assert_allclose(paper.variances, 0.9 * unbiased.variances, rtol=1e-14)
    assert paper.total_variance == pytest.approx(0.9 * unbiased.total_variance)
    assert paper.noise_variance == pytest.approx(0.9 * unbiased.noise_variance)
    np.testing.assert_array_equal(paper.directions, unbiased.directions)
    np.testing.assert_allclose(decompose_rows(rows, divisor="n").variances, [3.6, 0.9], rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 40),
    size=st.integers(1, 40),
    method=st.sampled_from((*METHODS, "auto")),
    dtype=st.sampled_from((np.float32, np.float64)),
    scale=st.integers(-3, 3),
)
def test_any_shape_gives_the_svd(seed, count, size, method, dtype, scale):
    rng = np.random.default_rng(seed)
    rows = (10.0**scale * rng.standard_normal((count, size))).astype(dtype)
    singular, _ = exact(rows)
    found = decompose_rows(rows, method=method)
    kept = len(found)
    assert kept <= min(count - 1, size)
    assert found.directions.dtype == dtype and found.mean.dtype == np.float64
    tight = 1e-9 if dtype == np.float64 else 2e-5
    orthonormal = 1e-8 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(
        found.directions @ found.directions.T, np.eye(kept), atol=orthonormal
    )
    np.testing.assert_allclose(
        np.sqrt(found.variances * (count - 1)), singular[:kept], atol=tight * singular[0]
    )
    np.testing.assert_allclose(singular[kept:], 0, atol=max(tight, 1e-5) * singular[0])
    assert (np.diff(found.variances) <= 0).all()
    assert found.total_variance == pytest.approx(rows.var(axis=0, ddof=1).sum(), rel=1e-4)
    centred = rows - found.mean
    rest = centred - (centred @ found.directions.T) @ found.directions
    assert np.abs(rest).max() <= max(tight, 1e-5) * np.abs(centred).max() * np.sqrt(size)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(60, 200),
    size=st.integers(60, 400),
    wanted=st.integers(1, 12),
)
def test_random_blocks_find_the_leading_modes(seed, count, size, wanted):
    rng = np.random.default_rng(seed)
    decay = 1.0 / np.arange(1, 51) ** 2
    _, rows = toy(rng, decay, count, size, mean=rng.standard_normal(size))
    rows += 1e-5 * rng.standard_normal(rows.shape)
    singular, directions = exact(rows)
    found = decompose_rows(rows, components=wanted, method="randomized", rng=rng)
    np.testing.assert_allclose(found.variances * (count - 1), singular[:wanted] ** 2, rtol=1e-7)
    assert sine(found.directions, directions[:wanted]) < 1e-4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_methods_agree_on_the_subspace(rng, dtype):
    decay = 1.0 / np.arange(1, 101) ** 2
    _, rows = toy(rng, decay, 150, 900)
    rows = rows.astype(dtype)
    results = [decompose_rows(rows, components=20, method=method) for method in METHODS]
    tight = 1e-4 if dtype == np.float32 else 1e-7
    for found in results[1:]:
        np.testing.assert_allclose(found.variances, results[0].variances, rtol=tight)
        assert sine(found.directions, results[0].directions) < tight
        # One sign rule: the directions are equal and not only their spans.
        np.testing.assert_allclose(found.directions, results[0].directions, atol=tight)
        assert found.noise_variance == pytest.approx(results[0].noise_variance, rel=1e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(60, 900), (900, 60)])
def test_a_mean_far_from_the_origin_costs_no_accuracy(rng, method, shape):
    """Faces 100 mm from the origin that differ by 0.1 mm, in float32."""
    decay = 0.1 * 0.8 ** np.arange(30)
    _, spread = toy(rng, decay**2, *shape)
    offset = 100 + 10 * rng.standard_normal(shape[1])
    rows = (spread + offset).astype(np.float32)
    singular, directions = exact(rows)
    found = decompose_rows(rows, components=15, method=method)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(
        np.sqrt(found.variances * (shape[0] - 1)), singular[:15], atol=1e-6 * singular[0]
    )
    assert sine(found.directions, directions[:15]) < 1e-5
    # A direction that holds the mean would show at once.
    unit = offset / np.linalg.norm(offset)
    overlap = np.abs(directions[:15] @ unit)
    np.testing.assert_allclose(np.abs(found.directions @ unit), overlap, atol=1e-5)


def test_a_float64_mean_far_away_leaves_no_mode_of_its_own(rng):
    _, rows = toy(rng, np.array([4.0, 1.0]), 30, 200, mean=1e4 * rng.standard_normal(200))
    for method in METHODS:
        assert len(decompose_rows(rows, method=method)) == 2


@pytest.mark.parametrize("method", METHODS)
def test_rounding_error_of_float32_is_no_mode(rng, method):
    _, rows = toy(rng, np.array([4.0, 1.0, 0.5]), 50, 3000, mean=rng.standard_normal(3000))
    found = decompose_rows(rows.astype(np.float32), method=method)
    assert len(found) == 3


@pytest.mark.parametrize("method", METHODS)
def test_shares_of_the_variance(rng, method):
    _, rows = toy(rng, np.array([8.0, 1.0, 0.7, 0.3]), 9, 18)
    for share, kept in ((0.5, 1), (0.79, 1), (0.85, 2), (0.95, 3), (0.98, 4), (1.0, 4)):
        assert len(decompose_rows(rows, variance=share, method=method)) == kept


def test_random_blocks_grow_until_a_share_is_reached(rng):
    decay = 1.0 / np.arange(1, 181)
    _, rows = toy(rng, decay, 200, 300)
    reached = np.cumsum(decay) / decay.sum()
    found = decompose_rows(rows, variance=0.9, method="randomized")
    assert len(found) == int(np.searchsorted(reached, 0.9)) + 1 > 64
    assert found.variances.sum() >= 0.9 * found.total_variance


def test_largest_entries_are_positive_and_results_repeat(rng):
    rows = rng.standard_normal((40, 60))
    for method in METHODS:
        found = decompose_rows(rows, components=6, method=method)
        largest = np.abs(found.directions).argmax(axis=1)
        assert (found.directions[np.arange(6), largest] > 0).all()
        mirrored = decompose_rows(-rows, components=6, method=method)
        np.testing.assert_allclose(mirrored.directions, found.directions, atol=1e-9)
        again = decompose_rows(rows, components=6, method=method)
        np.testing.assert_array_equal(again.directions, found.directions)
        np.testing.assert_array_equal(again.variances, found.variances)
    seeded = [
        decompose_rows(
            rows, components=6, method="randomized", rng=np.random.default_rng(seed)
        ).directions
        for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(seeded[0], seeded[1])
    assert (seeded[0] != seeded[2]).any()


def test_layout_and_dtype_of_the_input_do_not_matter(rng):
    rows = rng.integers(0, 255, (20, 30))
    plain = decompose_rows(rows.astype(np.float64), components=5)
    wide = np.zeros((40, 60))
    wide[::2, ::2] = rows
    for other in (rows, rows.astype(np.uint8), np.asfortranarray(rows, float), wide[::2, ::2]):
        for method in METHODS:
            found = decompose_rows(other, components=5, method=method)
            np.testing.assert_allclose(found.directions, plain.directions, atol=1e-9)


def test_results_are_values(rng):
    found = decompose_rows(rng.standard_normal((5, 4)))
    assert isinstance(found, Decomposition)
    for array in (found.mean, found.directions, found.variances):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_rows_have_no_modes(rng, method, dtype):
    rows = np.tile(100.1 + rng.standard_normal(30), (40, 1)).astype(dtype)
    for options in ({}, {"components": 3}, {"variance": 0.9}):
        found = decompose_rows(rows, method=method, **options)
        assert len(found) == 0 and found.directions.shape == (0, 30)
        assert found.total_variance == found.noise_variance == 0
        np.testing.assert_array_equal(found.mean, rows[0])


def test_bad_rows(rng):
    rows = rng.standard_normal((6, 5))
    with pytest.raises(MeshError, match="at least 2 rows, got 1"):
        decompose_rows(rows[:1])
    with pytest.raises(MeshError, match="at least 2 rows, got 0"):
        decompose_rows(rows[:0])
    with pytest.raises(MeshError, match="matrix"):
        decompose_rows(rows[0])
    with pytest.raises(MeshError, match="matrix"):
        decompose_rows(rows[:, :0])
    with pytest.raises(MeshError, match="numbers"):
        decompose_rows(np.array([["a", "b"], ["c", "d"]]))
    for bad in (np.nan, np.inf):
        for row in (0, 4):
            broken = rows.copy()
            broken[row, 2] = bad
            with pytest.raises(MeshError, match=f"first: row {row}"):
                decompose_rows(broken)
    with pytest.raises(MeshError, match="too large"):
        decompose_rows(np.array([[1e308], [-1e308], [1.7e308]]))


def test_bad_settings(rng):
    rows = rng.standard_normal((6, 9))
    with pytest.raises(SettingsError, match="give one of them"):
        decompose_rows(rows, components=2, variance=0.5)
    for components in (0, -1, 1.5):
        with pytest.raises(SettingsError, match="at least 1"):
            decompose_rows(rows, components=components)
    for method in METHODS:
        with pytest.raises(SettingsError, match="at most 5"):
            decompose_rows(rows, components=6, method=method)
    for share in (0, 1.1, np.nan):
        with pytest.raises(SettingsError, match="share in"):
            decompose_rows(rows, variance=share)
    with pytest.raises(SettingsError, match="randomized"):
        decompose_rows(rows, method="fast")
    with pytest.raises(SettingsError, match="n-1, n"):
        decompose_rows(rows, divisor="n-2")
    _, flat = toy(rng, np.array([2.0, 1.0]), 8, 9)
    for method in METHODS:
        with pytest.raises(SettingsError, match="at most 2"):
            decompose_rows(flat, components=3, method=method)


def test_auto_chooses_by_shape_and_count():
    assert choose_method(100, 28_227, None) == "thin"
    assert choose_method(2000, 28_227, 100) == "randomized"
    assert choose_method(2000, 28_227, 1000) == "dual"
    assert choose_method(2000, 28_227, None) == "dual"
    assert choose_method(20_000, 28_227, None) == "randomized"
    assert choose_method(10**6, 100, 5) == "thin"


def test_a_basis_is_extended_by_what_is_new(rng):
    basis = np.linalg.qr(rng.standard_normal((30, 8)))[0]
    new = rng.standard_normal((30, 2))
    fresh = np.hstack([basis[:, :3] + 1e-3 * new[:, :1], new, np.zeros((30, 1))])
    added = extend_basis(basis, fresh, 1e-15)
    assert added.shape == (30, 2)
    both = np.hstack([basis, added])
    np.testing.assert_allclose(both.T @ both, np.eye(10), atol=1e-14)
    np.testing.assert_allclose(both @ (both.T @ fresh), fresh, atol=1e-12)
    assert extend_basis(both, fresh, 1e-15).shape[1] == 0


def test_more_steps_beat_power_iterations_for_the_same_products(rng):
    """The claim behind the choice of method: 2 STEPS block products against Halko's 16."""
    _, rows = toy(rng, 1.0 / np.arange(1, 300.0) ** 2, 320, 600)
    _, directions = exact(rows)
    centred = rows - rows.mean(axis=0)
    sketch = rng.standard_normal((600, 50))
    for _ in range(7):
        sketch = np.linalg.qr(centred.T @ (centred @ sketch))[0]
    left = np.linalg.qr(centred @ sketch)[0]
    powers = np.linalg.svd(left.T @ centred, full_matrices=False)[2][:40]
    krylov = decompose_rows(rows, components=40, method="randomized").directions
    columns = 2 * STEPS * int(np.ceil(0.4 * 40))
    assert columns < 0.5 * 16 * 50
    assert sine(krylov, directions[:40]) < 0.2 * sine(powers, directions[:40])
