"""Silhouettes that blend: what an edge covers of a pixel, differentiable in the edge's vertices."""

import torch

from geomface.rendering.differentiable.attributes import put_columns, take_rows
from geomface.rendering.differentiable.silhouette_edges import SilhouetteCrossings


def blend_silhouettes(
    values: torch.Tensor,
    crossings: SilhouetteCrossings,
    pixels: torch.Tensor,
    xyz_pixels: torch.Tensor,
    height: int,
    width: int,
) -> torch.Tensor:
    """Return values (C, N) at some pixels with the colours moved across silhouettes.

    An edge crosses the segment between the centres of the pixel that sees the surface (t = 0) and
    its neighbour (t = 1) at t. Beyond one half, the surface reaches into the neighbour, which takes
    the share t - 1/2 of the surface's colour; below, the pixel takes the share 1/2 - t of the
    neighbour's. A pixel that would take more than itself from all sides takes one in all, so
    colours stay mixtures.

    Parameters
    ----------
    values : (C, N), such as premultiplied red, green, blue and alpha
    crossings : from `silhouette_crossings`
    pixels : (N,) int64, which pixels of the flattened (B, height, width) the values belong to, with
        all pixels of the crossings among them
    xyz_pixels : (B, V, 3), the same as for the crossings

    Convention
    ----------
    d sum(alpha) / d vertex is the gradient of the covered area, sampled once a row for steep edges
    and once a column for flat ones.

    Source
    ------
    After the antialiasing of Laine et al. 2020, "Modular primitives for high-performance
    differentiable rendering", section 3.5; different here: the edges are found by following the
    surface, each edge counts on one axis only, and the shares of a pixel are bounded.
    """
    near, far, start, end, horizontal = crossings
    if not len(near):
        return values
    batch, count, _ = xyz_pixels.shape
    table = xyz_pixels[..., :2].permute(2, 0, 1).reshape(2, batch * count)
    a, b = take_rows(table, torch.cat([start, end])).reshape(2, 2, -1).unbind(1)
    along_a, across_a = torch.where(horizontal, a, a.flip(0))
    along_b, across_b = torch.where(horizontal, b, b.flip(0))
    row = torch.div(near, width, rounding_mode="floor")
    column = (near - row * width).to(table.dtype) + 0.5
    row = (row % height).to(table.dtype) + 0.5
    line, origin = torch.where(horizontal, row, column), torch.where(horizontal, column, row)
    sign = torch.where(far > near, 1.0, -1.0).to(table.dtype)
    place = along_a + (line - across_a) * (along_b - along_a) / (across_b - across_a)
    beyond = (place - origin) * sign - 0.5
    order = torch.empty(batch * height * width, dtype=torch.int64, device=pixels.device)
    order[pixels] = torch.arange(len(pixels), device=pixels.device)
    near, far = order[near], order[far]
    target = torch.where(beyond.detach() > 0, far, near)
    whole = put_columns(beyond.abs()[None], target, len(pixels))
    share = beyond / take_rows(whole, target)[0].clamp(min=1.0)
    both = take_rows(values, torch.cat([near, far])).reshape(len(values), 2, -1)
    seen, behind = both.unbind(1)
    return values + put_columns(share * (seen - behind), target, len(pixels))
