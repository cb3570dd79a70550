"""Flipped triangles and crossing rims: what a fitted face must not have."""

import dataclasses

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.laplacian import graph_laplacian
from geomface.mesh.normals import face_cross_products, vertex_normals

# A triangle that stands this square to its surroundings at rest is part of a crease, where the
# mean normal of the surroundings says nothing about its own.
_CREASE_COSINE = 0.3
_FLATTENING = (0.25, 0.5, 0.75, 1.0)
# Lips that touch are closed, not crossed.
_TOUCHING_MM = 0.01


def flipped_triangles(
    vertices: FloatArray, faces: IndexArray, rest_vertices: FloatArray
) -> BoolArray:
    """Return the (F,) mask of triangles turned against their neighbourhood, and not so at rest.

    A triangle is turned when its normal points against the mean of its three vertex normals.
    Triangles in a crease of the template (cosine below 0.3 at rest) are not judged.
    """

    def cosines(at: FloatArray) -> FloatArray:
        around = vertex_normals(at, faces, weighting="area")[faces].sum(axis=1)
        own = face_cross_products(at, faces)
        lengths = np.linalg.norm(around, axis=1) * np.linalg.norm(own, axis=1)
        return np.einsum("fc,fc->f", around, own) / np.maximum(lengths, 1e-300)

    return (cosines(vertices) <= 0) & (cosines(rest_vertices) > _CREASE_COSINE)


def unfold(
    displacement: FloatArray,
    rest: FloatArray,
    faces: IndexArray,
    bending: sparse.csc_array,
    *,
    largest_ring: int = 6,
) -> FloatArray:
    """Smooth the displacement around flipped triangles until none is left.

    Around every flipped triangle the displacement is replaced by the one of least bending energy
    that keeps the rest of the face, over a patch that grows ring by ring. Where the fold is in the
    surroundings too, the flipped triangles' own vertices go towards the mean of their neighbours,
    only as far as it takes.

    Parameters
    ----------
    displacement, rest : (V, 3) float64
    bending : (V, V) the matrix of the bending energy
    largest_ring : rings of triangles around the flip before giving up

    Returns
    -------
    (V, 3) float64; flips that neither mends are left for the report.
    """
    displacement = displacement.copy()
    for rings in range(1, largest_ring + 1):
        flipped = flipped_triangles(rest + displacement, faces, rest)
        if not flipped.any():
            break
        free = np.zeros(len(rest), bool)
        free[faces[flipped].ravel()] = True
        for _ in range(rings):
            free[faces[free[faces].any(axis=1)].ravel()] = True
        inside, outside = np.flatnonzero(free), np.flatnonzero(~free)
        rows = bending[inside]
        right = -(rows[:, outside] @ displacement[outside])
        displacement[inside] = splu(rows[:, inside].tocsc()).solve(right)
    return _flatten(displacement, rest, faces)


def _flatten(displacement: FloatArray, rest: FloatArray, faces: IndexArray) -> FloatArray:
    """Return the displacement with flipped triangles pulled flat, if that mends more than none."""
    places = rest + displacement
    flipped = flipped_triangles(places, faces, rest)
    if not flipped.any():
        return displacement
    laplacian = graph_laplacian(faces, len(rest)).tocsr()
    inside = np.unique(faces[flipped])
    outside = np.setdiff1d(np.arange(len(rest)), inside)
    rows = laplacian[inside]
    flat = splu(rows[:, inside].tocsc()).solve(-(rows[:, outside] @ places[outside]))
    best, count = displacement, int(flipped.sum())
    for share in _FLATTENING:
        moved = places.copy()
        moved[inside] += share * (flat - places[inside])
        left = int(flipped_triangles(moved, faces, rest).sum())
        if left < count:
            best, count = moved - rest, left
        if left == 0:
            break
    return best


@dataclasses.dataclass(frozen=True, eq=False)
class RimPairs:
    """Opposite vertices of the rims of mouth and eyes.

    Parameters
    ----------
    upper, lower : (n,) int64
    corners : (n, 2) int64, the two corner vertices of the hole that the pair belongs to
    """

    upper: IndexArray
    lower: IndexArray
    corners: IndexArray


