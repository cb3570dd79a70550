"""Checks that a straight-line embedding in the square is possible, and that it came out valid."""

from fractions import Fraction

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import ParametrizationError
from geomface.mesh.topology import unique_edges

# Forward error bound of a float64 2 x 2 orientation determinant, (3 + 16 u) u with u = 2^-53.
_ORIENTATION_BOUND = 3.3306690738754716e-16


class FoldedMapError(ParametrizationError):
    """A map with triangles of zero or negative area."""


def signed_areas(uv: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (F,) signed triangle areas in the plane, positive when counter-clockwise."""
    a, b, c = (uv[faces[:, corner]] for corner in range(3))
    ab, ac = b - a, c - a
    return 0.5 * (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])


def flipped_triangles(uv: FloatArray, faces: IndexArray) -> IndexArray:
    """Return the triangles whose area in the plane is zero or negative, decided exactly.

    Parameters
    ----------
    uv : (V, 2) float64
    faces : (F, 3) int64

    Returns
    -------
    (n,) int64 face indices, ascending.

    Source
    ------
    Shewchuk 1997, "Adaptive precision floating-point arithmetic": the determinant is trusted
    where it exceeds its rounding bound; the few others are decided in rational arithmetic.
    """
    a, b, c = (uv[faces[:, corner]] for corner in range(3))
    left = (a[:, 0] - c[:, 0]) * (b[:, 1] - c[:, 1])
    right = (a[:, 1] - c[:, 1]) * (b[:, 0] - c[:, 0])
    determinant = left - right
    bad = determinant <= 0
    doubtful = np.abs(determinant) <= _ORIENTATION_BOUND * (np.abs(left) + np.abs(right))
    for face in np.flatnonzero(doubtful):
        bad[face] = _exact_determinant(uv[faces[face]]) <= 0
    return np.flatnonzero(bad)


def _exact_determinant(corners: FloatArray) -> Fraction:
    (ax, ay), (bx, by), (cx, cy) = [[Fraction(float(x)) for x in row] for row in corners]
    return (ax - cx) * (by - cy) - (ay - cy) * (bx - cx)


def require_embedding(uv: FloatArray, faces: IndexArray) -> None:
    """Raise `FoldedMapError` when a triangle has no positive area in the plane."""
    bad = flipped_triangles(uv, faces)
    if len(bad):
        corners = sorted(set(faces[bad[:3]].ravel().tolist()))
        raise FoldedMapError(
            f"{len(bad)} triangles have no positive area in the map (near vertices "
            f"{', '.join(map(str, corners[:6]))}); expected none. Part of the mesh hangs on one "
            "or two vertices there, or its triangles are extremely thin: mend it, use holes=fan, "
            "or weights=uniform."
        )


def chords(faces: IndexArray, loop: IndexArray) -> IndexArray:
    """Return the edges that join two vertices of a loop without being part of it.

    Parameters
    ----------
    faces : (F, 3) int64
    loop : (B,) int64 boundary vertices in order

    Returns
    -------
    (n, 2) int64 places in the loop, smaller first. A vertex of degree two shows up as the chord
    between its neighbours.
    """
    place = np.full(int(faces.max()) + 1, -1, np.int64)
    place[loop] = np.arange(len(loop))
    on_loop = place[faces] >= 0
    near = faces[on_loop.sum(axis=1) >= 2]
    if not len(near):
        return np.zeros((0, 2), np.int64)
    ends = np.sort(place[unique_edges(near)], axis=1)
    ends = ends[ends[:, 0] >= 0]
    gap = ends[:, 1] - ends[:, 0]
    return ends[(gap != 1) & (gap != len(loop) - 1)]


def flat_chords(loop_chords: IndexArray, corners: IndexArray, count: int) -> list[tuple[int, int]]:
    """Return the chords with both ends on one side of the square, as arcs without a corner.

    Such a chord would lie on the side itself, and everything that it cuts off would be flat.

    Parameters
    ----------
    loop_chords : (n, 2) int64 places in the loop, from `chords`
    corners : (4,) int64 places in the loop that become corners
    count : number of boundary vertices

    Returns
    -------
    Arcs (first, last), last counted past the end of the loop where the arc wraps around; a corner
    strictly inside would mend it. Shortest first.

    Source
    ------
    Floater 1997, theorem 6.1: no dividing edge may join two vertices of one side.
    """
    arcs = []
    for first, last in loop_chords.tolist():
        for start, end in ((first, last), (last, first + count)):
            inside = (corners > start) & (corners < end)
            wrapped = (corners + count > start) & (corners + count < end)
            if not (inside | wrapped).any():
                arcs.append((start, end))
    return sorted(arcs, key=lambda arc: (arc[1] - arc[0], arc[0]))
