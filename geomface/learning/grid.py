"""Pictures of samples: a grid of images on a sheet."""

import numpy as np
import torch

from geomface.arrays import ImageArray


def image_grid(images: torch.Tensor, columns: int | None = None, gap: int = 2) -> ImageArray:
    """Return a batch of images as one picture.

    Parameters
    ----------
    images : (N, 3, H, W) in [-1, 1]; values beyond are clipped
    columns : images a row, default the square root of N, rounded up
    gap : white pixels between images

    Returns
    -------
    (H', W', 3) float32 in [0, 1], row 0 at the top
    """
    tiles = to_pictures(images)
    count, height, width, _ = tiles.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.ones(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 3), dtype=np.float32
    )
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        top, left = row * (height + gap), column * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def to_pictures(images: torch.Tensor) -> ImageArray:
    """Return network images (N, 3, H, W) in [-1, 1] as pictures (N, H, W, 3) in [0, 1]."""
    pixels = images.detach().float().cpu().permute(0, 2, 3, 1).numpy()
    return np.ascontiguousarray(np.clip(0.5 * pixels + 0.5, 0, 1), dtype=np.float32)
