"""Layers of the growing networks: equalised weights, pixel norm, minibatch deviation."""

import math

import torch
import torch.nn.functional as F

from geomface.learning.convolution import convolve
from geomface.learning.masking import double

SLOPE = 0.2
"""Of the leaky rectifier."""
FUSED_FROM = 32
"""Pixels a side from which doubling and a convolution are one operation on the CPU."""
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
        weight = self.weight * self.scale
        if images.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            return convolve(images, weight, self.bias)  # float32 was measured to lose by it
        return F.conv2d(images, weight, self.bias, padding=weight.shape[-1] // 2)

    def double(self, images: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, 2H, 2W): the convolution of the repeated pixels."""
        # Where it was measured to pay: on the CPU, for images that are not small.
        if images.device.type != "cpu" or images.shape[-1] < FUSED_FROM:
            return self(double(images))
        return double_and_convolve(images, self.weight * self.scale, self.bias)


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


def double_and_convolve(
    images: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Repeat each pixel 2 x 2 and convolve, without the repeated image.

    y(2i + a, 2j + b) = sum over p, q in {0, 1} of k_ab(p, q) x(i + p + a - 1, j + q + b - 1)

    Of the 3 x 3 repeated pixels below a kernel only 2 x 2 differ, so that the weights on equal ones
    can be added first: 4 products in place of 9. The four k_ab together are a transposed
    convolution of 4 x 4 weights, the sum of four shifted copies of the given ones.

    Parameters
    ----------
    images : (N, C, H, W)
    weight : (D, C, 3, 3)
    bias : (D,)

    Returns
    -------
    (N, D, 2H, 2W), equal to `conv2d(double(images), weight, bias, padding=1)` up to rounding

    Source
    ------
    Karras et al. 2018, `upscale2d_conv2d` in the authors' code; written anew.
    """
    padded = F.pad(weight.flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
    rows = padded[:, :, 1:] + padded[:, :, :-1]
    kernel = rows[..., 1:] + rows[..., :-1]
    return F.conv_transpose2d(images, kernel, bias, stride=2, padding=1)


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


def reconstruction_error(images: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
    """Return (N,) mean over channels and pixels of |x - y| m.

    Parameters
    ----------
    images : (N, 3 or 4, H, W) x, whose fourth channel is the mask m
    back : (N, 3, H, W) y, an autoencoder's reconstruction
    """
    miss = (images[:, :3] - back).abs()
    if images.shape[1] > 3:
        miss = miss * images[:, 3:]
    return miss.flatten(1).mean(dim=1)


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
