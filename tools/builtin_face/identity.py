"""Identity modes of the built-in face: what differs between people, one name a mode.

Each form is a smooth field with the size of one standard deviation of adults. Forms that go
together in people (a heavy brow and a broad jaw, full cheeks and chin) share a mode in front.
"""

import numpy as np

from builtin_face.fields import (
    along,
    antisymmetric,
    bump,
    outward,
    push,
    push_line,
    ramp,
    swell,
    symmetric,
    turn,
)
from builtin_face.layout import Layout
from geomface.arrays import FloatArray

NASOLABIAL = [(20, -8, 106), (25.5, -16, 105), (30, -25, 103.5), (33, -35, 101)]


def identity_modes(layout: Layout, vertices: FloatArray) -> dict[str, FloatArray]:
    """Return {name: (V, 3)} millimetres per sigma: shared modes, then single, then asymmetric."""
    p = vertices
    forms = {**_proportions(p), **_frame(p), **_eyes(p), **_nose(p), **_mouth(p)}

    def blend(**parts: float) -> FloatArray:
        return sum((share * forms[name] for name, share in parts.items()), np.zeros_like(p))

    shared = {
        "size": forms.pop("size"),
        "sexDimorphism": blend(
            browRidge=0.7, jawWidth=0.6, chinHeight=0.5, chinProtrusion=0.5, chinSquare=0.9,
            noseProtrusion=0.4, noseLength=0.4, cheekFullness=-0.4, upperLipThickness=-0.4,
            lowerLipThickness=-0.35, browHeight=-0.6, foreheadSlope=0.5, eyeSize=-0.4,
        ),
        "adiposity": blend(
            cheekFullness=0.8, jowl=0.8, submental=1.0, jawWidth=0.4, cheekboneProminence=-0.2,
            fissureHeight=-0.3, chinProtrusion=-0.3,
        ),
        "noseLipBreadth": blend(
            noseWidth=0.9, bridgeHeight=-0.9, bridgeWidth=0.5, upperLipThickness=0.7,
            lowerLipThickness=0.7, mouthProtrusion=0.6, noseProtrusion=-0.5, tipBulb=0.4,
            alarFlare=1.4,
        ),
        "faceLength": blend(height=1.1, width=-0.8, noseLength=0.4),
        "midfaceFlatness": blend(
            flatness=0.8, bridgeHeight=-0.7, lidHooding=0.6, eyeSlant=0.6, cheekboneWidth=0.5,
            nasionDepth=-0.4,
        ),
        "convexity": forms.pop("convexity"),
        "aging": blend(
            jowl=0.5, nasolabialFold=0.8, eyeBag=1.0, upperLipThickness=-0.4, lipVolume=-0.5,
            noseLength=0.3, lidHooding=0.5, templeFullness=-0.5,
        ),
    }  # fmt: skip
    # What a shared mode is mainly made of does not come again on its own: the modes stay
    # linearly independent, and coefficients can be read back from a shape.
    for name in ("chinSquare", "submental", "alarFlare", "height", "flatness", "eyeBag"):
        forms.pop(name)
    modes = {name: symmetric(field, layout) for name, field in {**shared, **forms}.items()}
    uneven = {name: antisymmetric(field, layout) for name, field in _asymmetry(p).items()}
    return {**modes, **uneven}


def _proportions(p: FloatArray) -> dict[str, FloatArray]:
    x, y, z = p.T
    # Profile convexity: a parabola over the height of the face, zero mean over it.
    bow = 1.0 - 2.2 * ((y - 5.0) / 80.0) ** 2
    return {
        "size": 0.030 * (p - [0.0, 10.0, 60.0]),
        "width": along(x, (0.018, 0, 0)),
        "height": along(y - 20.0, (0, 0.020, 0)),
        "depth": along(z - 70.0, (0, 0, 0.035)),
        "convexity": along(1.4 * bow * bump(p, (0, 5, 115), (38, 1e3, 45)), (0, 0, 1)),
        "flatness": along(1.6 * (1 - bump(p, (0, 0, 0), (32, 1e3, 1e3))), (0, 0, 1))
        - along(bump(p, (0, 8, 118), (16, 30, 25)), (0, 0, 1.0)),
        "foreheadHeight": along(ramp(y, 55, 112), (0, 3.0, 0)),
        "midfaceHeight": along(ramp(-y, -30, 18), (0, -1.8, 0)),
        "lowerHeight": along(ramp(-y, 12, 80), (0, -2.8, 0)),
    }


