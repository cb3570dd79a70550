"""Layers of the growing networks: equalised weights, pixel norm, minibatch deviation."""

import math

import torch
import torch.nn.functional as F

SLOPE = 0.2
"""Of the leaky rectifier."""
GAIN = math.sqrt(2.0)
"""He's gain, which every layer takes that a rectifier follows."""


class EqualConv(torch.nn.Module):
    """A convolution whose weights are drawn from N(0, 1) and scaled when used.

    y = x * (w gain / sqrt(fan in)) + b

    so that Adam's step is the same share of every layer's weights.

    Parameters
    ----------
    inputs, outputs : channels
    size : of the kernel, odd; the image keeps its size
    gain : of the activation that follows

    Source
    ------
    Karras et al. 2018, Sec. 4.1.
    """

    def __init__(self, inputs: int, outputs: int, size: int, gain: float = GAIN) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(outputs, inputs, size, size))
        self.bias = torch.nn.Parameter(torch.zeros(outputs))
        self.scale = gain / math.sqrt(inputs * size * size)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        padding = self.weight.shape[-1] // 2
        return F.conv2d(images, self.weight * self.scale, self.bias, padding=padding)


class EqualLinear(torch.nn.Module):
    """A dense layer with weights as in `EqualConv`.

    Parameters
    ----------
    inputs, outputs : features
    gain : of the activation that follows, times what the layer should be scaled by
    biases : outputs that share one bias each, default every output has its own
    """

    def __init__(
        self, inputs: int, outputs: int, gain: float = GAIN, biases: int | None = None
    ) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(outputs, inputs))
        self.bias = torch.nn.Parameter(torch.zeros(biases or outputs))
        self.scale = gain / math.sqrt(inputs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, inputs) to (N, outputs)."""
        bias = self.bias.repeat_interleave(self.weight.shape[0] // self.bias.shape[0])
        return F.linear(features, self.weight * self.scale, bias)


def pixel_norm(features: torch.Tensor) -> torch.Tensor:
    """Return x / sqrt(mean over channels of x^2 + 1e-8).

    Source
    ------
    Karras et al. 2018, Sec. 4.2.
    """
    return features * torch.rsqrt(features.square().mean(dim=1, keepdim=True) + 1e-8)


def activate(features: torch.Tensor) -> torch.Tensor:
    """Return the leaky rectifier's output."""
    return F.leaky_relu(features, SLOPE)


def append_deviation(features: torch.Tensor, group: int = 4) -> torch.Tensor:
    """Append one channel that tells how much the images of a group differ.

    s = mean over channels and pixels of sqrt(var over the group + 1e-8)

    Parameters
    ----------
    features : (N, C, H, W)
    group : images a group; the largest divisor of N up to it is taken

    Returns
    -------
    (N, C + 1, H, W); images i, i + N/g, i + 2N/g, ... form a group

    Source
    ------
    Karras et al. 2018, Sec. 3. N that is no multiple of 4 is our addition.
    """
    count, channels, height, width = features.shape
    size = next(g for g in range(min(group, count), 0, -1) if count % g == 0)
    split = features.reshape(size, count // size, channels, height, width)
    deviation = (split.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    layer = deviation.repeat(size).reshape(count, 1, 1, 1).expand(count, 1, height, width)
    return torch.cat([features, layer.to(features.dtype)], dim=1)
