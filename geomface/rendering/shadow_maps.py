"""Who throws a shadow on whom: depth maps seen from the lights, read at the vertices."""

from typing import Any

import numba
import numpy as np

from geomface.arrays import FloatArray, IndexArray

_EMPTY = np.float32(1e30)


def light_axes(directions: np.ndarray) -> np.ndarray:
    """Return (K, 3, 3) rows right, up and towards the light of directions (K, 3), float32."""
    towards = np.asarray(directions, np.float64)
    towards = towards / np.linalg.norm(towards, axis=1)[:, None]
    # The axis that lies least along the direction, so that the cross product never vanishes.
    aside = np.eye(3)[np.abs(towards).argmin(axis=1)]
    right = np.cross(aside, towards)
    right /= np.linalg.norm(right, axis=1)[:, None]
    return np.stack([right, np.cross(towards, right), towards], axis=1).astype(np.float32)


def light_visibility(
    vertices: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    directions: np.ndarray,
    centre: FloatArray,
    radius: float,
    size: int = 96,
    bias: float = 1.2,
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

    Source
    ------
    Williams 1978, "Casting curved shadows on curved surfaces"; Reeves et al. 1987 (percentage-
    closer filtering).
    """
    return _visibility(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(normals, np.float32),
        np.ascontiguousarray(faces, np.int32),
        light_axes(directions),
        np.asarray(centre, np.float32),
        np.float32(radius),
        size,
        np.float32(bias),
    )


@numba.njit(cache=True, nogil=True)
def _visibility(
    vertices: Any,
    normals: Any,
    faces: Any,
    axes: Any,
    centre: Any,
    radius: Any,
    size: int,
    bias: Any,
) -> Any:
    count = len(vertices)
    found = np.ones((len(axes), count), np.float32)
    local = np.empty((count, 3), np.float32)
    scale = np.float32(0.5 * size) / radius
    half = np.float32(0.5 * size)
    for k in range(len(axes)):
        for v in range(count):
            x, y, z = (
                vertices[v, 0] - centre[0],
                vertices[v, 1] - centre[1],
                vertices[v, 2] - centre[2],
            )
            local[v, 0] = (axes[k, 0, 0] * x + axes[k, 0, 1] * y + axes[k, 0, 2] * z) * scale + half
            local[v, 1] = (axes[k, 1, 0] * x + axes[k, 1, 1] * y + axes[k, 1, 2] * z) * scale + half
            local[v, 2] = axes[k, 2, 0] * x + axes[k, 2, 1] * y + axes[k, 2, 2] * z
        nearest = _depth_map(local, faces, size)
        texel = np.float32(1.0) / scale
        for v in range(count):
            n0, n1, n2 = normals[v, 0], normals[v, 1], normals[v, 2]
            facing = axes[k, 2, 0] * n0 + axes[k, 2, 1] * n1 + axes[k, 2, 2] * n2
            if facing < np.float32(-0.2):
                # It turns away: no light reaches it from there.
                found[k, v] = np.float32(0.0)
                continue
            # At grazing light a texel spans much depth: step further off the surface.
            slant = np.sqrt(max(np.float32(1.0) - facing * facing, np.float32(0.0)))
            off = texel * (np.float32(0.4) + np.float32(0.9) * slant)
            right = axes[k, 0, 0] * n0 + axes[k, 0, 1] * n1 + axes[k, 0, 2] * n2
            up = axes[k, 1, 0] * n0 + axes[k, 1, 1] * n1 + axes[k, 1, 2] * n2
            x = local[v, 0] + off * right * scale - np.float32(0.5)
            y = local[v, 1] + off * up * scale - np.float32(0.5)
            z = local[v, 2] + off * facing + bias
            if not (0 <= x < size - 1 and 0 <= y < size - 1):
                continue
            column, row = int(x), int(y)
            s, t = x - column, y - row
            a = np.float32(1.0) if nearest[row, column] <= z else np.float32(0.0)
            b = np.float32(1.0) if nearest[row, column + 1] <= z else np.float32(0.0)
            c = np.float32(1.0) if nearest[row + 1, column] <= z else np.float32(0.0)
            d = np.float32(1.0) if nearest[row + 1, column + 1] <= z else np.float32(0.0)
            upper, lower = a + s * (b - a), c + s * (d - c)
            found[k, v] = upper + t * (lower - upper)
    return found


@numba.njit(cache=True, nogil=True)
def _depth_map(local: Any, faces: Any, size: int) -> Any:
    """Return (size, size) the largest z (nearest to the light) at every texel."""
    nearest = np.full((size, size), -_EMPTY, np.float32)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        xa, ya = local[a, 0], local[a, 1]
        xb, yb = local[b, 0], local[b, 1]
        xc, yc = local[c, 0], local[c, 1]
        left = int(np.ceil(max(min(xa, min(xb, xc)), np.float32(0.0)) - np.float32(0.5)))
        right = int(np.floor(min(max(xa, max(xb, xc)), np.float32(size)) - np.float32(0.5)))
        if left > right:
            continue
        top = int(np.ceil(max(min(ya, min(yb, yc)), np.float32(0.0)) - np.float32(0.5)))
        bottom = int(np.floor(min(max(ya, max(yb, yc)), np.float32(size)) - np.float32(0.5)))
        if top > bottom:
            continue
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if area == 0:
            continue
        inverse = np.float32(1.0) / area
        za, zb, zc = local[a, 2], local[b, 2], local[c, 2]
        for row in range(top, bottom + 1):
            y = np.float32(row) + np.float32(0.5)
            for column in range(left, right + 1):
                x = np.float32(column) + np.float32(0.5)
                w1 = ((x - xa) * (yc - ya) - (xc - xa) * (y - ya)) * inverse
                w2 = ((xb - xa) * (y - ya) - (x - xa) * (yb - ya)) * inverse
                w0 = np.float32(1.0) - w1 - w2
                if w0 >= 0 and w1 >= 0 and w2 >= 0:
                    z = w0 * za + w1 * zb + w2 * zc
                    if z > nearest[row, column]:
                        nearest[row, column] = z
    return nearest


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
