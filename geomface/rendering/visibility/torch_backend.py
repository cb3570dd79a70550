"""Visibility in plain torch, for the CPU and CUDA: exact pixel runs and two scattered minima."""

import torch
from torch import Tensor

from geomface.rendering.rasterize import LARGEST_COORDINATE
from geomface.rendering.visibility.backend import (
    VisibilityBackend,
    linear_depth,
    subpixel_bits,
)

_BOX_BUDGET = 1 << 22
"""Pixels in the bounding boxes that are worked on together: bounds the memory."""


class TorchVisibility(VisibilityBackend):
    """The same integers as the numba backend, from tensor operations alone; deterministic.

    For every triangle and pixel row the covered columns are one run, whose ends follow from the
    three edge functions by integer division. The runs are laid out end to end; a scattered minimum
    finds the nearest depth, a second one the lowest face id at that depth.
    """

    name = "torch"

    def _draw(self, xyz: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool) -> Tensor:
        height, width = size
        batch = len(xyz)
        # One image at a time stays in the cache of a CPU; CUDA wants all of them at once.
        step = 1 if xyz.device.type == "cpu" else batch
        images = []
        for first in range(0, batch, step):
            part = xyz[first : first + step]
            images.append(_draw(part, faces, height, width, perspective))
        return torch.cat(images)


