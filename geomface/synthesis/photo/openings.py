"""What is dark in every face: nostrils, and the lashes along the lids."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.eyes import LEFT, RIGHT

_NOSTRIL = np.array([0.075, 0.028, 0.022])
_LASHES = np.array([0.10, 0.07, 0.06])


def paint_openings(
    skin: FloatArray, face: FloatArray, normals: FloatArray, landmarks: FloatArray
) -> FloatArray:
    """Return (V, 3) sRGB skin with dark nostrils and lashes.

    Parameters
    ----------
    skin : (V, 3)
    face, normals : (V, 3) neutral shape, mm, and unit normals
    landmarks : (68, 3) on it
    """
    width = float(np.linalg.norm(landmarks[35] - landmarks[31]))
    dark = np.zeros(len(face))
    for side in (32, 34):
        # The opening lies between the base of the nose and its tip, looks down, and points inwards.
        place = landmarks[side] + 0.30 * (landmarks[30] - landmarks[33])
        place = place + 0.25 * (landmarks[side] - landmarks[33]) * [1.0, 0.0, 0.0]
        away = (face - place) / (width * np.array([0.085, 0.12, 0.13]))
        dark = np.maximum(dark, np.exp(-((away**2).sum(axis=1) ** 1.5)))
    dark *= np.clip(0.35 - normals[:, 1], 0, 1) / 0.6
    skin = skin + (0.95 * np.clip(dark, 0, 1))[:, None] * (_NOSTRIL - skin)
    for lids in (landmarks[LEFT], landmarks[RIGHT]):
        across = float(np.linalg.norm(lids[3] - lids[0]))
        for edge, strength, wide in (
            (lids[[0, 1, 2, 3]], 0.7, 0.034),
            (lids[[3, 4, 5, 0]], 0.35, 0.024),
        ):
            near = _distance_to_path(face, edge) / (wide * across)
            skin = skin + (strength * np.exp(-(near**2)))[:, None] * (_LASHES - skin)
    return skin


def _distance_to_path(points: FloatArray, path: FloatArray) -> FloatArray:
    """Return (n,) distances to a smooth path through points (4, 3)."""
    place = np.linspace(0, 3, 25)
    smooth = np.stack([np.polyval(np.polyfit(range(4), axis, 3), place) for axis in path.T], axis=1)
    reach = 6.0
    found = np.full(len(points), np.inf)
    low, high = smooth.min(axis=0) - reach, smooth.max(axis=0) + reach
    close = np.flatnonzero(((points > low) & (points < high)).all(axis=1))
    away = points[close, None] - smooth[None]
    found[close] = np.sqrt((away**2).sum(axis=2).min(axis=1))
    return found
