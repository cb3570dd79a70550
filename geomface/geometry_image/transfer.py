"""Closest scan points for all texels of a surface, which are many and lie next to each other."""

from typing import Any

import numba
import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.geometry_image.sampling import TexelSampling
from geomface.mesh.closest import ClosestPointIndex, ClosestPoints

_FINE = 3.0


def closest_for_texels(
    index: ClosestPointIndex, points: FloatArray, sampling: TexelSampling
) -> ClosestPoints:
    """Return the closest point on the scan for the surface point of every covered texel.

    Texels in even rows and columns ask the tree. The others try the triangles that their asked
    neighbours found, which is four times cheaper; the point found is then farther away than the
    closest one by less than a texel, and only where a scan triangle is smaller than a texel. Scans
    as fine as that ask for every texel.

    Parameters
    ----------
    index : tree over the scan
    points : (n, 3) float64, surface point of each covered texel
    sampling : which texels those are
    """
    ask, neighbours = _plan(sampling)
    corners = index.vertices[index.faces]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    if np.median(edges) < _FINE * _spacing(points, sampling):
        return index.query(points)
    known = index.query(points[ask])
    faces = np.full(len(points), -1, np.int64)
    faces[ask] = known.faces
    found = np.empty(len(points), np.int64)
    barycentric = np.empty((len(points), 3))
    distances = np.empty(len(points))
    closest = np.empty((len(points), 3))
    _try_neighbours(
        points,
        index.vertices,
        index.faces,
        faces,
        neighbours,
        found,
        barycentric,
        distances,
        closest,
    )
    return ClosestPoints(closest, found, barycentric, distances)


def _plan(sampling: TexelSampling) -> tuple[IndexArray, IndexArray]:
    """Return which covered texels ask the tree (m,) and, for all, up to four that did (n, 4)."""
    height, width = sampling.mask.shape
    ordinal = np.full((height + 2, width + 2), -1, np.int64)
    ordinal[:height, :width][sampling.mask] = np.arange(len(sampling.faces))
    rows, columns = np.nonzero(sampling.mask)
    even = (rows % 2 == 0) & (columns % 2 == 0)
    up, left = rows - rows % 2, columns - columns % 2
    down, right = rows + rows % 2, columns + columns % 2
    around = np.stack([ordinal[r, c] for r in (up, down) for c in (left, right)], axis=1)
    alone = (around < 0).all(axis=1)
    around[alone] = np.flatnonzero(alone)[:, None]
    return np.flatnonzero(even | alone), around


def _spacing(points: FloatArray, sampling: TexelSampling) -> float:
    """Return the median distance between the points of texels side by side."""
    side_by_side = np.flatnonzero(np.diff(sampling.texels) == 1)[::7]
    if len(side_by_side) == 0:
        return np.inf
    steps = points[side_by_side + 1] - points[side_by_side]
    return float(np.median(np.linalg.norm(steps, axis=1)))


@numba.njit(cache=True)
def _try_neighbours(
    points: Any,
    vertices: Any,
    triangles: Any,
    known: Any,
    neighbours: Any,
    found: Any,
    barycentric: Any,
    distances: Any,
    closest: Any,
) -> None:
    for i in range(len(points)):
        best = np.inf
        for n in range(4):
            j = neighbours[i, n]
            if j < 0:
                continue
            f = known[j]
            if best < np.inf and f == found[i]:
                continue
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            v, w = _closest_weights(points[i], vertices[a], vertices[b], vertices[c])
            u = 1.0 - v - w
            squared = 0.0
            for k in range(3):
                gap = u * vertices[a, k] + v * vertices[b, k] + w * vertices[c, k] - points[i, k]
                squared += gap * gap
            if squared < best:
                best = squared
                found[i] = f
                barycentric[i, 0] = u
                barycentric[i, 1] = v
                barycentric[i, 2] = w
        a, b, c = triangles[found[i], 0], triangles[found[i], 1], triangles[found[i], 2]
        for k in range(3):
            closest[i, k] = (
                barycentric[i, 0] * vertices[a, k]
                + barycentric[i, 1] * vertices[b, k]
                + barycentric[i, 2] * vertices[c, k]
            )
        distances[i] = np.sqrt(best)


@numba.njit(cache=True)
def _closest_weights(p: Any, a: Any, b: Any, c: Any) -> tuple[float, float]:
    """Weights of b and c of the point of a triangle closest to p, by Voronoi regions.

    Source: Ericson 2005, "Real-Time Collision Detection", section 5.1.5 (the case analysis).
    """
    abx, aby, abz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    acx, acy, acz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    apx, apy, apz = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    bb = abx * abx + aby * aby + abz * abz
    bc = abx * acx + aby * acy + abz * acz
    cc = acx * acx + acy * acy + acz * acz
    pb = apx * abx + apy * aby + apz * abz
    pc = apx * acx + apy * acy + apz * acz
    if pb <= 0.0 and pc <= 0.0:
        return 0.0, 0.0
    qb, qc = pb - bb, pc - bc  # the same products seen from b
    if qb >= 0.0 and qc <= qb:
        return 1.0, 0.0
    rb, rc = pb - bc, pc - cc  # and from c
    if rc >= 0.0 and rb <= rc:
        return 0.0, 1.0
    side_c = pb * qc - qb * pc
    if side_c <= 0.0 and pb >= 0.0 and qb <= 0.0:
        return pb / (pb - qb), 0.0
    side_b = rb * pc - pb * rc
    if side_b <= 0.0 and pc >= 0.0 and rc <= 0.0:
        return 0.0, pc / (pc - rc)
    side_a = qb * rc - rb * qc
    if side_a <= 0.0 and qc - qb >= 0.0 and rb - rc >= 0.0:
        w = (qc - qb) / ((qc - qb) + (rb - rc))
        return 1.0 - w, w
    total = side_a + side_b + side_c
    return side_b / total, side_c / total
