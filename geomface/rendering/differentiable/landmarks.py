"""Landmarks in the picture, and which of them can be seen."""

from typing import Any

import numba
import numpy as np
import torch

from geomface.rendering.differentiable.attributes import take_rows
from geomface.rendering.differentiable.cameras import Camera

_HAIR = 1e-9
"""Triangles reach so far beyond their edges that nothing slips through between two of them."""


def landmark_points(
    vertices: torch.Tensor, corners: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return (B, L, 3), the landmarks on the shapes (B, V, 3).

    Parameters
    ----------
    corners : (L, 3) int64 vertices
    weights : (L, 3), rows sum to 1
    """
    batch, count, _ = vertices.shape
    table = vertices.permute(2, 0, 1).reshape(3, batch * count)
    start = count * torch.arange(batch, device=vertices.device)
    places = (corners.T[:, None] + start[None, :, None]).reshape(-1)
    a, b, c = take_rows(table, places).reshape(3, 3, batch, -1).unbind(1)
    w = weights.T.to(vertices.dtype)
    return (w[0] * a + w[1] * b + w[2] * c).permute(1, 2, 0)


def project_landmarks(
    points: torch.Tensor,
    camera: Camera,
    xyz_pixels: torch.Tensor,
    faces: torch.Tensor,
    size: tuple[int, int],
    tolerance: float,
    *,
    compiled: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pixel positions (B, L, 2) of landmarks and whether each is visible (B, L).

    A landmark is visible when it lies in the picture and no triangle over it is nearer to the
    camera by more than the tolerance. Depths are compared at the landmark itself, not at a pixel
    centre beside it, so the answer does not depend on the resolution.

    Parameters
    ----------
    points : (B, L, 3) world
    camera : the camera of the picture
    xyz_pixels : (B, V, 3), the projected shape
    faces : (F, 3) int64
    size : height and width, pixels
    tolerance : millimetres
    compiled : on a CPU use the compiled search; the torch one gives the same
    """
    places = camera.project(points).expand(len(xyz_pixels), -1, -1)
    with torch.no_grad():
        x, y, z = places.unbind(-1)
        visible = (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])
        compiled = compiled and xyz_pixels.device.type == "cpu"
        search = _nearest_compiled if compiled else _nearest_depth
        nearest = torch.stack(
            [
                search(place[:, :2].double(), shape.double(), faces, camera.perspective)
                for place, shape in zip(places, xyz_pixels, strict=True)
            ]
        )
        visible &= z <= nearest + tolerance
    return places[..., :2], visible


def _nearest_depth(
    places: torch.Tensor, xyz: torch.Tensor, faces: torch.Tensor, perspective: bool
) -> torch.Tensor:
    """Return the depth (L,) of the nearest triangle over each place (L, 2), infinite for none."""
    corners = xyz[faces.T]
    low, high = corners[..., :2].amin(0), corners[..., :2].amax(0)
    x, y = places[:, :1], places[:, 1:]
    over = (low[:, 0] <= x) & (x <= high[:, 0]) & (low[:, 1] <= y) & (y <= high[:, 1])
    landmark, face = torch.nonzero(over, as_tuple=True)
    a, b, c = corners[:, face]
    u, v, p = (b - a)[:, :2], (c - a)[:, :2], places[landmark] - a[:, :2]
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    second = (p[:, 0] * v[:, 1] - p[:, 1] * v[:, 0]) / area
    third = (u[:, 0] * p[:, 1] - u[:, 1] * p[:, 0]) / area
    weights = torch.stack([1 - second - third, second, third])
    depths = torch.stack([a[:, 2], b[:, 2], c[:, 2]])
    depth = 1 / (weights / depths).sum(0) if perspective else (weights * depths).sum(0)
    hit = (weights >= -_HAIR).all(0) & (depth > 0 if perspective else depth.isfinite())
    nearest = torch.full_like(places[:, 0], torch.inf)
    return nearest.scatter_reduce(0, landmark[hit], depth[hit], "amin")


def _nearest_compiled(
    places: torch.Tensor, xyz: torch.Tensor, faces: torch.Tensor, perspective: bool
) -> torch.Tensor:
    """Return what `_nearest_depth` returns."""
    order = torch.argsort(places[:, 0])
    nearest = np.full(len(places), np.inf)
    _search(
        places[order].contiguous().numpy(),
        xyz.contiguous().numpy(),
        faces.contiguous().numpy(),
        perspective,
        nearest,
    )
    return torch.empty_like(places[:, 0]).index_copy(0, order, torch.from_numpy(nearest))


@numba.njit(cache=True, nogil=True)
def _search(places: Any, xyz: Any, faces: Any, perspective: bool, nearest: Any) -> None:
    """Lower `nearest` (L,) to the depth over places (L, 2) that are sorted by x."""
    columns = places[:, 0].copy()
    if not len(columns):
        return
    leftmost, rightmost = columns[0], columns[-1]
    top, bottom = places[:, 1].min(), places[:, 1].max()
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay = xyz[a, 0], xyz[a, 1]
        bx, by = xyz[b, 0], xyz[b, 1]
        cx, cy = xyz[c, 0], xyz[c, 1]
        left, right = min(ax, bx, cx), max(ax, bx, cx)
        low, high = min(ay, by, cy), max(ay, by, cy)
        # Most of a head lies beside all landmarks: the search is spared.
        if left > rightmost or right < leftmost or low > bottom or high < top:
            continue
        landmark = np.searchsorted(columns, left)
        if landmark == len(columns) or not columns[landmark] <= right:
            continue
        ux, uy, vx, vy = bx - ax, by - ay, cx - ax, cy - ay
        area = ux * vy - uy * vx
        while landmark < len(columns) and columns[landmark] <= right:
            y = places[landmark, 1]
            if low <= y <= high and area != 0.0:
                px, py = columns[landmark] - ax, y - ay
                second = (px * vy - py * vx) / area
                third = (ux * py - uy * px) / area
                first = 1.0 - second - third
                if first >= -_HAIR and second >= -_HAIR and third >= -_HAIR:
                    za, zb, zc = xyz[a, 2], xyz[b, 2], xyz[c, 2]
                    if perspective:
                        depth = 1.0 / (first / za + second / zb + third / zc)
                    else:
                        depth = first * za + second * zb + third * zc
                    if (depth > 0.0 or not perspective) and depth < nearest[landmark]:
                        nearest[landmark] = depth
            landmark += 1
