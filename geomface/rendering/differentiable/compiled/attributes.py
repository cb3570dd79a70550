"""Interpolation of vertex values at the covered pixels, compiled; see `..attributes`."""

from typing import Any

import numba
import numpy as np
import torch
from torch.autograd.function import once_differentiable

from geomface.rendering.differentiable.compiled.run import numpy_of, run_rows
from geomface.rendering.differentiable.fragments import Fragments


class CompiledInterpolation(torch.autograd.Function):
    """(C, N) values of (B or 1, V, C) at corners (3, N) with weights (3, N)."""

    @staticmethod
    def forward(
        ctx: Any,
        values: torch.Tensor,
        weights: torch.Tensor,
        corners: torch.Tensor,
        fragments: Fragments,
    ) -> torch.Tensor:
        """Run the kernel image by image."""
        table, shares, places = numpy_of(values), numpy_of(weights), numpy_of(corners)
        out = np.empty((table.shape[2], shares.shape[1]), table.dtype)
        run_rows(_forward, fragments.offsets, [table], shares, places, out)
        ctx.save_for_backward(values, weights, corners)
        ctx.fragments = fragments
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Carry the gradient to the values and to the weights."""
        values, weights, corners = ctx.saved_tensors
        table, shares, places = numpy_of(values), numpy_of(weights), numpy_of(corners)
        gradient = numpy_of(gradients[0])
        wanted = ctx.needs_input_grad[0]
        of_values = np.zeros(table.shape if wanted else (1, 1, 1), table.dtype)
        of_weights = np.empty(shares.shape, shares.dtype)
        run_rows(
            _backward,
            ctx.fragments.offsets,
            [table, of_values],
            shares,
            places,
            gradient,
            wanted,
            of_weights,
            in_order=len(table) == 1 and wanted,
        )
        back = torch.from_numpy(of_values) if wanted else None
        return back, torch.from_numpy(of_weights), None, None


@numba.njit(cache=True, nogil=True)
def _forward(first: int, last: int, table: Any, weights: Any, corners: Any, out: Any) -> None:
    channels = table.shape[1]
    for n in range(first, last):
        a, b, c = corners[0, n], corners[1, n], corners[2, n]
        wa, wb, wc = weights[0, n], weights[1, n], weights[2, n]
        for k in range(channels):
            out[k, n] = wa * table[a, k] + wb * table[b, k] + wc * table[c, k]


@numba.njit(cache=True, nogil=True)
def _backward(
    first: int,
    last: int,
    table: Any,
    of_table: Any,
    weights: Any,
    corners: Any,
    gradient: Any,
    wanted: bool,
    of_weights: Any,
) -> None:
    channels = table.shape[1]
    for n in range(first, last):
        a, b, c = corners[0, n], corners[1, n], corners[2, n]
        wa, wb, wc = weights[0, n], weights[1, n], weights[2, n]
        ga = gb = gc = 0.0
        for k in range(channels):
            g = gradient[k, n]
            ga += g * table[a, k]
            gb += g * table[b, k]
            gc += g * table[c, k]
            if wanted:
                of_table[a, k] += wa * g
                of_table[b, k] += wb * g
                of_table[c, k] += wc * g
        of_weights[0, n], of_weights[1, n], of_weights[2, n] = ga, gb, gc
