"""Who throws a shadow on whom: depth maps seen from the lights, read at the vertices."""

from typing import Any

import numba
import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray

_EMPTY = np.float32(1e30)


def light_axes(directions: np.ndarray) -> np.ndarray:
    """Return (K, 3, 3) rows right, up and towards the light of directions (K, 3), float32."""
    towards = np.asarray(directions, np.float64)
    towards = towards / np.linalg.norm(towards, axis=1)[:, None]
    # The axis that lies least along the direction, so that the cross product never vanishes.
    aside = np.eye(3)[np.abs(towards).argmin(axis=1)]
    right = _cross(aside, towards)
    right /= np.linalg.norm(right, axis=1)[:, None]
    return np.stack([right, _cross(towards, right), towards], axis=1).astype(np.float32)


def _cross(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the cross products of rows (K, 3): of a few, ten times sooner than numpy's."""
    return one[:, [1, 2, 0]] * other[:, [2, 0, 1]] - one[:, [2, 0, 1]] * other[:, [1, 2, 0]]


def light_visibility(
    vertices: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    directions: np.ndarray,
    centre: FloatArray,
    radius: float,
    size: int = 96,
    bias: float = 1.2,
    *,
    asked: BoolArray | None = None,
    both_ways: bool = False,
) -> np.ndarray:
    """Return how much of each far light reaches each vertex, (K, V) float32 in [0, 1].

    A depth map is drawn from each light (parallel rays) and read at the vertices, moved off the
    surface along their normals; four texels are compared, which softens the edge of a shadow.

    Parameters
    ----------
    vertices, normals : (V, 3), mm and unit
    faces : (F, 3), what throws shadows
    directions : (K, 3) towards the lights
    centre, radius : of the ball that the maps show; whatever lies outside is lit
    size : texels a side
    bias : mm that something has to be nearer to the light to shade
    asked : (V,) vertices whose light is wanted, the others count as lit; None for all
    both_ways : every direction stands for two lights, one opposite the other, and the answer is
        that of the one that a vertex faces: seen from both sides, triangles are drawn once

    Source
    ------
    Williams 1978, "Casting curved shadows on curved surfaces"; Reeves et al. 1987 (percentage-
    closer filtering).
    """
    places = np.arange(len(vertices)) if asked is None else np.flatnonzero(asked)
    found = np.ones((len(directions), len(vertices)), np.float32)
    found[:, places] = _visibility(
        np.ascontiguousarray((vertices - centre).T, np.float32),
        np.ascontiguousarray(normals[places].T, np.float32),
        places,
        np.ascontiguousarray(faces, np.int32),
        light_axes(directions),
        np.float32(radius),
        size,
        np.float32(bias),
        both_ways,
    )
    return found


@numba.njit(cache=True, nogil=True)
def _visibility(
    vertices: Any,
    normals: Any,
    places: Any,
    faces: Any,
    axes: Any,
    radius: Any,
    size: int,
    bias: Any,
    both_ways: bool,
) -> Any:
    """Return (K, n) for the vertices at `places` (n,), whose normals (3, n) are given."""
    count = len(places)
    found = np.ones((len(axes), count), np.float32)
    local, read = np.empty_like(vertices), np.empty((4, count), np.float32)
    maps = np.empty((2 if both_ways else 1, size, size), np.float32)
    half, one = np.float32(0.5 * size), np.float32(1.0)
    scale = half / radius
    texel = one / scale
    for k in range(len(axes)):
        right, up, ahead = axes[k, 0], axes[k, 1], axes[k, 2]
        # Loops without a branch, a row a coordinate: the processor does many vertices at once.
        for v in range(vertices.shape[1]):
            x, y, z = vertices[0, v], vertices[1, v], vertices[2, v]
            local[0, v] = (right[0] * x + right[1] * y + right[2] * z) * scale + half
            local[1, v] = (up[0] * x + up[1] * y + up[2] * z) * scale + half
            local[2, v] = ahead[0] * x + ahead[1] * y + ahead[2] * z
        _draw_depths(local, faces, maps)
        for i in range(count):
            n0, n1, n2 = normals[0, i], normals[1, i], normals[2, i]
            facing = ahead[0] * n0 + ahead[1] * n1 + ahead[2] * n2
            sign = -one if both_ways and facing < 0 else one
            # At grazing light a texel spans much depth: step further off the surface.
            slant = np.sqrt(max(one - facing * facing, np.float32(0.0)))
            off = texel * (np.float32(0.4) + np.float32(0.9) * slant)
            along = off * scale
            v = places[i]
            read[0, i] = local[0, v] + along * (right[0] * n0 + right[1] * n1 + right[2] * n2)
            read[1, i] = local[1, v] + along * (up[0] * n0 + up[1] * n1 + up[2] * n2)
            read[2, i] = sign * (local[2, v] + off * facing) + bias
            read[3, i] = facing
        for i in range(count):
            if read[3, i] < np.float32(-0.2) and not both_ways:
                # It turns away: no light reaches it from there.
                found[k, i] = np.float32(0.0)
                continue
            x, y = read[0, i] - np.float32(0.5), read[1, i] - np.float32(0.5)
            if not (0 <= x < size - 1 and 0 <= y < size - 1):
                continue
            side = 1 if both_ways and read[3, i] < 0 else 0
            found[k, i] = _lit(maps, side, x, y, read[2, i])
    return found


@numba.njit(cache=True, nogil=True, inline="always")
def _lit(maps: Any, side: Any, x: Any, y: Any, z: Any) -> Any:
    """Return the share of the four texels around a place that hold nothing nearer than z."""
    column, row = int(x), int(y)
    s, t = x - np.float32(column), y - np.float32(row)
    a = np.float32(1.0) if maps[side, row, column] <= z else np.float32(0.0)
    b = np.float32(1.0) if maps[side, row, column + 1] <= z else np.float32(0.0)
    c = np.float32(1.0) if maps[side, row + 1, column] <= z else np.float32(0.0)
    d = np.float32(1.0) if maps[side, row + 1, column + 1] <= z else np.float32(0.0)
    upper, lower = a + s * (b - a), c + s * (d - c)
    return upper + t * (lower - upper)


@numba.njit(cache=True, nogil=True)
def _draw_depths(local: Any, faces: Any, maps: Any) -> None:
    """Draw the largest z at every texel into the first map, and the largest -z into a second."""
    size = maps.shape[1]
    second = len(maps) > 1
    maps[:] = -_EMPTY
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        xa, xb, xc = local[0, a], local[0, b], local[0, c]
        ya, yb, yc = local[1, a], local[1, b], local[1, c]
        left = int(np.ceil(max(min(xa, min(xb, xc)), np.float32(0.0)) - np.float32(0.5)))
        right = int(np.floor(min(max(xa, max(xb, xc)), np.float32(size)) - np.float32(0.5)))
        top = int(np.ceil(max(min(ya, min(yb, yc)), np.float32(0.0)) - np.float32(0.5)))
        bottom = int(np.floor(min(max(ya, max(yb, yc)), np.float32(size)) - np.float32(0.5)))
        # Most triangles are finer than the map and lie between the middles of its texels.
        if left > right or top > bottom:
            continue
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if area == 0:
            continue
        inverse = np.float32(1.0) / area
        za, zb, zc = local[2, a], local[2, b], local[2, c]
        for row in range(top, bottom + 1):
            y = np.float32(row) + np.float32(0.5)
            for column in range(left, right + 1):
                x = np.float32(column) + np.float32(0.5)
                w1 = ((x - xa) * (yc - ya) - (xc - xa) * (y - ya)) * inverse
                w2 = ((xb - xa) * (y - ya) - (x - xa) * (yb - ya)) * inverse
                w0 = np.float32(1.0) - w1 - w2
                if min(w0, min(w1, w2)) >= 0:
                    z = w0 * za + w1 * zb + w2 * zc
                    maps[0, row, column] = max(maps[0, row, column], z)
                    if second:
                        maps[1, row, column] = max(maps[1, row, column], -z)


def thinned_faces(faces: IndexArray) -> IndexArray:
    """Return fewer triangles (G, 3) of the same vertices, for shadows: about a fifth.

    Vertices are joined with the first of their neighbours that is taken, in order; what is left of
    a triangle whose corners stay apart is kept. The vertices may then move: only the topology is
    looked at.
    """
    return _thinned(np.ascontiguousarray(faces, np.int64), int(faces.max()) + 1)


@numba.njit(cache=True)
def _thinned(faces: Any, count: int) -> Any:
    degree = np.zeros(count + 1, np.int64)
    for f in range(len(faces)):
        for c in range(3):
            degree[faces[f, c] + 1] += 2
    start = np.cumsum(degree)
    place = start[:-1].copy()
    neighbours = np.empty(start[-1], np.int64)
    for f in range(len(faces)):
        for c in range(3):
            v = faces[f, c]
            neighbours[place[v]] = faces[f, (c + 1) % 3]
            neighbours[place[v] + 1] = faces[f, (c + 2) % 3]
            place[v] += 2
    taken = np.full(count, -1, np.int64)
    for v in range(count):
        if taken[v] >= 0 or start[v] == start[v + 1]:
            continue
        taken[v] = v
        for k in range(start[v], start[v + 1]):
            if taken[neighbours[k]] < 0:
                taken[neighbours[k]] = v
    kept = np.empty_like(faces)
    size = 0
    for f in range(len(faces)):
        a, b, c = taken[faces[f, 0]], taken[faces[f, 1]], taken[faces[f, 2]]
        if a != b and b != c and c != a:
            kept[size, 0], kept[size, 1], kept[size, 2] = a, b, c
            size += 1
    return kept[:size]
