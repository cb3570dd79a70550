"""Vertex normals and unit vectors, compiled; see `..normals`."""

from typing import Any

import numba
import numpy as np
import torch
from torch.autograd.function import once_differentiable

from geomface.rendering.differentiable.compiled.run import numpy_of, run_images


class CompiledVertexNormals(torch.autograd.Function):
    """(B, V, 3) unit normals of vertices (B, V, 3)."""

    @staticmethod
    def forward(ctx: Any, vertices: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        """Run the kernel image by image."""
        points, triangles = numpy_of(vertices), numpy_of(faces)
        sums = np.zeros(points.shape, points.dtype)
        normals = np.empty(points.shape, points.dtype)
        run_images(_forward, len(points), [points, sums, normals], triangles)
        ctx.save_for_backward(vertices, faces)
        ctx.sums = sums
        return torch.from_numpy(normals)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Carry the gradient of the normals to the vertices."""
        vertices, faces = ctx.saved_tensors
        points, triangles = numpy_of(vertices), numpy_of(faces)
        gradient = numpy_of(gradients[0])
        total = np.zeros(points.shape, points.dtype)
        run_images(_backward, len(points), [points, ctx.sums, gradient, total], triangles)
        return torch.from_numpy(total), None


class CompiledUnit(torch.autograd.Function):
    """(3, N) vectors of length 1; a zero vector stays zero."""

    @staticmethod
    def forward(ctx: Any, vectors: torch.Tensor) -> torch.Tensor:
        """Divide by the length."""
        out = np.empty(vectors.shape, numpy_of(vectors).dtype)
        _units(numpy_of(vectors), out)
        ctx.save_for_backward(vectors)
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        """g -> (g - n (n . g)) / length."""
        (vectors,) = ctx.saved_tensors
        out = np.empty(vectors.shape, numpy_of(vectors).dtype)
        _units_backward(numpy_of(vectors), numpy_of(gradients[0]), out)
        return torch.from_numpy(out)


@numba.njit(cache=True, nogil=True)
def count_without_area(vertices: Any, faces: Any) -> Any:
    """Return how many triangles of (V, 3) have no area, and the first of them or -1."""
    count, first = 0, -1
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        if uy * vz == uz * vy and uz * vx == ux * vz and ux * vy == uy * vx:
            count += 1
            if first < 0:
                first = f
    return count, first


@numba.njit(cache=True, nogil=True)
def _forward(vertices: Any, sums: Any, normals: Any, faces: Any) -> None:
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
        vx, vy, vz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            sums[k, 0] += x
            sums[k, 1] += y
            sums[k, 2] += z
    for v in range(len(vertices)):
        normals[v, 0], normals[v, 1], normals[v, 2] = _unit(sums[v, 0], sums[v, 1], sums[v, 2])


@numba.njit(cache=True, nogil=True)
def _backward(vertices: Any, sums: Any, gradient: Any, into: Any, faces: Any) -> None:
    of_sums = np.empty_like(sums)
    for v in range(len(vertices)):
        x, y, z = _through_unit(
            sums[v, 0], sums[v, 1], sums[v, 2], gradient[v, 0], gradient[v, 1], gradient[v, 2]
        )
        of_sums[v, 0], of_sums[v, 1], of_sums[v, 2] = x, y, z
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
        vx, vy, vz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
        gx = of_sums[a, 0] + of_sums[b, 0] + of_sums[c, 0]
        gy = of_sums[a, 1] + of_sums[b, 1] + of_sums[c, 1]
        gz = of_sums[a, 2] + of_sums[b, 2] + of_sums[c, 2]
        # d (u x v) . g = du . (v x g) + dv . (g x u)
        bx, by, bz = vy * gz - vz * gy, vz * gx - vx * gz, vx * gy - vy * gx
        cx, cy, cz = gy * uz - gz * uy, gz * ux - gx * uz, gx * uy - gy * ux
        into[b, 0] += bx
        into[b, 1] += by
        into[b, 2] += bz
        into[c, 0] += cx
        into[c, 1] += cy
        into[c, 2] += cz
        into[a, 0] -= bx + cx
        into[a, 1] -= by + cy
        into[a, 2] -= bz + cz


@numba.njit(cache=True, nogil=True)
def _units(vectors: Any, out: Any) -> None:
    for n in range(vectors.shape[1]):
        x, y, z = _unit(vectors[0, n], vectors[1, n], vectors[2, n])
        out[0, n], out[1, n], out[2, n] = x, y, z


@numba.njit(cache=True, nogil=True)
def _units_backward(vectors: Any, gradient: Any, out: Any) -> None:
    for n in range(vectors.shape[1]):
        x, y, z = _through_unit(
            vectors[0, n], vectors[1, n], vectors[2, n], gradient[0, n], gradient[1, n],
            gradient[2, n],
        )  # fmt: skip
        out[0, n], out[1, n], out[2, n] = x, y, z


@numba.njit(cache=True, nogil=True)
def _unit(x: float, y: float, z: float) -> Any:
    square = x * x + y * y + z * z
    scale = 1.0 / np.sqrt(square) if square > 0.0 else 0.0
    return scale * x, scale * y, scale * z


@numba.njit(cache=True, nogil=True)
def _through_unit(x: float, y: float, z: float, gx: float, gy: float, gz: float) -> Any:
    """Return the gradient by a vector of a gradient g by its unit vector."""
    square = x * x + y * y + z * z
    if not square > 0:
        return 0.0, 0.0, 0.0
    scale = 1.0 / np.sqrt(square)
    along = (gx * x + gy * y + gz * z) / square
    return scale * (gx - along * x), scale * (gy - along * y), scale * (gz - along * z)
