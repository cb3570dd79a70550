"""The embedding network: a small residual encoder from a picture to a point of the unit sphere."""

import torch
from torch import nn

PICTURE_SIZE = 64
"""Pixels a side of the pictures that the network looks at."""
DESCRIPTOR_SIZE = 128
"""Numbers of a descriptor."""
FACE_SHARE = 0.88
"""Height of the mean face, forehead to chin, as a share of the picture."""
_WIDTHS = (24, 40, 64, 80)
_NECK = 40


class _Block(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation and a way past them."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs) for _ in range(2)])
        same = stride == 1 and inputs == outputs
        self.past = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = torch.relu(self.norms[0](self.first(x)))
        return torch.relu(self.past(x) + self.norms[1](self.second(inner)))


class IdentityNetwork(nn.Module):
    """Descriptors of frontal pictures.

    A picture is brought down to 4 x 4 cells that keep their places: where a feature lies in a
    frontal picture tells as much as what it is.

    Convention
    ----------
    Input (N, 3, 64, 64) float32 in [-1, 1], the whole face in the middle, its height `FACE_SHARE`
    of the picture; output (N, 128) float32 of length 1.

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
            _Block(a, b, 2), _Block(b, c, 2), _Block(c, c), _Block(c, d, 2), _Block(d, d)
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
