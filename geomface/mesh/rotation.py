"""Rotations in space: about an axis, and by the angles of a head."""

import numpy as np

from geomface.arrays import FloatArray


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
    return rotation_about(vector / angle, angle)


def rotation_about(axis: FloatArray, angle: float) -> FloatArray:
    """Return the (3, 3) rotation by `angle` radians about a unit axis (3,)."""
    cross = cross_matrix(axis)
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


def around_x(degrees: float) -> FloatArray:
    """Return the (3, 3) rotation about x that takes y towards z."""
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def around_y(degrees: float) -> FloatArray:
    """Return the (3, 3) rotation about y that takes z towards x."""
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])


def around_z(degrees: float) -> FloatArray:
    """Return the (3, 3) rotation about z that takes x towards y."""
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])
