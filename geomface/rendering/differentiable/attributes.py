"""Values at vertices, carried to the covered pixels."""

from typing import Any

import torch

from geomface.rendering.differentiable.compiled.attributes import CompiledInterpolation
from geomface.rendering.differentiable.fragments import Fragments


class _TakeRows(torch.autograd.Function):
    """Columns of a (C, M) table at (N,) places, with a backward of C scattered sums.

    Sums run in the order of the places, so the gradient of one image does not depend on the
    others; the general index operations of torch are several times slower backward.
    """

    @staticmethod
    def forward(ctx: Any, table: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(places)
        ctx.columns = table.shape[1]
        return table.index_select(1, places)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (places,) = ctx.saved_tensors
        return _PutRows.apply(gradients[0], places, ctx.columns), None


class _PutRows(torch.autograd.Function):
    """The transpose of `_TakeRows`, so that second derivatives work as well."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, places: torch.Tensor, columns: int) -> torch.Tensor:
        ctx.save_for_backward(places)
        total = torch.zeros((len(values), columns), dtype=values.dtype, device=values.device)
        for row, part in zip(total, values, strict=True):
            row.index_add_(0, places, part)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (places,) = ctx.saved_tensors
        return _TakeRows.apply(gradients[0], places), None, None


def take_rows(table: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return (C, N), the columns of `table` (C, M) at `places` (N,) int64, differentiable."""
    return _TakeRows.apply(table, places)


def put_columns(values: torch.Tensor, places: torch.Tensor, columns: int) -> torch.Tensor:
    """Return (C, columns): the sums of values (C, N) that go to each of the places (N,) int64."""
    return _PutRows.apply(values, places, columns)


def gather_vertices(values: torch.Tensor, fragments: Fragments) -> tuple[torch.Tensor, ...]:
    """Return the values at the three corners, each (C, N).

    Parameters
    ----------
    values : (B, V, C), or (1, V, C) shared by all images
    fragments : the covered pixels
    """
    batch, count, channels = values.shape
    table = values.permute(2, 0, 1).reshape(channels, batch * count)
    corners = fragments.corners
    if batch > 1:
        corners = corners + (fragments.image * count)
    return take_rows(table, corners.reshape(-1)).reshape(channels, 3, -1).unbind(1)


def interpolate(values: torch.Tensor, fragments: Fragments, weights: torch.Tensor) -> torch.Tensor:
    """Return (C, N): sum_k b_k value_k at every covered pixel.

    Parameters
    ----------
    values : (B, V, C), or (1, V, C) shared by all images
    fragments : the covered pixels
    weights : (3, N), from `barycentric_weights`
    """
    if fragments.compiled:
        return CompiledInterpolation.apply(values, weights, fragments.corners, fragments)
    a, b, c = gather_vertices(values, fragments)
    return weights[0] * a + weights[1] * b + weights[2] * c


def interpolate_uv(
    uv: torch.Tensor, uv_faces: torch.Tensor, fragments: Fragments, weights: torch.Tensor
) -> torch.Tensor:
    """Return (2, N) uv at every covered pixel.

    Parameters
    ----------
    uv : (T, 2), the same for all images
    uv_faces : (F, 3) int64, corners of the faces in `uv`
    """
    corners = uv_faces.T.index_select(1, fragments.face)
    if fragments.compiled:
        return CompiledInterpolation.apply(uv[None], weights, corners, fragments)
    a, b, c = take_rows(uv.T.contiguous(), corners.reshape(-1)).reshape(2, 3, -1).unbind(1)
    return weights[0] * a + weights[1] * b + weights[2] * c
