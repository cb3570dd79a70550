"""Smooth filling of what was not seen."""

import numpy as np

from geomface.arrays import BoolArray
from geomface.errors import MeshError


def fill_smoothly(image: np.ndarray, mask: BoolArray) -> np.ndarray:
    """Fill texels outside `mask` from the nearest seen ones, the smoother the farther away.

    Push: every level halves the image, averaging the seen texels of each 2 x 2 block. Pull: from
    the coarsest level back, empty texels take the bilinear value of the level below.

    Parameters
    ----------
    image : (H, W, C) floats
    mask : (H, W) bool, at least one True

    Returns
    -------
    (H, W, C) of the image's type; texels inside the mask are unchanged

    Source
    ------
    Gortler et al. 1996, "The Lumigraph", section 3.3 (push-pull).
    """
    if image.ndim != 3 or image.shape[:2] != mask.shape:
        raise MeshError(f"fill: image {image.shape} and mask {mask.shape} do not belong together.")
    if not mask.any():
        raise MeshError("fill: expected at least one seen texel, the mask has none.")
    levels = [(np.where(mask[..., None], image, 0).astype(np.float32), mask)]
    while not levels[-1][1].all():
        levels.append(_halve(*levels[-1]))
    filled = levels.pop()[0]
    for values, seen in reversed(levels):
        filled = np.where(seen[..., None], values, _double(filled, seen.shape))
    return np.where(mask[..., None], image, filled).astype(image.dtype)


def _halve(values: np.ndarray, seen: BoolArray) -> tuple[np.ndarray, BoolArray]:
    height, width = seen.shape
    odd = ((0, height % 2), (0, width % 2))
    values, seen = np.pad(values, (*odd, (0, 0))), np.pad(seen, odd)
    shape = (seen.shape[0] // 2, 2, seen.shape[1] // 2, 2)
    count = seen.reshape(shape).sum(axis=(1, 3), dtype=np.float32)
    total = values.reshape(*shape, -1).sum(axis=(1, 3))
    return total / np.maximum(count, 1)[..., None], count > 0


def _double(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Twice the size, bilinear: a fine texel takes 3/4 of its parent and 1/4 of the next one."""
    for axis, length in enumerate(shape[:2]):
        before = np.concatenate([values.take([0], axis), values], axis).take(
            range(values.shape[axis]), axis
        )
        after = np.concatenate([values, values.take([-1], axis)], axis).take(
            range(1, values.shape[axis] + 1), axis
        )
        pair = np.stack([0.75 * values + 0.25 * before, 0.75 * values + 0.25 * after], axis + 1)
        merged = list(values.shape)
        merged[axis] *= 2
        values = pair.reshape(merged).take(range(length), axis)
    return values
