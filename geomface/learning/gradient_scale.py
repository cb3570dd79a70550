"""Two players of one game in one backward pass: the judge's share of the gradient is scaled."""

from collections.abc import Callable
from typing import Any

import torch


def scale_gradient(
    network: torch.nn.Module, factor: torch.Tensor | float
) -> Callable[..., torch.Tensor]:
    """Return a network as a function whose weights get `factor` times their gradient.

    L(D(x)):  x gets dL/dx, the weights of D get factor dL/dw

    What goes back to the input stays as it is. So where a judge minimises -k times what a player
    does, one pass through it serves both, and nobody waits for a second one.

    Parameters
    ----------
    network : the judge
    factor : such as -k; a tensor stays on its device

    Source
    ------
    The gradient reversal of Ganin and Lempitsky 2015, set on the weights in place of the input.

    Example
    -------
    >>> judge, x = torch.nn.Linear(1, 1, bias=False), torch.ones(1, 1, requires_grad=True)
    >>> scale_gradient(judge, -0.5)(x).sum().backward()
    >>> judge.weight.grad.item(), bool(x.grad == judge.weight)
    (-0.5, True)
    """
    weights = {
        name: _ScaledGradient.apply(item, factor) for name, item in network.named_parameters()
    }

    def call(*inputs: Any, **named: Any) -> torch.Tensor:
        return torch.func.functional_call(network, weights, inputs, named)

    return call


class _ScaledGradient(torch.autograd.Function):
    """y = x; dL/dx = factor dL/dy."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, factor: torch.Tensor | float) -> torch.Tensor:
        ctx.factor = factor
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor, None]:  # type: ignore[override]
        return slope * ctx.factor, None
