"""The eightfold mirroring of geometry images: eight fields of one face, one of them its mirror."""

from pathlib import Path

import numpy as np
import torch

from geomface.datasets import ImageSet, load_geometry_images
from geomface.geometry_image import GeometryImage, save_geometry_image

SIZE = 8


def coordinates(seed: int = 0) -> ImageSet:
    stream = torch.Generator().manual_seed(seed)
    images = torch.rand(2, 3, SIZE, SIZE, generator=stream) * 2 - 1
    masks = torch.rand(2, 1, SIZE, SIZE, generator=stream) > 0.3
    return ImageSet(images, masks, mirror=True, coordinates=True)


def test_each_coordinate_is_mirrored_alone() -> None:
    data = coordinates()
    assert len(data) == 16
    original, mask = data.read(torch.tensor([1]))
    for version in range(8):
        image, valid = data.read(torch.tensor([1 + 2 * version]))
        expected = original.clone()
        if version & 1:
            expected[:, 0] = -original[:, 0].flip(2)
        for axis in (1, 2):
            if version >> axis & 1:
                expected[:, axis] = original[:, axis].flip(2)
        assert torch.equal(image, expected)
        wanted = mask if version == 0 else mask.flip(3) if version == 7 else mask * mask.flip(3)
        assert torch.equal(valid, wanted)


def test_a_symmetric_face_stays_itself_and_all_three_make_the_rigid_mirror() -> None:
    half = torch.linspace(0.1, 0.9, SIZE // 2)
    x = torch.cat([-half.flip(0), half]).expand(SIZE, SIZE)
    depth = torch.cat([half.flip(0), half]).expand(SIZE, SIZE)
    face = torch.stack([x, depth.T, depth])[None]
    data = ImageSet(face, None, mirror=True, coordinates=True)
    rigid = data.read(torch.tensor([7]))[0]
    assert torch.allclose(rigid[:, [0, 2]], face[:, [0, 2]])
    every = data.read(torch.arange(8))[0]
    assert torch.allclose(every[:, [0, 2]], face[:, [0, 2]].expand(8, -1, -1, -1))


def test_a_batch_mixes_versions_and_a_subset_keeps_them() -> None:
    data = coordinates()
    mixed = data.read(torch.tensor([0, 3, 15, 8]))
    for place, index in enumerate((0, 3, 15, 8)):
        alone = data.read(torch.tensor([index]))
        assert torch.equal(mixed[0][place], alone[0][0])
        assert torch.equal(mixed[1][place], alone[1][0])
    assert len(data.subset(np.array([True, False]))) == 8


def test_x_is_scaled_about_the_plane_of_symmetry(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, (SIZE, SIZE, 3)) * [40, 60, 30] + [20, 5, 0]
    everywhere = np.ones((SIZE, SIZE), bool)
    pixels = values.astype(np.float32)
    image = GeometryImage(pixels, everywhere, "absolute", "0" * 16, "0" * 16)
    save_geometry_image(tmp_path / "one.safetensors", image)
    plain, mirrored = (load_geometry_images(tmp_path, SIZE, mirror=flag) for flag in (False, True))
    assert mirrored.low[0] == -mirrored.high[0] and plain.low[0] != -plain.high[0]
    assert mirrored.high[0] >= plain.high[0] and np.allclose(mirrored.low[1:], plain.low[1:])
    one = mirrored.images.read(torch.tensor([1]))[0][0, 0]
    spread = (mirrored.high[0] - mirrored.low[0]) / 2
    assert np.allclose(one.numpy() * spread, -values[:, ::-1, 0], atol=1e-4)
