"""The random fields of the registration by a model: kernel, variance, range, and their split."""

import numpy as np
import pytest

from geomface.errors import SettingsError
from geomface.fitting.detail import DetailField, split_variance
from geomface.fitting.smooth_field import smooth_field


def sheet(count=41, size=120.0):
    axis = np.linspace(0, size, count)
    x, y = np.meshgrid(axis, axis)
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(count**2)], axis=1)
    index = np.arange(count**2).reshape(count, count)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    return vertices, faces


def test_smooth_field_has_the_kernel(rng):
    points = 60 * rng.random((400, 3))
    columns = smooth_field(points, 30.0)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    kernel = np.exp(-(distances**2) / (2 * 30.0**2))
    assert np.abs(columns @ columns.T - kernel).max() < 0.1
    assert columns.shape[1] < 60
    products = columns.T @ columns
    np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-8 * products[0, 0])
    again = smooth_field(points, 30.0)
    assert columns.tobytes() == again.tobytes()


def test_a_length_must_be_positive():
    with pytest.raises(SettingsError, match="positive length"):
        smooth_field(np.zeros((4, 3)), 0.0)


@pytest.mark.parametrize("count", [25, 41])
def test_detail_field_has_unit_variance_and_its_range_on_any_mesh(count):
    vertices, faces = sheet(count)
    field = DetailField(vertices, faces, length=24.0)
    covariance = np.linalg.inv(field.precision.toarray())
    middle = np.flatnonzero(np.abs(vertices[:, :2] - 60.0).max(axis=1) < 20)
    assert np.diag(covariance)[middle].mean() == pytest.approx(1.0, rel=0.1)
    centre = middle[np.linalg.norm(vertices[middle] - [60.0, 60.0, 0.0], axis=1).argmin()]
    distances = np.linalg.norm(vertices - vertices[centre], axis=1)
    correlation = covariance[centre] / covariance[centre, centre]
    ring = np.abs(distances - 24.0) < 2.5
    assert 0.05 < correlation[ring].mean() < 0.25
    assert correlation[np.abs(distances - 48.0) < 2.5].mean() < 0.05


def test_noise_and_field_are_told_apart(rng):
    vertices, _ = sheet(61)
    smooth = 0.5 * np.sqrt(2.0) * np.sin(vertices[:, 0] / 9) * np.sqrt(2.0)
    noise = 0.2 * rng.normal(size=len(vertices))
    found_noise, found_field = split_variance(vertices, noise, 3.0)
    assert found_noise == pytest.approx(0.2, rel=0.1)
    assert found_field < 0.06
    found_noise, found_field = split_variance(vertices, noise + smooth, 3.0)
    assert found_noise == pytest.approx(0.2, rel=0.5)
    assert 0.4 < found_field < 1.2
    # Two points have no pair farther apart than the whole sheet.
    assert split_variance(vertices[:2], noise[:2], 1e3)[1] == 0.0
