"""The Laplacian pyramid of an image: what each size adds to the next smaller one."""

import torch
import torch.nn.functional as F

from geomface.errors import SettingsError

_KERNEL = (1.0, 4.0, 6.0, 4.0, 1.0)


def laplacian_pyramid(images: torch.Tensor, smallest: int = 16) -> list[torch.Tensor]:
    """Split images into bands, finest first; the last is the smallest image itself.

    L_k = x_k - up(down(x_k)),  x_(k+1) = down(x_k)

    Parameters
    ----------
    images : (N, C, S, S), S a power of two times `smallest`
    smallest : pixels a side of the last band

    Returns
    -------
    bands (N, C, S, S), (N, C, S/2, S/2), ..., (N, C, smallest, smallest)

    Source
    ------
    Burt & Adelson 1983, with the 5 x 5 binomial kernel; borders are mirrored, as in the code of
    Karras et al. 2018.
    """
    size, rest = images.shape[-1], images.shape[-1]
    while rest > smallest and rest % 2 == 0:
        rest //= 2
    if images.ndim != 4 or images.shape[-2] != size or rest != smallest:
        raise SettingsError(
            f"pyramid: expected square images (N, C, S, S) with S = {smallest} times a power of "
            f"two, got {tuple(images.shape)}. Resample them, or choose another smallest size."
        )
    bands = []
    while images.shape[-1] > smallest:
        small = _down(images)
        bands.append(images - _up(small))
        images = small
    return [*bands, images]


def rebuild_image(bands: list[torch.Tensor]) -> torch.Tensor:
    """Return the images whose pyramid `bands` is; exact up to rounding."""
    images = bands[-1]
    for band in reversed(bands[:-1]):
        images = _up(images) + band
    return images


def _blur(images: torch.Tensor, scale: float) -> torch.Tensor:
    channels = images.shape[1]
    row = torch.tensor(_KERNEL, dtype=images.dtype, device=images.device) / 16.0
    kernel = (scale * torch.outer(row, row)).expand(channels, 1, 5, 5)
    return F.conv2d(F.pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=channels)


def _down(images: torch.Tensor) -> torch.Tensor:
    return _blur(images, 1.0)[:, :, ::2, ::2]


def _up(images: torch.Tensor) -> torch.Tensor:
    count, channels, height, width = images.shape
    spread = images.new_zeros(count, channels, 2 * height, 2 * width)
    spread[:, :, ::2, ::2] = images
    return _blur(spread, 4.0)
