"""The networks that give a face another attribute, such as the colour of its hair."""

import torch
from torch import nn

from geomface.learning.instance_norm import LeakyInstanceNorm

_SLOPE = 0.01
_LAST_SIDE = 2


class StarGenerator(nn.Module):
    """A face of another class, G(I; c): the class is shown as planes beside the picture.

    8,430,528 weights at the paper's sizes and five classes.

    Parameters
    ----------
    classes : how many
    width : channels of the first layer; 64 in the paper
    blocks : residual blocks; 6 in the paper

    Convention
    ----------
    Pictures (N, 3, S, S) in [-1, 1], S a multiple of 4; classes (N,) int64.

    Source
    ------
    Choi et al. 2018 (StarGAN), Table 4.
    """

    def __init__(self, classes: int, width: int = 64, blocks: int = 6) -> None:
        super().__init__()
        self.classes = classes
        first = nn.Conv2d(3 + classes, width, 7, 1, 3, bias=False)
        layers: list[nn.Module] = [first, LeakyInstanceNorm(width, 0.0)]
        for k in (1, 2):
            down = nn.Conv2d(k * width, 2 * k * width, 4, 2, 1, bias=False)
            layers += [down, LeakyInstanceNorm(2 * k * width, 0.0)]
        layers += [_Residual(4 * width) for _ in range(blocks)]
        for k in (4, 2):
            up = nn.ConvTranspose2d(k * width, k * width // 2, 4, 2, 1, bias=False)
            layers += [up, LeakyInstanceNorm(k * width // 2, 0.0)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 3, 7, 1, 3, bias=False))

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the faces with the classes of the labels."""
        planes = nn.functional.one_hot(labels, self.classes).to(images.dtype)
        spread = planes[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return torch.tanh(self.layers(torch.cat([images, spread], dim=1)).to(images.dtype))


class StarDiscriminator(nn.Module):
    """Scores of patches, real ones high, and the class of a picture.

    44,786,624 weights at 128 px and eight classes.

    Parameters
    ----------
    classes : how many
    size : pixels a side, a power of two
    width : channels of the first layer, doubled at each halving

    Source
    ------
    Choi et al. 2018, Table 5.
    """

    def __init__(self, classes: int, size: int, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for level in range((size // _LAST_SIDE).bit_length() - 1):
            outputs = width * 2**level
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(_SLOPE)]
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.scores = nn.Conv2d(inputs, 1, 3, 1, 1, bias=False)
        self.labels = nn.Conv2d(inputs, classes, _LAST_SIDE, bias=False)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores (N,), means over the patches, and logits (N, K)."""
        inner = self.layers(images)
        return self.scores(inner).mean(dim=(1, 2, 3)), self.labels(inner).flatten(1)


class _Residual(nn.Module):
    """y = x + N W2 relu(N W1 x), 3 x 3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            LeakyInstanceNorm(channels, 0.0),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            LeakyInstanceNorm(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)