def _draw(
    xyz: torch.Tensor, faces: torch.Tensor, height: int, width: int, perspective: bool
) -> torch.Tensor:
    """Draw a few images together, in portions of the box budget."""
    batch, count = xyz.shape[0], xyz.shape[1]
    bits = subpixel_bits(height, width)
    depth = linear_depth(xyz[..., 2], perspective).reshape(-1)
    fixed = torch.floor(xyz[..., :2].double() * (1 << bits) + 0.5).reshape(-1, 2)
    good = (fixed.abs() < LARGEST_COORDINATE).all(1) & torch.isfinite(depth)
    # Far below the picture, so that the bounding box leaves the triangle out.
    fixed = torch.where(good[:, None], fixed, float(-LARGEST_COORDINATE)).long()
    starts = count * torch.arange(batch, device=xyz.device)
    corners = (faces.T[:, None] + starts[None, :, None]).reshape(3, -1)
    x, y = fixed[:, 0].contiguous(), fixed[:, 1].contiguous()
    box = torch.stack([*_span(x, corners, bits, width), *_span(y, corners, bits, height)])
    left, right, top, bottom = box
    chosen = torch.nonzero((left <= right) & (top <= bottom))[:, 0]
    pixels = batch * height * width
    nearest = torch.full((pixels,), torch.inf, dtype=torch.float64, device=xyz.device)
    owner = torch.full((pixels,), len(faces), dtype=torch.int64, device=xyz.device)
    boxes = ((right - left + 1) * (bottom - top + 1)).index_select(0, chosen)
    sizes = torch.bincount(torch.cumsum(boxes, 0) // _BOX_BUDGET).tolist()
    for part in torch.split(chosen, sizes) if len(chosen) else ():
        places = corners.index_select(1, part)
        part, places, area = _oriented(part, places, x, y, good)
        triangles = (_take(x, places), _take(y, places), _take(depth, places))
        run = _fragments(triangles, area, box.index_select(1, part), bits)
        column, row, z, triangle = run
        image = torch.div(part, len(faces), rounding_mode="floor")
        pixel = column + width * row
        if batch > 1:
            pixel += (image * (height * width)).index_select(0, triangle)
        ids = (part - image * len(faces)).index_select(0, triangle)
        _keep_nearest(nearest, owner, pixel, z, ids)
    owner = torch.where(owner == len(faces), -1, owner)
    return owner.to(torch.int32).reshape(batch, height, width)


def _take(values: torch.Tensor, places: torch.Tensor) -> list[torch.Tensor]:
    """Return the values of three corners: a list of three (n,)."""
    return [values.index_select(0, place) for place in places]


def _span(
    values: torch.Tensor, corners: torch.Tensor, bits: int, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first and the last pixel whose centre lies within the corners: ceil and floor."""
    a, b, c = _take(values, corners)
    half, one = 1 << (bits - 1), 1 << bits
    low = torch.minimum(torch.minimum(a, b), c)
    high = torch.maximum(torch.maximum(a, b), c)
    first = ((low - half + one - 1) >> bits).clamp_(min=0)
    return first, ((high - half) >> bits).clamp_(max=size - 1)


def _oriented(
    part: torch.Tensor, places: torch.Tensor, x: torch.Tensor, y: torch.Tensor, good: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the triangles with an area, their corners in the order that makes it positive."""
    xa, xb, xc = _take(x, places)
    ya, yb, yc = _take(y, places)
    area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
    a, b, c = _take(good, places)
    kept = torch.nonzero(a & b & c & (area != 0))[:, 0]
    area = area.index_select(0, kept)
    a, b, c = places.index_select(1, kept)
    turned = area < 0
    places = torch.stack([a, torch.where(turned, c, b), torch.where(turned, b, c)])
    return part.index_select(0, kept), places, area.abs()


def _expand(counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for items repeated `counts` times which item each is, and its place in the item."""
    item = torch.repeat_interleave(counts)
    before = torch.cumsum(counts, 0) - counts
    return item, torch.arange(len(item), device=counts.device) - before.index_select(0, item)


def _fragments(
    triangles: tuple[list[torch.Tensor], list[torch.Tensor], list[torch.Tensor]],
    area: torch.Tensor,
    box: torch.Tensor,
    bits: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return column, row, depth and triangle of every pixel centre that a triangle covers.

    The edge opposite corner a is E_a = dx (py - y_b) - dy (px - x_b), at column c equal to
    k - m c with m = dy 2^bits, so that E_a >= loss bounds c by one integer division.
    """
    x, y, depth = triangles
    left, right, top, bottom = box
    half, one = 1 << (bits - 1), 1 << bits
    triangle, step = _expand(bottom - top + 1)
    row = top.index_select(0, triangle) + step
    first, last = left.index_select(0, triangle), right.index_select(0, triangle)
    values, slopes = [], []
    for b, c in ((1, 2), (2, 0), (0, 1)):
        dx, dy = x[c] - x[b], y[c] - y[b]
        # Top edges run to the right, left edges run up; all others lose the pixels on them.
        loss = (~((dy < 0) | ((dy == 0) & (dx > 0)))).long()
        at_zero = dx * (half - y[b]) - dy * (half - x[b])
        table = torch.stack([at_zero, dx * one, dy * one, loss], dim=1)
        k, k_row, m, lost = table.index_select(0, triangle).unbind(1)
        value = k + k_row * row
        room = value - lost
        reach = torch.div(room, m.abs().clamp_(min=1), rounding_mode="floor")
        flat = torch.where(room < 0, -1, last)
        last = torch.minimum(last, torch.where(m > 0, reach, torch.where(m < 0, last, flat)))
        first = torch.maximum(first, torch.where(m < 0, -reach, first))
        values.append(value)
        slopes.append(m)
    length = last - first + 1
    run = torch.nonzero(length > 0)[:, 0]
    triangle, row, first = (item.index_select(0, run) for item in (triangle, row, first))
    item, step = _expand(length.index_select(0, run))
    column = first.index_select(0, item) + step
    triangle = triangle.index_select(0, item)
    z = torch.zeros_like(column, dtype=torch.float64)
    # Products of integers and floats, summed in the order of the numba kernel: equal to the bit.
    for value, m, corner in zip(values, slopes, depth, strict=True):
        value, m = value.index_select(0, run), m.index_select(0, run)
        edge = (value - m * first).index_select(0, item) - m.index_select(0, item) * step
        z = z + edge * corner.index_select(0, triangle)
    z = z * (1.0 / area.double()).index_select(0, triangle)
    return column, row.index_select(0, item), z, triangle


def _keep_nearest(
    nearest: torch.Tensor,
    owner: torch.Tensor,
    pixel: torch.Tensor,
    z: torch.Tensor,
    ids: torch.Tensor,
) -> None:
    """Update depth (P,) and owner (P,) with fragments; the lower id wins at equal depth."""
    before = nearest.clone()
    nearest.scatter_reduce_(0, pixel, z, "amin")
    owner.masked_fill_(nearest < before, torch.iinfo(torch.int64).max)
    wins = torch.nonzero(z == nearest.index_select(0, pixel))[:, 0]
    owner.scatter_reduce_(0, pixel.index_select(0, wins), ids.index_select(0, wins), "amin")
