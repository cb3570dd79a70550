"""What every nose and eye shows: nostrils, the crease around the wing of a nose, that of a lid."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.albedo_geometry import FAR, beside_curve, nearest, open_curve, rise

_WING, _WING_SHADE = 1.0, 3.5
"""mm: of the dark line around the wing of a nose, of the shade beside it."""


def openings_of(p: FloatArray, marks: FloatArray, spacing: float) -> dict[str, FloatArray]:
    """Return {name: (P,)}: nostril, wing, lid_height.

    nostril : distance from the middle of the nearer opening, 1 at its edge, FAR elsewhere
    wing : the crease around the wing of the nose, 1 in its middle
    lid_height : mm above the edge of the upper lid in its middle; over its corners a crease that
        keeps this number comes down to them. FAR elsewhere

    Parameters
    ----------
    p, marks : (P, 3), (68, 3) mm from the root of the nose
    spacing : of the places, mm: no line is thinner
    """
    return {
        "nostril": _nostrils(p, marks, spacing),
        "wing": _wings(p, marks, spacing),
        "lid_height": _lids(p, marks),
    }


def _nostrils(p: FloatArray, marks: FloatArray, spacing: float) -> FloatArray:
    width = float(np.linalg.norm(marks[35] - marks[31]))
    radius = np.maximum(width * np.array([0.09, 0.062, 0.14]), 0.7 * spacing)
    found = np.full(len(p), FAR)
    for side in (32, 34):
        # Between the base of the nose and its tip, on the side that looks down.
        place = marks[side] + 0.26 * (marks[30] - marks[33])
        place = place + 0.3 * (marks[side] - marks[33]) * [1.0, 0.0, 0.0]
        found = np.minimum(found, np.sqrt((((p - place) / radius) ** 2).sum(axis=1)))
    return np.where(found < 4.0, found, FAR)


def _wings(p: FloatArray, marks: FloatArray, spacing: float) -> FloatArray:
    width = max(_WING, 0.45 * spacing)
    total = np.zeros(len(p))
    for side, wing in ((-1.0, 31), (1.0, 35)):
        # From the base of the wing outwards and around it to above the tip.
        way = np.array([[-1.5, -1.5, 0.0], [1.8, 2.5, -1.5], [1.2, 7.5, -0.5], [-2.5, 10.5, 2.0]])
        curve = open_curve(marks[wing] + way * [side, 1.0, 1.0], 80)
        away, node = nearest(p, curve)
        along = node / (len(curve) - 1.0)
        fade = rise(along, -0.1, 0.2) * (1.0 - rise(along, 0.55, 1.0))
        thin = (_WING / width) * np.exp(-((away / width) ** 2))
        shade = np.exp(-((away / _WING_SHADE) ** 2))
        total = np.maximum(total, fade * (0.6 * thin + 0.4 * shade))
    return total


def _lids(p: FloatArray, marks: FloatArray) -> FloatArray:
    found = np.full(len(p), FAR)
    for ids in ((39, 38, 37, 36), (42, 43, 44, 45)):
        curve = open_curve(marks[list(ids)], 80)
        way, above = beside_curve(p, curve)
        along = way / float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())
        over = (along > -0.05) & (along < 1.2) & (above > 0.0)
        # Lowest at the inner corner; beyond the outer one it goes on a little.
        shape = np.interp(along, [-0.05, 0.2, 0.5, 0.8, 1.2], [0.35, 0.8, 1.0, 0.9, 0.5])
        found = np.where(over, np.minimum(found, above / shape), found)
    return found
