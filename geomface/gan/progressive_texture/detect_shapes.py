"""Exact detectors of shapes in pictures: colour thresholds and connected components, no network."""

import dataclasses
from typing import Any, cast

import numpy as np
import torch
from scipy import ndimage

from geomface.arrays import BoolArray, ImageArray
from geomface.datasets import ImageSet
from geomface.gan.progressive_texture.shapes import radius_range
from geomface.learning.samples import to_pictures

HOLE_TOLERANCE = 0.06
"""Largest distance of a channel from mid-grey, in [0, 1], that counts as a hole."""


@dataclasses.dataclass(frozen=True)
class ShapeShares:
    """What a set of pictures holds.

    Parameters
    ----------
    count : pictures
    red_circle : share of the pictures with a red circle
    red_circle_error : its standard error, sqrt(p (1 - p) / count)
    red_squares, green_circles : of them a picture
    hole_pictures : share of the pictures with a hole
    hole_area : share of all pixels in holes
    """

    count: int
    red_circle: float
    red_circle_error: float
    red_squares: float
    green_circles: float
    hole_pictures: float
    hole_area: float


def red_pixels(picture: ImageArray) -> BoolArray:
    """Say which pixels are red: r > 0.6, g and b < 0.35."""
    return (picture[..., 0] > 0.6) & (picture[..., 1] < 0.35) & (picture[..., 2] < 0.35)


def green_pixels(picture: ImageArray) -> BoolArray:
    """Say which pixels are green: g > 0.5, r and b < 0.35."""
    return (picture[..., 1] > 0.5) & (picture[..., 0] < 0.35) & (picture[..., 2] < 0.35)


def hole_pixels(picture: ImageArray) -> BoolArray:
    """Say which pixels are mid-grey, which is what a mask multiplied into an image leaves."""
    return np.asarray((np.abs(picture - 0.5) < HOLE_TOLERANCE).all(axis=-1))


def count_circles(mask: BoolArray) -> int:
    """Count components that look like a disc: they fill 0.785 +- 0.08 of a box nearly square."""
    return sum(
        abs(fill - np.pi / 4) < 0.08 and 0.8 <= aspect <= 1.25 for fill, aspect in _blobs(mask)
    )


def count_squares(mask: BoolArray) -> int:
    """Count components that fill more than 0.865 of a box nearly square."""
    return sum(fill > 0.865 and 0.8 <= aspect <= 1.25 for fill, aspect in _blobs(mask))


def _blobs(mask: BoolArray) -> list[tuple[float, float]]:
    """Return (fill, aspect) of the components over 30 % of the smallest disc's area."""
    least = 0.3 * np.pi * radius_range(mask.shape[0])[0] ** 2
    labels, count = cast(tuple[np.ndarray, int], ndimage.label(mask))
    if not count:
        return []
    areas = np.bincount(labels.ravel())[1:]
    found = []
    for area, box in zip(areas, ndimage.find_objects(labels), strict=True):
        if area > least:
            height, width = (part.stop - part.start for part in box)
            found.append((area / (height * width), width / height))
    return found


def measure_shapes(pictures: ImageArray) -> ShapeShares:
    """Count shapes and holes over a set.

    Parameters
    ----------
    pictures : (N, S, S, 3) in [0, 1]
    """
    count = len(pictures)
    red = red_pixels(pictures)
    circles = np.array([count_circles(mask) > 0 for mask in red])
    squares = sum(count_squares(mask) for mask in red)
    greens = sum(count_circles(mask) for mask in green_pixels(pictures))
    holes = hole_pixels(pictures)
    held = np.array([len(_blobs(mask)) > 0 for mask in holes])
    area = sum(float(mask.sum()) for mask, has in zip(holes, held, strict=True) if has)
    share = float(circles.mean())
    return ShapeShares(
        count=count,
        red_circle=share,
        red_circle_error=float(np.sqrt(share * (1 - share) / count)),
        red_squares=float(squares / count),
        green_circles=float(greens / count),
        hole_pictures=float(held.mean()),
        hole_area=float(area / holes.size),
    )


def measure_red_circles(generated: torch.Tensor, data: ImageSet) -> dict[str, Any]:
    """Return the figures of the red-circle experiment for one training.

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
    images = data.read(torch.arange(len(data.images)))[0]
    shares: dict[str, ShapeShares] = {
        "generated": measure_shapes(to_pictures(generated)),
        "data": measure_shapes(to_pictures(images)),
        "clean": measure_shapes(to_pictures(images[torch.from_numpy(data.complete())])),
    }
    ratio = shares["generated"].red_circle / max(shares["data"].red_circle, 1e-12)
    return shares | {"red_circle_ratio": ratio}
