"""What all embedding networks have in common: their settings, and descriptors of length 1."""

import dataclasses
from typing import Literal, get_args

import torch
from torch import nn

from geomface.errors import SettingsError
from geomface.ranges import BELOW_ONE, COUNT, require_numbers

NetworkName = Literal["compact", "iresnet18", "lresnet50e_ir"]
SMALLEST_SIDE = 16
"""Pixels; every network halves a picture four times."""


@dataclasses.dataclass(frozen=True)
class NetworkSettings:
    """An embedding network.

    Example
    -------
    >>> from geomface.recognition import NetworkSettings
    >>> NetworkSettings("iresnet18", height=112, width=96).name
    'iresnet18'
    """

    name: NetworkName = "compact"
    """Which one: compact for CPUs, iresnet18, or lresnet50e_ir, that of the paper."""
    height: int = 56
    """Pixels of a picture."""
    width: int = 48
    """Pixels of a picture."""
    descriptor_size: int = 128
    """Numbers of a descriptor."""
    dropout: float = 0.0
    """Share of what reaches the last layer that is left out in training."""

    def __post_init__(self) -> None:
        if self.name not in get_args(NetworkName):
            names = ", ".join(get_args(NetworkName))
            raise SettingsError(f"network: expected one of {names}, got {self.name!r}.")
        side = f"[{SMALLEST_SIDE}, 1024]"
        require_numbers(self, height=side, width=side, descriptor_size=COUNT, dropout=BELOW_ONE)


class EmbedderNetwork(nn.Module):
    """Base of the embedding networks; each of them defines `features`.

    Parameters
    ----------
    settings : see `NetworkSettings`

    Convention
    ----------
    Input (N, 3, height, width) in [-1, 1], faces aligned; output (N, descriptor_size). What is
    normalised at the end is so in single precision, also under autocast.

    Example
    -------
    >>> from geomface.recognition import EmbedderNetwork, build_network, default_network
    >>> network = build_network(default_network("compact"))
    >>> isinstance(network, EmbedderNetwork), network.picture
    (True, (56, 48))
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings

    @property
    def picture(self) -> tuple[int, int]:
        """Height and width of the pictures, pixels."""
        return self.settings.height, self.settings.width

    @property
    def descriptor_size(self) -> int:
        """Numbers of a descriptor."""
        return self.settings.descriptor_size

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (N, descriptor_size), the descriptors before they are brought to length 1."""
        raise NotImplementedError

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (N, descriptor_size) descriptors of length 1."""
        return nn.functional.normalize(self.features(pictures), dim=1)

    def require_pictures(self, pictures: torch.Tensor) -> None:
        """Raise `SettingsError` unless a batch has the shape that the network knows."""
        if pictures.ndim != 4 or pictures.shape[1:] != (3, *self.picture):
            height, width = self.picture
            raise SettingsError(
                f"{self.settings.name}: expected pictures (N, 3, {height}, {width}), got shape "
                f"{tuple(pictures.shape)}. Align them for this network, or build it for their size."
            )


class DescriptorHead(nn.Module):
    """BN, dropout, flatten, linear, BN: from a map to a descriptor; places in the map count.

    Parameters
    ----------
    channels, height, width : of the map
    size : numbers of a descriptor
    dropout : share of the map that is left out in training

    Source
    ------
    Deng et al. 2019, ArcFace, Sec. 3.1 ("E"): BN-Dropout-FC-BN after the last convolution.
    """

    def __init__(self, channels: int, height: int, width: int, size: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels * height * width, size)
        self.last_norm = nn.BatchNorm1d(size)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return (N, size), in single precision or better."""
        found = self.linear(self.dropout(self.norm(maps)).flatten(1))
        return self.last_norm(found.to(torch.promote_types(found.dtype, torch.float32)))


def halved(side: int, times: int) -> int:
    """Return the side of a picture after so many convolutions of stride 2, which round up."""
    for _ in range(times):
        side = -(-side // 2)
    return side


def initialise(network: nn.Module) -> None:
    """Draw convolutions and linear layers (Glorot, uniform); set biases to 0.

    Source
    ------
    Glorot and Bengio 2010; Qiu et al. 2021 (their code).
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
