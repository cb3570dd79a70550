"""Small motions of a face in its own frame: turn, shift, growth."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.mesh import Similarity

POSE_COUNT = 7
"""Three of rotation, three of translation, one of the logarithm of the scale."""


def rotation_matrix(vector: FloatArray) -> FloatArray:
    """Return the (3, 3) rotation by |vector| radians about `vector` (3,).

    R = I + sin(t) K + (1 - cos(t)) K^2, K the cross product with the unit axis.

    Source
    ------
    Rodrigues 1840.
    """
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        cross = cross_matrix(vector)
        return np.eye(3) + cross + 0.5 * cross @ cross
    cross = cross_matrix(vector / angle)
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def rotation_angle(rotation: FloatArray) -> float:
    """Return the angle of a rotation (3, 3), radians in [0, pi]."""
    skew = 0.5 * (rotation - rotation.T)
    sine = np.linalg.norm([skew[2, 1], skew[0, 2], skew[1, 0]])
    return float(np.arctan2(sine, 0.5 * (np.trace(rotation) - 1.0)))


def cross_matrix(vector: FloatArray) -> FloatArray:
    """Return the (3, 3) matrix of the cross product from the left: K a = vector x a."""
    x, y, z = vector
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


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
