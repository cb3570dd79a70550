"""A convolution whose second derivatives are as fast as its first."""

from typing import Any

import torch
import torch.nn.functional as F

Tensors = tuple[torch.Tensor | None, ...]


def convolve(
    images: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Convolve so that the image keeps its size; as `conv2d`, but for gradient penalties.

    C(x, w) = y,  T(y, w) = dC/dx^T y,  W(x, y) = dC/dw^T y

    The three are linear in either argument, and each one's derivatives are the other two, so that
    derivatives of any order are again forward, input or weight gradients, for which libraries have
    fast kernels. Torch computes the second derivative in w as a convolution with a kernel of the
    size of the image, for which they have none.

    Parameters
    ----------
    images : (N, C, H, W)
    weight : (D, C, K, K), K odd
    bias : (D,)

    Returns
    -------
    (N, D, H, W), in autocast's precision inside of it

    Source
    ------
    The idea is that of `conv2d_gradfix` in Karras et al. 2020 (StyleGAN2-ADA); written anew.
    """
    kind = images.device.type
    if torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
        images, weight = images.to(dtype), weight.to(dtype)
        bias = None if bias is None else bias.to(dtype)
    return _Forward.apply(images, weight, bias)


class _Forward(torch.autograd.Function):
    """C(x, w) + b."""

    @staticmethod
    def forward(
        ctx: Any, images: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        ctx.save_for_backward(images, weight)
        return F.conv2d(images, weight, bias, padding=weight.shape[-1] // 2)

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> Tensors:  # type: ignore[override]
        images, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            _InputGradient.apply(slope, weight, images) if wanted[0] else None,
            _WeightGradient.apply(images, slope, weight) if wanted[1] else None,
            slope.sum(dim=(0, 2, 3)) if wanted[2] else None,
        )


class _InputGradient(torch.autograd.Function):
    """T(y, w); the images only tell a shape and a layout."""

    @staticmethod
    def forward(
        ctx: Any, slope: torch.Tensor, weight: torch.Tensor, images: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(slope, weight)
        return _gradients(slope, images.detach(), weight, (True, False))[0]

    @staticmethod
    def backward(ctx: Any, toward: torch.Tensor) -> Tensors:  # type: ignore[override]
        slope, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            _Forward.apply(toward, weight, None) if wanted[0] else None,
            _WeightGradient.apply(toward, slope, weight) if wanted[1] else None,
            None,
        )


class _WeightGradient(torch.autograd.Function):
    """W(x, y); the weights only tell a shape and a layout."""

    @staticmethod
    def forward(
        ctx: Any, images: torch.Tensor, slope: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(images, slope)
        return _gradients(slope, images, weight.detach(), (False, True))[1]

    @staticmethod
    def backward(ctx: Any, toward: torch.Tensor) -> Tensors:  # type: ignore[override]
        images, slope = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            _InputGradient.apply(slope, toward, images) if wanted[0] else None,
            _Forward.apply(images, toward, None) if wanted[1] else None,
            None,
        )


def _gradients(
    slope: torch.Tensor, images: torch.Tensor, weight: torch.Tensor, wanted: tuple[bool, bool]
) -> tuple[torch.Tensor, torch.Tensor]:
    around = [weight.shape[-1] // 2] * 2
    once = [1, 1]
    result = torch.ops.aten.convolution_backward(
        slope, images, weight, None, once, around, once, False, [0, 0], 1, [*wanted, False]
    )
    return result[0], result[1]
