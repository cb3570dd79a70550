"""Compactness: exact sums, and intervals against the jackknife and the Gaussian limit."""

import numpy as np
import pytest
from evaluation_toys import AxisToy

from geomface.errors import MeshError, SettingsError
from geomface.statistics import fit_pca
from geomface.statistics.evaluation import Interval, compactness


def test_sums_of_a_known_gaussian():
    toy = AxisToy((3.0, 1.0))
    found = compactness(toy.model)
    np.testing.assert_allclose(found.variance.mean, [9, 18, 27, 28, 29, 30])
    np.testing.assert_allclose(found.share.mean, np.array([9, 18, 27, 28, 29, 30]) / 30)
    assert np.isnan(found.variance.low).all() and found.variance.per_mesh.shape == (6, 0)
    assert (found.variance.unit, found.share.unit) == ("mm^2", "")
    short = compactness(toy.model.truncate(2)).share
    np.testing.assert_allclose(short.mean, [0.3, 0.6])


@pytest.mark.parametrize("divisor", ["n-1", "n"])
def test_the_parts_of_the_meshes_make_up_the_variance(rng, divisor):
    meshes = AxisToy().draw(rng, 30)
    model = fit_pca(meshes, divisor=divisor)
    found = compactness(model, meshes)
    np.testing.assert_allclose(found.variance.per_mesh.mean(axis=1), found.variance.mean)
    np.testing.assert_allclose(found.share.per_mesh.mean(axis=1), found.share.mean)
    np.testing.assert_allclose(found.variance.mean, np.cumsum(model.variances))
    assert (found.variance.low < found.variance.mean).all()
    # All of the variance is all of it in every sample.
    assert found.share.low[-1] == pytest.approx(1.0) and found.share.high[-1] == pytest.approx(1.0)


def test_the_spread_is_that_of_the_jackknife(rng):
    toy = AxisToy((9.0, 3.0, 1.0))
    meshes = toy.draw(rng, 150)
    found = compactness(fit_pca(meshes), meshes)
    left_out = [compactness(fit_pca(np.delete(meshes, n, axis=0))) for n in range(len(meshes))]
    for curve, values in (
        (found.variance, np.array([one.variance.mean for one in left_out])),
        (found.share, np.array([one.share.mean for one in left_out])),
    ):
        jackknife = np.sqrt(149 / 150 * ((values - values.mean(axis=0)) ** 2).sum(axis=0))
        spread = curve.per_mesh.std(axis=1, ddof=1) / np.sqrt(150)
        for k in (3, 6):
            assert spread[k - 1] == pytest.approx(jackknife[k - 1], rel=0.1)


def test_the_gaussian_limit(rng):
    """The variance of a sample eigenvalue is 2 lambda^2 / N."""
    noise = rng.standard_normal((20000, 1, 3)) * [4.0, 2.0, 1.0]
    found = compactness(fit_pca(noise), noise)
    half = 0.5 * (found.variance.high - found.variance.low)
    expected = 1.96 * np.sqrt(2 * np.cumsum(np.array([16.0, 4.0, 1.0]) ** 2) / 20000)
    np.testing.assert_allclose(half, expected, rtol=0.03)


def test_bootstrap_agrees_with_t(rng):
    meshes = AxisToy().draw(rng, 80)
    model = fit_pca(meshes)
    one = compactness(model, meshes)
    two = compactness(model, meshes, interval=Interval("bootstrap"), rng=rng)
    for first, second in ((one.variance, two.variance), (one.share, two.share)):
        gap = (first.high - first.low)[:-1]
        np.testing.assert_allclose((second.high - second.low)[:-1], gap, rtol=0.2)


def test_bad_input_is_refused(rng):
    meshes = AxisToy().draw(rng, 12)
    model = fit_pca(meshes)
    with pytest.raises(SettingsError, match="fitted to"):
        compactness(model, 3.0 * meshes)
    with pytest.raises(MeshError, match="N >= 2"):
        compactness(model, meshes[0])
    with pytest.raises(MeshError, match="NaN"):
        compactness(model, np.full_like(meshes, np.nan))
    with pytest.raises(MeshError, match="Register the mesh"):
        compactness(model, np.zeros((4, 7, 3)))
    with pytest.raises(SettingsError, match="Give rng"):
        compactness(model, meshes, interval=Interval("bootstrap"))
    assert len(compactness(fit_pca(np.ones((3, 4, 3)))).variance) == 0
