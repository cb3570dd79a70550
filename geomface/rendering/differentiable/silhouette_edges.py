"""Which mesh edge ends the surface between two neighbouring pixels: integers only.

Two neighbouring pixels that see different triangles are joined by a segment from centre to centre.
The surface seen at either pixel is followed along that segment, from triangle to triangle, until
it ends: at a boundary, or where the next triangle is turned the other way on the picture (a fold).
The edge where it ends is the silhouette edge. Following the surface finds it also when triangles
are smaller than a pixel, and never takes an edge of the mesh's inside for one.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
import torch

from geomface.rendering.differentiable.silhouette_walk import find_ends
from geomface.rendering.per_image import map_images
from geomface.rendering.visibility.backend import linear_depth

MOST_STEPS = 64
"""Triangles that are crossed between two pixel centres before the search is given up."""


class SilhouetteCrossings(NamedTuple):
    """Pairs of neighbouring pixels between which a surface ends.

    Parameters
    ----------
    near, far : (M,) int64, the pixel that sees the surface and the pixel beyond its end, both
        flattened (B, H, W)
    start, end : (M,) int64, vertices of the silhouette edge, flattened (B, V)
    horizontal : (M,) bool, the pixels lie side by side
    """

    near: torch.Tensor
    far: torch.Tensor
    start: torch.Tensor
    end: torch.Tensor
    horizontal: torch.Tensor


@torch.no_grad()
def silhouette_crossings(
    face_ids: torch.Tensor,
    xyz_pixels: torch.Tensor,
    faces: torch.Tensor,
    neighbours: torch.Tensor,
    perspective: bool,
    *,
    compiled: bool = True,
) -> SilhouetteCrossings:
    """Find the silhouette edges between neighbouring pixels of all images.

    A steep edge (|dy| >= |dx| on the picture) counts between pixels side by side, a flat one
    between pixels above each other: then every edge is met once a row or once a column, and the
    covered area comes out once. Where both surfaces end between the two pixels the nearer one
    counts.

    Parameters
    ----------
    face_ids : (B, H, W) int32
    xyz_pixels : (B, V, 3)
    faces : (F, 3) int64
    neighbours : (F, 3) int64, from `face_neighbours`
    perspective : `Camera.perspective`
    compiled : on a CPU use the compiled search; the torch one gives the same
    """
    xy = xyz_pixels[..., :2].double()
    depth = linear_depth(xyz_pixels[..., 2], perspective)
    if face_ids.device.type != "cpu" or not compiled:
        return SilhouetteCrossings(*find_ends(face_ids, xy, depth, faces, neighbours, MOST_STEPS))
    ids = face_ids.numpy()
    places, depths = xy.contiguous().numpy(), depth.numpy()
    triangles, beyond = faces.contiguous().numpy(), neighbours.contiguous().numpy()

    def search(image: int) -> np.ndarray:
        return _search(ids[image], places[image], depths[image], triangles, beyond, MOST_STEPS)

    found = map_images(search, len(ids))
    pixels, vertices = ids[0].size, places.shape[1]
    for image, rows in enumerate(found):
        rows[:2] += image * pixels
        rows[2:4] += image * vertices
    near, far, start, end, horizontal = torch.from_numpy(np.concatenate(found, axis=1))
    return SilhouetteCrossings(near, far, start, end, horizontal.bool())


@numba.njit(cache=True, nogil=True)
def _outsides(xy: Any, faces: Any) -> Any:
    """Return (F,) whether the outside of each face is seen: counter-clockwise, y down."""
    outside = np.empty(len(faces), np.bool_)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy = xy[b, 0] - xy[a, 0], xy[b, 1] - xy[a, 1]
        vx, vy = xy[c, 0] - xy[a, 0], xy[c, 1] - xy[a, 1]
        outside[f] = ux * vy - uy * vx < 0.0
    return outside


@numba.njit(cache=True, nogil=True)
def _walk(
    face: int,
    goal: int,
    axis: int,
    line: float,
    origin: float,
    sign: float,
    xy: Any,
    faces: Any,
    neighbours: Any,
    outside: Any,
    most: int,
) -> Any:
    """Follow the surface from a pixel centre; return its last edge (a, b).

    (-1, -1) if it does not end before the next centre, (-2, -2) if it leads to the face `goal`
    that is seen there.
    """
    best, exit_edge = -np.inf, -1
    for k in range(3):
        a, b = faces[face, k], faces[face, (k + 1) % 3]
        oa, ob = xy[a, 1 - axis] - line, xy[b, 1 - axis] - line
        if (oa >= 0.0) != (ob >= 0.0):
            t = xy[a, axis] + (0.0 - oa) * (xy[b, axis] - xy[a, axis]) / (ob - oa)
            t = (t - origin) * sign
            if t > best:
                best, exit_edge = t, k
    if exit_edge < 0:
        return -1, -1
    side = outside[face]
    for _ in range(most):
        va, vb = faces[face, exit_edge], faces[face, (exit_edge + 1) % 3]
        following = neighbours[face, exit_edge]
        stops = following < 0 or outside[following] != side
        if not stops and following == goal:
            # A triangle is convex: once entered, it holds the line up to the centre.
            return -2, -2
        a, b = va, vb
        oa, ob = xy[a, 1 - axis] - line, xy[b, 1 - axis] - line
        t = xy[a, axis] + (0.0 - oa) * (xy[b, axis] - xy[a, axis]) / (ob - oa)
        if (t - origin) * sign >= 1.0:
            return -1, -1
        if stops:
            return va, vb
        face = following
        exit_edge = -1
        for k in range(3):
            a, b = faces[face, k], faces[face, (k + 1) % 3]
            if (a == va and b == vb) or (a == vb and b == va):
                continue
            if (xy[a, 1 - axis] - line >= 0.0) != (xy[b, 1 - axis] - line >= 0.0):
                exit_edge = k
        if exit_edge < 0:
            return -1, -1
    return -1, -1


@numba.njit(cache=True, nogil=True)
def _depth_on(axis: int, line: float, a: int, b: int, xy: Any, depth: Any) -> Any:
    oa, ob = xy[a, 1 - axis] - line, xy[b, 1 - axis] - line
    return depth[a] + (0.0 - oa) / (ob - oa) * (depth[b] - depth[a])


@numba.njit(cache=True, nogil=True)
def _search(ids: Any, xy: Any, depth: Any, faces: Any, neighbours: Any, most: int) -> Any:
    """Return (5, M): near, far, start, end, horizontal of one image; see `silhouette_crossings`."""
    height, width = ids.shape
    outside = _outsides(xy, faces)
    differing = 0
    for row in range(height):
        for column in range(width):
            here = ids[row, column]
            differing += column + 1 < width and ids[row, column + 1] != here
            differing += row + 1 < height and ids[row + 1, column] != here
    found = np.empty((5, differing), np.int64)
    count = 0
    for axis in range(2):
        for row in range(height - (axis == 1)):
            for column in range(width - (axis == 0)):
                other_row, other_column = row + (axis == 1), column + (axis == 0)
                one, other = ids[row, column], ids[other_row, other_column]
                if one == other:
                    continue
                line = (row if axis == 0 else column) + 0.5
                origin = (column if axis == 0 else row) + 0.5
                beyond = origin + 1.0
                a, b, c, d = -1, -1, -1, -1
                if one >= 0:
                    a, b = _walk(
                        one, other, axis, line, origin, 1.0, xy, faces, neighbours, outside, most
                    )
                    if a == -2:
                        continue
                if other >= 0:
                    c, d = _walk(
                        other, one, axis, line, beyond, -1.0, xy, faces, neighbours, outside, most
                    )
                forward = a >= 0
                if a >= 0 and c >= 0:
                    first = _depth_on(axis, line, a, b, xy, depth)
                    forward = first <= _depth_on(axis, line, c, d, xy, depth)
                if not forward:
                    a, b = c, d
                if a < 0:
                    continue
                along = abs(xy[b, axis] - xy[a, axis])
                across = abs(xy[b, 1 - axis] - xy[a, 1 - axis])
                # At equal slopes the edge belongs to the pixels side by side.
                if across < along or (axis == 1 and across == along):
                    continue
                here, there = row * width + column, other_row * width + other_column
                found[0, count] = here if forward else there
                found[1, count] = there if forward else here
                found[2, count], found[3, count] = a, b
                found[4, count] = axis == 0
                count += 1
    return found[:, :count].copy()