def _frame(p: FloatArray) -> dict[str, FloatArray]:
    y, z = p[:, 1], p[:, 2]
    side = outward(p, 22.0)
    return {
        "jawWidth": along(side * ramp(-y, -5, 48) * ramp(-z, -108, -65), (2.5, 0, 0)),
        "jawAngle": push(p, (54, -44, 52), (20, 18, 28), (0.8, -2.6, 0.5)),
        "chinHeight": along(ramp(-y, 44, 74) * bump(p, (0, -75, 100), (45, 60, 45)), (0, -1.8, 0)),
        "chinProtrusion": push(p, (0, -68, 108), (20, 15, 22), (0, 0, 2.0)),
        "chinWidth": swell(p, (0, -68, 104), (20, 15, 22), (0.10, 0, 0)),
        "chinSquare": push(p, (15, -72, 103), (8, 8, 12), (0.9, -0.6, 0.8)),
        "mandibleForward": along(ramp(-y, 30, 50) * ramp(z, 30, 100), (0, 0, 1.3)),
        "submental": push(p, (0, -88, 76), (30, 12, 22), (0, -2.5, 0)),
        "cheekboneWidth": push(p, (60, 12, 68), (18, 17, 26), (2.0, 0, 0.6)),
        "cheekboneProminence": push(p, (45, 12, 93), (14, 11, 16), (0.9, 0.3, 1.6)),
        "cheekFullness": push(p, (45, -24, 85), (17, 18, 22), (1.6, 0, 1.4)),
        "jowl": push(p, (42, -52, 78), (14, 12, 20), (1.6, -1.4, 1.0)),
        "nasolabialFold": push_line(p, NASOLABIAL, (3.2, 3.2, 6), (-0.25, 0, -0.55))
        + push(p, (33, -14, 101), (6, 10, 9), (0.1, 0, 0.7)),
        "templeFullness": push(p, (60, 60, 68), (14, 18, 22), (1.8, 0, 0.7)),
        "foreheadSlope": along(ramp(y, 55, 115), (0, 0, -3.2)),
        "foreheadWidth": along(side * ramp(y, 40, 95), (2.3, 0, 0)),
        "foreheadBoss": push(p, (24, 84, 102), (17, 15, 22), (0, 0, 1.5)),
        "browRidge": push(p, (24, 59, 107), (16, 6.5, 14), (0, -0.2, 1.2))
        + push(p, (0, 57, 111), (9, 8, 12), (0, 0, 0.7)),
        "browHeight": push(p, (33, 59, 103), (20, 8, 20), (0, 1.4, 0)),
    }


def _eyes(p: FloatArray) -> dict[str, FloatArray]:
    return {
        "eyeDistance": push(p, (32, 35, 92), (16, 15, 22), (1.15, 0, 0)),
        "eyeHeight": push(p, (32, 37, 92), (22, 14, 22), (0, 1.0, 0)),
        "eyeSize": swell(p, (31, 34, 92), (14, 12, 16), (0.045, 0.06, 0)),
        "fissureHeight": push(p, (31.5, 40.5, 95), (10, 3.2, 8), (0, 0.42, 0.05))
        + push(p, (31, 28, 95), (10, 3.4, 8), (0, -0.32, 0)),
        "eyeSlant": turn(p, (31, 34, 91), (15, 11, 18), (0, 0, 1), 2.2),
        "eyeDepth": push(p, (32, 38, 94), (15, 11, 18), (0, 0, -1.3)),
        "lidHooding": push(p, (34, 46.5, 96), (13, 4.2, 9), (0, -0.7, 0.5)),
        "lidCrease": push(p, (31.5, 43.5, 94), (12, 2.2, 7), (0, 0.1, -0.4)),
        "eyeBag": push(p, (30, 23, 97), (9, 3.5, 8), (0, -0.25, 0.65)),
        "innerCorner": push(p, (17, 33, 92), (5, 5, 8), (-0.45, -0.35, 0)),
    }


