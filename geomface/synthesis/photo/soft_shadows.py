"""The soft shadow that what covers a picture throws beside itself."""

import numpy as np

from geomface.synthesis.photo.blurring import blurred


def soft_shadow(
    cover: np.ndarray, right: int, down: int, softness: float, truncate: float = 4.0
) -> np.ndarray:
    """Return (H, W) float32: a coverage moved by whole pixels, then blurred.

    What reaches the edge of the picture goes on beyond it.

    Parameters
    ----------
    cover : (H, W) float32
    softness : standard deviation of the blur, pixels
    truncate : standard deviations after which the blur ends
    """
    rows, columns = (
        np.clip(np.arange(size) - shift, 0, size - 1)
        for size, shift in zip(cover.shape, (down, right), strict=True)
    )
    return blurred(cover[rows][:, columns], softness, softness, truncate)
