"""Means over the neighbours of vertices, from a table that is built once a topology."""

from typing import Any, NamedTuple

import numba
import numpy as np

from geomface.arrays import BoolArray, IndexArray


class Neighbours(NamedTuple):
    """Who is next to whom; an edge counts once for every face beside it.

    Parameters
    ----------
    start : (V + 1,) int32, where the neighbours of each vertex begin
    vertex : (E,) int32
    weight : (E,) float32, number of faces beside the edge
    whole : (V,) float32, 1 and the sum of the weights of each vertex
    """

    start: np.ndarray
    vertex: np.ndarray
    weight: np.ndarray
    whole: np.ndarray


def neighbours_of(faces: IndexArray, count: int) -> Neighbours:
    """Return the neighbours of `count` vertices under faces (F, 3)."""
    one = faces.ravel().astype(np.int64)
    other = np.roll(faces, -1, axis=1).ravel().astype(np.int64)
    keys = np.concatenate([one * count + other, other * count + one])
    edges, weight = np.unique(keys, return_counts=True)
    start = np.searchsorted(edges, np.arange(count + 1) * count)
    return Neighbours(
        start.astype(np.int32),
        (edges % count).astype(np.int32),
        weight.astype(np.float32),
        1.0 + np.bincount(edges // count, weight, count).astype(np.float32),
    )


@numba.njit(cache=True, nogil=True)
def grown(marked: Any, neighbours: Neighbours, rounds: int) -> BoolArray:
    """Return (V,) bool: marked vertices (V,), and what lies within so many edges of one."""
    start, vertex, _, _ = neighbours
    for _ in range(rounds):
        before = marked
        marked = before.copy()
        for v in range(len(before)):
            if before[v]:
                for k in range(start[v], start[v + 1]):
                    marked[vertex[k]] = True
    return marked


@numba.njit(cache=True, nogil=True)
def spread(values: Any, neighbours: Neighbours, asked: Any) -> Any:
    """Return (V, 3) float32: values averaged with those of the neighbours, twice.

    Vertices that are not asked (V,) bool for keep their values.
    """
    start, vertex, share, whole = neighbours
    old, new = values, values.copy()
    for _ in range(2):
        for v in range(len(old)):
            if not asked[v]:
                continue
            a, b, c = old[v, 0], old[v, 1], old[v, 2]
            for k in range(start[v], start[v + 1]):
                w, weight = vertex[k], share[k]
                a += weight * old[w, 0]
                b += weight * old[w, 1]
                c += weight * old[w, 2]
            new[v, 0], new[v, 1], new[v, 2] = a / whole[v], b / whole[v], c / whole[v]
        old, new = new, new.copy()
    return old