def _nose(p: FloatArray) -> dict[str, FloatArray]:
    return {
        "noseLength": push(p, (0, -2, 122), (19, 13, 24), (0, -1.5, 0)),
        "noseProtrusion": push(p, (0, 2, 127), (13, 14, 15), (0, 0, 1.5)),
        "noseWidth": swell(p, (0, -6, 112), (17, 9, 14), (0.085, 0, 0)),
        "bridgeHeight": push(p, (0, 30, 109), (8, 14, 14), (0, 0, 1.3)),
        "bridgeWidth": swell(p, (0, 24, 108), (11, 15, 15), (0.10, 0, 0)),
        "dorsumBump": push(p, (0, 19, 118), (6, 6.5, 9), (0, 0, 0.9)),
        "tipRotation": turn(p, (0, -6, 114), (13, 12, 16), (-1, 0, 0), 3.2),
        "tipBulb": swell(p, (0, 1, 126), (8, 8, 10), (0.10, 0.08, 0.05)),
        "alarHeight": push(p, (16.5, -7, 111), (5, 5, 8), (0.1, 0.8, 0)),
        "alarFlare": push(p, (17, -6, 110), (5, 6, 7), (0.55, 0, -0.15)),
        "columella": push(p, (0, -9, 121), (4.5, 5.5, 9), (0, -0.8, 0)),
        "nasionDepth": push(p, (0, 41, 107), (10, 7, 12), (0, 0, 1.0)),
    }


def _mouth(p: FloatArray) -> dict[str, FloatArray]:
    return {
        "mouthWidth": swell(p, (0, -35, 106), (27, 11, 24), (0.045, 0, 0)),
        "mouthProtrusion": push(p, (0, -34, 112), (25, 15, 22), (0, 0, 1.6)),
        "mouthHeight": push(p, (0, -34, 110), (30, 11, 24), (0, 1.1, 0)),
        "upperLipThickness": push(p, (0, -25.5, 117), (17, 3.2, 10), (0, 0.85, 0.1)),
        "lowerLipThickness": push(p, (0, -45, 115), (16, 3.6, 10), (0, -0.85, 0.1)),
        "lipVolume": push(p, (0, -30, 118), (16, 3.6, 8), (0, 0, 0.7))
        + push(p, (0, -41, 117), (15, 3.6, 8), (0, 0, 0.8)),
        "cupidsBow": push(p, (6, -25.5, 117.5), (2.8, 2.4, 6), (0, 0.45, 0.15))
        - push(p, (0, -26, 118), (2.4, 2.4, 6), (0, 0.3, 0.1)),
        "philtrum": push(p, (4.6, -19, 116), (2.2, 5, 6), (0, 0, 0.35))
        - push(p, (0, -19, 116), (2.2, 5, 6), (0, 0, 0.35)),
        "mouthCornerTilt": push(p, (25, -35, 103), (8, 5.5, 11), (0, 0.85, 0)),
        "mentolabialDepth": push(p, (0, -53, 110), (16, 4.8, 10), (0, 0, -1.0)),
    }


def _asymmetry(p: FloatArray) -> dict[str, FloatArray]:
    y = p[:, 1]
    return {
        "noseDeviation": along(bump(p, (0, 2, 125), (13, 16, 18)), (0.9, 0, 0)),
        "jawShift": along(ramp(-y, 10, 75), (1.1, 0, 0)),
        "eyeLevel": 2 * along(bump(p, (32, 36, 93), (17, 14, 20)), (0, 0.4, 0)),
        "mouthCant": 2 * along(bump(p, (22, -35, 106), (11, 8, 14)), (0, 0.45, 0)),
        "cheekUneven": 2 * along(bump(p, (50, -12, 82), (20, 25, 25)), (0.7, 0, 0.5)),
        "browUneven": 2 * along(bump(p, (34, 60, 102), (17, 7, 18)), (0, 0.5, 0)),
    }
