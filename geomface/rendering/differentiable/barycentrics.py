"""Where in its triangle a pixel centre lies, differentiable in the corners."""

from typing import NamedTuple

import torch

from geomface.rendering.differentiable.attributes import gather_vertices
from geomface.rendering.differentiable.compiled.barycentrics import CompiledBarycentrics
from geomface.rendering.differentiable.fragments import Fragments

SMALLEST_AREA = 1e-6
"""Twice the area of a triangle on the picture, in square pixels, below which it counts as this."""


class Barycentrics(NamedTuple):
    """Weights of the three corners (3, N), and whether the face's outside is seen, (N,)."""

    weights: torch.Tensor
    outside: torch.Tensor


def barycentric_weights(
    xyz_pixels: torch.Tensor, fragments: Fragments, perspective: bool
) -> Barycentrics:
    """Return the weights of the three corners at every covered pixel centre.

    e = areas opposite the corners / whole area on the picture; for a perspective camera
    b_i = (e_i / z_i) / sum_j (e_j / z_j), since 1 / z is linear on the picture.

    Parameters
    ----------
    xyz_pixels : (B, V, 3), from `Camera.project`
    fragments : the covered pixels
    perspective : `Camera.perspective`

    Convention
    ----------
    The weights sum to 1. Where the snapping of the visibility gave a pixel to a triangle that it
    misses by a hair, one of them is slightly negative. A tiny area is enlarged to
    `SMALLEST_AREA`: the denominator is bounded, the weights are not clipped, so that gradients
    stay.
    """
    if fragments.compiled:
        weights, outside = CompiledBarycentrics.apply(
            xyz_pixels, fragments, perspective, SMALLEST_AREA
        )
        return Barycentrics(weights, outside)
    a, b, c = gather_vertices(xyz_pixels, fragments)
    # Relative to a corner, so that nearby points lose no digits.
    ux, uy = b[0] - a[0], b[1] - a[1]
    vx, vy = c[0] - a[0], c[1] - a[1]
    px, py = fragments.x - a[0], fragments.y - a[1]
    area = ux * vy - uy * vx
    # y points down, so a triangle that is counter-clockwise to the eye has a negative area.
    outside = area.detach() < 0
    small = area.detach().abs() < SMALLEST_AREA
    area = torch.where(small, torch.where(area < 0, -SMALLEST_AREA, SMALLEST_AREA), area)
    second = (px * vy - py * vx) / area
    third = (ux * py - uy * px) / area
    first = 1.0 - second - third
    if not perspective:
        return Barycentrics(torch.stack([first, second, third]), outside)
    first, second, third = first / a[2], second / b[2], third / c[2]
    total = first + second + third
    return Barycentrics(torch.stack([first, second, third]) / total, outside)
