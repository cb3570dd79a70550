"""Aligned pictures as they would be in another alignment, inside of networks."""

import math

import numpy as np
import torch

from geomface.recognition.alignment.reference import Alignment


def view_aligned(
    images: torch.Tensor,
    has: Alignment,
    wanted: Alignment,
    *,
    shift: torch.Tensor | None = None,
    mirrored: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return what another alignment shows of aligned pictures; gradients go through.

    y = A x B',  A and B the tents of `warp_picture` along each side

    Two alignments differ by a scale about the middle, so that rows and columns part. Outside of the
    pictures their rim goes on.

    Parameters
    ----------
    images : (N, C, H, W) aligned as `has`
    has, wanted : alignments
    shift : (N, 2) how far what is seen lies to the right and below, shares of the sides, in
        (-0.5, 0.5)
    mirrored : (N,) bool, which are seen mirrored

    Returns
    -------
    (N, C, height, width) of `wanted`

    Example
    -------
    >>> import torch
    >>> from geomface.recognition.alignment.reference import Alignment
    >>> shown = view_aligned(torch.rand(2, 3, 32, 32), Alignment(32, 32), Alignment(56, 48))
    >>> shown.shape
    torch.Size([2, 3, 56, 48])
    """
    # Pixels that `images` has for one that is wanted.
    ratio = float(np.ptp(has.points[:, 1]) / np.ptp(wanted.points[:, 1]))
    across, down = (None, None) if shift is None else (shift[:, 0], shift[:, 1])
    left = _tents(images, images.shape[3], wanted.width, ratio, across, mirrored)
    top = _tents(images, images.shape[2], wanted.height, ratio, down, None)
    return top[:, None] @ images @ left[:, None].transpose(2, 3)


def _tents(
    images: torch.Tensor,
    old: int,
    new: int,
    ratio: float,
    shift: torch.Tensor | None,
    mirrored: torch.Tensor | None,
) -> torch.Tensor:
    """Return (N or 1, new, old): the weights of old pixels in new ones, along one side."""
    places = ratio * (torch.arange(new).to(images) + 0.5 - new / 2)[None]
    if mirrored is not None:
        places = torch.where(mirrored[:, None], -places, places)
    if shift is not None:
        places = places + old * shift[:, None].to(images)
    reach = max(ratio, 1.0)
    beyond = math.ceil(max(ratio * new - old, 0.0) / 2 + old / 2 + reach)
    seen = torch.arange(-beyond, old + beyond, device=images.device)
    away = places[..., None] + old / 2 - (seen.to(images) + 0.5)
    weights = (1.0 - away.abs() / reach).clamp(min=0.0)
    weights = weights / weights.sum(dim=2, keepdim=True)
    empty = weights.new_zeros((*weights.shape[:2], old))
    return empty.index_add_(2, seen.clamp(0, old - 1), weights)
