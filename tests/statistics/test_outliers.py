"""Outliers: the laws of the distances, leave-one-out by hand, nothing dropped."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, chi2, kstest

from geomface.errors import SettingsError
from geomface.statistics import fit_pca
from geomface.statistics.evaluation import mahalanobis_outliers


def test_new_faces_follow_chi_square(rng):
    z = rng.standard_normal((3000, 7))
    report = mahalanobis_outliers(z, level=0.05)
    assert kstest(report.p_values, "uniform").pvalue > 0.01
    np.testing.assert_allclose(report.distances, np.linalg.norm(z, axis=1))
    np.testing.assert_allclose(report.p_values, chi2.sf((z**2).sum(axis=1), 7))
    assert report.threshold**2 == pytest.approx(chi2.ppf(0.95, 7))
    np.testing.assert_array_equal(report.flagged, report.distances > report.threshold)
    assert report.flagged.mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 3000))
    assert report.expected_by_chance == pytest.approx(150.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(5, 20), size=st.integers(1, 3))
def test_leave_one_out_by_hand_and_as_a_beta_law(seed, count, size):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((count, size)) @ rng.standard_normal((size, size)) + 5.0
    report = mahalanobis_outliers(z, in_sample=True)
    for face in range(count):
        others = np.delete(z, face, axis=0)
        away = z[face] - others.mean(axis=0)
        inverse = np.linalg.inv(np.atleast_2d(np.cov(others.T)))
        assert report.distances[face] ** 2 == pytest.approx(away @ inverse @ away, rel=1e-5)
    away = z - z.mean(axis=0)
    inside = np.einsum("nk,kl,nl->n", away, np.linalg.inv(np.atleast_2d(np.cov(z.T))), away)
    law = beta(0.5 * size, 0.5 * (count - 1 - size))
    expected = law.sf(inside * count / (count - 1) ** 2)
    np.testing.assert_allclose(report.p_values, expected, rtol=1e-5, atol=1e-12)
    np.testing.assert_array_equal(report.flagged, report.distances > report.threshold)


def test_faces_of_the_fit_are_flagged_as_often_as_the_level_says():
    """40 faces on 12 modes of their own model: chi-square would hardly ever flag one."""
    flags, naive, p_values = 0, 0, []
    for seed in range(60):
        meshes = np.random.default_rng(seed).standard_normal((40, 50, 3))
        z = fit_pca(meshes).coefficients(meshes)[:, :12]
        report = mahalanobis_outliers(z, level=0.05, in_sample=True)
        flags += int(report.flagged.sum())
        naive += int(mahalanobis_outliers(z, level=0.05).flagged.sum())
        p_values.append(report.p_values[0])
    assert flags / 2400 == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 2400))
    assert naive < 0.4 * flags
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_a_spoilt_face_hides_in_its_own_model_and_is_found_by_the_others(rng):
    meshes = rng.standard_normal((20, 30, 3))
    meshes[13] += 8.0 * rng.standard_normal((30, 3))
    names = [f"face{n}" for n in range(20)]
    z = fit_pca(meshes).coefficients(meshes)[:, :12]
    assert "face13" not in mahalanobis_outliers(z, names=names).flagged_names
    report = mahalanobis_outliers(z, in_sample=True, names=names)
    assert report.flagged_names[0] == "face13"
    assert len(report) == len(report.names) == len(report.p_values) == 20
    assert "face13" in report.summary and "0.2 expected by chance" in report.summary


def test_with_all_modes_every_face_lies_equally_far_out(rng):
    meshes = rng.standard_normal((9, 30, 3))
    meshes[4] *= 20.0
    z = fit_pca(meshes).coefficients(meshes)
    np.testing.assert_allclose((z**2).sum(axis=1), 64 / 9, rtol=1e-8)
    with pytest.raises(SettingsError, match="at most N - 2 = 7"):
        mahalanobis_outliers(z, in_sample=True)


def test_flagged_names_start_with_the_furthest():
    report = mahalanobis_outliers(np.array([[9.0], [0.0], [-20.0], [0.5]]), names="abcd")
    assert report.flagged_names == ("c", "a")
    assert "2 of 4 faces" in report.summary
    assert mahalanobis_outliers(np.zeros((3, 2))).flagged_names == ()
    with pytest.raises(ValueError, match="read-only"):
        report.flagged[0] = False


def test_bad_input_is_refused(rng):
    z = rng.standard_normal((9, 2))
    with pytest.raises(SettingsError, match="level"):
        mahalanobis_outliers(z, level=1.0)
    with pytest.raises(SettingsError, match="one a face, got 2"):
        mahalanobis_outliers(z, names=["a", "b"])
    with pytest.raises(SettingsError, match="NaN"):
        mahalanobis_outliers(np.full((3, 2), np.nan))
    with pytest.raises(SettingsError, match="expected an array of shape"):
        mahalanobis_outliers(z[0])
    with pytest.raises(SettingsError, match="got none"):
        mahalanobis_outliers(z[:, :0])
    with pytest.raises(SettingsError, match="depend on each other"):
        mahalanobis_outliers(np.column_stack([z, z[:, 0]]), in_sample=True)
