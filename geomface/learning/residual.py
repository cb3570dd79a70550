"""The residual block of small encoders."""

from collections.abc import Callable

import torch
from torch import nn


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, each normalised, and a way past them.

    y = relu(P x + N2 W2 relu(N1 W1 x))

    with P the identity, or a 1 x 1 convolution where the size changes

    Parameters
    ----------
    inputs, outputs : channels
    norm : makes a normalisation of so many channels
    stride : of the first convolution and of P

    Source
    ------
    He et al. 2016, Deep residual learning for image recognition, Sec. 3.2.
    """

    def __init__(
        self, inputs: int, outputs: int, norm: Callable[[int], nn.Module], stride: int = 1
    ) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([norm(outputs) for _ in range(2)])
        same = stride == 1 and inputs == outputs
        self.past = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, outputs, H / stride, W / stride)."""
        inner = torch.relu(self.norms[0](self.first(x)))
        return torch.relu(self.past(x) + self.norms[1](self.second(inner)))
