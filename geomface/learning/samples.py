"""Samples to look at, on their way to files: pictures on a sheet, meshes, tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.arrays import ImageArray
from geomface.files import save_image, write_json
from geomface.mesh import Mesh
from geomface.mesh.io import save_mesh

Rows = Sequence[Mapping[str, Any]]
Samples = torch.Tensor | Mapping[str, torch.Tensor | Mesh | Rows]
"""Images (N, C, H, W) in [-1, 1], meshes or tables by name; a tensor alone needs no name."""


def save_samples(stem: Path, samples: Samples) -> None:
    """Write samples beside each other: STEM.png, or STEM-NAME.png, .ply and .json by their kinds.

    Raises
    ------
    OutputError : the place cannot be written
    """
    named = {"": samples} if isinstance(samples, torch.Tensor) else samples
    for name, item in named.items():
        place = f"{stem}-{name}" if name else str(stem)
        if isinstance(item, torch.Tensor):
            save_image(f"{place}.png", image_grid(item))
        elif isinstance(item, Mesh):
            save_mesh(f"{place}.ply", item)
        else:
            write_json(f"{place}.json", item)


def image_grid(images: torch.Tensor, columns: int | None = None, gap: int = 2) -> ImageArray:
    """Return a batch of images as one picture.

    Parameters
    ----------
    images : (N, C, H, W) in [-1, 1]; values beyond are clipped
    columns : images a row, default the square root of N, rounded up
    gap : white pixels between images

    Returns
    -------
    (H', W', 3) float32 in [0, 1], row 0 at the top

    Example
    -------
    >>> image_grid(torch.zeros(5, 1, 8, 6), columns=3).shape
    (18, 22, 3)
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
    """Return network images (N, C, H, W) in [-1, 1] as pictures (N, H, W, 3) in [0, 1].

    One channel becomes grey; of more than three, the first three are shown.
    """
    shown = images.detach().float()
    shown = shown.expand(-1, 3, -1, -1) if shown.shape[1] == 1 else shown[:, :3]
    pixels = shown.cpu().permute(0, 2, 3, 1).numpy()
    return np.ascontiguousarray(np.clip(0.5 * pixels + 0.5, 0, 1), dtype=np.float32)
