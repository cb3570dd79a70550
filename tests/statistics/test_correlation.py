"""Canonical correlation: known spectra, invariance, significance, chance, ridge, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.errors import MeshError, SettingsError
from geomface.statistics.correlation import canonical_correlation
from geomface.statistics.significance import chance_correlation, without_chance

SPECTRUM = np.array([0.95, 0.8, 0.6, 0.4, 0.2, 0.0])


def gaussian_pair(rng, spectrum, count, first=None, second=None):
    """Draws of two Gaussians whose canonical correlations in the population are the spectrum."""
    first, second = first or len(spectrum), second or len(spectrum)
    x, y = rng.standard_normal((count, first)), rng.standard_normal((count, second))
    shared = len(spectrum)
    y[:, :shared] = spectrum * x[:, :shared] + np.sqrt(1 - spectrum**2) * y[:, :shared]
    mix_x = rng.standard_normal((first, first)) + 2 * np.eye(first)
    mix_y = rng.standard_normal((second, second)) + 2 * np.eye(second)
    return x @ mix_x + 7, y @ mix_y - 3


def exact_pair(rng, spectrum, count):
    """Whitened data whose canonical correlations in the sample are the spectrum exactly."""
    size = len(spectrum)
    raw = rng.standard_normal((count, 2 * size))
    base = np.linalg.qr(raw - raw.mean(axis=0))[0] * np.sqrt(count - 1)
    x, other = base[:, :size], base[:, size:]
    return x, spectrum * x + np.sqrt(1 - spectrum**2) * other


@pytest.mark.parametrize("seed", range(3))
def test_known_spectrum_of_2000_faces(seed):
    rng = np.random.default_rng(seed)
    x, y = gaussian_pair(rng, SPECTRUM, 2000)
    found = canonical_correlation(x, y)
    assert np.abs(found.correlations - SPECTRUM).max() < 0.05
    assert (found.p_values[:5] < 1e-6).all() and found.p_values[5] > 1e-3
    shuffled = canonical_correlation(x, y[rng.permutation(2000)])
    assert shuffled.correlations.max() < 0.15
    assert shuffled.population.max() < 0.1
    assert shuffled.p_values[0] > 1e-3
    assert not found.notes and not shuffled.notes


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 6), scale=st.integers(-6, 6))
def test_exact_spectrum_whatever_the_units_and_the_mixing(seed, size, scale):
    rng = np.random.default_rng(seed)
    spectrum = np.sort(rng.uniform(0.0, 1.0, size))[::-1]
    x, y = exact_pair(rng, spectrum, 40)
    mix = np.linalg.qr(rng.standard_normal((size, size)))[0] * rng.uniform(0.5, 2, size)
    units = 10.0 ** rng.integers(-abs(scale), abs(scale) + 1, size)
    found = canonical_correlation((x + 2) @ mix * units, y @ mix.T * 10.0**scale - 5)
    np.testing.assert_allclose(found.correlations, spectrum, atol=1e-7)


def test_scores_are_the_canonical_variables(rng):
    x, y = gaussian_pair(rng, SPECTRUM[:4], 300, first=6, second=4)
    found = canonical_correlation(x, y, components=3)
    assert len(found) == 3 and found.correlations.shape == (4,)
    u, v = found.first_scores, found.second_scores
    np.testing.assert_allclose(np.cov(u.T), np.eye(3), atol=1e-10)
    np.testing.assert_allclose(np.cov(v.T), np.eye(3), atol=1e-10)
    np.testing.assert_allclose(u.T @ v / 299, np.diag(found.correlations[:3]), atol=1e-10)
    np.testing.assert_allclose(found.project_first(x), u, atol=1e-9)
    np.testing.assert_allclose(found.project_second(y), v, atol=1e-9)
    largest = np.abs(found.first_directions).argmax(axis=0)
    assert (found.first_directions[largest, np.arange(3)] > 0).all()
    with pytest.raises(ValueError, match="read-only"):
        found.correlations[0] = 0.0
    other = gaussian_pair(np.random.default_rng(5), np.ones(1), 50, 6, 4)
    assert found.project_first(other[0]).shape == (50, 3)


def test_no_other_direction_correlates_more(rng):
    x, y = gaussian_pair(rng, SPECTRUM[:4], 200)
    found = canonical_correlation(x, y)
    for _ in range(200):
        a = x @ (found.first_directions[:, 0] + 0.1 * rng.standard_normal(4))
        b = y @ (found.second_directions[:, 0] + 0.1 * rng.standard_normal(4))
        assert np.corrcoef(a, b)[0, 1] <= found.correlations[0] + 1e-12


def test_ill_conditioned_data_take_the_slow_way_to_the_same_result(rng):
    x, y = exact_pair(rng, SPECTRUM[:3], 200)
    near = np.array([[1.0, 1.0, 0.0], [0.0, 1e-5, 0.0], [0.0, 0.0, 1.0]])
    found = canonical_correlation(x @ near, y)
    np.testing.assert_allclose(found.correlations, SPECTRUM[:3], atol=1e-9)
    assert found.first_rank == 3 and not found.notes


def test_dependent_and_constant_columns_are_left_out_and_named(rng):
    x, y = exact_pair(rng, SPECTRUM[:3], 60)
    extended = np.hstack([x, np.full((60, 2), 0.1), x[:, :1] - x[:, 1:2]])
    found = canonical_correlation(extended, y)
    np.testing.assert_allclose(found.correlations, SPECTRUM[:3], atol=1e-10)
    assert found.first_rank == 3
    assert "2 constant columns" in found.notes[0] and "1 of the other columns" in found.notes[1]
    np.testing.assert_array_equal(found.first_directions[3:5], 0.0)
    np.testing.assert_allclose(found.project_first(extended), found.first_scores, atol=1e-9)


def test_one_column_is_the_test_of_pearson_and_of_regression(rng):
    from scipy.stats import f as f_distribution
    from scipy.stats import pearsonr

    x, y = rng.standard_normal((30, 1)), rng.standard_normal((30, 1))
    y += 0.3 * x
    expected = pearsonr(x[:, 0], y[:, 0])
    found = canonical_correlation(x, y)
    assert found.correlations[0] == pytest.approx(abs(expected.statistic))
    assert found.p_values[0] == pytest.approx(expected.pvalue)

    x = rng.standard_normal((30, 4))
    rest = y - y.mean() - (x - x.mean(0)) @ np.linalg.lstsq(x - x.mean(0), y - y.mean())[0]
    share = 1 - (rest**2).sum() / ((y - y.mean()) ** 2).sum()
    statistic = share / (1 - share) * 25 / 4
    found = canonical_correlation(x, y)
    assert found.p_values[0] == pytest.approx(f_distribution.sf(statistic, 4, 25))


def test_p_values_of_unrelated_data_are_uniform():
    from scipy.stats import kstest

    rng = np.random.default_rng(3)
    values = [
        canonical_correlation(rng.standard_normal((40, 5)), rng.standard_normal((40, 4))).p_values[
            0
        ]
        for _ in range(300)
    ]
    assert kstest(values, "uniform").pvalue > 1e-3


def test_later_p_values_answer_for_what_remains():
    rng = np.random.default_rng(4)
    spectrum = np.array([0.9, 0.0, 0.0, 0.0])
    values = [canonical_correlation(*gaussian_pair(rng, spectrum, 60)).p_values for _ in range(200)]
    first, second = np.array(values)[:, 0], np.array(values)[:, 1]
    assert first.max() < 1e-6
    assert 0.3 < second.mean() and (second < 0.05).mean() < 0.12


def test_chance_says_what_unrelated_data_show(rng):
    x, y = rng.standard_normal((500, 25)), rng.standard_normal((500, 20))
    found = canonical_correlation(x, y, permutations=40, rng=np.random.default_rng(1))
    assert found.chance == chance_correlation(500, 25, 20)
    assert found.shuffled[:, 0].mean() == pytest.approx(found.chance, abs=0.03)
    assert found.correlations[0] == pytest.approx(found.chance, abs=0.05)
    assert found.shuffled_p_values[0] > 0.02
    assert "up to 0.4" in found.notes[0]


@settings(max_examples=50, deadline=None)
@given(a=st.integers(1, 40), b=st.integers(1, 40), square=st.floats(0.0, 1.0), count=st.just(101))
def test_chance_is_removed_as_it_was_added(a, b, square, count):
    x, y = a / 100, b / 100
    least = np.sqrt(x * y / ((1 - x) * (1 - y)))
    population = least + (1 - least) * (0.01 + 0.99 * square)
    shown = population * (1 - x + x / population) * (1 - y + y / population)
    found = without_chance(np.sqrt(np.array([shown])), count, a, b)
    assert found[0] == pytest.approx(np.sqrt(population), abs=1e-6)
    below = np.array([0.999 * chance_correlation(count, a, b)])
    assert without_chance(below, count, a, b)[0] == 0.0


def test_population_comes_nearer_than_the_sample_in_many_dimensions(rng):
    spectrum = np.array([0.9, 0.7, 0.5])
    x, y = gaussian_pair(rng, spectrum, 1500, 60, 60)
    found = canonical_correlation(x, y)
    sample = np.abs(found.correlations[:3] - spectrum).max()
    assert np.abs(found.population[:3] - spectrum).max() < min(0.05, 0.7 * sample)
    assert found.correlations[3] > 0.3 and found.population[3:].max() < 0.15


def test_too_few_faces_are_said_and_a_ridge_helps():
    rng = np.random.default_rng(8)
    x, y = rng.standard_normal((40, 30)), rng.standard_normal((40, 30))
    found = canonical_correlation(x, y)
    np.testing.assert_allclose(found.correlations[:20], 1.0, atol=1e-10)
    assert found.chance == 1.0 and found.population is None and found.p_values is None
    assert "some correlations are 1" in found.notes[0]

    hidden = rng.standard_normal((640, 1))
    pattern_x, pattern_y = rng.standard_normal((1, 30)), rng.standard_normal((1, 30))
    x = hidden @ pattern_x + rng.standard_normal((640, 30))
    y = hidden @ pattern_y + rng.standard_normal((640, 30))
    unseen = []
    for ridge in (0.0, 1.0):
        fit = canonical_correlation(
            x[:40], y[:40], ridge=ridge, permutations=19, rng=np.random.default_rng(2)
        )
        u, v = fit.project_first(x[40:])[:, 0], fit.project_second(y[40:])[:, 0]
        unseen.append(abs(np.corrcoef(u, v)[0, 1]))
    assert unseen[1] > 0.8 > unseen[0] + 0.3
    assert fit.p_values is None and fit.shuffled_p_values[0] == 0.05
    assert fit.correlations[0] < 1 and "shuffled pairings" in fit.notes[0]


def test_ridge_solves_the_regularised_eigenproblem(rng):
    from scipy.linalg import eigh

    x, y = gaussian_pair(rng, SPECTRUM[:3], 50, 4, 3)
    ridge = 0.2
    found = canonical_correlation(x, y, ridge=ridge)
    both = np.cov(np.hstack([x, y]).T)
    xx, yy, xy = both[:4, :4], both[4:, 4:], both[:4, 4:]
    xx = xx + ridge * np.trace(xx) / 4 * np.eye(4)
    yy = yy + ridge * np.trace(yy) / 3 * np.eye(3)
    squares = eigh(xy @ np.linalg.solve(yy, xy.T), xx, eigvals_only=True)[::-1][:3]
    np.testing.assert_allclose(found.correlations, np.sqrt(squares), atol=1e-9)
    a, b = found.first_directions, found.second_directions
    np.testing.assert_allclose(a.T @ xx @ a, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(a.T @ xy @ b, np.diag(found.correlations), atol=1e-9)


def test_permutations_follow_the_generator(rng):
    x, y = gaussian_pair(rng, SPECTRUM[:3], 80)
    one, two = (
        canonical_correlation(x, y, permutations=29, rng=np.random.default_rng(6)) for _ in range(2)
    )
    np.testing.assert_array_equal(one.shuffled, two.shuffled)
    assert one.shuffled.shape == (29, 3)
    assert one.shuffled_p_values[0] == pytest.approx(1 / 30)
    assert canonical_correlation(x, y).shuffled_p_values is None


def test_images_and_vertices_are_rows(rng):
    images = rng.random((60, 3, 2, 3)).astype(np.float32)
    vertices = rng.standard_normal((60, 4, 3))
    vertices[:, 0] += 5 * images[:, 0, 0]
    found = canonical_correlation(images, vertices)
    flat = canonical_correlation(images.reshape(60, -1), vertices.reshape(60, -1))
    np.testing.assert_array_equal(found.correlations, flat.correlations)
    assert found.correlations[2] > 0.6 and found.first_directions.shape == (18, 12)


def test_agrees_with_scikit_learn(rng):
    peer = pytest.importorskip("sklearn.cross_decomposition").CCA
    x, y = gaussian_pair(rng, np.array([0.9, 0.6, 0.3]), 500)
    u, v = peer(n_components=3, max_iter=5000, tol=1e-10).fit(x, y).transform(x, y)
    expected = [np.corrcoef(u[:, k], v[:, k])[0, 1] for k in range(3)]
    np.testing.assert_allclose(canonical_correlation(x, y).correlations, expected, atol=1e-5)


def test_bad_input_is_refused(rng):
    good = rng.standard_normal((10, 2))
    with pytest.raises(
        MeshError, match="same faces on both sides, got 10 rows of first and 9 of second"
    ):
        canonical_correlation(good, good[:9])
    with pytest.raises(MeshError, match="at least 3 faces, got 2"):
        canonical_correlation(good[:2], good[:2])
    with pytest.raises(MeshError, match="first: 1 of 10 rows hold NaN"):
        canonical_correlation(np.where(good == good[4, 1], np.nan, good), good)
    with pytest.raises(MeshError, match="second: every column is constant"):
        canonical_correlation(good, np.full((10, 3), 0.1))
    with pytest.raises(MeshError, match="real numbers"):
        canonical_correlation(good[:, 0], good)
    with pytest.raises(MeshError, match="real numbers"):
        canonical_correlation(good, good + 1j)
    with pytest.raises(MeshError, match="second: expected real numbers"):
        canonical_correlation(good, good[:, :0])
    with pytest.raises(SettingsError, match="components: expected at least 1"):
        canonical_correlation(good, good, components=0)
    for ridge in (-1.0, np.nan, np.inf):
        with pytest.raises(SettingsError, match="ridge: expected 0 or more"):
            canonical_correlation(good, good, ridge=ridge)
    with pytest.raises(SettingsError, match="needs rng"):
        canonical_correlation(good, good, permutations=5)
    with pytest.raises(SettingsError, match="permutations: expected"):
        canonical_correlation(good, good, permutations=-1)
    with pytest.raises(MeshError, match="expected 2 numbers a face as in the fit, got 3"):
        canonical_correlation(good, good).project_first(np.ones((4, 3)))
