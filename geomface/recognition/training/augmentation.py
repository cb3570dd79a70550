"""How aligned pictures are changed each time that they are shown."""

import dataclasses
import math

import torch
import torch.nn.functional as F

from geomface.learning.stream import Batch, Draws
from geomface.ranges import NOT_NEGATIVE, SHARE, require_numbers

LUMA = (0.299, 0.587, 0.114)
_RADIUS = 3
"""Pixels that a blur reaches."""


@dataclasses.dataclass(frozen=True)
class AugmentationSettings:
    """How much pictures are changed; 0 switches a change off."""

    mirror: float = 0.5
    """Share that is mirrored."""
    shift: float = 0.03
    """Deviation of the place, a share of the side: how far landmarks are off."""
    turn: float = 3.0
    """Deviation of the roll, degrees."""
    zoom: float = 0.04
    """Deviation of the size, a share of it."""
    grey: float = 0.5
    """Share that loses its colour."""
    gamma: float = 0.25
    """Deviation of the logarithm of the exponent of the values."""
    contrast: float = 0.25
    """Deviation of the logarithm of the contrast."""
    brightness: float = 0.08
    """Deviation of what is added to all values."""
    tint: float = 0.05
    """Deviation of the logarithm of the factor of each channel, of those in colour."""
    side_light: float = 0.15
    """Deviation of the change of light from the middle to a side."""
    blur: float = 0.3
    """Share that is blurred: half of them evenly, half in one direction, as by motion."""
    noise: float = 0.04
    """Largest deviation of the noise."""
    erase: float = 0.4
    """Share of which a rectangle is covered."""

    def __post_init__(self) -> None:
        shares = dict.fromkeys(("mirror", "grey", "blur", "erase"), SHARE)
        others = {field.name: NOT_NEGATIVE for field in dataclasses.fields(self)}
        require_numbers(self, **(others | shares))


PAPER = AugmentationSettings(
    shift=0.02, turn=0.0, grey=0.0, gamma=0.0, contrast=0.0, brightness=0.0, tint=0.0,
    side_light=0.0, blur=0.0, noise=0.0, erase=0.5,
)  # fmt: skip
"""Mirroring, crops that are a little off, and erasing: what the released code of SynFace does."""


def augment_faces(batch: Batch, draws: Draws, *, settings: AugmentationSettings) -> Batch:
    """Change the pictures of a batch as cameras, detectors and occluders would.

    Parameters
    ----------
    batch : "images" (B, 3, H, W) in [-1, 1]; the other columns are left alone
    draws : random numbers for the whole batch
    settings : how much

    Source
    ------
    Qiu et al. 2021, Sec. 4.1 and appendix (mirroring, crops, erasing, colour jitter, motion blur);
    the rest stands for what separates renders from photographs: exposure, grey film, side light.
    """
    images = 0.5 * (batch["images"] + 1.0)
    images = _moved(images, draws, settings)
    images = _developed(images, draws, settings)
    images = _blurred(images, draws, settings.blur)
    images = images + settings.noise * draws.uniform(1, 1, 1) * draws.normal(*images.shape[1:])
    images = _erased(images, draws, settings.erase)
    return {**batch, "images": 2.0 * images.clamp(0.0, 1.0) - 1.0}


def _moved(images: torch.Tensor, draws: Draws, use: AugmentationSettings) -> torch.Tensor:
    """Mirror, turn, zoom and shift; what comes in at the border repeats it."""
    rows, _, height, width = images.shape
    angle = math.radians(use.turn) * draws.normal()
    zoom = (1.0 + use.zoom * draws.normal()).clamp(0.5, 2.0)
    sign = torch.where(draws.uniform() < use.mirror, -1.0, 1.0)
    cos, sin, tall = zoom * angle.cos(), zoom * angle.sin(), height / width
    places = torch.stack([sign * cos, -sin * tall, sign * sin / tall, cos], 1).view(rows, 2, 2)
    shift = 2.0 * use.shift * draws.normal(2, 1)
    grid = F.affine_grid(torch.cat([places, shift], 2), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _developed(images: torch.Tensor, draws: Draws, use: AugmentationSettings) -> torch.Tensor:
    """Change colours, exposure, contrast and the light from the sides."""
    luma = images.new_tensor(LUMA).view(1, 3, 1, 1)
    tinted = images * (use.tint * draws.normal(3, 1, 1)).exp()
    grey = (images * luma).sum(dim=1, keepdim=True).expand_as(images)
    images = torch.where(draws.uniform(1, 1, 1) < use.grey, grey, tinted)
    images = images.clamp(1e-4, 1.0) ** (use.gamma * draws.normal(1, 1, 1)).exp()
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = mean + (images - mean) * (use.contrast * draws.normal(1, 1, 1)).exp()
    images = images + use.brightness * draws.normal(1, 1, 1)
    across = torch.linspace(-1.0, 1.0, images.shape[3], device=images.device)
    down = torch.linspace(-1.0, 1.0, images.shape[2], device=images.device)[:, None]
    slopes = use.side_light * draws.normal(2, 1, 1)
    return images * (1.0 + slopes[:, :1] * across + slopes[:, 1:] * down).clamp(min=0.0)


def _blurred(images: torch.Tensor, draws: Draws, share: float) -> torch.Tensor:
    """Blur a share of the pictures, each by a Gaussian of its own; half of them along a line."""
    chosen, line = draws.uniform() < share, draws.uniform() < 0.5
    width = 0.4 + 0.8 * draws.uniform(1, 1)
    angle = math.pi * draws.uniform(1, 1)
    rows = torch.nonzero(chosen).flatten()
    if not len(rows):
        return images
    steps = torch.arange(-_RADIUS, _RADIUS + 1, device=images.device, dtype=images.dtype)
    across, down = steps[None, None, :], steps[None, :, None]
    along = across * angle.cos() + down * angle.sin()
    aside = down * angle.cos() - across * angle.sin()
    thin = torch.where(line[:, None, None], 0.3, width)
    kernels = (-0.5 * ((along / width) ** 2 + (aside / thin) ** 2)).exp()
    kernels = (kernels / kernels.sum(dim=(1, 2), keepdim=True))[rows]
    kernels = kernels.repeat_interleave(images.shape[1], 0)[:, None]
    padded = F.pad(images[rows], (_RADIUS,) * 4, mode="replicate").flatten(0, 1)[None]
    found = F.conv2d(padded, kernels, groups=len(kernels))
    return images.index_copy(0, rows, found.view(len(rows), *images.shape[1:]))


def _erased(images: torch.Tensor, draws: Draws, share: float) -> torch.Tensor:
    """Cover a rectangle of a tenth to a half of each side, in a share of the pictures, in grey."""
    height, width = images.shape[2:]
    size = 0.1 + 0.4 * draws.uniform(2, 1, 1)
    start = draws.uniform(2, 1, 1) * (1.0 - size)
    level, chosen = draws.uniform(1, 1, 1), draws.uniform(1, 1, 1) < share
    down = (torch.arange(height, device=images.device) + 0.5)[:, None] / height
    across = (torch.arange(width, device=images.device) + 0.5) / width
    inside = (down > start[:, :1]) & (down < start[:, :1] + size[:, :1])
    inside = inside & (across > start[:, 1:]) & (across < start[:, 1:] + size[:, 1:])
    return torch.where(chosen & inside, level, images)
