"""Splitting quads into triangles by a rule that knows only the quad list.

The diagonal must not depend on the shape (two scans of one template would otherwise get different
triangles) nor on the vertex numbering (left and right would be split differently). So every vertex
gets a label from the graph alone and a quad is cut between the corners with the smaller labels.
"""

import functools

import numpy as np

from geomface.arrays import IndexArray

_MIX = np.uint64(0x9E3779B97F4A7C15)


def _scramble(values: np.ndarray) -> np.ndarray:
    """Mix 64-bit integers (the finaliser of splitmix64), so that sums of labels do not collide."""
    values = values + _MIX
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def graph_labels(polygons: IndexArray, vertex_count: int, rounds: int | None = None) -> np.ndarray:
    """Label vertices by colour refinement: equal labels mean that no walk tells them apart.

    label(v) <- hash(label(v), sum over polygon neighbours u of hash(label(u))), repeated until the
    number of distinct labels stops growing.

    Parameters
    ----------
    polygons : (P, 3 or 4) int64
    vertex_count : number of vertices
    rounds : stop after so many rounds, default until stable

    Returns
    -------
    (V,) uint64. On a mesh with one mirror symmetry, mirror twins share a label and a vertex on
    the midline has its own.

    Source
    ------
    Weisfeiler and Leman 1968, one-dimensional colour refinement.
    """
    polygons = np.ascontiguousarray(polygons, dtype=np.int64)
    return _labels(polygons.tobytes(), polygons.shape[1], vertex_count, rounds)


@functools.lru_cache(maxsize=4)
def _labels(
    polygon_bytes: bytes, corners: int, vertex_count: int, rounds: int | None
) -> np.ndarray:
    """Refine colours; a template is asked for several times (split, mirror map), so remember."""
    polygons = np.frombuffer(polygon_bytes, dtype=np.int64).reshape(-1, corners)
    tails = polygons.ravel()
    heads = [np.roll(polygons, -shift, axis=1).ravel() for shift in range(1, corners)]
    # Neighbours across the polygon's edge and across its diagonal speak with different voices.
    salts = [np.uint64(1 if shift in (1, corners - 1) else 3) for shift in range(1, corners)]
    order = np.argsort(tails, kind="stable")
    counts = np.bincount(tails, minlength=vertex_count)
    present = counts > 0
    starts = np.concatenate([[0], np.cumsum(counts[present])[:-1]])
    heads = [head[order] for head in heads]
    labels = _scramble(counts.astype(np.uint64))
    distinct = len(np.unique(labels))
    limit = rounds if rounds is not None else vertex_count
    for step in range(1, limit + 1):
        spoken = {int(salt): _scramble(labels * salt) for salt in salts}
        voices = sum(spoken[int(salt)][head] for head, salt in zip(heads, salts, strict=True))
        heard = np.zeros(vertex_count, np.uint64)
        heard[present] = np.add.reduceat(voices, starts) if len(starts) else 0
        labels = _scramble(labels ^ _scramble(heard))
        if rounds is None and step % 8 == 0:
            now = len(np.unique(labels))
            if now == distinct:
                break
            distinct = now
    labels.flags.writeable = False
    return labels


def split_quads(quads: IndexArray, vertex_count: int) -> IndexArray:
    """Split every quad into two triangles, the same way for mirror twins.

    The diagonal joins the two corners whose sorted labels come first (`graph_labels`). Only a quad
    that is its own mirror image (it straddles the midline) cannot be split symmetrically.

    Parameters
    ----------
    quads : (Q, 4) int64, counter-clockwise

    Returns
    -------
    (2 Q, 3) int64; triangles 2 i and 2 i + 1 come from quad i, counter-clockwise.
    """
    labels = graph_labels(quads, vertex_count)[quads]
    first = np.sort(labels[:, [0, 2]], axis=1)
    second = np.sort(labels[:, [1, 3]], axis=1)
    low = first[:, 0] != second[:, 0]
    along_first = np.where(low, first[:, 0] < second[:, 0], first[:, 1] <= second[:, 1])
    a, b, c, d = quads.T
    triangles = np.empty((len(quads), 2, 3), np.int64)
    triangles[:, 0] = np.where(along_first[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    triangles[:, 1] = np.where(along_first[:, None], np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return triangles.reshape(-1, 3)
