"""Spherical-harmonics shading, compiled; see `..spherical_harmonics`."""

from typing import Any

import numba
import numpy as np
import torch
from torch.autograd.function import once_differentiable

from geomface.rendering.differentiable.compiled.run import numpy_of, run_rows
from geomface.rendering.differentiable.fragments import Fragments


class CompiledHarmonics(torch.autograd.Function):
    """(3, N) sums of coefficients (B or 1, 9, 3) times polynomials of unit normals (3, N).

    The polynomials are 1, y, z, x, xy, yz, 3 z^2 - 1, xz, x^2 - y^2: the constants of the basis
    belong into the coefficients.
    """

    @staticmethod
    def forward(
        ctx: Any, coefficients: torch.Tensor, normals: torch.Tensor, fragments: Fragments
    ) -> torch.Tensor:
        """Run the kernel image by image."""
        light, directions = numpy_of(coefficients), numpy_of(normals)
        out = np.empty(directions.shape, directions.dtype)
        run_rows(_forward, fragments.offsets, [light], directions, out)
        ctx.save_for_backward(coefficients, normals)
        ctx.fragments = fragments
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Carry the gradient to the light and to the normals."""
        coefficients, normals = ctx.saved_tensors
        light, directions = numpy_of(coefficients), numpy_of(normals)
        gradient = numpy_of(gradients[0])
        offsets = ctx.fragments.offsets
        of_light = np.zeros((len(offsets) - 1, 9, 3))
        of_normals = np.empty(directions.shape, directions.dtype)
        run_rows(_backward, offsets, [light, of_light], directions, gradient, of_normals)
        if len(light) == 1:
            of_light = of_light.sum(axis=0, keepdims=True)
        of_light = torch.from_numpy(of_light.astype(light.dtype))
        return of_light, torch.from_numpy(of_normals), None


@numba.njit(cache=True, nogil=True)
def _forward(first: int, last: int, light: Any, normals: Any, out: Any) -> None:
    for n in range(first, last):
        x, y, z = normals[0, n], normals[1, n], normals[2, n]
        xy, yz, xz = x * y, y * z, x * z
        zz, xx = 3.0 * z * z - 1.0, x * x - y * y
        for k in range(3):
            value = light[0, k] + light[1, k] * y + light[2, k] * z + light[3, k] * x
            value += light[4, k] * xy + light[5, k] * yz + light[6, k] * zz
            out[k, n] = value + light[7, k] * xz + light[8, k] * xx


@numba.njit(cache=True, nogil=True)
def _backward(
    first: int, last: int, light: Any, of_light: Any, normals: Any, gradient: Any, of_normals: Any
) -> None:
    for n in range(first, last):
        x, y, z = normals[0, n], normals[1, n], normals[2, n]
        xy, yz, xz = x * y, y * z, x * z
        zz, xx = 3.0 * z * z - 1.0, x * x - y * y
        gx = gy = gz = 0.0
        for k in range(3):
            g = gradient[k, n]
            of_light[0, k] += g
            of_light[1, k] += g * y
            of_light[2, k] += g * z
            of_light[3, k] += g * x
            of_light[4, k] += g * xy
            of_light[5, k] += g * yz
            of_light[6, k] += g * zz
            of_light[7, k] += g * xz
            of_light[8, k] += g * xx
            gx += g * (light[3, k] + light[4, k] * y + light[7, k] * z + 2.0 * light[8, k] * x)
            gy += g * (light[1, k] + light[4, k] * x + light[5, k] * z - 2.0 * light[8, k] * y)
            gz += g * (light[2, k] + light[5, k] * y + light[7, k] * x)
            gz += g * 6.0 * light[6, k] * z
        of_normals[0, n], of_normals[1, n], of_normals[2, n] = gx, gy, gz
