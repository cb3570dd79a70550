"""Wrinkles and folds of the skin as fields: 1 in the middle of a line, 0 away from it."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.albedo_geometry import nearest, open_curve, rise

_WIDTH, _SHADE = 0.9, 4.0
"""mm: of the dark line in a fold, of the shade beside it."""
_FOREHEAD = 10.5
"""mm between two lines of a forehead."""
_FOLDS = ("nasolabial", "marionette", "crowsFeet", "frownLines", "underEye")
# Side, wing of the nose, corner of the mouth, corners of the eye, lower lid.
_SIDES = ((-1.0, 31, 48, 39, 36, (41, 40)), (1.0, 35, 54, 42, 45, (46, 47)))


def folds_of(p: FloatArray, marks: FloatArray, spacing: float) -> dict[str, FloatArray]:
    """Return {name: (P,)} fields of lines; both sides alike.

    Parameters
    ----------
    p, marks : (P, 3), (68, 3) mm from the root of the nose
    spacing : of the places, mm: no line is thinner
    """
    lines: dict[str, list[FloatArray]] = {name: [] for name in _FOLDS}
    for side, ala, corner, inner, outer, low in _SIDES:
        out = np.array([side, 1.0, 1.0])
        ends = marks[[ala, corner]] + out * [[4, 5, -4], [7, -1, -3]]
        bulge = ends.mean(axis=0) + out * [2.5, 1, -1]
        lines["nasolabial"].append(np.stack([ends[0], bulge, ends[1]]))
        way = np.array([[0, 0, 0], [2.5, -9, -2], [2, -17, -5]])
        lines["marionette"].append(marks[corner] + out * ([2.5, -2.5, -1] + way))
        for up, reach in ((8, 14), (1, 16), (-7, 13)):
            way = np.array([[0, 0.25 * up, 0], [0.5 * reach, 0.35 * up, -0.35 * reach]])
            way = np.vstack([way, [reach, up, -reach]])
            lines["crowsFeet"].append(marks[outer] + out * ([5, 1, -4] + way))
        way = np.array([[5, 11, 2], [6.2, 18, 2], [5.5, 26, 2]])
        lines["frownLines"].append(marks[27] * [0, 1, 1] + out * way)
        way = np.stack([marks[inner], marks[list(low)].mean(axis=0), marks[outer]])
        lines["underEye"].append(way + out * [[1, -5, 2], [0, -11, 2], [-1, -8, -2]])
    found = {name: _lines(p, each, spacing) for name, each in lines.items()}
    return found | _forehead(p, marks, spacing)


def _lines(p: FloatArray, lines: list[FloatArray], spacing: float) -> FloatArray:
    """Return the darkness of folds: thin lines that fade at their ends, in a softer shade."""
    width = max(_WIDTH, 0.45 * spacing)
    total = np.zeros(len(p))
    for line in lines:
        curve = open_curve(line, 120)
        away, node = nearest(p, curve)
        along = node / (len(curve) - 1.0)
        fade = rise(along, -0.05, 0.25) * (1.0 - rise(along, 0.7, 1.05))
        thin = (_WIDTH / width) * np.exp(-((away / width) ** 2))
        total = np.maximum(total, fade * (0.65 * thin + 0.35 * np.exp(-((away / _SHADE) ** 2))))
    return total


def _forehead(p: FloatArray, marks: FloatArray, spacing: float) -> dict[str, FloatArray]:
    """Return the two phases of the lines across a forehead: any mix of them is lines as well."""
    brow = marks[17:27, 1].max()
    bend = 3.0 * np.cos(p[:, 0] / 19.0) + 1.2 * np.sin(p[:, 0] / 7.3 + 1.0)
    # No two lines are as far apart as the next two, nor equally deep all along.
    apart = 2.2 * np.sin((p[:, 1] - brow) / 6.1 + 0.02 * p[:, 0])
    turn = 2 * np.pi * (p[:, 1] - brow - bend - apart) / _FOREHEAD
    zone = rise(p[:, 1], brow + 4, brow + 13) * (1.0 - rise(p[:, 1], brow + 36, brow + 52))
    zone *= 1.0 - rise(np.abs(p[:, 0]), 22, 46)
    zone *= 0.5 + 0.3 * np.cos(p[:, 0] / 12.0 + p[:, 1] / 5.0) + 0.2 * np.cos(p[:, 0] / 5.3 + 2.0)
    kept = np.exp(-((2.5 * spacing / _FOREHEAD) ** 4))
    return {"foreheadCos": kept * zone * np.cos(turn), "foreheadSin": kept * zone * np.sin(turn)}
