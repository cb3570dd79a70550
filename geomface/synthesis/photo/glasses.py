"""Glasses: frames of thin tubes in many shapes, and the lenses in them."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray

_SIDES = 6
_RIM = 28
_STEM = 5
_COLORS = np.array(
    [
        [0.03, 0.03, 0.035],
        [0.10, 0.06, 0.04],
        [0.22, 0.13, 0.08],
        [0.45, 0.44, 0.43],
        [0.55, 0.44, 0.25],
        [0.15, 0.03, 0.04],
        [0.05, 0.08, 0.2],
        [0.55, 0.5, 0.45],
    ]
)
_SHARES = (0.34, 0.16, 0.08, 0.16, 0.12, 0.04, 0.05, 0.05)


@dataclasses.dataclass(frozen=True)
class FrameStyle:
    """The make of glasses; sizes are shares of the distance of the pupils, radii mm.

    Parameters
    ----------
    width, height : half axes of a lens
    power : of the superellipse, 2 round, 4 nearly a rectangle
    droop : how far the outer lower corner hangs, as in pilots' glasses
    flare : how far the outer upper corner rises
    upper, lower : radius of the rim above and below; 0.05 for a lens without
    bar : a second bridge
    lens : (3,) share of the light that the lenses let through
    color : (3,) sRGB
    """

    width: float
    height: float
    power: float
    droop: float
    flare: float
    upper: float
    lower: float
    bar: bool
    lens: tuple[float, float, float]
    color: tuple[float, float, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Glasses:
    """Glasses fitted to somebody.

    Parameters
    ----------
    vertices : (G, 3) mm
    colors : (G, 3) sRGB
    rims : (2, R, 3) edges of the right and the left lens, mm
    lens : (3,) share of the light that the lenses let through
    """

    vertices: FloatArray
    colors: FloatArray
    rims: FloatArray
    lens: FloatArray


PLAIN = FrameStyle(0.39, 0.3, 2.5, 0.0, 0.0, 1.0, 1.0, False, (1, 1, 1), (0.1, 0.1, 0.1))
"""What the topology is taken from."""


def draw_frame(rng: np.random.Generator) -> FrameStyle:
    """Draw a make of glasses: metal or plastic, full, half or without a rim, now and then dark."""
    plastic = rng.random() < 0.5
    rim = rng.uniform(0.9, 2.0) if plastic else rng.uniform(0.4, 0.8)
    kind = rng.choice(3, p=(0.76, 0.15, 0.09))
    pilot = not plastic and rng.random() < 0.3
    large = rng.random() < 0.4
    height = rng.uniform(0.31, 0.42) if large or pilot else rng.uniform(0.22, 0.32)
    color = _COLORS[int(rng.choice(len(_COLORS), p=_SHARES))] * rng.uniform(0.8, 1.2)
    dark = rng.random()
    through = rng.uniform(0.06, 0.35) if dark < 0.06 else rng.uniform(0.6, 0.85)
    tint = through * rng.uniform(0.85, 1.1, 3) if dark < 0.12 else rng.uniform(0.92, 0.99, 3)
    return FrameStyle(
        width=float(rng.uniform(0.37, 0.45) if large else rng.uniform(0.33, 0.40)),
        height=float(height),
        power=float(rng.uniform(2.0, 3.8)),
        droop=float(rng.uniform(0.1, 0.25) if pilot else 0.0),
        flare=float(rng.uniform(0.05, 0.2) if plastic and rng.random() < 0.25 else 0.0),
        upper=float(rim if kind < 2 else 0.05),
        lower=float(rim if kind < 1 else 0.05),
        bar=bool(pilot and rng.random() < 0.7),
        lens=(float(tint[0]), float(tint[1]), float(tint[2])),
        color=(float(color[0]), float(color[1]), float(color[2])),
    )


def glasses_faces(landmarks: FloatArray) -> IndexArray:
    """Return the faces of any glasses; landmarks (68, 3) are the template's."""
    return _tubes(landmarks, PLAIN)[1]


def fitted_glasses(landmarks: FloatArray, style: FrameStyle, rng: np.random.Generator) -> Glasses:
    """Return glasses on somebody's landmarks (68, 3)."""
    vertices = _tubes(landmarks, style)[0]
    rims = vertices[: 2 * _RIM * _SIDES].reshape(2, _RIM, _SIDES, 3).mean(axis=2)
    # Plastic is seldom of one colour all over.
    spots = 1.0 + 0.25 * rng.standard_normal((len(vertices), 1)) * (style.upper > 0.9)
    colors = np.clip(np.array(style.color) * spots, 0.01, 1)
    return Glasses(vertices, colors, rims, np.array(style.lens))


