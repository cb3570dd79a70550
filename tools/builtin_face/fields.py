"""Smooth displacement fields from which the identity modes and expressions are built.

A field is a function of the neutral position. Its gradient stays well below one, so that a face
moved by it neither folds nor lets its lips or lids cross.
"""

from collections.abc import Sequence

import numpy as np

from builtin_face.layout import Layout
from geomface.arrays import FloatArray

Triple = Sequence[float] | FloatArray
Radius = Sequence[float] | FloatArray | float
FLIP = np.array([-1.0, 1.0, 1.0])


def bump(points: FloatArray, center: Triple, radius: Radius) -> FloatArray:
    """Return (V,) weights exp(-|(p - c) / r|^2 / 2)."""
    scaled = (points - np.asarray(center, float)) / np.asarray(radius, float)
    return np.exp(-0.5 * (scaled**2).sum(axis=1))


def ramp(values: FloatArray, start: float, end: float) -> FloatArray:
    """Return a smooth step of `values`: 0 at `start`, 1 at `end`, twice differentiable."""
    t = np.clip((values - start) / (end - start), 0.0, 1.0)
    return t**3 * (t * (6.0 * t - 15.0) + 10.0)


def along(weights: FloatArray, direction: Triple) -> FloatArray:
    """Return (V, 3): `weights` times one direction."""
    return weights[:, None] * np.asarray(direction, float)


def outward(points: FloatArray, width: float) -> FloatArray:
    """Return (V,) the side of the face: -1 to 1 smoothly, with slope 1 / width on the midline."""
    return np.tanh(points[:, 0] / width)


def push(points: FloatArray, center: Triple, radius: Radius, by: Triple) -> FloatArray:
    """Return (V, 3): move the neighbourhood of `center` by `by`, and of its twin by the twin."""
    field = along(bump(points, center, radius), by)
    if center[0] != 0:
        field += along(bump(points, np.asarray(center) * FLIP, radius), np.asarray(by) * FLIP)
    return field


def push_one(points: FloatArray, center: Triple, radius: Radius, by: Triple) -> FloatArray:
    """Return (V, 3): move the neighbourhood of `center` by `by`, on this side only."""
    return along(bump(points, center, radius), by)


def push_line(
    points: FloatArray, line: Sequence[Triple], radius: Radius, by: Triple, count: int = 24
) -> FloatArray:
    """Return (V, 3): like `push` along a polyline; the weight is the largest of the bumps."""
    nodes = np.asarray(line, float)
    at = np.linspace(0, len(nodes) - 1, count)
    path = np.stack([np.interp(at, np.arange(len(nodes)), nodes[:, k]) for k in range(3)], axis=1)
    field = np.zeros_like(points)
    for side in (np.ones(3), FLIP):
        # A soft maximum, so that the field stays smooth where two bumps meet.
        weights = np.stack([bump(points, node * side, radius) for node in path])
        soft = (weights**8).mean(axis=0) ** (1 / 8)
        field += along(soft, np.asarray(by) * side)
    return field


def swell(points: FloatArray, center: Triple, radius: Radius, factors: Triple) -> FloatArray:
    """Return (V, 3): scale the neighbourhood of `center`, and of its twin, by 1 + factors."""
    sides = [np.asarray(center, float)]
    if center[0] != 0:
        sides.append(sides[0] * FLIP)
    field = np.zeros_like(points)
    for side in sides:
        field += bump(points, side, radius)[:, None] * (points - side) * np.asarray(factors, float)
    return field


def turn(
    points: FloatArray, center: Triple, radius: Radius, axis: Triple, degrees: float
) -> FloatArray:
    """Return (V, 3): rotate the neighbourhood of `center`, and its twin the other way round.

    The rotation is linearised: degrees in radians times axis x (p - c).
    """
    field = np.zeros_like(points)
    axis = np.asarray(axis, float)
    for sign in (1.0, -1.0) if center[0] != 0 else (1.0,):
        place = np.asarray(center, float) * [sign, 1.0, 1.0]
        # A mirrored rotation turns about the mirrored axis in the opposite sense.
        about = axis * np.array([1.0, sign, sign])
        spin = np.cross(about / np.linalg.norm(about), points - place)
        field += bump(points, place, radius)[:, None] * np.radians(degrees) * spin
    return field


def symmetric(field: FloatArray, layout: Layout) -> FloatArray:
    """Return `field` made symmetric to the bit."""
    return 0.5 * (field + field[layout.mirror] * FLIP)


def antisymmetric(field: FloatArray, layout: Layout) -> FloatArray:
    """Return the part of `field` that changes its sign in the mirror, to the bit."""
    return 0.5 * (field - field[layout.mirror] * FLIP)
