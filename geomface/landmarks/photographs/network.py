"""The landmark network for photographs: heat maps, an uncertainty a point, and face or no face."""

from typing import Any

import torch
from torch import nn

from geomface.landmarks.photographs.frames import WINDOW
from geomface.learning.residual import ResidualBlock

LANDMARKS = 68
_WIDTHS = (16, 32, 64, 128)
_DECODED = 48
_CELL = 4
"""Pixels of the window a cell of a heat map."""


def _block(inputs: int, outputs: int, stride: int = 1) -> ResidualBlock:
    return ResidualBlock(inputs, outputs, nn.BatchNorm2d, stride)


def standardised(windows: torch.Tensor) -> torch.Tensor:
    """Return windows of mean 0 and deviation 1 each, so that exposure and contrast do not count."""
    mean = windows.mean(dim=(2, 3), keepdim=True)
    spread = windows.std(dim=(2, 3), keepdim=True)
    return (windows - mean) / (spread + 0.02)


class PhotographNetwork(nn.Module):
    """Places and uncertainties of the 68 landmarks in a window, and whether it shows a face.

    The window is brought down to 8 x 8 and back up to 32 x 32, what is seen on the way added. Each
    landmark's place is the mean of its softmax map; its uncertainty is the mean of a second map
    under the same weights, so that what covers one part of a face makes that part uncertain.

    Convention
    ----------
    Input (N, 1, 128, 128) float32 grey, a face upright in the middle. Places are pixels of the
    window, x right, y down, pixel centres at + 0.5; sigma is the scale of a Laplace distribution
    in pixels; the score is a logit.

    Source
    ------
    Soft-argmax heat maps: Nibali et al. 2018; sums on the way up: Lin et al. 2017 (FPN); learned
    uncertainty: Kendall and Gal 2017.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = _WIDTHS
        self.stem = nn.Sequential(nn.Conv2d(1, a, 5, 2, 2, bias=False), nn.BatchNorm2d(a))
        self.down1 = _block(a, b, 2)
        self.down2 = _block(b, c, 2)
        self.down3 = nn.Sequential(_block(c, d, 2), _block(d, d))
        self.across2 = nn.Conv2d(d, c, 1)
        self.up2 = _block(c, c)
        self.across1 = nn.Conv2d(c, _DECODED, 1)
        self.beside1 = nn.Conv2d(b, _DECODED, 1)
        self.up1 = nn.Sequential(
            nn.Conv2d(_DECODED, _DECODED, 3, 1, 1, bias=False), nn.BatchNorm2d(_DECODED), nn.ReLU()
        )
        self.maps = nn.Conv2d(_DECODED, LANDMARKS, 1)
        self.spreads = nn.Conv2d(_DECODED, LANDMARKS, 1)
        self.score = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 1))
        centres = (torch.arange(WINDOW // _CELL) + 0.5) * _CELL
        self.register_buffer("centres", centres, persistent=False)

    def forward(self, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return places (N, 68, 2) and sigmas (N, 68), pixels, and scores (N,)."""
        first = self.down1(torch.relu(self.stem(standardised(windows))))
        second = self.down2(first)
        third = self.down3(second)
        up = nn.functional.interpolate(self.across2(third), scale_factor=2.0)
        up = self.up2(up + second)
        up = nn.functional.interpolate(self.across1(up), scale_factor=2.0)
        up = self.up1(up + self.beside1(first))
        with torch.autocast(up.device.type, enabled=False):
            # Half precision would move the mean of a map by a tenth of a pixel.
            up, third = up.to(self.centres.dtype), third.to(self.centres.dtype)  # type: ignore
            share = torch.softmax(self.maps(up).flatten(2), dim=2)
            square = share.unflatten(2, (WINDOW // _CELL, WINDOW // _CELL))
            centres: Any = self.centres
            x = (square.sum(dim=2) * centres).sum(dim=2)
            y = (square.sum(dim=3) * centres).sum(dim=2)
            spread = (share * self.spreads(up).flatten(2)).sum(dim=2)
            sigma = 0.1 + nn.functional.softplus(spread)
            score = self.score(third.mean(dim=(2, 3))).squeeze(1)
        return torch.stack([x, y], dim=2), sigma, score
