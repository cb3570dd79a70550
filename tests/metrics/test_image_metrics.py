"""Distances between sets: closed forms, invariances, refusals."""

import dataclasses

import numpy as np
import pytest
import torch

from geomface.errors import SettingsError
from geomface.metrics import (
    RandomFeatures,
    SlicedWassersteinSettings,
    extract_features,
    frechet_distance,
    kernel_distance,
    laplacian_pyramid,
    nearest_distances,
    novelty,
    rebuild_image,
    sliced_wasserstein,
)
from geomface.metrics.wasserstein import _distance

FEW = SlicedWassersteinSettings(patches=64, directions=32, repeats=2)


def noise(count: int, size: int = 32, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def test_pyramid_rebuilds_the_image() -> None:
    images = noise(2, 64).double()
    bands = laplacian_pyramid(images)
    assert [band.shape[-1] for band in bands] == [64, 32, 16]
    torch.testing.assert_close(rebuild_image(bands), images, rtol=0, atol=1e-13)
    flat = laplacian_pyramid(torch.full((1, 3, 32, 32), 0.7, dtype=torch.float64))
    assert flat[0].abs().max() < 1e-14
    with pytest.raises(SettingsError, match="16 times a power of two"):
        laplacian_pyramid(noise(1, 40))


def test_swd_of_a_set_with_itself() -> None:
    """0 at the same places; else what two draws of patches differ by, as between like sets."""
    same = sliced_wasserstein(noise(20), noise(20), dataclasses.replace(FEW, same_places=True))
    assert same.average == 0 and set(same.by_level) == {32, 16}
    own, other = (sliced_wasserstein(noise(20), noise(20, seed=k), FEW) for k in (0, 1))
    assert own.average == pytest.approx(other.average, rel=0.2)


def test_swd_of_shifted_patches_is_the_mean_projection() -> None:
    """Sets of one normalised distribution, shifted: what is left is the shift along directions."""
    rows = torch.randn(400, 5, generator=torch.Generator().manual_seed(0))
    shift = torch.tensor([1.0, 0.0, -2.0, 0.5, 0.0])
    generator = torch.Generator().manual_seed(3)
    found = _distance(rows, rows.flip(0) + shift, FEW, generator)
    generator.manual_seed(3)
    wanted = []
    for _ in range(FEW.repeats):
        directions = torch.randn(5, FEW.directions, generator=generator)
        wanted.append(float((shift @ (directions / directions.norm(dim=0))).abs().mean()))
    assert found == pytest.approx(np.mean(wanted), rel=1e-5)


def test_swd_does_not_see_a_change_of_colour_but_of_content() -> None:
    first, second = noise(40), noise(40, seed=1)
    shifted = second * torch.tensor([2.0, 0.5, 3.0]).reshape(3, 1, 1) + 5
    plain, colour = (sliced_wasserstein(first, item, FEW) for item in (second, shifted))
    for size, value in plain.by_level.items():
        assert colour.by_level[size] == pytest.approx(value, rel=1e-2)
    coarse = torch.nn.functional.interpolate(noise(40, 8, seed=2), size=32)
    assert sliced_wasserstein(first, coarse, FEW).average > 1.3 * plain.average
    assert sliced_wasserstein(first, second, FEW) == plain
    with pytest.raises(SettingsError, match="one size"):
        sliced_wasserstein(first, noise(4, 16), FEW)


def test_frechet_distance_of_gaussians() -> None:
    """Equal covariances leave the distance of means; scaling leaves (1 - s)^2 tr C."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 6)) @ np.diag([1, 2, 3, 1, 1, 0.5])
    assert frechet_distance(x, x + [3, 0, 4, 0, 0, 0]) == pytest.approx(25, rel=1e-9)
    trace = np.trace(np.cov(x.T))
    centred = x - x.mean(axis=0)
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * trace, rel=1e-9)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9)
    few = rng.normal(size=(4, 30))
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_agrees_with_the_matrix_root() -> None:
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    x, y = (rng.normal(size=(60, 5)) @ rng.normal(size=(5, 5)) for _ in range(2))
    a, b = np.cov(x.T), np.cov(y.T)
    gap = x.mean(axis=0) - y.mean(axis=0)
    wanted = gap @ gap + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert frechet_distance(x, y) == pytest.approx(wanted, rel=1e-8)


def test_kernel_distance_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=(21, 4)) + 0.5

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        kernel = (a @ b.T / 4 + 1) ** 3
        off = ~np.eye(len(a), dtype=bool) if a is b else np.ones(kernel.shape, bool)
        return float(kernel[off].mean())

    found = kernel_distance(x, y)
    assert found.value == pytest.approx(mean(x, x) + mean(y, y) - 2 * mean(x, y), rel=1e-10)
    assert (found.n, found.settings["rows"]) == (21, [30, 21])
    assert kernel_distance(y, x).error == pytest.approx(found.error, rel=1e-9)


@pytest.mark.parametrize(("shift", "counts"), [(0.0, (60, 60)), (0.15, (80, 50)), (1.0, (40, 90))])
def test_kernel_distance_states_its_deviation_over_new_sets(
    shift: float, counts: tuple[int, int]
) -> None:
    """Both where the sets are alike, which no first-order formula sees, and where they differ."""
    rng = np.random.default_rng(1)
    drawn = [
        kernel_distance(rng.normal(size=(counts[0], 6)), rng.normal(size=(counts[1], 6)) + shift)
        for _ in range(400)
    ]
    values = np.array([item.value for item in drawn])
    stated = np.sqrt(np.mean([item.error**2 for item in drawn]))
    # Never below what chance gives, so on the safe side where the sets are alike.
    assert 0.85 < stated / values.std(ddof=1) < (1.15 if shift else 1.3)
    truth = kernel_distance(rng.normal(size=(9000, 6)), rng.normal(size=(9000, 6)) + shift)
    assert values.mean() == pytest.approx(truth.value, abs=4 * (truth.error + stated / 20))
    held = np.mean([item.low <= truth.value <= item.high for item in drawn])
    assert held >= 0.9


def test_bad_features_are_refused() -> None:
    x = np.zeros((4, 3))
    for other, sentence in [(x[:, :2], "expected"), (x[:1], "2 rows"), (x * np.nan, "finite")]:
        with pytest.raises(SettingsError, match=sentence):
            frechet_distance(x, other)
    with pytest.raises(SettingsError, match="4 or more rows"):
        kernel_distance(x, x[:3])
    with pytest.raises(SettingsError, match="M > 0"):
        nearest_distances(x, x[:0])


@pytest.mark.parametrize("dimension", [3, 40])
def test_nearest_neighbours(dimension: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, dimension)), rng.normal(size=(50, dimension))
    distance, index = nearest_distances(x, y)
    table = np.linalg.norm(x[:, None] - y, axis=2)
    np.testing.assert_array_equal(index, table.argmin(axis=1))
    np.testing.assert_allclose(distance, table.min(axis=1), rtol=1e-12)
    assert (nearest_distances(y, y)[0] == 0).all()


def test_novelty_tells_copies_from_new_samples() -> None:
    rng = np.random.default_rng(0)
    train, test, new = (rng.normal(size=(200, 20)) for _ in range(3))
    assert novelty(train[:50], train, test).copies == 1
    fresh = novelty(new, train, test)
    assert fresh.copies < 0.05
    assert (np.diff(fresh.generated_to_train) >= 0).all()
    np.testing.assert_allclose(
        np.median(fresh.generated_to_train), np.median(fresh.test_to_train), rtol=0.1
    )


def test_random_features_repeat() -> None:
    images = noise(5)
    first, second = (extract_features(images, RandomFeatures(seed=3), batch=b) for b in (2, 5))
    assert first.shape == (5, 128) and first.dtype == np.float64
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)
    assert not np.allclose(first, extract_features(images, RandomFeatures(seed=4)))
