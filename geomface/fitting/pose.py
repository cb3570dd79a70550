"""Small motions of a face in its own frame: turn, shift, growth."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.mesh import Similarity
from geomface.mesh.rotation import rotation_matrix

POSE_COUNT = 7
"""Three of rotation, three of translation, one of the logarithm of the scale."""


def small_similarity(step: FloatArray, centre: FloatArray) -> Similarity:
    """Return the similarity of a pose step: x -> e^s R(w) (x - c) + c + t.

    Parameters
    ----------
    step : (7,) float64: rotation vector w (radians), translation t (mm), log scale s
    centre : (3,) the point c that turns and growth leave in place
    """
    scale, rotation = float(np.exp(step[6])), rotation_matrix(step[:3])
    return Similarity(scale, rotation, centre + step[3:6] - scale * rotation @ centre)


def pose_columns(points: FloatArray, centre: FloatArray) -> FloatArray:
    """Return (n, 3, 7): how points (n, 3) move with a small pose step, at step 0.

    d(e^s R(w) (x - c) + c + t) = w x (x - c) + t + s (x - c)
    """
    arm = points - centre
    columns = np.zeros((len(points), 3, POSE_COUNT))
    x, y, z = arm.T
    columns[:, 1, 0], columns[:, 2, 0] = -z, y
    columns[:, 0, 1], columns[:, 2, 1] = z, -x
    columns[:, 0, 2], columns[:, 1, 2] = -y, x
    columns[:, [0, 1, 2], [3, 4, 5]] = 1.0
    columns[:, :, 6] = arm
    return columns


def pose_columns_along(points: FloatArray, normals: FloatArray, centre: FloatArray) -> FloatArray:
    """Return (n, 7): the same along a normal (n, 3) each, n . d(...)."""
    arm = points - centre
    return np.column_stack(
        [np.cross(arm, normals), normals, np.einsum("nc,nc->n", arm, normals)[:, None]]
    )
