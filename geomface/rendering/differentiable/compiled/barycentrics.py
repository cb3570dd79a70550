"""Perspective-correct barycentric weights, compiled; see `..barycentrics`."""

from typing import Any

import numba
import numpy as np
import torch
from torch.autograd.function import once_differentiable

from geomface.rendering.differentiable.compiled.run import numpy_of, run_rows
from geomface.rendering.differentiable.fragments import Fragments


class CompiledBarycentrics(torch.autograd.Function):
    """(3, N) weights and (N,) whether the outside is seen, of xyz_pixels (B, V, 3)."""

    @staticmethod
    def forward(
        ctx: Any, xyz: torch.Tensor, fragments: Fragments, perspective: bool, smallest: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the kernel image by image."""
        places, corners = numpy_of(xyz), numpy_of(fragments.corners)
        x, y = numpy_of(fragments.x), numpy_of(fragments.y)
        weights = np.empty((3, len(x)), places.dtype)
        outside = np.empty(len(x), np.bool_)
        how = (perspective, smallest)
        run_rows(_forward, fragments.offsets, [places], corners, x, y, *how, weights, outside)
        ctx.save_for_backward(xyz)
        ctx.rest = (fragments, perspective, smallest)
        seen = torch.from_numpy(outside)
        ctx.mark_non_differentiable(seen)
        return torch.from_numpy(weights), seen

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Carry the gradient of the weights to the corners."""
        (xyz,) = ctx.saved_tensors
        fragments, perspective, smallest = ctx.rest
        places, corners = numpy_of(xyz), numpy_of(fragments.corners)
        x, y = numpy_of(fragments.x), numpy_of(fragments.y)
        gradient = numpy_of(gradients[0])
        total = np.zeros(places.shape, places.dtype)
        how = (perspective, smallest)
        run_rows(_backward, fragments.offsets, [places, total], corners, x, y, *how, gradient)
        return torch.from_numpy(total), None, None, None


@numba.njit(cache=True, nogil=True)
def _edges(xyz: Any, a: int, b: int, c: int, x: float, y: float) -> Any:
    """Return b - a, c - a and p - a on the picture: nearby points lose no digits."""
    ax, ay = xyz[a, 0], xyz[a, 1]
    return xyz[b, 0] - ax, xyz[b, 1] - ay, xyz[c, 0] - ax, xyz[c, 1] - ay, x - ax, y - ay


@numba.njit(cache=True, nogil=True)
def _areas(
    ux: float, uy: float, vx: float, vy: float, px: float, py: float, smallest: float
) -> Any:
    """Return the affine weights, 1 / area, and whether the area was too small and is enlarged."""
    area = ux * vy - uy * vx
    clamped = abs(area) < smallest
    if clamped:
        area = -smallest if area < 0 else smallest
    scale = 1.0 / area
    e1 = (px * vy - py * vx) * scale
    e2 = (ux * py - uy * px) * scale
    return 1.0 - e1 - e2, e1, e2, scale, clamped


@numba.njit(cache=True, nogil=True)
def _forward(
    first: int,
    last: int,
    xyz: Any,
    corners: Any,
    x: Any,
    y: Any,
    perspective: bool,
    smallest: float,
    weights: Any,
    outside: Any,
) -> None:
    for n in range(first, last):
        a, b, c = corners[0, n], corners[1, n], corners[2, n]
        ux, uy, vx, vy, px, py = _edges(xyz, a, b, c, x[n], y[n])
        outside[n] = ux * vy - uy * vx < 0
        e0, e1, e2, _, _ = _areas(ux, uy, vx, vy, px, py, smallest)
        if perspective:
            za, zb, zc = xyz[a, 2], xyz[b, 2], xyz[c, 2]
            # 1 / z times z_a z_b z_c: no division, and the factor cancels.
            e0, e1, e2 = e0 * zb * zc, e1 * za * zc, e2 * za * zb
            scale = 1.0 / (e0 + e1 + e2)
            e0, e1, e2 = e0 * scale, e1 * scale, e2 * scale
        weights[0, n], weights[1, n], weights[2, n] = e0, e1, e2


@numba.njit(cache=True, nogil=True)
def _backward(
    first: int,
    last: int,
    xyz: Any,
    into: Any,
    corners: Any,
    x: Any,
    y: Any,
    perspective: bool,
    smallest: float,
    gradient: Any,
) -> None:
    for n in range(first, last):
        a, b, c = corners[0, n], corners[1, n], corners[2, n]
        ux, uy, vx, vy, px, py = _edges(xyz, a, b, c, x[n], y[n])
        e0, e1, e2, scale, clamped = _areas(ux, uy, vx, vy, px, py, smallest)
        g0, g1, g2 = gradient[0, n], gradient[1, n], gradient[2, n]
        if perspective:
            ia, ib, ic = 1.0 / xyz[a, 2], 1.0 / xyz[b, 2], 1.0 / xyz[c, 2]
            s0, s1, s2 = e0 * ia, e1 * ib, e2 * ic
            total = 1.0 / (s0 + s1 + s2)
            mean = (g0 * s0 + g1 * s1 + g2 * s2) * total
            g0 = (g0 - mean) * total * ia
            g1 = (g1 - mean) * total * ib
            g2 = (g2 - mean) * total * ic
            into[a, 2] -= g0 * s0
            into[b, 2] -= g1 * s1
            into[c, 2] -= g2 * s2
        g1, g2 = (g1 - g0) * scale, (g2 - g0) * scale
        of_area = -(g1 * e1 + g2 * e2)
        if clamped:
            of_area = 0.0
        gux, guy = g2 * py + of_area * vy, -g2 * px - of_area * vx
        gvx, gvy = -g1 * py - of_area * uy, g1 * px + of_area * ux
        gpx, gpy = g1 * vy - g2 * uy, g2 * ux - g1 * vx
        into[a, 0] -= gux + gvx + gpx
        into[a, 1] -= guy + gvy + gpy
        into[b, 0] += gux
        into[b, 1] += guy
        into[c, 0] += gvx
        into[c, 1] += gvy
