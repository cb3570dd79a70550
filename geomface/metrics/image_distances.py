"""How far a set of generated images is from real ones, by several distances at once."""

import dataclasses

import torch

from geomface.metrics.features import RandomFeatures, extract_features
from geomface.metrics.frechet import frechet_distance, kernel_distance
from geomface.metrics.wasserstein import SlicedWassersteinSettings, sliced_wasserstein


@dataclasses.dataclass(frozen=True)
class ImageDistances:
    """Distances between generated and reference images.

    Parameters
    ----------
    swd : {pixels of the level: sliced Wasserstein distance times 1000}
    swd_average : their mean
    frechet : with random features of seed 0
    kernel, kernel_error : squared kernel distance with the same features, and its deviation over
        new sets of as many images
    images : of each set
    swd_settings : patches, directions, repetitions and seed of the sliced Wasserstein distance
    """

    swd: dict[int, float]
    swd_average: float
    frechet: float
    kernel: float
    kernel_error: float
    images: int
    swd_settings: SlicedWassersteinSettings


def measure_distances(
    generated: torch.Tensor, reference: torch.Tensor, *, seed: int = 0
) -> ImageDistances:
    """Compare generated with reference images, as many of each: every figure depends on that.

    Parameters
    ----------
    generated, reference : (N, 3, S, S) and (M, 3, S, S) in [-1, 1]
    seed : of patches and directions
    """
    count, size = min(len(generated), len(reference)), generated.shape[-1]
    generated, reference = generated[:count], reference[:count]
    use = SlicedWassersteinSettings(smallest=min(16, size), seed=seed)
    if size < 16:  # sets too small for patches of 7 x 7 at 16 pixels get smaller patches
        use = dataclasses.replace(use, patch=3)
    swd = sliced_wasserstein(generated, reference, use)
    function = RandomFeatures()
    left, right = (extract_features(item, function) for item in (generated, reference))
    kernel = kernel_distance(left, right)
    return ImageDistances(
        swd=swd.by_level,
        swd_average=swd.average,
        frechet=frechet_distance(left, right),
        kernel=kernel.value,
        kernel_error=kernel.error,
        images=swd.images,
        swd_settings=swd.settings,
    )
