"""Lights of a photograph: lamps of a size, and a sky or room that shines from all around."""

import dataclasses
import math

import numpy as np

from geomface.arrays import FloatArray
from geomface.synthesis.lights import PEAK, harmonics
from geomface.synthesis.parameters import FaceParameters
from geomface.synthesis.settings import FaceImageSettings, LightSettings

RIGS = ("flash", "front", "window", "overhead", "key", "back", "lamps")
"""Kinds of light, from the commonest."""
_SHARES = (0.14, 0.36, 0.14, 0.14, 0.1, 0.05, 0.07)
_GOLDEN = 0.5 * (1.0 + math.sqrt(5.0))
_HALF_SKY = np.array(
    [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)]
    + [
        corner[-turn:] + corner[:-turn]
        for turn in range(3)
        for corner in ((0, 1 / _GOLDEN, _GOLDEN), (0, 1 / _GOLDEN, -_GOLDEN))
    ]
) / math.sqrt(3.0)
SKY = np.vstack([_HALF_SKY, -_HALF_SKY])
"""(SKY_SIZE, 3) in camera axes: x to the right of the picture, y up, z to the eye.

The corners of a dodecahedron, as even as twenty directions can be; each of the second half lies
opposite one of the first, so that one drawing of what shades serves both.
"""
SKY_SIZE = len(SKY)
"""Directions that the light from all around is divided into."""


@dataclasses.dataclass(frozen=True, eq=False)
class Lamp:
    """A light with an edge to its shadows.

    Parameters
    ----------
    direction : (3,) towards it, camera axes turned face to face as in `SKY`
    color : (3,) what a white surface that faces it shows, linear light
    size : half angle that it is seen under, radians; 0.005 is the sun, 0.5 a window nearby
    """

    direction: FloatArray
    color: FloatArray
    size: float


@dataclasses.dataclass(frozen=True, eq=False)
class LightRig:
    """All the light of a photograph.

    Parameters
    ----------
    kind : one of `RIGS`, or "room"
    lamps : 1 to 3, the main one first
    sky : (SKY_SIZE, 3) radiance from the directions of `SKY`; 1 from all of them lights white to 1
    """

    kind: str
    lamps: tuple[Lamp, ...]
    sky: FloatArray


