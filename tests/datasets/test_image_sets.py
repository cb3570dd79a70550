"""Training sets from folders of textures and geometry images, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.datasets import load_geometry_images, load_textures
from geomface.datasets.image_set import ImageSet, reduce_images
from geomface.files import save_image
from geomface.geometry_image.files import save_geometry_image
from geomface.geometry_image.image import GeometryImage
from geomface.learning.errors import DatasetError


def test_sets_of_any_size_are_rows_by_name() -> None:
    data = ImageSet(torch.zeros(2, 3, 112, 112, dtype=torch.uint8))
    rows = data.batch(torch.tensor([1]))
    assert {name: tuple(item.shape) for name, item in rows.items()} == {
        "images": (1, 3, 112, 112),
        "masks": (1, 1, 112, 112),
    }


def test_mirrored_images_come_with_mirrored_masks() -> None:
    images = torch.arange(2 * 3 * 64).reshape(2, 3, 8, 8).to(torch.uint8)
    masks = torch.ones(2, 1, 8, 8, dtype=torch.bool)
    masks[:, :, :, 0] = False
    data = ImageSet(images, masks, mirror=True)
    assert len(data) == 4
    pixels, valid = data.read(torch.tensor([1, 3]))
    assert torch.equal(pixels[1], pixels[0].flip(2)) and torch.equal(valid[1], valid[0].flip(2))
    assert not valid[1, 0, :, -1].any() and pixels.abs().max() <= 1


def test_reducing_takes_means_and_minima() -> None:
    images = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    images[:, :, :2, :2] = 200
    masks = torch.ones(1, 1, 16, 16, dtype=torch.bool)
    masks[0, 0, 0, 0] = False
    small, valid = reduce_images(images, masks, 8)
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
    images, masks = data.read(torch.arange(3))
    assert masks.mean() == 0.75 and abs(images.mean()) < 0.01
    assert not data.complete().any()


HOLE = np.ones((16, 16), np.float32)
HOLE[4:8, 4:8] = 0
SHOWN = 1 - 16 / 256


@pytest.mark.parametrize(
    "masked",
    ["alpha", "mask_alpha", ".mask.png", "_mask.png", "-mask.png", "_MASK.PNG"],
)
def test_alpha_and_masks_of_any_usual_name_hide_pixels(tmp_path: Path, masked: str) -> None:
    for name in ("a", "b"):
        color = np.full((16, 16, 3), 0.5, np.float32)
        hidden = np.concatenate([color, HOLE[..., None]], axis=2)
        save_image(tmp_path / f"{name}.png", hidden if masked == "alpha" else color)
        if masked == "mask_alpha":
            white = np.concatenate([np.ones_like(color), HOLE[..., None]], axis=2)
            save_image(tmp_path / f"{name}.mask.png", white)
        elif masked != "alpha":
            save_image(tmp_path / "m.png", HOLE)
            (tmp_path / "m.png").rename(tmp_path / f"{name}{masked}")
    data = load_textures(tmp_path, 16)
    assert data.names == ("a.png", "b.png")
    masks = data.read(torch.arange(2))[1]
    assert masks.mean().item() == pytest.approx(SHOWN)
    assert not masks[0, 0, 5, 5] and masks[0, 0, 0, 0]


def test_textures_of_any_picture_format_and_no_hidden_files(tmp_path: Path, caplog) -> None:
    image = np.full((16, 16, 3), 0.5, np.float32)
    save_image(tmp_path / "a.jpg", image)
    save_image(tmp_path / "b.png", image)
    (tmp_path / "b.png").rename(tmp_path / "b.PNG")
    save_image(tmp_path / "nobody_mask.png", image)
    (tmp_path / "._a.jpg").write_bytes(b"\0\5\x16\7" * 30)
    assert load_textures(tmp_path, 16).names == ("a.jpg", "b.PNG")
    assert "1 masks such as nobody_mask.png belong to no texture" in caplog.text
    (tmp_path / "._g.safetensors").write_bytes(b"\0\5\x16\7" * 30)
    with pytest.raises(DatasetError, match="got none"):
        load_geometry_images(tmp_path, 16)


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
    data = load_geometry_images(tmp_path, 16)
    assert data.topology_id == "abc" and (data.high < 300).all()
    images, valid = data.images.read(torch.arange(3))
    inside = images[valid.expand_as(images) > 0]
    assert inside.min() == -1 and inside.max() == pytest.approx(1, abs=1e-6)
    other = GeometryImage(pixels, mask, "absolute", "xyz", (0.0,))
    save_geometry_image(tmp_path / "9.safetensors", other)
    with pytest.raises(DatasetError, match=r"expected topology abc .* got xyz"):
        load_geometry_images(tmp_path, 16)


def test_bad_sets_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected a folder of textures, there is none"):
        load_textures(tmp_path / "nowhere", 16)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="expected textures .* got none"):
        load_textures(tmp_path / "empty", 16)
    with pytest.raises(DatasetError, match="got none"):
        load_geometry_images(tmp_path / "empty", 16)
    with pytest.raises(DatasetError, match=r"t1.png: expected 32 x 32 pixels .* got 16 x 16"):
        load_textures(write_textures(tmp_path / "mixed", [32, 16]), 16)
    with pytest.raises(DatasetError, match=r"mask of .*t1.png hides all of it"):
        load_textures(write_textures(tmp_path / "hidden", [16, 16], hide=1), 16)
    with pytest.raises(DatasetError, match="16 pixels or a multiple, got 24"):
        load_textures(write_textures(tmp_path / "odd", [24]), 16)
    images = torch.zeros(2, 3, 16, 16)
    with pytest.raises(DatasetError, match=r"\[-1, 1\], got \[0, 255\]"):
        ImageSet(images + torch.tensor([0.0, 255.0]).reshape(2, 1, 1, 1))
    with pytest.raises(DatasetError, match="finite"):
        ImageSet(images * torch.nan)
    with pytest.raises(DatasetError, match="at least one image"):
        ImageSet(images[:0])
    with pytest.raises(DatasetError, match="expected masks"):
        ImageSet(images, torch.ones(2, 1, 8, 8, dtype=torch.bool))
    with pytest.raises(DatasetError, match="uint8 or float32"):
        ImageSet(images.double())
