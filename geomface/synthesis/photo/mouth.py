"""What an open mouth shows: a dark bag behind the lips, and the upper teeth."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh import Mesh
from geomface.mesh.topology import boundary_loops

TEETH_COLOR = np.array([0.62, 0.58, 0.51])
_DEPTHS = (3.0, 9.0, 18.0, 26.0)
_SHRINK = (1.0, 0.98, 0.9, 0.6)
_COLORS = ((0.30, 0.10, 0.09), (0.17, 0.05, 0.05), (0.08, 0.02, 0.02), (0.03, 0.01, 0.01))
_COLUMNS = 13


def mouth_bag(mesh: Mesh, landmarks: FloatArray) -> tuple[IndexArray, IndexArray]:
    """Return the faces of the bag and the loop of the lips it hangs on.

    Returns
    -------
    faces (m, 3), where -1 - k is the loop's vertex k and k >= 0 a vertex of the bag; loop (n,)

    A mesh whose mouth is closed by faces gets an empty loop's worth: a bag on its nearest loop
    would be wrong, so the bag is then empty.
    """
    inner = landmarks[60:68].mean(axis=0)
    loops = boundary_loops(mesh.faces)
    reach = float(np.linalg.norm(landmarks[54] - landmarks[48]))
    near = [
        loop
        for loop in loops
        if np.linalg.norm(mesh.vertices[loop].mean(axis=0) - inner) < 0.3 * reach
    ]
    if not near:
        return np.zeros((0, 3), np.int64), np.zeros(0, np.int64)
    loop = near[0]
    size = len(loop)
    rows = np.vstack([-1 - np.arange(size), np.arange(len(_DEPTHS) * size).reshape(-1, size)])
    inner_row, outer_row = rows[:-1], rows[1:]
    inner_next, outer_next = np.roll(inner_row, -1, axis=1), np.roll(outer_row, -1, axis=1)
    first = np.stack([inner_next, inner_row, outer_row], axis=-1).reshape(-1, 3)
    second = np.stack([inner_next, outer_row, outer_next], axis=-1).reshape(-1, 3)
    hub = len(_DEPTHS) * size
    last = np.stack([np.roll(rows[-1], -1), rows[-1], np.full(size, hub)], axis=1)
    return np.vstack([first, second, last]), loop


def bag_vertices(face: FloatArray, loop: IndexArray) -> FloatArray:
    """Return the vertices of the bag behind the lips of a face."""
    if not len(loop):
        return np.zeros((0, 3))
    lips = face[loop]
    middle = lips.mean(axis=0)
    rows = [
        middle + shrink * (lips - middle) - [0.0, 0.0, depth]
        for depth, shrink in zip(_DEPTHS, _SHRINK, strict=True)
    ]
    return np.vstack([*rows, middle[None] - [0.0, 0.0, _DEPTHS[-1] + 4.0]])


def bag_colors(size: int) -> FloatArray:
    """Return the colours of the bag on a loop of `size` vertices, dark towards the throat."""
    if not size:
        return np.zeros((0, 3))
    return np.vstack([np.repeat(np.array(_COLORS), size, axis=0), [_COLORS[-1]]])


def teeth_surface() -> IndexArray:
    """Return the faces of a strip of two rows of vertices, seen from the front."""
    top = np.arange(_COLUMNS - 1)
    below = top + _COLUMNS
    return np.vstack(
        [np.stack([top, below, below + 1], axis=1), np.stack([top, below + 1, top + 1], axis=1)]
    )


def teeth_vertices(landmarks: FloatArray) -> FloatArray:
    """Return the upper teeth of a person: an arc behind the upper lip of the neutral face.

    They belong to the skull, so expressions do not move them.
    """
    corners = landmarks[[60, 64]]
    middle = landmarks[62]
    across = np.linspace(-0.86, 0.86, _COLUMNS)[:, None]
    half = 0.5 * (corners[1] - corners[0])
    arc = middle + across * half
    # Dental arches are nearly parabolas.
    arc[:, 2] = middle[2] - 8.5 - 14.0 * across[:, 0] ** 2
    arc[:, 1] = middle[1] + 4.0
    height = np.linspace(-1, 1, _COLUMNS) ** 2
    return np.vstack([arc, arc - np.stack([0 * height, 9.5 - 2.5 * height, 0 * height], axis=1)])