def rim_pairs(vertices: FloatArray, loops: list[IndexArray]) -> RimPairs:
    """Pair the upper and lower rim of every opening (`inner_rims`).

    The corners are the extreme vertices in x; between them the two arcs are paired by their share
    of arc length from corner to corner.
    """
    upper, lower, corners = [], [], []
    for loop in loops:
        if len(loop) < 8:
            continue
        start = int(np.argmin(vertices[loop, 0]))
        ring = np.roll(loop, -start)
        end = int(np.argmax(vertices[ring, 0]))
        arcs = [ring[1:end], ring[end + 1 :][::-1]]
        if min(len(arc) for arc in arcs) < 2:
            continue
        arcs.sort(key=lambda arc: -float(vertices[arc, 1].mean()))
        shares = [_arc_shares(vertices, ring[0], arc, ring[end]) for arc in arcs]
        partner = np.abs(shares[0][:, None] - shares[1][None, :]).argmin(axis=1)
        upper.append(arcs[0])
        lower.append(arcs[1][partner])
        corners.append(np.tile([ring[0], ring[end]], (len(arcs[0]), 1)))
    if not upper:
        return RimPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2), np.int64))
    return RimPairs(np.concatenate(upper), np.concatenate(lower), np.concatenate(corners))


def _arc_shares(vertices: FloatArray, start: int, arc: IndexArray, end: int) -> FloatArray:
    path = vertices[np.concatenate([[start], arc, [end]])]
    lengths = np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))
    return lengths[:-1] / lengths[-1]


def rim_up(vertices: FloatArray, pairs: RimPairs, rest: FloatArray) -> FloatArray:
    """Return (n, 3) unit vectors from lower to upper rim: the rest direction of the whole hole.

    The direction is made square to the current line between the corners of the hole.
    """
    opening = rest[pairs.upper] - rest[pairs.lower]
    _, hole = np.unique(pairs.corners[:, 0], return_inverse=True)
    total = np.stack([np.bincount(hole, opening[:, axis]) for axis in range(3)], axis=1)
    # A hole that is shut at rest has no direction of its own; then up is up.
    total[:, 1] += 1e-3 * np.bincount(hole)
    up = total[hole]
    across = vertices[pairs.corners[:, 1]] - vertices[pairs.corners[:, 0]]
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    up = up - across * np.einsum("nc,nc->n", up, across)[:, None]
    return up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-12)


def rim_gaps(vertices: FloatArray, pairs: RimPairs, rest: FloatArray) -> FloatArray:
    """Return (n,) signed openings: negative where the upper rim lies below the lower one.

    Parameters
    ----------
    vertices, rest : (V, 3) float64, both in the template's pose
    """
    if len(pairs.upper) == 0:
        return np.zeros(0)
    up = rim_up(vertices, pairs, rest)
    return np.einsum("nc,nc->n", vertices[pairs.upper] - vertices[pairs.lower], up)


def crossing_rims(vertices: FloatArray, pairs: RimPairs, rest: FloatArray) -> BoolArray:
    """Return the (n,) mask of pairs whose upper rim lies below the lower one."""
    return rim_gaps(vertices, pairs, rest) < -_TOUCHING_MM


def part_rims(
    vertices: FloatArray,
    pairs: RimPairs,
    rest: FloatArray,
    crossing: BoolArray,
    apart: float,
    older: tuple[IndexArray, FloatArray] | None,
) -> tuple[IndexArray, FloatArray]:
    """Return vertices to pin and where: crossing pairs at their middle, `apart` mm to each side.

    Parameters
    ----------
    crossing : (n,) bool, the pairs to part
    older : pins set before; they stay unless their vertex is pinned again

    Returns
    -------
    (p,) int64 vertices, each once, and their (p, 3) places
    """
    upper, lower = pairs.upper[crossing], pairs.lower[crossing]
    middle = 0.5 * (vertices[upper] + vertices[lower])
    shift = apart * rim_up(vertices, pairs, rest)[crossing]
    pinned = np.concatenate([upper, lower])
    places = np.concatenate([middle + shift, middle - shift])
    if older is not None:
        stay = ~np.isin(older[0], pinned)
        pinned = np.concatenate([pinned, older[0][stay]])
        places = np.concatenate([places, older[1][stay]])
    pinned, first = np.unique(pinned, return_index=True)
    return pinned, places[first]
