"""Kernels run image by image on numpy views of tensors."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from geomface.rendering.per_image import map_images


def numpy_of(tensor: torch.Tensor) -> np.ndarray:
    """Return the contiguous numpy array of a tensor, without its gradient."""
    return tensor.detach().contiguous().numpy()


def run_images(
    kernel: Callable[..., Any], count: int, tables: Sequence[np.ndarray], *rest: Any
) -> None:
    """Call `kernel(*one of each table, *rest)` for every image.

    Parameters
    ----------
    tables : (B, ...) each, or (1, ...) for what all images share
    rest : given to all
    """
    map_images(lambda image: kernel(*_of_image(tables, image), *rest), count)


def run_rows(
    kernel: Callable[..., Any],
    offsets: Sequence[int],
    tables: Sequence[np.ndarray],
    *rest: Any,
    in_order: bool = False,
) -> None:
    """Call `kernel(first, last, *one of each table, *rest)` for the covered pixels of every image.

    Parameters
    ----------
    offsets : `Fragments.offsets`
    tables, rest : as in `run_images`
    in_order : the images write to a table that they share
    """

    def work(image: int) -> None:
        kernel(offsets[image], offsets[image + 1], *_of_image(tables, image), *rest)

    map_images(work, len(offsets) - 1, in_order=in_order)


def _of_image(tables: Sequence[np.ndarray], image: int) -> list[np.ndarray]:
    return [table[image if len(table) > 1 else 0] for table in tables]