def towards(azimuth: float, elevation: float) -> FloatArray:
    """Return the direction (3,) at angles in degrees: to the right of the picture, and up."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return np.array([math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)])


def picture_rig(
    settings: FaceImageSettings, parameters: FaceParameters, rng: np.random.Generator
) -> LightRig:
    """Return the lights of a photograph; auto follows the light's numbers when some are given.

    Parameters
    ----------
    settings : of the set
    parameters : of the picture
    rng : of this picture
    """
    kind, usual = settings.photo.light_rig, LightSettings()
    if kind == "auto":
        names = ("azimuth", "elevation", "share", "intensity", "coefficients")
        given = any(getattr(settings.light, name) != getattr(usual, name) for name in names)
        given = given or any(factor.startswith("light_") for factor in settings.factors)
        kind = "room" if given else "mixed"
    if kind == "room":
        return room_rig(parameters.light, parameters.rotation)
    return draw_rig(kind, rng)


def room_rig(light: FloatArray, rotation: FloatArray) -> LightRig:
    """Return the plain preset's light as a large lamp and a grey room.

    Parameters
    ----------
    light : (9, 3) harmonics in the axes of the face
    rotation : (3, 3) world to camera
    """
    first = light[[3, 1, 2]]
    slope = np.linalg.norm(first, axis=0)
    direction = first.sum(axis=1) / max(float(slope.sum()), 1e-9)
    direction = np.einsum("ij,j->i", rotation, direction) * [1.0, -1.0, -1.0]
    length = float(np.linalg.norm(direction))
    # Without a lamp in the light it does not matter where none stands.
    direction = direction / length if length > 1e-9 else np.array([0.0, 0.0, 1.0])
    basis = harmonics(np.array([0.0, 0.0, 1.0]))
    # What `light_coefficients` makes of a lamp and a room, backwards.
    lamp = slope * PEAK / basis[2]
    around = np.clip((light[0] - basis[0] / PEAK * lamp) * basis[0], 0.0, None)
    return LightRig("room", (Lamp(direction, lamp, 0.3),), np.tile(around, (SKY_SIZE, 1)))


def draw_rig(kind: str, rng: np.random.Generator) -> LightRig:
    """Draw the light of a picture.

    Parameters
    ----------
    kind : one of `RIGS`, or "mixed" for any of them
    rng : of this picture
    """
    place = int(rng.choice(len(RIGS), p=_SHARES))
    kind = RIGS[place] if kind == "mixed" else kind
    side = -1.0 if rng.random() < 0.5 else 1.0
    u = rng.random(4)
    azimuth, elevation, size, fill = {
        "flash": (6 * side * u[0], 4 + 10 * u[1], 0.02 + 0.06 * u[2], 0.12 + 0.25 * u[3]),
        "front": (30 * side * u[0], 12 + 38 * u[1], 0.15 + 0.35 * u[2], 0.12 + 0.25 * u[3]),
        "window": (side * (20 + 50 * u[0]), 30 * u[1], 0.25 + 0.3 * u[2], 0.12 + 0.28 * u[3]),
        "overhead": (40 * side * u[0], 48 + 27 * u[1], 0.12 + 0.4 * u[2], 0.2 + 0.25 * u[3]),
        "key": (side * (5 + 45 * u[0]), 15 + 40 * u[1], 0.01 + 0.06 * u[2], 0.08 + 0.27 * u[3]),
        "back": (side * (110 + 60 * u[0]), 10 + 40 * u[1], 0.05 + 0.4 * u[2], 0.3 + 0.25 * u[3]),
        "lamps": (side * (5 + 30 * u[0]), 10 + 40 * u[1], 0.03 + 0.25 * u[2], 0.1 + 0.22 * u[3]),
    }[kind]
    warmth = 0.09 * rng.standard_normal(2)
    main = Lamp(towards(azimuth, elevation), (1 - fill) * _tint(warmth[0]), size)
    lamps = [main]
    if kind == "back":
        # What lights the face itself comes from the front, weaker.
        front = towards(40 * (rng.random() - 0.5), 30 * rng.random())
        lamps = [Lamp(front, 0.6 * main.color, 0.45), Lamp(main.direction, 1.6 * main.color, size)]
    elif kind == "lamps":
        for _ in range(1 + int(rng.random() < 0.4)):
            other = towards(rng.uniform(-120, 120), rng.uniform(0, 60))
            strength = (1 - fill) * rng.uniform(0.25, 0.8)
            tint = _tint(0.15 * rng.standard_normal())
            lamps.append(Lamp(other, strength * tint, rng.uniform(0.03, 0.3)))
    return LightRig(kind, tuple(lamps), fill * _surroundings(warmth[1], rng))


def _surroundings(warmth: float, rng: np.random.Generator) -> FloatArray:
    """Return (SKY_SIZE, 3): lighter above than below, a bright and a dark side."""
    above = rng.uniform(0.1, 0.75)
    bright = towards(rng.uniform(-180, 180), rng.uniform(-10, 50))
    lobe = np.clip(SKY @ bright, 0, None) ** 2
    level = np.clip(1.0 + above * SKY[:, 1], 0.05, None) + rng.uniform(0, 1.2) * lobe
    # The ground and the walls have colours of their own.
    ground = _tint(0.06 + 0.05 * rng.standard_normal())
    share = np.clip(0.5 - SKY[:, 1:2], 0, 1)
    colors = (1 - share) * _tint(warmth) + share * ground
    colors = level[:, None] * colors
    return colors / colors.mean()


def _tint(warmth: float) -> FloatArray:
    warmth = float(np.clip(warmth, -0.5, 0.5))
    return np.array([1.0 + 0.5 * warmth, 1.0, 1.0 - 0.5 * warmth])
