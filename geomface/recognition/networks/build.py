"""The embedding networks by name."""

from collections.abc import Callable, Mapping

from geomface.recognition.networks.compact import compact
from geomface.recognition.networks.embedder_network import (
    EmbedderNetwork,
    NetworkName,
    NetworkSettings,
)
from geomface.recognition.networks.improved_residual import iresnet18, lresnet50e_ir

NETWORKS: Mapping[NetworkName, Callable[[NetworkSettings], EmbedderNetwork]] = {
    "compact": compact,
    "iresnet18": iresnet18,
    "lresnet50e_ir": lresnet50e_ir,
}
"""What makes each of them."""


def default_network(name: NetworkName) -> NetworkSettings:
    """Return the usual settings of a network: the paper's 112 x 96 pixels, or half for compact.

    Example
    -------
    >>> from geomface.recognition import default_network
    >>> default_network("lresnet50e_ir").descriptor_size
    512
    """
    if name == "compact":
        return NetworkSettings()
    return NetworkSettings(name, height=112, width=96, descriptor_size=512, dropout=0.5)


def build_network(settings: NetworkSettings) -> EmbedderNetwork:
    """Return a network, its weights drawn from torch's generator.

    Example
    -------
    >>> import torch
    >>> from geomface.recognition import NetworkSettings, build_network
    >>> build_network(NetworkSettings(height=70, width=51))(torch.zeros(2, 3, 70, 51)).shape
    torch.Size([2, 128])
    """
    return NETWORKS[settings.name](settings)
