"""Generated images beside real ones: distances to held-out images, and nearest neighbours."""

import dataclasses

import numpy as np
import torch

from geomface.arrays import FloatArray
from geomface.datasets import ImageSet
from geomface.learning.errors import DatasetError
from geomface.learning.masking import halve_with_mask, hide
from geomface.metrics import (
    ImageDistances,
    masked_nearest_distances,
    measure_distances,
    novelty_of_distances,
)

NOVELTY_SIZE = 32
"""Most pixels a side of the images whose neighbours are looked for."""


@dataclasses.dataclass(frozen=True)
class NearestSummary:
    """5th, 50th and 95th percentile of distances to the nearest neighbour."""

    p05: float
    median: float
    p95: float


@dataclasses.dataclass(frozen=True)
class SetComparison:
    """What distinguishes generated from real images.

    Parameters
    ----------
    distances : generated to held-out images
    real_distances : real images that are not held out to the same: the least to expect
    generated_to_train, test_to_train, test_to_generated : root mean square difference of pixels
        in [-1, 1] to the nearest neighbour, over the pixels that both show
    copies : share of the generated that lie nearer to training data than any held-out image
    without_holes : whether only real images without holes were used for the distances
    train_images, test_images : how many there are
    """

    distances: ImageDistances
    real_distances: ImageDistances
    generated_to_train: NearestSummary
    test_to_train: NearestSummary
    test_to_generated: NearestSummary
    copies: float
    without_holes: bool
    train_images: int
    test_images: int


def compare_sets(
    generated: torch.Tensor,
    train: ImageSet,
    test: ImageSet | None,
    *,
    real: ImageSet | None = None,
    seed: int = 0,
) -> SetComparison:
    """Compare generated images with those trained on and those held out.

    Parameters
    ----------
    generated : (N, 3, S, S) in [-1, 1]
    train : what the generator was trained on
    test : of the same kind, never trained on
    real : for the row of real images; default `train`
    seed : of patches and directions

    Raises
    ------
    DatasetError : fewer than two held-out images, or nothing is visible at S pixels

    Convention
    ----------
    Pixels that no training image shows, such as the gutter around the uv map, are hidden in all
    sets. An image is clean when it shows all others. Distances use clean real images where each
    set has two of them, else all, with their holes at 0. All distances are between equally many
    images, because each of them falls as sets grow.

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Tables 1 and 2 for the row of reals, Fig. 14 for the
    neighbours; they compare descriptors of renders where we compare textures.
    """
    if test is None or len(test.images) < 2:
        count = 0 if test is None else len(test.images)
        raise DatasetError(
            f"held-out images: expected at least 2 that training left aside, got {count}. Give "
            "others, or train with a larger held-out share."
        )
    size, count = generated.shape[-1], len(generated)
    real = real or train
    shown = torch.ones(1, 1, train.size, train.size, dtype=torch.bool)
    if train.masks is not None:
        shown = train.masks.any(dim=0, keepdim=True)
    chosen = [_clean(item, shown) for item in (real, test)]
    clean = all(len(item) >= 2 for item in chosen)
    if not clean:
        chosen = [torch.arange(len(item.images)) for item in (real, test)]
    many = min(count, *map(len, chosen))
    (reals, real_masks), (tests, test_masks) = (
        _reduce(item, index[:many], size, shown)
        for item, index in zip((real, test), chosen, strict=True)
    )
    visible = _visible(shown, size)
    reals, tests = hide(reals, real_masks), hide(tests, test_masks)
    fakes = hide(generated.float(), visible.expand(count, -1, -1, -1))

    neighbours = min(size, NOVELTY_SIZE)
    looks = {
        "train": _reduce(train, torch.arange(len(train)), neighbours, shown),
        "test": _reduce(test, torch.arange(len(test.images))[:count], neighbours, shown),
        "generated": _halve_to(fakes, visible.expand(count, -1, -1, -1), neighbours),
    }
    pairs = (("generated", "train"), ("test", "train"), ("test", "generated"))
    nearest = [
        _finite(masked_nearest_distances(*looks[left], *looks[right])) for left, right in pairs
    ]
    result = novelty_of_distances(*nearest)
    return SetComparison(
        measure_distances(fakes[:many], tests, seed=seed),
        measure_distances(reals, tests, seed=seed),
        *map(_summarise, nearest),
        copies=result.copies,
        without_holes=clean,
        train_images=len(train.images),
        test_images=len(test.images),
    )


def _clean(data: ImageSet, shown: torch.Tensor) -> torch.Tensor:
    """Return the indices of images that show all that is ever shown."""
    if data.masks is None:
        return torch.arange(len(data.images))
    return (data.masks | ~shown).flatten(1).all(dim=1).nonzero().flatten()


def _visible(shown: torch.Tensor, size: int) -> torch.Tensor:
    """Return (1, 1, S, S) of what is shown at `size` pixels."""
    _, visible = _halve_to(shown.float(), shown.float(), size)
    if not bool(visible.any()):
        raise DatasetError(
            f"training set: expected something visible at {size} pixels, got masks that hide all "
            "of it. Train until the images are larger."
        )
    return visible


def _reduce(
    data: ImageSet, indices: torch.Tensor, size: int, shown: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images and masks at `size` pixels, a few at a time: a set at full size is large."""
    parts = []
    for index in indices.split(256):
        images, masks = data.read(index)
        parts.append(_halve_to(images, masks * shown, size))
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def _halve_to(
    images: torch.Tensor, masks: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    while images.shape[-1] > size:
        images, masks = halve_with_mask(images, masks)
    return images, masks


def _finite(distances: FloatArray) -> FloatArray:
    return distances[np.isfinite(distances)]


def _summarise(distances: FloatArray) -> NearestSummary:
    if not len(distances):
        return NearestSummary(np.nan, np.nan, np.nan)
    return NearestSummary(*map(float, np.percentile(distances, [5, 50, 95])))
