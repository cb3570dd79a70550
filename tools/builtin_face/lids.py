"""Closing and opening the lids: sliding them over the eyeball without crossing."""

import numpy as np

from builtin_face.cage import EYE_CENTER, EYE_RADIUS
from builtin_face.layout import EYE_RINGS, EYE_SEGMENTS, Layout
from builtin_face.surface import INNER_CORNER, LID_MARGIN, caruncle
from geomface.arrays import FloatArray

FIRST_RING = 3
LID_HEIGHT = 1.75
GAP = 0.010


def move_lids(layout: Layout, vertices: FloatArray, upper: float, lower: float) -> FloatArray:
    """Return (V, 3): the left lids moved by shares of the opening between their margins.

    The skin between the brow side (ring 3) and the margin slides evenly in the angle about the
    eyeball's horizontal axis; what lay in the crease comes to lie on the eyeball.

    Parameters
    ----------
    upper : share of the opening by which the upper margin goes down; negative goes up
    lower : share by which the lower margin goes up. The lids just meet for upper + lower = 1

    Convention
    ----------
    Angles are about the x axis through the eyeball's centre, 0 straight ahead, positive up.
    """
    center = np.array(EYE_CENTER)
    field = np.zeros_like(vertices)
    rings = layout.eye[FIRST_RING:]
    margin = LID_MARGIN - FIRST_RING
    half = EYE_SEGMENTS // 2
    for step in range(1, half):
        pair = [(INNER_CORNER + step) % EYE_SEGMENTS, (INNER_CORNER - step) % EYE_SEGMENTS]
        columns = [rings[:, segment] for segment in pair]
        angle = [_angle(vertices[column] - center) for column in columns]
        opening = angle[0][margin] - angle[1][margin]
        gap = min(GAP, 0.1 * opening)
        # Beside the inner corner both lids go half-way, since the corner lies between them; and
        # they close less there, since it holds the caruncle.
        near = np.exp(-0.5 * (step - 1) ** 2)
        down, up = (share + near * (0.5 * (upper + lower) - share) for share in (upper, lower))
        opening *= min(1.0, (step + 1) / 3)
        moves = (-(down * opening - np.sign(down) * gap), up * opening - np.sign(up) * gap)
        middle = 0.5 * (vertices[columns[0][margin], 0] + vertices[columns[1][margin], 0])
        for column, angles, move in zip(columns, angle, moves, strict=True):
            share = np.clip((angles - angles[0]) / (angles[margin] - angles[0]), 0.0, 1.0)
            share[margin:] = 1.0
            away = vertices[column] - center
            radius = np.hypot(away[:, 1], away[:, 2])
            lid = np.sqrt(np.maximum((EYE_RADIUS + LID_HEIGHT) ** 2 - away[:, 0] ** 2, 0.0))
            closing = min(1.0, abs(move) / (0.5 * opening))
            raised = radius + share * closing * np.maximum(lid - radius, 0.0)
            raised[margin + 1 :] = radius[margin + 1 :]
            turned = angles + share * move
            field[column, 0] += 0.5 * share * closing * (middle - vertices[column[margin], 0])
            field[column, 1] += raised * np.sin(turned) - away[:, 1]
            field[column, 2] += raised * np.cos(turned) - away[:, 2]
    # Closing lids draw over the caruncle, which goes back under them.
    for ring in range(LID_MARGIN + 1, EYE_RINGS + 1):
        field[layout.eye[ring]] -= np.clip(upper + lower, 0.0, 1.0) * caruncle(ring)
    return field


def _angle(away: FloatArray) -> FloatArray:
    return np.arctan2(away[:, 1], away[:, 2])
