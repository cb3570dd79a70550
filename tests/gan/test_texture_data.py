"""Drawn shapes with their detector, training sets from folders, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from geomface.errors import SettingsError
from geomface.files import save_image
from geomface.gan.progressive_texture.dataset import TextureSet, reduce_set
from geomface.gan.progressive_texture.detect_shapes import (
    count_circles,
    measure_shapes,
    red_pixels,
)
from geomface.gan.progressive_texture.folders import load_geometry, load_textures
from geomface.gan.progressive_texture.shapes import ShapesSet, ShapesSettings, draw_shapes
from geomface.geometry_image.files import save_geometry_image
from geomface.geometry_image.image import GeometryImage
from geomface.learning.errors import DatasetError


@pytest.fixture(scope="module")
def drawn() -> ShapesSet:
    return draw_shapes(ShapesSettings(count=300))


def test_detector_finds_drawn_red_circles_and_nothing_else(drawn: ShapesSet) -> None:
    # A red circle on a red shape is no circle to it; where none touches another it finds them all.
    for shapes, least in ((drawn, 0.75), (draw_shapes(ShapesSettings(300, apart=True)), 0.93)):
        pictures = shapes.pictures / np.float32(255)
        found = np.array([count_circles(mask) > 0 for mask in red_pixels(pictures)])
        assert not (found & ~shapes.damaged).any()
        assert found[shapes.damaged].mean() > least
        assert 0.5 < shapes.damaged.mean() < 0.7


def test_masks_hide_red_circles_and_little_else(drawn: ShapesSet) -> None:
    hidden = np.where(drawn.masks[..., None], drawn.pictures, 255) / np.float32(255)
    assert measure_shapes(hidden).red_circle < 0.05  # the rest of a red square may look round
    assert drawn.masks[~drawn.damaged].all()
    assert (~drawn.masks[drawn.damaged]).mean(axis=(1, 2)).max() < 0.3


def test_damage_is_independent_of_what_lies_below(drawn: ShapesSet) -> None:
    clean = draw_shapes(ShapesSettings(count=300, red_circle_share=0.0))
    assert (clean.pictures == drawn.pictures)[drawn.masks].all()
    covered = (clean.pictures.min(axis=3) < 100) & ~drawn.masks
    assert covered.any(axis=(1, 2))[drawn.damaged].mean() > 0.3
    apart = draw_shapes(ShapesSettings(count=300, apart=True))
    beside = apart.pictures[apart.damaged].min(axis=3) < 100
    rim = ndimage.binary_dilation(~apart.masks[apart.damaged], np.ones((1, 3, 3)))
    assert not (beside & rim & apart.masks[apart.damaged]).any()


def test_neither_redness_nor_roundness_tells_damage(drawn: ShapesSet) -> None:
    pictures = drawn.pictures / np.float32(255)
    clean, damaged = (measure_shapes(pictures[k]) for k in (~drawn.damaged, drawn.damaged))
    for name in ("red_squares", "green_circles"):
        assert getattr(clean, name) > 0.03 and getattr(damaged, name) > 0.03
    assert clean.hole_pictures == damaged.hole_pictures == 0


def test_pictures_depend_on_seed_and_index_only(drawn: ShapesSet) -> None:
    few = draw_shapes(ShapesSettings(count=5))
    assert (few.pictures == drawn.pictures[:5]).all()
    other = draw_shapes(ShapesSettings(count=5, seed=1))
    assert (few.pictures != other.pictures).any()


def test_detector_sees_holes() -> None:
    pictures = np.ones((4, 32, 32, 3), np.float32)
    pictures[0, 8:20, 8:20] = 0.5
    pictures[1, 3, 3] = 0.5
    shares = measure_shapes(pictures)
    assert shares.hole_pictures == 0.25
    assert shares.hole_area == pytest.approx(144 / (4 * 32 * 32))


def test_mirrored_images_come_with_mirrored_masks() -> None:
    images = torch.arange(2 * 3 * 64).reshape(2, 3, 8, 8).to(torch.uint8)
    masks = torch.ones(2, 1, 8, 8, dtype=torch.bool)
    masks[:, :, :, 0] = False
    data = TextureSet(images, masks, mirror=True)
    assert len(data) == 4
    pixels, valid = data.batch(torch.tensor([1, 3]))
    assert torch.equal(pixels[1], pixels[0].flip(2)) and torch.equal(valid[1], valid[0].flip(2))
    assert not valid[1, 0, :, -1].any() and pixels.abs().max() <= 1


def test_reducing_takes_means_and_minima() -> None:
    images = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    images[:, :, :2, :2] = 200
    masks = torch.ones(1, 1, 16, 16, dtype=torch.bool)
    masks[0, 0, 0, 0] = False
    small, valid = reduce_set(images, masks, 8)
    assert small[0, 0, 0, 0] == 200 and small.sum() == 600
    assert not valid[0, 0, 0, 0] and valid.sum() == 63


def write_textures(folder: Path, sizes: list[int], hide: int = -1) -> Path:
    folder.mkdir(exist_ok=True)
    for index, size in enumerate(sizes):
        mask = np.ones((size, size), np.float32)
        mask[: size // 4] = 0
        mask *= index != hide
        save_image(folder / f"t{index}.png", np.full((size, size, 3), 0.5, np.float32))
        save_image(folder / f"t{index}.mask.png", mask)
    return folder


def test_textures_from_a_folder(tmp_path: Path) -> None:
    data = load_textures(write_textures(tmp_path, [32, 32, 32]), 16)
    assert len(data) == 3 and data.size == 16
    images, masks = data.batch(torch.arange(3))
    assert masks.mean() == 0.75 and abs(images.mean()) < 0.01
    assert not data.complete().any()


def test_textures_of_a_pipeline(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / "items" / name
        folder.mkdir(parents=True)
        save_image(folder / "registered.texture.png", np.zeros((16, 16, 3), np.float32))
        save_image(folder / "mask.png", np.ones((16, 16, 3), np.float32))
    data = load_textures(tmp_path, 16)
    assert len(data) == 2 and data.complete().all()


def test_geometry_images_span_the_networks_range(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mask = np.ones((16, 16), bool)
    mask[:2] = False
    for index in range(3):
        pixels = rng.normal(0, 40, (16, 16, 3)).astype(np.float32)
        pixels[:2] = 1e6  # a gutter may hold anything
        image = GeometryImage(pixels, mask, "absolute", "abc", (0.0,))
        save_geometry_image(tmp_path / f"{index}.safetensors", image)
    data = load_geometry(tmp_path, 16)
    assert data.topology_id == "abc" and (data.high < 300).all()
    images, valid = data.textures.batch(torch.arange(3))
    inside = images[valid.expand_as(images) > 0]
    assert inside.min() == -1 and inside.max() == pytest.approx(1, abs=1e-6)
    other = GeometryImage(pixels, mask, "absolute", "xyz", (0.0,))
    save_geometry_image(tmp_path / "9.safetensors", other)
    with pytest.raises(DatasetError, match=r"expected topology abc .* got xyz"):
        load_geometry(tmp_path, 16)


def test_bad_sets_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected a folder of textures, there is none"):
        load_textures(tmp_path / "nowhere", 16)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="expected textures .* got none"):
        load_textures(tmp_path / "empty", 16)
    with pytest.raises(DatasetError, match="got none"):
        load_geometry(tmp_path / "empty", 16)
    with pytest.raises(DatasetError, match=r"t1.png: expected 32 x 32 pixels .* got 16 x 16"):
        load_textures(write_textures(tmp_path / "mixed", [32, 16]), 16)
    with pytest.raises(DatasetError, match=r"mask of .*t1.png hides all of it"):
        load_textures(write_textures(tmp_path / "hidden", [16, 16], hide=1), 16)
    with pytest.raises(DatasetError, match="16 pixels or a multiple, got 24"):
        load_textures(write_textures(tmp_path / "odd", [24]), 16)
    images = torch.zeros(2, 3, 16, 16)
    with pytest.raises(DatasetError, match=r"\[-1, 1\], got \[0, 255\]"):
        TextureSet(images + torch.tensor([0.0, 255.0]).reshape(2, 1, 1, 1))
    with pytest.raises(DatasetError, match="finite"):
        TextureSet(images * torch.nan)
    with pytest.raises(DatasetError, match="at least one image"):
        TextureSet(images[:0])
    with pytest.raises(DatasetError, match="power of two"):
        TextureSet(torch.zeros(1, 3, 12, 12))
    with pytest.raises(DatasetError, match="expected masks"):
        TextureSet(images, torch.ones(2, 1, 8, 8, dtype=torch.bool))
    with pytest.raises(DatasetError, match="uint8 or float32"):
        TextureSet(images.double())
    with pytest.raises(SettingsError, match="1 or more pictures"):
        ShapesSettings(count=0)
