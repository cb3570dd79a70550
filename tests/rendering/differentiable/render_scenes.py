"""Shapes with known answers, shared by the tests of the differentiable renderer."""

import numpy as np
import torch

from geomface.mesh import Mesh
from geomface.rendering.differentiable import WeakPerspectiveCamera


def polygon(corners: np.ndarray, *, rings: int = 0) -> Mesh:
    """A star-shaped polygon (n, 2) about the origin as a fan, with inner rings of small triangles.

    The mesh lies in z = 0 and faces +z; its first n vertices are the corners.
    """
    count = len(corners)
    shrink = [1 - k / (rings + 1) for k in range(rings + 1)]
    points = np.concatenate([scale * corners for scale in shrink] + [np.zeros((1, 2))])
    faces = []
    for ring in range(rings):
        for i in range(count):
            a, b = ring * count + i, ring * count + (i + 1) % count
            faces += [[a, b, b + count], [a, b + count, a + count]]
    first, centre = rings * count, (rings + 1) * count
    faces += [[first + i, first + (i + 1) % count, centre] for i in range(count)]
    return Mesh(np.concatenate([points, np.zeros((len(points), 1))], 1), np.array(faces))


def star(rng: np.random.Generator, count: int, low: float, high: float) -> np.ndarray:
    """Corners (count, 2) of a random polygon about the origin, counter-clockwise."""
    angles = 2 * np.pi * (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count
    return rng.uniform(low, high, count)[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)


def shoelace(corners: torch.Tensor) -> torch.Tensor:
    """Signed area of a polygon (n, 2), positive counter-clockwise."""
    x, y = corners.unbind(1)
    return 0.5 * (x * y.roll(-1) - x.roll(-1) * y).sum()


def sphere(rows: int = 24, radius: float = 80.0) -> Mesh:
    """A closed sphere of quads split in two, poles at +-y, with uv."""
    columns = 2 * rows
    theta = np.pi * np.arange(1, rows) / rows
    phi = 2 * np.pi * np.arange(columns) / columns
    t, p = np.meshgrid(theta, phi, indexing="ij")
    ring = np.stack([np.sin(t) * np.sin(p), np.cos(t), np.sin(t) * np.cos(p)], -1).reshape(-1, 3)
    points = radius * np.concatenate([ring, [[0, 1, 0], [0, -1, 0]]])
    top, bottom = len(ring), len(ring) + 1
    faces = []
    for i in range(columns):
        j = (i + 1) % columns
        faces += [[top, i, j], [bottom, (rows - 2) * columns + j, (rows - 2) * columns + i]]
        for k in range(rows - 2):
            a, b, c, d = (
                k * columns + i,
                (k + 1) * columns + i,
                (k + 1) * columns + j,
                k * columns + j,
            )
            faces += [[a, b, c], [a, c, d]]
    directions = points / radius
    uv = 0.5 + 0.45 * directions[:, :2]
    faces = np.array(faces)
    return Mesh(points, faces, uv=uv, uv_faces=faces, name="sphere")


def flat_camera(
    size: int, *, scale: float = 1.0, dtype: torch.dtype = torch.float64
) -> WeakPerspectiveCamera:
    """A parallel camera from +z: world x, y to pixels, the origin in the middle of the picture."""
    rotation = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=dtype))[None]
    return WeakPerspectiveCamera(
        torch.tensor([scale], dtype=dtype),
        torch.full((1, 2), size / 2, dtype=dtype),
        rotation,
        torch.tensor([[0.0, 0.0, 500.0]], dtype=dtype),
    )
