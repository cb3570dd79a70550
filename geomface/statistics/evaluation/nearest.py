"""The nearest of many shapes by mean vertex distance, found exactly without looking at all."""

from typing import Any

import numba
import numpy as np

from geomface.arrays import FloatArray, IndexArray

_CLUSTER = 64


def cluster_order(points: FloatArray) -> IndexArray:
    """Return an order (V,) in which every run of vertices is a patch: halved by its widest axis."""
    runs, done = [np.arange(len(points))], []
    while runs:
        run = runs.pop()
        if len(run) <= _CLUSTER:
            done.append(run)
            continue
        axis = int(np.ptp(points[run], axis=0).argmax())
        run = run[np.argsort(points[run, axis], kind="stable")]
        # Whole clusters on the left, so that all but the last have the same size.
        middle = _CLUSTER * max(len(run) // (2 * _CLUSTER), 1)
        runs += [run[middle:], run[:middle]]
    return np.concatenate(done)


class NearestShapes:
    """Shapes to search by mean vertex distance sum_v |a_v - b_v| / V.

    A patch of n vertices adds at least n times the distance of its two centres to the sum, since
    the mean of vectors is no longer than the mean of their lengths. These bounds rank the shapes,
    and each is replaced by the exact sum patch by patch until the total exceeds the best found.

    Parameters
    ----------
    shapes : (N, V, 3) float64
    center : (V, 3) float64, any shape amid them; what is common to all is taken off
    """

    def __init__(self, shapes: FloatArray, center: FloatArray) -> None:
        self._order = cluster_order(center)
        self._starts = np.append(np.arange(0, len(center), _CLUSTER), len(center))
        self._shapes = self.arranged(shapes - center)
        self._centers = self._patch_centers(self._shapes)

    def arranged(self, differences: FloatArray) -> FloatArray:
        """Return differences to the centre (M, V, 3) as the (M, 3, V) that `query` takes."""
        return np.ascontiguousarray(differences[:, self._order].swapaxes(1, 2))

    def _patch_centers(self, arranged: FloatArray) -> FloatArray:
        sums = np.add.reduceat(arranged, self._starts[:-1], axis=2)
        return sums / np.diff(self._starts)

    def query(
        self, arranged: FloatArray, count: int = 1, within: FloatArray | None = None
    ) -> tuple[IndexArray, FloatArray]:
        """Return the `count` nearest shapes of each of (M, 3, V): indices and distances (M, count).

        The nearest comes first. With `within` (M,), only nearer shapes are looked for, which is
        faster; where there are fewer, index -1 and distance inf stand for the rest.
        """
        count = min(count, len(self._shapes))
        indices = np.full((len(arranged), count), -1)
        distances = np.full((len(arranged), count), np.inf)
        limits = np.full(len(arranged), np.inf) if within is None else within * arranged.shape[2]
        centers = self._patch_centers(arranged)
        sizes = np.diff(self._starts).astype(np.float64)
        _search(
            self._shapes,
            self._centers,
            arranged,
            centers,
            self._starts,
            sizes,
            limits,
            indices,
            distances,
        )
        # Exchanging a bound for the exact sum can leave a rounding below zero.
        return indices, np.maximum(distances, 0.0) / arranged.shape[2]


_FAST = {"reassoc", "contract", "nsz"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _patch_sum(a: Any, b: Any, begin: int, end: int) -> float:
    """Sum of the distances between vertices begin .. end - 1 of (3, V) and (3, V)."""
    total = 0.0
    for v in range(begin, end):
        x, y, z = a[0, v] - b[0, v], a[1, v] - b[1, v], a[2, v] - b[2, v]
        total += np.sqrt(x * x + y * y + z * z)
    return total


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _bound(a: Any, b: Any, sizes: Any) -> float:
    """Sum of the distances between patch centres (3, P) and (3, P), each times its vertices."""
    total = 0.0
    for c in range(len(sizes)):
        x, y, z = a[0, c] - b[0, c], a[1, c] - b[1, c], a[2, c] - b[2, c]
        total += sizes[c] * np.sqrt(x * x + y * y + z * z)
    return total


@numba.njit(cache=True, nogil=True)
def _search(
    shapes: Any,
    shape_centers: Any,
    queries: Any,
    query_centers: Any,
    starts: Any,
    sizes: Any,
    limits: Any,
    indices: Any,
    distances: Any,
) -> None:
    """Fill indices and distances (M, count), as sums over the vertices, in rising order."""
    patches = len(sizes)
    bounds = np.empty(len(shapes))
    for m in range(len(queries)):
        best, chosen = distances[m], indices[m]
        for n in range(len(shapes)):
            bounds[n] = _bound(shape_centers[n], query_centers[m], sizes)
        limit = limits[m]
        near = np.flatnonzero(bounds < limit)
        for n in near[np.argsort(bounds[near])]:
            total = bounds[n]
            if total >= limit:
                break
            for c in range(patches):
                begin, end = starts[c], starts[c + 1]
                total -= sizes[c] * _patch_sum(shape_centers[n], query_centers[m], c, c + 1)
                total += _patch_sum(shapes[n], queries[m], begin, end)
                if total >= limit:
                    break
            if total < limit:
                place = len(best) - 1
                while place > 0 and best[place - 1] > total:
                    best[place] = best[place - 1]
                    chosen[place] = chosen[place - 1]
                    place -= 1
                best[place] = total
                chosen[place] = n
                limit = min(limit, best[-1])
