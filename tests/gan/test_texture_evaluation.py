"""Held-out shares, comparison with real images, neighbours over visible pixels."""

import dataclasses

import numpy as np
import pytest
import torch

from geomface.datasets import ImageSet, split_set
from geomface.gan.progressive_texture import compare_sets
from geomface.learning import DatasetError, is_held_out
from geomface.metrics import masked_nearest_distances


def random_set(count: int, seed: int, holes: bool = False, gutter: bool = False) -> ImageSet:
    """Smooth random images of 16 px; holes in every image, or one gutter common to all."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 4, 4, generator=generator) * 2 - 1
    images = torch.nn.functional.interpolate(coarse, size=16, mode="bilinear")
    masks = torch.ones(count, 1, 16, 16, dtype=torch.bool)
    if holes:
        for index in range(count):
            row = index % 4 * 4
            masks[index, :, row : row + 4, :4] = False
    if gutter:
        masks[..., :4] = False
        noise = torch.rand(count, 3, 16, 4, generator=generator) * 2 - 1
        images[..., :4] = noise
    return ImageSet(images, masks, names=tuple(f"{seed}/{k}.png" for k in range(count)))


def test_share_held_out_depends_on_the_name_alone() -> None:
    data = random_set(200, 0)
    train, test = split_set(data, 0.1)
    assert test is not None and len(train) + len(test) == 200 and 8 <= len(test) <= 34
    fewer = data.subset(np.arange(50, 200))
    part = split_set(fewer, 0.1)[1]
    assert part is not None and set(part.names) == set(test.names) & set(fewer.names)
    assert all(is_held_out(name, 0.2) for name in test.names), "a larger share holds the smaller"
    assert split_set(data, 0.0) == (data, None)
    unnamed = dataclasses.replace(data, names=())
    again = [split_set(unnamed, 0.1)[1] for _ in range(2)]
    assert again[0] is not None and torch.equal(again[0].images, again[1].images)  # type: ignore[union-attr]
    with pytest.raises(DatasetError, match="takes all of its 1 images"):
        split_set(data.subset(np.array([0])), 0.9999)


def test_neighbours_over_shared_pixels_equal_the_definition() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(9, 3, 8, 8, generator=generator) * 2 - 1
    masks = (torch.rand(9, 1, 8, 8, generator=generator) > 0.2).float()
    found = masked_nearest_distances(images[:4], masks[:4], images[4:], masks[4:], batch=3)
    for query in range(4):
        both = masks[query] * masks[4:]
        squares = (both * (images[query] - images[4:]) ** 2).sum(dim=(1, 2, 3))
        expected = (squares / (3 * both.sum(dim=(1, 2, 3)))).min().sqrt()
        assert found[query] == pytest.approx(float(expected), rel=1e-5)


def test_a_copy_lies_at_zero_whatever_lies_behind_its_mask() -> None:
    data = random_set(5, 0, holes=True)
    images, masks = data.read(torch.arange(5))
    spoiled = torch.where(masks > 0, images, torch.nan)
    whole = torch.ones_like(masks)
    assert (masked_nearest_distances(images, whole, spoiled, masks) == 0).all()
    nothing = masked_nearest_distances(images[:1], 0 * masks[:1], images, masks)
    assert np.isinf(nothing).all()


def test_reals_are_the_least_and_copies_are_found() -> None:
    train, test = random_set(60, 1), random_set(30, 2)
    noise = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3)) * 2 - 1
    fresh = compare_sets(noise, train, test)
    assert fresh.real_distances.swd_average < 0.8 * fresh.distances.swd_average
    assert fresh.distances.images == fresh.real_distances.images == 30
    assert fresh.copies == 0 and fresh.generated_to_train.p05 > fresh.test_to_train.p95
    copied = compare_sets(train.images, train, test)
    assert copied.copies == 1 and copied.generated_to_train.p95 == 0
    assert copied.distances.swd_average == pytest.approx(copied.real_distances.swd_average)
    mirrored = dataclasses.replace(train, mirror=True)
    assert compare_sets(train.images.flip(3), mirrored, test).copies == 1


def test_holes_and_gutters() -> None:
    holed = compare_sets(random_set(20, 5).images, random_set(20, 1, True), random_set(20, 2, True))
    assert not holed.without_holes
    train, test = random_set(20, 1, gutter=True), random_set(20, 2, gutter=True)
    first = random_set(20, 5).images
    other = first.clone()
    other[..., :4] = 0.9
    found = [compare_sets(item, train, test) for item in (first, other)]
    assert found[0].without_holes and found[0] == found[1], "a gutter is hidden everywhere"
    with pytest.raises(DatasetError, match="at least 2 that training left aside, got 1"):
        compare_sets(first, train, test.subset(np.array([0])))
