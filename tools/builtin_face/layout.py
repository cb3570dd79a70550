"""The quad layout of the face: a half grid with edge loops, mirrored.

One half (the subject's left, x >= 0) is a grid of columns i (0 on the midline, growing to the
side) and rows j (0 on the forehead, growing to the chin). A rectangle of the grid is replaced by
rings around the eye, another by half rings around the mouth, and rings go round the whole grid, so
that no quad has two edges on the outer boundary.
"""

import dataclasses

import numpy as np

from geomface.arrays import IndexArray

COLUMNS = 35
ROWS = 62
EYE_COLUMNS = (13, 27)
EYE_ROWS = (10, 22)
MOUTH_COLUMN = 16
MOUTH_ROWS = (44, 54)
EYE_RINGS = 13
MOUTH_RINGS = 14
OUTER_RINGS = 5

EYE_SEGMENTS = 2 * (EYE_COLUMNS[1] - EYE_COLUMNS[0] + EYE_ROWS[1] - EYE_ROWS[0])
MOUTH_SEGMENTS = 2 * MOUTH_COLUMN + MOUTH_ROWS[1] - MOUTH_ROWS[0]
OUTER_SEGMENTS = 2 * COLUMNS + ROWS


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
    """The quads of the whole face and where each control address lies in it.

    Parameters
    ----------
    quads : (Q, 4) int64, counter-clockwise from outside
    mirror : (V,) int64, the twin of every vertex
    grid : (COLUMNS + 1, ROWS + 1) int64, vertex of grid address (i, j) on the subject's left, -1
        inside the eye and the mouth
    eye : (EYE_RINGS + 1, EYE_SEGMENTS) int64; ring 0 is the rectangle in the grid, the last ring
        is the hole's rim. Segment 0 is the upper corner towards the nose, then along the brow
    mouth : (MOUTH_RINGS + 1, MOUTH_SEGMENTS + 1) int64; segment 0 is the midline above, the last
        the midline below
    outer : (OUTER_RINGS + 1, OUTER_SEGMENTS + 1) int64; the last ring is the outer boundary;
        segment 0 is the midline at the top, the last the midline under the chin
    """

    quads: IndexArray
    mirror: IndexArray
    grid: IndexArray
    eye: IndexArray
    mouth: IndexArray
    outer: IndexArray

    @property
    def vertex_count(self) -> int:
        """Number of vertices V."""
        return len(self.mirror)

    @property
    def left(self) -> IndexArray:
        """Vertices of the subject's left half without the midline."""
        return np.flatnonzero(self.mirror > np.arange(len(self.mirror)))

    @property
    def midline(self) -> IndexArray:
        """Vertices on the midline."""
        return np.flatnonzero(self.mirror == np.arange(len(self.mirror)))


def _rectangle_loop(left: int, right: int, top: int, bottom: int) -> list[tuple[int, int]]:
    """Return the grid addresses round a rectangle: along the top, down, back, up."""
    return (
        [(i, top) for i in range(left, right)]
        + [(right, j) for j in range(top, bottom)]
        + [(i, bottom) for i in range(right, left, -1)]
        + [(left, j) for j in range(bottom, top, -1)]
    )


def _rings(first: IndexArray, count: int, start: int) -> IndexArray:
    """Stack `count` rings of new vertices under the ring `first`."""
    new = start + np.arange(count * len(first)).reshape(count, len(first))
    return np.concatenate([first[None], new])


def _band(rings: IndexArray, closed: bool) -> IndexArray:
    """Return the quads between consecutive rings (R, S); a closed ring joins its ends."""
    if closed:
        rings = np.concatenate([rings, rings[:, :1]], axis=1)
    upper, lower = rings[:-1], rings[1:]
    corners = [upper[:, :-1], lower[:, :-1], lower[:, 1:], upper[:, 1:]]
    return np.stack(corners, axis=-1).reshape(-1, 4)


def build_layout() -> Layout:
    """Return the layout of the built-in face.

    Convention
    ----------
    The vertices of the left half come first, those of the midline among them; then the twins on
    the subject's right in the same order.
    """
    grid = np.zeros((COLUMNS + 1, ROWS + 1), np.int64)
    grid[EYE_COLUMNS[0] + 1 : EYE_COLUMNS[1], EYE_ROWS[0] + 1 : EYE_ROWS[1]] = -1
    grid[:MOUTH_COLUMN, MOUTH_ROWS[0] + 1 : MOUTH_ROWS[1]] = -1
    kept = grid == 0
    grid[kept] = np.arange(kept.sum())
    count = int(kept.sum())

    eye_loop = _rectangle_loop(*EYE_COLUMNS, *EYE_ROWS)
    eye = _rings(np.array([grid[address] for address in eye_loop]), EYE_RINGS, count)
    count = int(eye.max()) + 1
    top, bottom = MOUTH_ROWS
    mouth_path = (
        [(i, top) for i in range(MOUTH_COLUMN)]
        + [(MOUTH_COLUMN, j) for j in range(top, bottom)]
        + [(i, bottom) for i in range(MOUTH_COLUMN, -1, -1)]
    )
    mouth = _rings(np.array([grid[address] for address in mouth_path]), MOUTH_RINGS, count)
    count = int(mouth.max()) + 1
    outer_path = (
        [(i, 0) for i in range(COLUMNS)]
        + [(COLUMNS, j) for j in range(ROWS)]
        + [(i, ROWS) for i in range(COLUMNS, -1, -1)]
    )
    outer = _rings(np.array([grid[address] for address in outer_path]), OUTER_RINGS, count)
    count = int(outer.max()) + 1

    cells = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], axis=-1)
    inside = np.ones((COLUMNS, ROWS), bool)
    inside[EYE_COLUMNS[0] : EYE_COLUMNS[1], EYE_ROWS[0] : EYE_ROWS[1]] = False
    inside[:MOUTH_COLUMN, MOUTH_ROWS[0] : MOUTH_ROWS[1]] = False
    half = np.concatenate(
        [
            cells[inside],
            _band(eye, closed=True),
            _band(mouth, closed=False),
            _band(outer, closed=False)[:, ::-1],
        ]
    )
    on_midline = np.zeros(count, bool)
    on_midline[grid[0][grid[0] >= 0]] = True
    on_midline[mouth[:, [0, -1]]] = True
    on_midline[outer[:, [0, -1]]] = True
    twin = np.arange(count)
    twin[~on_midline] = count + np.arange((~on_midline).sum())
    quads = np.concatenate([half, twin[half][:, ::-1]])
    mirror = np.concatenate([twin, np.flatnonzero(~on_midline)])
    return Layout(quads, mirror, grid, eye, mouth, outer)
