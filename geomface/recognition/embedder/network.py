"""The embedding network: a small residual encoder from a picture to a point of the unit sphere."""

import torch
from torch import nn

from geomface.learning.residual import ResidualBlock
from geomface.recognition.embedder.framing import PICTURE_SIZE

DESCRIPTOR_SIZE = 128
"""Numbers of a descriptor."""
_WIDTHS = (24, 40, 64, 80)
_NECK = 40


class IdentityNetwork(nn.Module):
    """Descriptors of frontal pictures.

    A picture is brought down to 4 x 4 cells that keep their places: where a feature lies in a
    frontal picture tells as much as what it is.

    Convention
    ----------
    Input (N, 3, 64, 64) float32 in [-1, 1], the whole face in the middle, as `framing`
    frames it; output (N, 128) float32 of length 1.

    Source
    ------
    Unit descriptors of a frontal picture: Schroff et al. 2015 and Amos et al. 2016 (OpenFace, the
    128 numbers of Shamai et al. 2018); residual blocks: He et al. 2016. The sizes are our own.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = _WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(3, a, 5, 2, 2, bias=False), nn.BatchNorm2d(a), nn.ReLU()
        )
        self.blocks = nn.Sequential(
            ResidualBlock(a, b, nn.BatchNorm2d, 2),
            ResidualBlock(b, c, nn.BatchNorm2d, 2),
            ResidualBlock(c, c, nn.BatchNorm2d),
            ResidualBlock(c, d, nn.BatchNorm2d, 2),
            ResidualBlock(d, d, nn.BatchNorm2d),
        )
        self.neck = nn.Sequential(
            nn.Conv2d(d, _NECK, 1, bias=False), nn.BatchNorm2d(_NECK), nn.ReLU(), nn.Flatten()
        )
        cells = (PICTURE_SIZE // 16) ** 2
        self.head = nn.Linear(_NECK * cells, DESCRIPTOR_SIZE)

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (N, 128), the descriptors before they are brought to length 1."""
        return self.head(self.neck(self.blocks(self.stem(pictures))))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (N, 128) descriptors of length 1."""
        return nn.functional.normalize(self.features(pictures), dim=1)
