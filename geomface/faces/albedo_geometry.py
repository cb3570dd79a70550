"""Distances and smooth shapes on a face seen from the front, millimetres."""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import KDTree

from geomface.arrays import BoolArray, FloatArray, IndexArray

FAR = 50.0
"""Distance of what is far from everything."""
_REACH = 30.0
_AXIS = 80.0
"""The head's axis lies so far behind the root of the nose, and is as far from the cheeks."""


def bump(p: FloatArray, center: FloatArray, radius: Sequence[float] | float) -> FloatArray:
    """Return (P,) exp(-|(p - c) / r|^2 / 2)."""
    return np.exp(-0.5 * (((p - center) / np.asarray(radius)) ** 2).sum(axis=1))


def any_of(parts: Sequence[FloatArray]) -> FloatArray:
    """Return the smooth union of fields in [0, 1]."""
    return 1.0 - np.prod([1.0 - part for part in parts], axis=0)


def step(values: FloatArray, width: FloatArray | float) -> FloatArray:
    """Return 1 far below zero, 0 far above, over about `width`."""
    return 1.0 / (1.0 + np.exp(np.clip(4.0 * values / width, -60, 60)))


def rise(values: FloatArray, low: float, high: float) -> FloatArray:
    """Return 0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def closed_curve(marks: FloatArray, count: int = 600) -> FloatArray:
    """Return (count, 3) places along the smooth ring through some marks."""
    ring = np.vstack([marks, marks[:1]])
    at = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    return CubicSpline(at, ring, bc_type="periodic")(np.linspace(0, at[-1], count, endpoint=False))


def open_curve(marks: FloatArray, count: int = 240) -> FloatArray:
    """Return (count, 3) places along the smooth curve through some marks, evenly in their number.

    Two marks give a straight line.
    """
    at = np.linspace(0, len(marks) - 1, count)
    if len(marks) < 3:
        return marks[0] + at[:, None] * (marks[1] - marks[0])
    return CubicSpline(np.arange(len(marks)), marks)(at)


def inside(p: FloatArray, curve: FloatArray) -> BoolArray:
    """Say which places lie inside a closed curve, seen from the front (even-odd rule)."""
    x, y = p[:, 0], p[:, 1]
    low, high = curve[:, :2].min(axis=0), curve[:, :2].max(axis=0)
    near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
    result = np.zeros(len(p), bool)
    start, end = curve[:, :2], np.roll(curve[:, :2], -1, axis=0)
    for (ax, ay), (bx, by) in zip(start, end, strict=True):
        if ay != by:
            crossed = (ay > y[near]) != (by > y[near])
            result[near] ^= crossed & (x[near] < ax + (y[near] - ay) * (bx - ax) / (by - ay))
    return result


def nearest(p: FloatArray, nodes: FloatArray) -> tuple[FloatArray, IndexArray]:
    """Return the distance to the nearest node (FAR beyond 30) and the node."""
    away, node = KDTree(nodes).query(p, distance_upper_bound=_REACH)
    return np.where(np.isfinite(away), away, FAR), np.minimum(node, len(nodes) - 1)


def signed_distance(p: FloatArray, curve: FloatArray) -> FloatArray:
    """Return the frontal distance to a closed curve, negative inside."""
    away, _ = nearest(p[:, :2], curve[:, :2])
    return np.where(inside(p, curve), -away, away)


def beside_curve(p: FloatArray, curve: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the way along a curve and how far above it each place lies, mm.

    Before its start the way is negative, behind its end longer than the curve. FAR above beyond
    30 mm.
    """
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    away, node = nearest(p, curve)
    tangent = np.gradient(curve, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    offset = p - curve[node]
    ahead = (offset * tangent[node]).sum(axis=1)
    aside = np.sqrt(np.maximum((offset**2).sum(axis=1) - ahead**2, 0.0))
    # Upwards, seen along the curve.
    up = offset[:, 1] - ahead * tangent[node, 1]
    return length[node] + ahead, np.where(away < FAR, np.copysign(aside, up), FAR)


def around_head(p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the angle about the head's axis, radians, and the place (P, 2) on its unrolled skin.

    Parameters
    ----------
    p : (P, 3) mm from the root of the nose
    """
    angle = np.arctan2(p[:, 0], np.maximum(p[:, 2] + _AXIS, 1.0))
    return angle, np.stack([_AXIS * angle, p[:, 1]], axis=1)


def spacing_of(p: FloatArray, most: int = 400) -> float:
    """Return the usual distance of a place from the next one, mm."""
    if len(p) < 2:
        return 1.0
    some = p[:: max(len(p) // most, 1)]
    away, _ = KDTree(p).query(some, k=2)
    return float(np.median(away[:, 1]))
