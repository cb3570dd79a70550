"""Values at a list of pixels, put into pictures; compiled, see `..fragments.put_pixels`."""

from typing import Any

import numba
import numpy as np
import torch
from torch.autograd.function import once_differentiable

from geomface.rendering.differentiable.compiled.run import numpy_of


class CompiledPicture(torch.autograd.Function):
    """(P, C) pictures with values (C, N) at pixels (N,), over a backdrop (P, C) or zeros."""

    @staticmethod
    def forward(
        ctx: Any,
        values: torch.Tensor,
        pixels: torch.Tensor,
        backdrop: torch.Tensor | None,
        size: int,
    ) -> torch.Tensor:
        """Copy the backdrop, then write the pixels."""
        colors = numpy_of(values)
        if backdrop is None:
            out = np.zeros((size, len(colors)), colors.dtype)
        else:
            out = numpy_of(backdrop).copy()
        _put(colors, numpy_of(pixels), out)
        ctx.save_for_backward(pixels)
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Read the pixels; the rest is the backdrop's."""
        (pixels,) = ctx.saved_tensors
        places, gradient = numpy_of(pixels), numpy_of(gradients[0])
        of_values = np.empty((gradient.shape[1], len(places)), gradient.dtype)
        _take(gradient, places, of_values)
        behind = None
        if ctx.needs_input_grad[2]:
            behind = torch.from_numpy(gradient.copy())
            behind[pixels] = 0.0
        return torch.from_numpy(of_values), None, behind, None


@numba.njit(cache=True, nogil=True)
def _put(values: Any, pixels: Any, out: Any) -> None:
    for n in range(len(pixels)):
        for k in range(len(values)):
            out[pixels[n], k] = values[k, n]


@numba.njit(cache=True, nogil=True)
def _take(picture: Any, pixels: Any, out: Any) -> None:
    for n in range(len(pixels)):
        for k in range(len(out)):
            out[k, n] = picture[pixels[n], k]
