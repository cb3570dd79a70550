"""Textures read a block at a time from the disk make the model that those in memory make."""

from pathlib import Path

import numpy as np
import pytest

from geomface.datasets.texture_spool import TextureSpool
from geomface.errors import MeshError
from geomface.statistics import fit_texture_pca, texture_blocks
from geomface.statistics.texture import texture_model

COUNT, SIDE = 24, 20


@pytest.fixture
def textures() -> tuple[np.ndarray, np.ndarray]:
    """8-bit pictures of a few modes, with holes, and one place that nobody saw."""
    rng = np.random.default_rng(4)
    modes = 0.05 * rng.standard_normal((6, SIDE * SIDE * 3))
    images = 0.5 + rng.standard_normal((COUNT, 6)) @ modes
    images += 0.02 * rng.standard_normal(images.shape)
    codes = np.clip(np.round(255 * images), 0, 255)
    masks = rng.random((COUNT, SIDE, SIDE)) > 0.15
    masks[:, 3, 4] = False
    pictures = (codes.astype(np.float32) / np.float32(255)).reshape(COUNT, SIDE, SIDE, 3)
    return pictures, masks


def spooled(spool: TextureSpool, pictures: np.ndarray, masks: np.ndarray) -> TextureSpool:
    names = (f"t{index}" for index in range(len(pictures)))
    spool.extend(zip(names, pictures, masks, strict=True))
    return spool


def test_codes_bring_back_the_very_values(
    tmp_path: Path, textures: tuple[np.ndarray, np.ndarray]
) -> None:
    pictures, masks = textures
    with spooled(TextureSpool(tmp_path), pictures, masks) as spool:
        colors, seen = spool.rows().read(37, 301)
        assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(colors, pictures.reshape(COUNT, -1, 3)[:, 37:301])
    expected = masks.reshape(COUNT, -1)[:, 37:301]
    nobody = ~masks.reshape(COUNT, -1).any(axis=0)[37:301]
    np.testing.assert_array_equal(seen, expected | nobody)


@pytest.mark.parametrize("choice", [{"variance": 0.9}, {"components": 5}, {"most": 3}, {}])
def test_blocks_of_any_size_make_the_model_of_one_fit_in_memory(
    tmp_path: Path,
    textures: tuple[np.ndarray, np.ndarray],
    choice: dict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures, masks = textures
    masks = masks | ~masks.any(axis=0)
    most = choice.get("most")
    whole = fit_texture_pca(pictures, masks, **({"components": most} if most else choice))
    monkeypatch.setattr(texture_blocks, "BLOCK_ENTRIES", 1)
    monkeypatch.setattr(texture_blocks, "FEWEST_PLACES", 37)
    with spooled(TextureSpool(tmp_path), pictures, masks) as spool:
        found = texture_model(spool.rows(), spool.shape, **choice)
    assert len(found) == len(whole)
    np.testing.assert_allclose(found.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(found.variances, whole.variances, rtol=1e-4)
    np.testing.assert_allclose(found.total_variance, whole.total_variance, rtol=1e-6)
    leading = slice(0, 3)
    np.testing.assert_allclose(
        found.basis[..., leading], whole.basis[..., leading], atol=1e-5 * np.abs(whole.basis).max()
    )


def test_without_holes_it_is_the_decomposition_of_all_rows(
    tmp_path: Path, textures: tuple[np.ndarray, np.ndarray]
) -> None:
    pictures, masks = textures
    with spooled(TextureSpool(tmp_path), pictures, np.ones_like(masks)) as spool:
        found = texture_model(spool.rows(), spool.shape, components=6)
    rows = pictures.reshape(COUNT, -1).astype(np.float64)
    left, values, right = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(found.mean.ravel(), rows.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.variances, values[:6] ** 2 / (COUNT - 1), rtol=1e-5)
    directions = found.basis.reshape(-1, 6) / np.sqrt(found.variances)
    np.testing.assert_allclose(np.abs(right[:6] @ directions), np.eye(6), atol=1e-4)
    assert left.shape == (COUNT, COUNT)


def test_a_texture_of_another_size_is_refused(tmp_path: Path) -> None:
    small, large = (np.zeros((side, side, 3), np.float32) for side in (4, 5))
    with TextureSpool(tmp_path) as spool, pytest.raises(MeshError, match="One set needs one size"):
        spool.extend((str(len(image)), image, image[..., 0] == 0) for image in (small, large))
