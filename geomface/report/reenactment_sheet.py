"""A face beside the landmarks that it was moved to, and what came of it."""

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray
from geomface.gan.landmark_reenactment.conditions import contours

COLUMNS = 10
"""Frames on a sheet at most, spread over all."""
_LEAST_SIDE = 128
_LINE = 0.011
"""Width of the landmarks' lines, a share of the side."""


def reenactment_sheet(
    face: np.ndarray,
    own: FloatArray,
    points: FloatArray,
    frames: np.ndarray,
    *,
    columns: int = COLUMNS,
) -> ImageArray:
    """Return a sheet: landmarks over pictures, those that were given first.

    Parameters
    ----------
    face : (S, S, 3) uint8
    own : (68, 2) its landmarks, pixels of the crop, centres at whole numbers
    points : (T, 68, 2) where they were to be
    frames : (T, S, S, 3) uint8
    columns : frames shown at most

    Returns
    -------
    (H, W, 3) float32 in [0, 1]; small pictures are enlarged by a whole number
    """
    side = len(face)
    factor = max(1, -(-_LEAST_SIDE // side))
    size = factor * side
    chosen = np.unique(np.linspace(0, len(frames) - 1, columns).round().astype(int))
    wanted = torch.from_numpy(np.stack([own, *points[chosen]]).astype(np.float32))
    lines = contours((wanted + 0.5) * factor - 0.5, size, _LINE * size).numpy()
    below = [enlarged(picture, factor) / 255.0 for picture in (face, *frames[chosen])]
    above = lines.transpose(0, 2, 3, 1)
    return np.vstack([np.hstack(list(above)), np.hstack(below)]).astype(np.float32)


def enlarged(picture: np.ndarray, factor: int) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 enlarged by a whole number, smoothly."""
    from PIL import Image

    height, width = picture.shape[:2]
    if factor == 1:
        return picture
    image = Image.fromarray(picture)
    return np.asarray(image.resize((factor * width, factor * height), Image.Resampling.BICUBIC))
