"""Views in which a face is looked for first: directions, rolls and windows on a scan."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.views import View
from geomface.mesh.rotation import around_z
from geomface.rendering.camera import view_rotation

DIRECTIONS, ROLLS = 30, 4
"""From everywhere and turned every way: no pose is farther than about 50 degrees from a view."""
WHOLE, PART = 0.9, 0.45
"""Widths of windows as shares of the scan's size: a face or a head alone, the head of a bust."""
_TO_THE_CROWN = 0.48
"""From the middle of the window on a head up to its crown, as a share of the width."""


def look_at(forward: FloatArray, up: FloatArray) -> FloatArray:
    """Return the rotation of a camera that looks against `forward` with `up` upwards."""
    forward = forward / np.linalg.norm(forward)
    right = np.cross(up, forward)
    if np.linalg.norm(right) < 1e-3:
        right = np.cross([0.0, 0.0, 1.0], forward)
    if np.linalg.norm(right) < 1e-3:
        right = np.cross([1.0, 0.0, 0.0], forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def windows(points: FloatArray, rotation: FloatArray, size: float) -> list[View]:
    """Return views of one direction: all of the scan, and the head on top of a bust.

    Parameters
    ----------
    points : (n, 3) evenly on the scan
    size : of the scan, which decides how wide the windows are, so that no unit matters
    """
    seen = points @ rotation.T
    low, high = np.quantile(seen, (0.005, 0.995), axis=0)
    part = PART * size
    head = np.median(seen[seen[:, 1] >= high[1] - 0.8 * part], axis=0)
    head[1] = high[1] - _TO_THE_CROWN * part
    return [
        View(rotation, rotation.T @ ((low + high) / 2), WHOLE * size),
        View(rotation, rotation.T @ head, part),
    ]


def likely_views(surface: ScanSurface) -> list[View]:
    """Return views for a scan that is about upright, or faces where most of it faces."""
    rotations = [view_rotation(yaw, 0.0) for yaw in (0.0, -35.0, 35.0)]
    mean = surface.normals.mean(axis=0)
    if np.linalg.norm(mean) > 0.05:
        rotations.append(look_at(mean, np.array([0.0, 1.0, 0.0])))
    return _views(surface, rotations)


def all_views(surface: ScanSurface) -> list[View]:
    """Return views from everywhere, turned every way: for scans in any pose."""
    turns = [around_z(360.0 * index / ROLLS) for index in range(ROLLS)]
    up = np.array([0.0, 1.0, 0.0])
    rotations = [turn @ look_at(forward, up) for forward in _sphere(DIRECTIONS) for turn in turns]
    return _views(surface, rotations)


def _views(surface: ScanSurface, rotations: list[FloatArray]) -> list[View]:
    points = surface.samples
    # Far clumps and the ends of a long neck do not count.
    away = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    size = 2.0 * float(np.quantile(away, 0.98))
    return [view for rotation in rotations for view in windows(points, rotation, size)]


def _sphere(count: int) -> FloatArray:
    """Return (count, 3) directions evenly on the sphere, on a Fibonacci spiral."""
    index = np.arange(count)
    z = 1.0 - (2.0 * index + 1.0) / count
    angle = index * np.pi * (3.0 - 5.0**0.5)
    radius = np.sqrt(1.0 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)
