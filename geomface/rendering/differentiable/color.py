"""Between sRGB, as images hold colours, and linear light, in which lights add up."""

from typing import Any

import torch

_KNEE_SRGB = 0.04045
_KNEE_LINEAR = 0.0031308


class _ToLinear(torch.autograd.Function):
    """The curve with a backward that reuses its power."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        base = values.clamp(min=_KNEE_SRGB).add_(0.055).mul_(1 / 1.055)
        curve = base**2.4
        straight = values <= _KNEE_SRGB
        ctx.save_for_backward(values, base, curve, straight)
        return torch.where(straight, values / 12.92, curve)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        values, base, curve, straight = ctx.saved_tensors
        if torch.is_grad_enabled():  # second derivatives were asked for
            base = (values.clamp(min=_KNEE_SRGB) + 0.055) / 1.055
            curve = base**2.4
        return torch.where(straight, 1 / 12.92, curve / base * (2.4 / 1.055)) * gradients[0]


class _ToSrgb(torch.autograd.Function):
    """The inverse curve, likewise."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        base = values.clamp(min=_KNEE_LINEAR)
        curve = base ** (1 / 2.4)
        straight = values <= _KNEE_LINEAR
        ctx.save_for_backward(values, base, curve, straight)
        return torch.where(straight, values * 12.92, curve * 1.055 - 0.055)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        values, base, curve, straight = ctx.saved_tensors
        if torch.is_grad_enabled():  # second derivatives were asked for
            base = values.clamp(min=_KNEE_LINEAR)
            curve = base ** (1 / 2.4)
        return torch.where(straight, 12.92, curve / base * (1.055 / 2.4)) * gradients[0]


def srgb_to_linear(values: torch.Tensor) -> torch.Tensor:
    """Return linear light of sRGB values: c / 12.92 up to 0.04045, else ((c + 0.055) / 1.055)^2.4.

    Source
    ------
    IEC 61966-2-1. Negative values are kept on the straight part; above 1 the curve goes on.
    """
    return _ToLinear.apply(values)


def linear_to_srgb(values: torch.Tensor) -> torch.Tensor:
    """Return sRGB values of linear light; the inverse of `srgb_to_linear`."""
    return _ToSrgb.apply(values)
