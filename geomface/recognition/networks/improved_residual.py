"""The improved residual networks of ArcFace: LResNet50E-IR and its small sister."""

from collections.abc import Sequence

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

CHANNELS = (64, 128, 256, 512)


class ImprovedBlock(nn.Module):
    """Two 3 x 3 convolutions between normalisations, and a way past them.

    y = P x + BN W2 PReLU BN W1 BN x

    with P the identity, or BN after a 1 x 1 convolution where the size changes

    Parameters
    ----------
    inputs, outputs : channels
    stride : of W2 and of P

    Source
    ------
    Deng et al. 2019, ArcFace, Sec. 3.1 ("IR"): BN-Conv-BN-PReLU-Conv-BN.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            ParametricReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False),
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


class ImprovedResidualNetwork(EmbedderNetwork):
    """A stem, four stages of improved residual blocks, and the head.

    Parameters
    ----------
    settings : see `NetworkSettings`
    blocks : of each stage; its first one halves the picture

    Source
    ------
    Deng et al. 2019, ArcFace, Sec. 3.1 (LResNet50E-IR: blocks 3, 4, 14, 3, so 41,755,840 weights
    for 112 x 96 pixels and descriptors of 512); Qiu et al. 2021, SynFace, Sec. 4.2.
    """

    def __init__(self, settings: NetworkSettings, blocks: Sequence[int]) -> None:
        super().__init__(settings)
        first = CHANNELS[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 3, 1, 1, bias=False), nn.BatchNorm2d(first), ParametricReLU(first)
        )
        stages, inputs = [], first
        for outputs, count in zip(CHANNELS, blocks, strict=True):
            stages += [ImprovedBlock(inputs, outputs, 2)]
            stages += [ImprovedBlock(outputs, outputs, 1) for _ in range(count - 1)]
            inputs = outputs
        self.stages = nn.Sequential(*stages)
        height, width = (halved(side, len(CHANNELS)) for side in self.picture)
        self.head = DescriptorHead(
            inputs, height, width, settings.descriptor_size, settings.dropout
        )
        initialise(self)

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (N, descriptor_size), the descriptors before they are brought to length 1."""
        self.require_pictures(pictures)
        return self.head(self.stages(self.stem(pictures)))


def lresnet50e_ir(settings: NetworkSettings) -> ImprovedResidualNetwork:
    """Return LResNet50E-IR, the network of the paper."""
    return ImprovedResidualNetwork(settings, (3, 4, 14, 3))


def iresnet18(settings: NetworkSettings) -> ImprovedResidualNetwork:
    """Return IResNet-18, with two blocks a stage."""
    return ImprovedResidualNetwork(settings, (2, 2, 2, 2))
