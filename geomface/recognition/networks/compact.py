"""A small embedding network, for training and use on a CPU."""

import torch
from torch import nn

from geomface.learning.parametric_relu import ParametricReLU
from geomface.recognition.networks.embedder_network import (
    DescriptorHead,
    EmbedderNetwork,
    NetworkSettings,
    halved,
    initialise,
)

_BLOCKS = ((32, 1), (64, 2), (64, 1), (128, 2))
"""Channels and stride of each block."""
_STEM, _NECK = 32, 24


class CompactBlock(nn.Module):
    """Two 3 x 3 convolutions, each normalised, and a way past them that nothing bends.

    y = P x + BN W2 PReLU BN W1 x

    with P the identity, or BN after a 1 x 1 convolution where the size changes

    Parameters
    ----------
    inputs, outputs : channels
    stride : of W1 and of P
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            ParametricReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.past: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.past = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, outputs, H / stride, W / stride), rounded up."""
        return self.past(x) + self.inner(x)


class CompactNetwork(EmbedderNetwork):
    """Half a million weights: a stem, four residual blocks, and a thin map whose places count.

    The picture is halved at once, which costs least where maps are largest; dense convolutions,
    because those that go channel by channel are slower on a CPU though they multiply less.

    Parameters
    ----------
    settings : see `NetworkSettings`

    Source
    ------
    Linear ways past the blocks and PReLU: Deng et al. 2019, ArcFace. The sizes are our own.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings)
        self.stem = nn.Sequential(
            nn.Conv2d(3, _STEM, 3, 2, 1, bias=False), nn.BatchNorm2d(_STEM), ParametricReLU(_STEM)
        )
        blocks, inputs = [], _STEM
        for outputs, stride in _BLOCKS:
            blocks.append(CompactBlock(inputs, outputs, stride))
            inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.neck = nn.Sequential(
            nn.BatchNorm2d(inputs),
            ParametricReLU(inputs),
            nn.Conv2d(inputs, _NECK, 1, bias=False),
        )
        height, width = (halved(side, 3) for side in self.picture)
        self.head = DescriptorHead(_NECK, height, width, settings.descriptor_size, settings.dropout)
        initialise(self)

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (N, descriptor_size), the descriptors before they are brought to length 1."""
        self.require_pictures(pictures)
        return self.head(self.neck(self.blocks(self.stem(pictures))))


def compact(settings: NetworkSettings) -> CompactNetwork:
    """Return the small network for CPUs."""
    return CompactNetwork(settings)
