"""Pictures of coloured shapes, in which red circles play the part of damage."""

import dataclasses

import numpy as np
import torch

from geomface.arrays import BoolArray, FloatArray
from geomface.datasets import ImageSet
from geomface.ranges import BELOW_ONE, COUNT, SEED, SIDE, require_numbers

CIRCLE, SQUARE, TRIANGLE = 0, 1, 2
COLORS: dict[str, tuple[float, float, float]] = {
    "red": (0.90, 0.10, 0.10),
    "green": (0.10, 0.75, 0.15),
    "blue": (0.10, 0.20, 0.90),
}
"""None is near grey, so that a hole (exact 0, mid-grey) is no colour of the data."""
RED, GREEN = 0, 1
_SUPERSAMPLING = 4


@dataclasses.dataclass(frozen=True)
class ShapesSettings:
    """The set of pictures."""

    count: int = 2000
    """Pictures."""
    size: int = 32
    """Pixels a side."""
    red_circle_share: float = 0.6
    """Share of the pictures that hold a red circle."""
    apart: bool = False
    """Keep red circles clear of other shapes; by default they lie wherever they fall."""
    seed: int = 0
    """Of the pictures."""

    def __post_init__(self) -> None:
        # A set without a single clean picture has no reference.
        require_numbers(self, count=COUNT, size=SIDE, red_circle_share=BELOW_ONE, seed=SEED)


@dataclasses.dataclass(frozen=True, eq=False)
class ShapesSet:
    """Pictures (N, S, S, 3) uint8, masks (N, S, S) valid, and whether each holds a red circle."""

    pictures: np.ndarray
    masks: BoolArray
    damaged: BoolArray


def radius_range(size: int) -> tuple[float, float]:
    """Return the smallest and largest half width of a shape, in pixels."""
    return 0.17 * size, 0.22 * size


def draw_shapes(settings: ShapesSettings) -> ShapesSet:
    """Draw a set: one or two shapes a picture that do not overlap, and red circles over them.

    Red squares, red triangles and circles of other colours are as common in pictures with a red
    circle as without, so that neither redness nor roundness tells damage. A red circle covers what
    happens to lie below it, and its mask, which hides it with a margin of a pixel, is independent
    of the picture. That matters: with `apart` no mask ever cuts a shape of the data, but it cuts
    the generated ones, whose generator does not know it, and the discriminator learns to tell
    them by that. Picture i depends on the seed and on i only.

    Parameters
    ----------
    settings : how many, how large, how often, where

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Fig. 6: random shapes, with red circles for the noise. Numbers
    and sizes of the shapes are ours; the paper does not give them.
    """
    size = settings.size
    pictures = np.zeros((settings.count, size, size, 3), np.uint8)
    masks = np.ones((settings.count, size, size), bool)
    damaged = np.zeros(settings.count, bool)
    for index in range(settings.count):
        rng = np.random.default_rng([settings.seed, index])
        damaged[index] = rng.random() < settings.red_circle_share
        kinds = _choose(rng)
        damage = [(CIRCLE, RED)] * int(damaged[index])
        if settings.apart:
            # The damage comes first, so that a crowded picture loses a harmless shape, not it.
            kinds = damage + kinds
            places = _place(rng, len(kinds), size)
        else:
            places = _place(rng, len(kinds), size)
            kinds = kinds[: len(places)] + damage
            # Its own stream: beyond the mask the picture is the one that it would be without.
            own = np.random.default_rng([settings.seed, index, 1])
            places = np.concatenate([places, _place(own, len(damage), size)])
        pictures[index], masks[index] = _draw(rng, kinds[: len(places)], places, size)
    return ShapesSet(pictures, masks, damaged)


def shapes_set(settings: ShapesSettings) -> ImageSet:
    """Return the drawn shapes as a training set."""
    drawn = draw_shapes(settings)
    images = torch.from_numpy(drawn.pictures).permute(0, 3, 1, 2).contiguous()
    return ImageSet(images, torch.from_numpy(drawn.masks)[:, None])


def _choose(rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return (shape, colour) pairs: one or two harmless ones."""
    harmless = [
        (shape, color)
        for shape in range(3)
        for color in range(len(COLORS))
        if (shape, color) != (0, 0)
    ]
    count = int(rng.integers(1, 3))
    return [harmless[k] for k in rng.integers(len(harmless), size=count)]


def _place(rng: np.random.Generator, count: int, size: int) -> FloatArray:
    """Return up to `count` rows (x, y, radius) of shapes with a gap of two pixels."""
    low, high = radius_range(size)
    rows: list[tuple[float, float, float]] = []
    for _ in range(200):  # bounded: a crowded picture gets fewer shapes
        if len(rows) == count:
            break
        radius = rng.uniform(low, high)
        x, y = rng.uniform(radius + 1, size - radius - 1, size=2)
        # Squares reach out by sqrt(2) at most; boxes that do not touch are simplest to keep apart.
        if all(
            max(abs(x - other[0]), abs(y - other[1])) > radius + other[2] + 2.0 for other in rows
        ):
            rows.append((x, y, radius))
    return np.asarray(rows).reshape(-1, 3)


def _draw(
    rng: np.random.Generator, kinds: list[tuple[int, int]], places: FloatArray, size: int
) -> tuple[np.ndarray, BoolArray]:
    fine = size * _SUPERSAMPLING
    y, x = (np.indices((fine, fine)) + 0.5) / _SUPERSAMPLING
    picture = np.broadcast_to(rng.uniform(0.88, 1.0, 3), (fine, fine, 3)).copy()
    valid = np.ones((size, size), bool)
    palette = list(COLORS.values())
    for (shape, color), (cx, cy, radius) in zip(kinds, places, strict=True):
        dx, dy = x - cx, y - cy
        if shape == CIRCLE:
            inside = dx**2 + dy**2 <= radius**2
        elif shape == SQUARE:
            inside = np.maximum(abs(dx), abs(dy)) <= radius * 0.9
        else:
            inside = (dy <= radius) & (abs(dx) <= 0.5 * (dy + radius))
        tint = np.clip(np.array(palette[color]) + rng.uniform(-0.06, 0.06, 3), 0, 1)
        picture[inside] = tint
        if (shape, color) == (CIRCLE, RED):
            touched = _blocks(inside).any(axis=(1, 3))
            padded = np.pad(touched, 1)
            grown = [
                padded[1 + i : 1 + i + size, 1 + j : 1 + j + size]
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
            ]
            valid &= ~np.any(grown, axis=0)
    coarse = picture.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3).mean(axis=(1, 3))
    return np.floor(coarse * 255 + 0.5).astype(np.uint8), valid


def _blocks(image: BoolArray) -> BoolArray:
    size = len(image) // _SUPERSAMPLING
    return image.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING)
