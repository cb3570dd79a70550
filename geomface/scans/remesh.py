"""Refining a surface and giving it new vertices and triangles, as a scanner would."""

import dataclasses

import numba
import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.normals import face_areas
from geomface.mesh.topology import boundary_vertices, connected_components


def vertex_areas(positions: FloatArray, faces: IndexArray) -> FloatArray:
    """Return the (V,) surface around every vertex: a third of its triangles' area."""
    thirds = np.repeat(face_areas(positions, faces) / 3, 3)
    return np.bincount(faces.ravel(), thirds, len(positions)).astype(np.float64)


def refine(
    attributes: FloatArray, faces: IndexArray, longest: FloatArray, *, rounds: int = 6
) -> tuple[FloatArray, IndexArray]:
    """Cut edges in halves until none is longer than the local limit; no cracks appear.

    Parameters
    ----------
    attributes : (V, C) float64; the first three columns are the position, all are interpolated
    faces : (F, 3) int64
    longest : (V,) float64, wanted edge length at every vertex, unit of the position
    rounds : at most so many halvings

    Returns
    -------
    attributes (V', C) with the old vertices first, faces (F', 3)
    """
    table = np.column_stack([attributes, longest])
    done, active = [], faces
    for _ in range(rounds):
        tails, heads = active.ravel(), np.roll(active, -1, axis=1).ravel()
        squared = np.zeros(len(tails))
        for column in np.ascontiguousarray(table[:, :3].T):
            squared += (column[heads] - column[tails]) ** 2
        limit = np.ascontiguousarray(table[:, -1])
        # Both triangles beside an edge decide alike, from its two ends alone.
        cut = squared > (0.5 * (limit[tails] + limit[heads])) ** 2
        low, high = np.minimum(tails, heads)[cut], np.maximum(tails, heads)[cut]
        keys, inverse = np.unique(low * len(table) + high, return_inverse=True)
        middle = np.full(active.size, -1)
        middle[cut] = len(table) + inverse
        first, second = np.divmod(keys, len(table))
        table = np.vstack([table, 0.5 * (table[first] + table[second])])
        middle = middle.reshape(-1, 3)
        touched = (middle >= 0).any(axis=1)
        done.append(active[~touched])
        active = _cut_faces(active[touched], middle[touched])
        if len(active) == 0:
            break
    return table[:, :-1], np.concatenate([*done, active])


def _cut_faces(faces: IndexArray, middles: IndexArray) -> IndexArray:
    """Split triangles whose edges carry a middle vertex (-1 where there is none)."""
    marked = middles >= 0
    number = marked.sum(axis=1)
    # Turn every triangle so that one cut edge is edge 01, two are 01 and 12.
    first = np.where(number == 1, np.argmax(marked, axis=1), 0)
    first = np.where(number == 2, (np.argmin(marked, axis=1) + 1) % 3, first)
    turn = (first[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(faces, turn, axis=1).T
    ab, bc, ca = np.take_along_axis(middles, turn, axis=1).T
    patterns = {
        1: ((a, ab, c), (ab, b, c)),
        2: ((ab, b, bc), (a, ab, bc), (a, bc, c)),
        3: ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)),
    }
    parts = [
        np.stack([corner[number == cuts] for corner in triangle], axis=1)
        for cuts, triangles in patterns.items()
        for triangle in triangles
    ]
    return np.concatenate(parts)


@dataclasses.dataclass(frozen=True, eq=False)
class Resampled:
    """New vertices and triangles on a fine surface.

    Parameters
    ----------
    corners, weights : (n, 3) int64 and float64, the new vertices as points in fine triangles
    faces : (m, 3) int64, the new triangles
    claimed : (V,) bool, fine vertices that a new vertex stands for
    """

    corners: IndexArray
    weights: FloatArray
    faces: IndexArray
    claimed: BoolArray


