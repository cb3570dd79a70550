"""Which boundary vertices become the corners of the square, and which ones stick out of it."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import ParametrizationError
from geomface.parametrization.checks import chords, flat_chords

CORNER_TIMES = np.array([1.0, 3.0, 5.0, 7.0]) / 8.0
"""Arc-length times of the corners (1, 0), (1, 1), (0, 1), (0, 0), from the bottom centre on."""


class FlatSideError(ParametrizationError):
    """An edge cuts off boundary vertices that all lie on one side of the square."""


def snap_corners(times: FloatArray, twins: IndexArray | None, name: str) -> IndexArray:
    """Return the (4,) places in the loop nearest the ideal corners.

    Parameters
    ----------
    times : (B,) float64 ascending arc-length times
    twins : (B,) int64 place of every boundary vertex's mirror twin, for mirror pairs; or None
    name : what messages call the mesh

    Raises
    ------
    ParametrizationError : two corners would fall on one vertex.
    """
    if twins is None:
        corners = np.argmin(np.abs(times - CORNER_TIMES[:, None]), axis=1)
    else:
        half = np.flatnonzero(np.arange(len(times)) < twins)
        if len(half) < 2:
            half = np.zeros(2, np.int64)
        right = half[np.argmin(np.abs(times[half] - CORNER_TIMES[:2, None]), axis=1)]
        corners = np.array([right[0], right[1], twins[right[1]], twins[right[0]]])
    if len(np.unique(corners)) < 4:
        raise ParametrizationError(
            f"{name}: expected boundary vertices near all four corners of the square, got "
            f"{len(times)} vertices too unevenly spaced for that. Use a finer boundary."
        )
    return corners


def free_corners(
    faces: IndexArray,
    loop: IndexArray,
    times: FloatArray,
    corners: IndexArray,
    twins: IndexArray | None,
    reach: float = 1.0,
) -> tuple[IndexArray, list[tuple[int, int]]]:
    """Move corners, in mirror pairs, until no chord has both its ends on one side.

    Parameters
    ----------
    faces : (F, 3) int64
    loop : (B,) int64 boundary of these faces
    times, corners, twins : as for `snap_corners`
    reach : how far in time a corner may lie from its ideal place

    Returns
    -------
    The (4,) corners, and the moves as pairs of places (from, to).

    Raises
    ------
    FlatSideError : a chord is left wherever the corners go.
    """
    count = len(loop)
    loop_chords = chords(faces, loop)
    if not len(loop_chords):
        return corners, []
    flat = flat_chords(loop_chords, corners, count)
    moved = []
    while flat:
        first, last = flat[0]
        inside = np.arange(first + 1, last) % count
        best = None
        for corner in range(4):
            away = np.abs(times[inside] - CORNER_TIMES[corner])
            vertex = int(inside[np.argmin(away)])
            trial = corners.copy()
            trial[corner] = vertex
            if twins is not None:
                trial[3 - corner] = twins[vertex]
            if away.min() > reach or not _in_order(trial):
                continue
            left = flat_chords(loop_chords, trial, count)
            key = (len(left), float(away.min()))
            if len(left) < len(flat) and (best is None or key < best[0]):
                best = (key, trial, left, (int(corners[corner]), vertex))
        if best is None:
            ends = (int(loop[first % count]), int(loop[last % count]))
            cut = ", ".join(str(vertex) for vertex in loop[inside][:6])
            raise FlatSideError(
                f"the edge between boundary vertices {ends[0]} and {ends[1]} cuts off boundary "
                f"vertices {cut}{' ...' if len(inside) > 6 else ''}, which would lie flat on one "
                "side of the square. Expected no such edge away from the four corners: flip the "
                f"edge, or delete the triangles that it cuts off ({len(flat)} such edges remain)."
            )
        _, corners, flat, move = best
        moved.append(move)
    return corners, moved


def ears(faces: IndexArray, loop: IndexArray) -> IndexArray:
    """Return the places in the loop that hang on one triangle, (n,) int64."""
    uses = np.bincount(faces.ravel(), minlength=int(loop.max()) + 1)
    return np.flatnonzero(uses[loop] == 1)


def _in_order(corners: IndexArray) -> bool:
    """Say whether four places follow each other once around the loop."""
    turned = np.roll(corners, -int(np.argmin(corners)))
    return bool((np.diff(turned) > 0).all())
