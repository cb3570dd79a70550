"""A photograph with the landmarks that were found in it, to check them at a glance."""

import numpy as np

from geomface.arrays import ImageArray
from geomface.landmarks.photographs.result import PhotographResult

SURE, UNSURE = np.array([0.10, 0.85, 0.25]), np.array([0.95, 0.25, 0.10])
"""Colours of landmarks of confidence 1 and 0, blended between."""
_LEAST_SIDE = 480
"""Smaller photographs are enlarged by a whole number."""


def photograph_picture(image: ImageArray, result: PhotographResult) -> ImageArray:
    """Return a photograph (H, W, 3) with a dot at each landmark of every face.

    Parameters
    ----------
    image : (H, W, 3) in [0, 1]
    result : what was found in it
    """
    factor = max(1, -(-_LEAST_SIDE // max(image.shape[:2])))
    picture = np.repeat(np.repeat(np.asarray(image, np.float32), factor, 0), factor, 1)
    for face in result.faces:
        radius = max(1.5, 0.03 * factor * float(face.frame[2]))
        for point, sure in zip(factor * face.points, face.confidence, strict=True):
            _dot(picture, point, radius, UNSURE + sure * (SURE - UNSURE))
    return picture


def _dot(picture: np.ndarray, point: np.ndarray, radius: float, color: np.ndarray) -> None:
    """Paint a disc, in place."""
    low = np.maximum(np.floor(point - radius).astype(int), 0)
    high = np.minimum(np.ceil(point + radius).astype(int) + 1, picture.shape[1::-1])
    if (high <= low).any():
        return
    x = np.arange(low[0], high[0]) + 0.5 - point[0]
    y = np.arange(low[1], high[1]) + 0.5 - point[1]
    cover = np.clip(radius + 0.5 - np.hypot(x[None], y[:, None]), 0.0, 1.0)[..., None]
    part = picture[low[1] : high[1], low[0] : high[0]]
    part += (cover * (color - part)).astype(np.float32)
