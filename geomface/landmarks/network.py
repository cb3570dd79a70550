"""The landmark network: a small encoder and decoder with one heat map a landmark."""

from typing import Any

import torch
from torch import nn

from geomface.landmarks.views import VIEW_SIZE
from geomface.learning.residual import ResidualBlock

LANDMARKS = 68
_WIDTHS = (16, 32, 64, 96)


def _block(inputs: int, outputs: int, stride: int = 1) -> ResidualBlock:
    """Return a residual block normalised in groups of eight channels."""
    return ResidualBlock(inputs, outputs, lambda count: nn.GroupNorm(count // 8, count), stride)


class LandmarkNetwork(nn.Module):
    """Pixels and uncertainties of the 68 landmarks in a view of `render_geometry`.

    A view is brought down to 8 x 8 and back up to 32 x 32 with skips. Each landmark's place is the
    mean of its softmax map, which knows fractions of a cell and can lie on hidden surface; its
    uncertainty is read from pooled features.

    Convention
    ----------
    Input (N, 4, 128, 128) float32 as `render_geometry` gives it. Places are pixels of the input,
    x right, y down, pixel centres at + 0.5; sigma is the scale of a Laplace distribution, pixels.

    Source
    ------
    Soft-argmax heat maps: Nibali et al. 2018; encoder and decoder with skips: Ronneberger 2015.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = _WIDTHS
        self.stem = nn.Conv2d(4, a, 5, 2, 2)
        self.down1 = nn.Sequential(_block(a, b, 2), _block(b, b))
        self.down2 = nn.Sequential(_block(b, c, 2), _block(c, c))
        self.down3 = nn.Sequential(_block(c, d, 2), _block(d, d), _block(d, d))
        self.up2 = _block(d + c, c)
        self.up1 = _block(c + b, 48)
        self.maps = nn.Conv2d(48, LANDMARKS, 1)
        self.spread = nn.Sequential(nn.Linear(d, 96), nn.ReLU(), nn.Linear(96, LANDMARKS))
        cells = VIEW_SIZE // 4
        centres = (torch.arange(cells) + 0.5) * 4.0
        self.register_buffer("centres", centres, persistent=False)

    def forward(self, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return places (N, 68, 2) and sigmas (N, 68), pixels."""
        first = self.down1(torch.relu(self.stem(views)))
        second = self.down2(first)
        deepest = self.down3(second)
        up = nn.functional.interpolate(deepest, scale_factor=2.0, mode="nearest")
        up = self.up2(torch.cat([up, second], dim=1))
        up = nn.functional.interpolate(up, scale_factor=2.0, mode="nearest")
        maps = self.maps(self.up1(torch.cat([up, first], dim=1)))
        share = torch.softmax(maps.flatten(2), dim=2).view_as(maps)
        centres: Any = self.centres
        x = (share.sum(dim=2) * centres).sum(dim=2)
        y = (share.sum(dim=3) * centres).sum(dim=2)
        spread = self.spread(deepest.mean(dim=(2, 3)))
        sigma = 0.1 + nn.functional.softplus(spread)
        return torch.stack([x, y], dim=2), sigma


def landmark_loss(
    places: torch.Tensor,
    sigmas: torch.Tensor,
    points: torch.Tensor,
    weight: torch.Tensor,
    total: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the mean of |e| / s + 2 log s, the negative log density of a Laplace law in the plane.

    Parameters
    ----------
    places, points : (N, 68, 2) pixels, found and true
    sigmas : (N, 68) pixels
    weight : (N, 68), what each landmark counts
    total : what the sum is divided by, default the sum of the weights
    """
    miss = torch.sqrt(((places - points) ** 2).sum(dim=2) + 1e-6)
    density = miss / sigmas + 2.0 * torch.log(sigmas)
    total = weight.sum() if total is None else total
    return (weight * density).sum() / total.clamp_min(1e-6)
