"""Vertex normals in torch, differentiable in the vertices."""

import torch

from geomface.rendering.differentiable.attributes import put_columns, take_rows
from geomface.rendering.differentiable.compiled.normals import (
    CompiledUnit,
    CompiledVertexNormals,
    count_without_area,
)


def corner_crosses(vertices: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
    """Return (3, B, F): (b - a) x (c - a) of every triangle, twice its area long."""
    batch, count, _ = vertices.shape
    table = vertices.permute(2, 0, 1).reshape(3, batch * count)
    a, b, c = take_rows(table, _corners(faces, batch, count)).reshape(3, 3, batch, -1).unbind(1)
    u, v = b - a, c - a
    return torch.stack(
        [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    )


def first_without_area(vertices: torch.Tensor, faces: torch.Tensor) -> tuple[int, int, int] | None:
    """Return (image, triangle, how many in that image) of a triangle without area, or None."""
    if vertices.device.type == "cpu":
        points, triangles = vertices.detach().contiguous().numpy(), faces.contiguous().numpy()
        for image, shape in enumerate(points):
            count, face = count_without_area(shape, triangles)
            if count:
                return image, face, count
        return None
    with torch.no_grad():
        empty = (corner_crosses(vertices, faces) == 0).all(dim=0)
        if not bool(empty.any()):
            return None
        image, face = torch.nonzero(empty)[0].tolist()
        return image, face, int(empty[image].sum())


def unit(vectors: torch.Tensor, *, compiled: bool = False) -> torch.Tensor:
    """Return (3, N) vectors of length 1; a zero vector stays zero, with a zero gradient."""
    if compiled:
        return CompiledUnit.apply(vectors)
    x, y, z = vectors
    square = x * x + y * y + z * z
    zero = square == 0
    length = torch.sqrt(torch.where(zero, 1.0, square))
    return torch.where(zero, 0.0, vectors / length)


def vertex_normals(
    vertices: torch.Tensor, faces: torch.Tensor, *, compiled: bool = False
) -> torch.Tensor:
    """Return (B, V, 3) unit normals, the triangles around a vertex weighted by their area.

    n_v = unit(sum over triangles at v of (b - a) x (c - a)); zero at a vertex without triangles.

    Parameters
    ----------
    vertices : (B, V, 3)
    faces : (F, 3) int64
    compiled : use the compiled twin, on a CPU
    """
    if compiled:
        return CompiledVertexNormals.apply(vertices, faces)
    batch, count, _ = vertices.shape
    crosses = corner_crosses(vertices, faces).reshape(3, -1)
    sums = put_columns(crosses.repeat(1, 3), _corners(faces, batch, count), batch * count)
    return unit(sums).reshape(3, batch, count).permute(1, 2, 0)


def _corners(faces: torch.Tensor, batch: int, count: int) -> torch.Tensor:
    """Return (3 B F,): all first corners of all images, then all second, then all third."""
    start = count * torch.arange(batch, device=faces.device)
    return (faces.T[:, None] + start[None, :, None]).reshape(-1)
