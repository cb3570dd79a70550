"""Bilinear texture reads, compiled; see `..textures`."""

from typing import Any

import numba
import numpy as np
import torch
from torch.autograd.function import once_differentiable

from geomface.rendering.differentiable.compiled.run import numpy_of, run_rows
from geomface.rendering.differentiable.fragments import Fragments


class CompiledTexture(torch.autograd.Function):
    """(C, N) reads of textures (B or 1, H, W, C) at uv (2, N)."""

    @staticmethod
    def forward(
        ctx: Any, texture: torch.Tensor, uv: torch.Tensor, fragments: Fragments
    ) -> torch.Tensor:
        """Run the kernel image by image."""
        texels, places = numpy_of(texture), numpy_of(uv)
        out = np.empty((texels.shape[3], places.shape[1]), texels.dtype)
        run_rows(_forward, fragments.offsets, [texels], places, out)
        ctx.save_for_backward(texture, uv)
        ctx.fragments = fragments
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Carry the gradient to the texels and to uv."""
        texture, uv = ctx.saved_tensors
        texels, places, gradient = numpy_of(texture), numpy_of(uv), numpy_of(gradients[0])
        wanted = ctx.needs_input_grad[0]
        of_texels = np.zeros(texels.shape if wanted else (1, 1, 1, 1), texels.dtype)
        of_uv = np.empty(places.shape, places.dtype)
        run_rows(
            _backward,
            ctx.fragments.offsets,
            [texels, of_texels],
            places,
            gradient,
            wanted,
            of_uv,
            in_order=len(texels) == 1 and wanted,
        )
        return torch.from_numpy(of_texels) if wanted else None, torch.from_numpy(of_uv), None


@numba.njit(cache=True, nogil=True)
def _place(coordinate: float, size: int) -> Any:
    """Return the texel before a coordinate in texels, the share of the next, and 0 outside."""
    inside = 1.0
    if coordinate < 0.0:
        coordinate, inside = 0.0, 0.0
    elif coordinate > size - 1.0:
        coordinate, inside = size - 1.0, 0.0
    first = min(int(coordinate), max(size - 2, 0))
    return first, coordinate - first, inside


@numba.njit(cache=True, nogil=True)
def _forward(first: int, last: int, texels: Any, uv: Any, out: Any) -> None:
    height, width, channels = texels.shape
    for n in range(first, last):
        column, s, _ = _place(uv[0, n] * width - 0.5, width)
        row, t, _ = _place((1.0 - uv[1, n]) * height - 0.5, height)
        right, below = min(column + 1, width - 1), min(row + 1, height - 1)
        for k in range(channels):
            a, b = texels[row, column, k], texels[row, right, k]
            c, d = texels[below, column, k], texels[below, right, k]
            upper, lower = a + s * (b - a), c + s * (d - c)
            out[k, n] = upper + t * (lower - upper)


@numba.njit(cache=True, nogil=True)
def _backward(
    first: int,
    last: int,
    texels: Any,
    of_texels: Any,
    uv: Any,
    gradient: Any,
    wanted: bool,
    of_uv: Any,
) -> None:
    height, width, channels = texels.shape
    for n in range(first, last):
        column, s, in_x = _place(uv[0, n] * width - 0.5, width)
        row, t, in_y = _place((1.0 - uv[1, n]) * height - 0.5, height)
        right, below = min(column + 1, width - 1), min(row + 1, height - 1)
        gs, gt = 0.0, 0.0
        for k in range(channels):
            g = gradient[k, n]
            a, b = texels[row, column, k], texels[row, right, k]
            c, d = texels[below, column, k], texels[below, right, k]
            gs += g * ((1.0 - t) * (b - a) + t * (d - c))
            gt += g * (c + s * (d - c) - a - s * (b - a))
            if wanted:
                of_texels[row, column, k] += g * (1.0 - s) * (1.0 - t)
                of_texels[row, right, k] += g * s * (1.0 - t)
                of_texels[below, column, k] += g * (1.0 - s) * t
                of_texels[below, right, k] += g * s * t
        of_uv[0, n] = gs * in_x * width
        of_uv[1, n] = -gt * in_y * height
