"""Expressions of the built-in face, with ARKit names."""

import numpy as np

from builtin_face.fields import FLIP, along, bump, push, push_one, swell, symmetric
from builtin_face.layout import Layout
from builtin_face.lids import move_lids
from builtin_face.weights import jaw_weights, lower_lip_weights
from geomface.arrays import FloatArray

JAW_AXIS = (0.0, 8.0, 20.0)
JAW_DEGREES = 15.0


def expression_modes(layout: Layout, vertices: FloatArray) -> dict[str, FloatArray]:
    """Return {name: (V, 3)} millimetres at weight 1; Left and Right are exact mirror twins."""
    lower = lower_lip_weights(layout, vertices)
    jaw = jaw_weights(layout, vertices)
    middle = {**_jaw(vertices, jaw), **_whole_mouth(vertices, lower)}
    middle["browInnerUp"] = push(vertices, (12, 60, 109), (12, 9.5, 14), (0.3, 5.0, 0.4))
    middle["cheekPuff"] = push(vertices, (40, -26, 90), (13, 13, 16), (3.6, 0, 4.2)) + along(
        bump(vertices, (0, -24, 116), (16, 8, 12)), (0, 0, 1.0)
    )
    modes = {name: symmetric(field, layout) for name, field in middle.items()}
    sided = {
        **_corners(vertices),
        **_lips(vertices, lower),
        **_upper_face(vertices, lower),
        "eyeBlink": move_lids(layout, vertices, 0.80, 0.20),
        "eyeSquint": move_lids(layout, vertices, 0.12, 0.28)
        + push_one(vertices, (34, 20, 97), (13, 6, 10), (0, 1.2, 0.5)),
        "eyeWide": move_lids(layout, vertices, -0.16, -0.06),
        # Skin bunches up on the side that the jaw or the mouth goes to.
        "jaw": along(jaw, (5.5, 0, 0)) + push_one(vertices, (40, -40, 90), 12, (0.6, 0, 1.2)),
        "mouth": along(bump(vertices, (0, -35, 112), (24, 13, 24)), (5.6, 0, 0))
        + push_one(vertices, (29, -35, 102), (9, 9, 13), (0.3, 0.3, -1.2))
        + push_one(vertices, (39, -26, 95), (8, 11, 12), (0.5, 0, 1.2)),
    }
    for name, field in sided.items():
        modes[f"{name}Left"] = field
        modes[f"{name}Right"] = field[layout.mirror] * FLIP
    return dict(sorted(modes.items()))


def _jaw(p: FloatArray, jaw: FloatArray) -> dict[str, FloatArray]:
    away = p - JAW_AXIS
    angle = np.radians(JAW_DEGREES) * jaw
    turned = np.stack(
        [
            away[:, 0],
            away[:, 1] * np.cos(angle) - away[:, 2] * np.sin(angle),
            away[:, 1] * np.sin(angle) + away[:, 2] * np.cos(angle),
        ],
        axis=1,
    )
    corners = push(p, (26, -36, 103), (9, 9, 12), (-2.0, 0, -0.6))
    hollow = push(p, (42, -30, 88), (13, 16, 16), (-1.8, 0, -0.8))
    return {
        "jawOpen": turned - away + corners + hollow,
        "jawForward": along(jaw, (0, 0, 4.0)),
    }


def _whole_mouth(p: FloatArray, lower: FloatArray) -> dict[str, FloatArray]:
    lips = bump(p, (0, -35, 112), (17, 9, 16))
    opening = along(lips * (1 - lower), (0, 2.6, 0)) + along(lips * lower, (0, -3.4, 0))
    forward = along(bump(p, (0, -35, 112), (19, 13, 20)), (0, 0, 1))
    narrow = swell(p, (0, -35, 108), (26, 13, 26), (1, 0, 0))
    return {
        "mouthFunnel": opening + 5.5 * forward - 0.36 * narrow,
        "mouthPucker": 6.0 * forward
        - 0.46 * narrow
        + push(p, (0, -26, 117), (14, 5, 12), (0, 0.8, 0))
        + push(p, (0, -45, 115), (14, 5, 12), (0, -0.8, 0)),
    }


def _corners(p: FloatArray) -> dict[str, FloatArray]:
    corner = (27, -35, 102.5)
    return {
        "mouthSmile": push_one(p, corner, (11, 9, 14), (5.0, 5.0, -3.0))
        + push_one(p, (41, -2, 96), (13, 12, 14), (1.6, 3.2, 1.6))
        + push_one(p, (34, -18, 101), (7, 8, 9), (0.8, 0.6, 0.8))
        + push_one(p, (33, 20, 97), (13, 6, 10), (0, 0.9, 0.4)),
        "mouthFrown": push_one(p, corner, (10, 9, 14), (0.8, -4.6, -0.8))
        + push_one(p, (20, -50, 104), (12, 9, 12), (0.6, -1.4, 0)),
        "mouthDimple": push_one(p, corner, (9, 8, 13), (2.4, 0.4, -3.0)),
        "mouthStretch": push_one(p, corner, (12, 10, 15), (4.6, -2.2, -3.0))
        + push_one(p, (36, -55, 84), (14, 14, 16), (1.0, -1.2, 0)),
    }


def _lips(p: FloatArray, lower: FloatArray) -> dict[str, FloatArray]:
    lip = bump(p, (13, -35, 112), (9, 9, 14))
    red = bump(p, (12, -35, 114), (11, 7, 14))
    return {
        "mouthUpperUp": along(lip * (1 - lower), (0.3, 4.6, 0.6))
        + push_one(p, (23, -16, 106), (8, 9, 10), (0.3, 1.8, 0.6)),
        "mouthLowerDown": along(lip * lower, (0.6, -5.0, 0.2))
        + push_one(p, (16, -52, 107), (11, 8, 12), (0.3, -1.0, 0)),
        "mouthPress": along(red * (1 - lower), (0, -0.42, -0.7))
        + along(red * lower, (0, 0.42, -0.7))
        + push_one(p, (26, -36, 103), (7, 7, 10), (0.5, 0, -1.0)),
    }


def _upper_face(p: FloatArray, lower: FloatArray) -> dict[str, FloatArray]:
    return {
        "browDown": push_one(p, (20, 58, 107), (14, 8.5, 13), (-1.6, -4.2, 0.5)),
        "browOuterUp": push_one(p, (44, 61, 97), (15, 9.5, 15), (0, 5.2, 0.5)),
        "cheekSquint": push_one(p, (40, 12, 97), (13, 9, 13), (0.5, 3.0, 1.5)),
        "noseSneer": push_one(p, (15.5, -3, 110), (6, 8, 9), (0.5, 2.4, 0.3))
        + push_one(p, (24, -12, 106), (8, 10, 10), (0, 2.0, 0.8))
        + push_one(p, (9, 26, 106), (7, 9, 9), (-0.3, 1.2, 0.6))
        + along(bump(p, (12, -28, 114), (9, 7, 11)) * (1 - lower), (0, 1.6, 0.2)),
    }
