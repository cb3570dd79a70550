"""Views in which a face is looked for first: directions, rolls and windows on a scan."""

from collections.abc import Iterator

import numpy as np

from geomface.arrays import FloatArray
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.views import VIEW_EXTENT_MM, View
from geomface.rendering.camera import view_rotation


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


def windows(surface: ScanSurface, rotation: FloatArray) -> list[View]:
    """Return views of one direction: the middle of the scan, and the head on top of a bust."""
    points = surface.vertices
    seen = points @ rotation.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    middle = np.median(seen, axis=0)
    views = [View(rotation, rotation.T @ middle, VIEW_EXTENT_MM)]
    if high[1] - low[1] > 1.15 * VIEW_EXTENT_MM:
        top = seen[seen[:, 1] > high[1] - 0.8 * VIEW_EXTENT_MM]
        head = np.median(top, axis=0)
        head[1] = high[1] - 0.48 * VIEW_EXTENT_MM
        views.append(View(rotation, rotation.T @ head, VIEW_EXTENT_MM))
    return views


def likely_views(surface: ScanSurface) -> list[View]:
    """Return views for a scan that is about upright, or faces where most of it faces."""
    up = np.array([0.0, 1.0, 0.0])
    mean = surface.normals.mean(axis=0)
    rotations = [view_rotation(yaw, 0.0) for yaw in (0.0, -35.0, 35.0)]
    if np.linalg.norm(mean) > 0.05:
        rotations.append(look_at(mean, up))
    return [view for rotation in rotations for view in windows(surface, rotation)]


def all_views(surface: ScanSurface, *, rolls: int = 8) -> Iterator[View]:
    """Yield views from everywhere, turned every way: for scans in any pose."""
    golden = (1 + 5**0.5) / 2
    corners = np.array([(0.0, a, b * golden) for a in (1, -1) for b in (1, -1)])
    directions = np.vstack([np.roll(corners, shift, axis=1) for shift in range(3)])
    mean = surface.normals.mean(axis=0)
    # Scans show their front: the best-covered directions come first.
    order = np.argsort(-directions @ mean)
    for forward in [mean, *directions[order]]:
        if np.linalg.norm(forward) < 1e-3:
            continue
        base = look_at(forward, np.array([0.0, 1.0, 0.0]))
        for index in range(rolls):
            turn = 2 * np.pi * index / rolls
            cosine, sine = np.cos(turn), np.sin(turn)
            around = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])
            yield from windows(surface, around @ base)