def resample(
    positions: FloatArray,
    faces: IndexArray,
    density: FloatArray,
    count: int,
    rng: np.random.Generator,
    *,
    smallest: int = 1,
) -> Resampled:
    """Give a finely triangulated surface about `count` new vertices and new triangles.

    Random seeds on the fine surface claim the fine vertices nearest along its edges; where three
    claims meet in one fine triangle, their seeds form a coarse triangle (the dual of a geodesic
    Voronoi diagram). Distances run along the surface, so lips that touch are never joined. Each
    seed moves to the middle of its claim (to the rim, where the claim has one) and then to a
    random place in a neighbouring fine triangle, so that no old vertex is left.

    Parameters
    ----------
    positions : (V, 3) float64, about eight times as many vertices as `count` or more
    faces : (F, 3) int64
    density : (V,) float64 >= 0, wanted vertices a unit of area, up to a factor
    smallest : components of fewer new vertices are left out

    Source
    ------
    Valette and Chassery 2004, clustering by an approximate centroidal Voronoi diagram; here one
    round, with distances along edges.
    """
    used = np.flatnonzero(np.bincount(faces.ravel()))
    area = vertex_areas(positions, faces)
    keys = rng.exponential(size=len(used)) / np.maximum((area * density)[used], 1e-300)
    count = min(count, len(used))
    seeds = used[np.argpartition(keys, count - 1)[:count]]
    label = _claim(seeds, faces, positions)
    seeds = _middles(positions, label, area, used, count)
    label = _claim(seeds, faces, positions)
    coarse = _dual(label[faces])
    _, components = connected_components(coarse, count)
    coarse = coarse[np.bincount(components)[components[coarse[:, 0]]] >= smallest]
    kept, coarse = np.unique(coarse, return_inverse=True)
    # Without this the rims would draw back by half a spacing, and the mouth would gape.
    rim = np.where(boundary_vertices(faces, len(positions)), area, 0.0)
    on_rim = np.zeros(count, bool)
    on_rim[label[(rim > 0) & (label >= 0)]] = True
    ends = _middles(positions, np.where(rim > 0, label, -1), rim, used, count)
    seeds = np.where(on_rim, ends, seeds)
    corners, weights = _scatter(seeds[kept], faces, rng)
    claimed = np.isin(label, kept)
    return Resampled(corners, weights, coarse.reshape(-1, 3), claimed)


@numba.njit(cache=True)
def _spread(faces, positions, distance, label):  # pragma: no cover  (compiled)
    """Relax every triangle edge in turn until no vertex finds a nearer seed."""
    changed = True
    while changed:
        changed = False
        for f in range(len(faces)):
            for k in range(3):
                i, j = faces[f, k], faces[f, (k + 1) % 3]
                squared = 0.0
                for c in range(3):
                    squared += (positions[i, c] - positions[j, c]) ** 2
                length = np.sqrt(squared)
                if distance[i] + length < distance[j]:
                    distance[j] = distance[i] + length
                    label[j] = label[i]
                    changed = True
                elif distance[j] + length < distance[i]:
                    distance[i] = distance[j] + length
                    label[i] = label[j]
                    changed = True


def _claim(seeds: IndexArray, faces: IndexArray, positions: FloatArray) -> IndexArray:
    """Return the seed nearest to every vertex along the edges, -1 where none can be reached."""
    distance = np.full(len(positions), np.inf)
    label = np.full(len(positions), -1)
    distance[seeds], label[seeds] = 0.0, np.arange(len(seeds))
    _spread(faces, np.ascontiguousarray(positions), distance, label)
    return label


def _middles(
    positions: FloatArray, label: IndexArray, area: FloatArray, used: IndexArray, count: int
) -> IndexArray:
    """Return the vertex of each claim nearest to the claim's centre of mass."""
    members = used[label[used] >= 0]
    owner = label[members]
    mass = np.maximum(np.bincount(owner, area[members], count), 1e-300)
    centre = np.stack(
        [np.bincount(owner, area[members] * positions[members, k], count) / mass for k in range(3)],
        axis=1,
    )
    distance = ((positions[members] - centre[owner]) ** 2).sum(axis=1)
    order = np.lexsort((distance, owner))
    first = np.searchsorted(owner[order], np.arange(count))
    return members[order[np.minimum(first, len(order) - 1)]]


def _dual(labels: IndexArray) -> IndexArray:
    """Return the coarse triangles, each once, at most two on an edge and wound alike."""
    a, b, c = labels.T
    triangles = labels[(labels >= 0).all(axis=1) & (a != b) & (b != c) & (c != a)]
    size = np.int64(labels.max() + 1)
    low, middle, high = np.sort(triangles, axis=1).T
    _, first = np.unique((low * size + middle) * size + high, return_index=True)
    triangles = triangles[np.sort(first)]
    while True:
        directed = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2)
        key = directed[:, 0] * size + directed[:, 1]
        order = np.argsort(key, kind="stable")
        repeated = order[1:][key[order][1:] == key[order][:-1]] // 3
        if len(repeated) == 0:
            return triangles
        triangles = np.delete(triangles, np.unique(repeated), axis=0)


def _scatter(
    seeds: IndexArray, faces: IndexArray, rng: np.random.Generator
) -> tuple[IndexArray, FloatArray]:
    """Move every seed to a random point of one triangle around it, nearer to itself."""
    order = np.argsort(faces.ravel(), kind="stable")
    ranked = faces.ravel()[order]
    starts = np.searchsorted(ranked, seeds)
    ends = np.searchsorted(ranked, seeds, side="right")
    pick = starts + (rng.random(len(seeds)) * (ends - starts)).astype(np.int64)
    face, corner = np.divmod(order[pick], 3)
    turn = (corner[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(faces[face], turn, axis=1)
    own, share = rng.uniform(0.5, 0.9, len(seeds)), rng.random(len(seeds))
    return corners, np.stack([own, (1 - own) * share, (1 - own) * (1 - share)], axis=1)