def _tubes(landmarks: FloatArray, style: FrameStyle) -> tuple[FloatArray, IndexArray]:
    """Return vertices and faces."""
    width, height, power = style.width, style.height, style.power
    right, left = landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)
    apart = float(np.linalg.norm(left - right))
    ahead = float(landmarks[27, 2]) + 4.0
    angle = 2 * np.pi * np.arange(_RIM) / _RIM
    cosine, sine = np.cos(angle), np.sin(angle)
    x = np.sign(cosine) * np.abs(cosine) ** (2 / power) * width * apart
    y = np.sign(sine) * np.abs(sine) ** (2 / power) * height * apart
    # Lenses differ above and below, near the nose and away from it.
    y = np.where(y < 0, y * (1 + 0.5 * style.droop), y)
    rims = np.where(sine > 0, style.upper, style.lower)
    paths: list[tuple[FloatArray, bool, FloatArray | float]] = []
    for eye in (right, left):
        # Rims bend around the face: the outer ends lie further back.
        side = np.sign(eye[0] - landmarks[27, 0])
        outwards = side * x / (width * apart)
        tall = y + apart * height * style.flare * np.maximum(outwards, 0) ** 2 * (sine > -0.2)
        wide = (
            x
            - side
            * apart
            * width
            * style.droop
            * np.clip(-y / (height * apart), 0, 1)
            * (outwards < 0.2)
            * np.clip(0.2 - outwards, 0, 1)
            * -1.0
        )
        bent = ahead - 9.0 * np.maximum(outwards, 0) ** 2
        rim = np.stack([eye[0] + wide, eye[1] - 0.05 * apart + tall, bent], axis=1)
        paths.append((rim, True, rims))
    inner = np.array([[right[0] + width * apart, right[1] + 0.04 * apart, ahead]])
    other = np.array([[left[0] - width * apart, left[1] + 0.04 * apart, ahead]])
    share = np.linspace(0, 1, _STEM)[:, None]
    bridge = inner + share * (other - inner)
    bridge[:, 1:] += (0.06 * apart * np.sin(np.pi * share)) * [1.0, 0.5]
    thick = max(style.upper, 0.5)
    paths.append((bridge, False, thick))
    # A second bridge lies above, or inside the first.
    lifted = 0.5 * height * apart if style.bar else 0.0
    paths.append((bridge + [0.0, lifted, -0.5], False, 0.8 * thick))
    for eye, ear, side in ((right, landmarks[0], -1.0), (left, landmarks[16], 1.0)):
        start = np.array([eye[0] + side * width * apart, eye[1] + 0.08 * apart, ahead - 9.0])
        end = np.array([ear[0] + side * 5.0, eye[1] + 0.04 * apart, ear[2] - 12.0])
        stem = start + share * (end - start)
        stem[:, 0] += side * 4.0 * np.sin(np.pi * share[:, 0])
        paths.append((stem, False, thick))
    vertices, faces, count = [], [], 0
    for path, closed, radius in paths:
        tube, triangles = _tube(path, radius, closed)
        vertices.append(tube)
        faces.append(triangles + count)
        count += len(tube)
    return np.vstack(vertices), np.vstack(faces)


def _tube(
    path: FloatArray, radius: FloatArray | float, closed: bool
) -> tuple[FloatArray, IndexArray]:
    """Return a tube around a path (n, 3)."""
    if closed:
        along = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    else:
        along = np.gradient(path, axis=0)
    along = along / np.linalg.norm(along, axis=1)[:, None]
    # No tube runs along this direction, so the cross products never vanish.
    first = np.cross(along, [0.3, 0.2, 0.93] if closed else [0.1, 1.0, 0.15])
    first = first / np.linalg.norm(first, axis=1)[:, None]
    second = np.cross(along, first)
    turn = 2 * np.pi * np.arange(_SIDES) / _SIDES
    ring = np.cos(turn)[:, None] * first[:, None] + np.sin(turn)[:, None] * second[:, None]
    thick = np.broadcast_to(radius, len(path))[:, None, None]
    vertices = (path[:, None] + thick * ring).reshape(-1, 3)
    index = np.arange(len(path) * _SIDES).reshape(-1, _SIDES)
    start, end = (index, np.roll(index, -1, axis=0)) if closed else (index[:-1], index[1:])
    start_next, end_next = np.roll(start, -1, axis=1), np.roll(end, -1, axis=1)
    faces = np.vstack(
        [
            np.stack([start, start_next, end_next], axis=-1).reshape(-1, 3),
            np.stack([start, end_next, end], axis=-1).reshape(-1, 3),
        ]
    )
    return vertices, faces
