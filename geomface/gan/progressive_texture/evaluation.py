"""Figures of sets of images: distances to a reference set, shapes and holes."""

import dataclasses
from typing import Any

import numpy as np
import torch

from geomface.datasets import ImageSet
from geomface.gan.progressive_texture.detect_shapes import ShapeShares, measure_shapes
from geomface.learning.grid import to_pictures
from geomface.metrics import (
    RandomFeatures,
    SlicedWassersteinSettings,
    extract_features,
    frechet_distance,
    kernel_distance,
    sliced_wasserstein,
)


@dataclasses.dataclass(frozen=True)
class ImageDistances:
    """Distances between generated and reference images.

    Parameters
    ----------
    swd : {pixels of the level: sliced Wasserstein distance times 1000}
    swd_average : their mean
    frechet : with random features of seed 0
    kernel, kernel_error : squared kernel distance with the same features, and standard error
    images : of each set
    """

    swd: dict[int, float]
    swd_average: float
    frechet: float
    kernel: float
    kernel_error: float
    images: int


def measure_distances(
    generated: torch.Tensor, reference: torch.Tensor, *, seed: int = 0
) -> ImageDistances:
    """Compare generated with reference images, as many of each: every figure depends on that.

    Parameters
    ----------
    generated, reference : (N, 3, S, S) and (M, 3, S, S) in [-1, 1]
    seed : of patches, directions and subsets
    """
    count, size = min(len(generated), len(reference)), generated.shape[-1]
    generated, reference = generated[:count], reference[:count]
    # A quarter of the published patches: minutes matter more here than the last per cent.
    use = SlicedWassersteinSettings(smallest=min(16, size), patches=32, seed=seed)
    if size < 16:  # sets too small for patches of 7 x 7 at 16 pixels get smaller patches
        use = dataclasses.replace(use, patch=3)
    swd = sliced_wasserstein(generated, reference, use)
    function = RandomFeatures()
    left, right = (extract_features(item, function) for item in (generated, reference))
    kernel, error = kernel_distance(left, right, rng=np.random.default_rng(seed), subsets=20)
    return ImageDistances(
        swd=swd.by_level,
        swd_average=swd.average,
        frechet=frechet_distance(left, right),
        kernel=kernel,
        kernel_error=error,
        images=swd.images,
    )


def measure_red_circles(generated: torch.Tensor, data: ImageSet) -> dict[str, Any]:
    """Return the figures of the red-circle experiment for one trained arm.

    Parameters
    ----------
    generated : (N, 3, S, S) in [-1, 1]
    data : the set it was trained on, all of it

    Returns
    -------
    {generated, data, clean: ShapeShares, red_circle_ratio: share over the data's share}

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Fig. 6, which shows pictures and no figures; the detector is
    ours.
    """
    images = data.batch(torch.arange(len(data.images)))[0]
    shares: dict[str, ShapeShares] = {
        "generated": measure_shapes(to_pictures(generated)),
        "data": measure_shapes(to_pictures(images)),
        "clean": measure_shapes(to_pictures(images[torch.from_numpy(data.complete())])),
    }
    ratio = shares["generated"].red_circle / max(shares["data"].red_circle, 1e-12)
    return shares | {"red_circle_ratio": ratio}
