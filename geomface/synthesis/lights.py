"""Light of a picture as spherical-harmonics coefficients."""

import math

import numpy as np

from geomface.arrays import FloatArray

_C0, _C1, _C2 = (math.sqrt(k / (4 * math.pi)) for k in (1, 3, 15))
_LAMBERT = (1.0, *[2 / 3] * 3, *[1 / 4] * 5)
PEAK = 4.25 / (4 * math.pi)
"""Shading of a surface that faces a light of one direction and strength 1."""


def room_light(
    azimuth: float, elevation: float, share: float, intensity: float, warmth: float
) -> tuple[FloatArray, FloatArray]:
    """Return the main light's direction (3,) seen from the face, and its colour part (2, 3).

    Parameters
    ----------
    azimuth, elevation : degrees
    share : of the main light
    intensity : shading where the surface faces the main light
    warmth : relative surplus of red over blue

    Returns
    -------
    direction in camera axes turned face to face (x to the right of the picture, y up, z to the
    eye), and the shading that the light from all around and the main light give, (2, 3)
    """
    a, e = math.radians(azimuth), math.radians(elevation)
    direction = np.array([math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)])
    tint = np.array([1.0 + 0.5 * warmth, 1.0, 1.0 - 0.5 * warmth])
    # Shadows are lit by the sky or the room: the opposite tint, half as strong.
    sky = np.array([1.0 - 0.25 * warmth, 1.0, 1.0 + 0.25 * warmth])
    return direction, intensity * np.stack([(1.0 - share) * sky, share * tint])


def light_coefficients(direction: FloatArray, shading: FloatArray) -> FloatArray:
    """Return the (9, 3) coefficients of light from all around and from one direction.

    Parameters
    ----------
    direction : (3,) unit, in the axes of the face
    shading : (2, 3), what each of the two gives where the surface faces it

    Convention
    ----------
    Those of `SphericalHarmonicsLight`. A light from one direction d has L_k = E Y_k(d) and gives
    the shading E sum A_k Y_k(d)^2 = E 4.25 / (4 pi) to a surface that faces it.
    """
    basis = harmonics(direction)
    peak = float(np.dot(_LAMBERT, basis**2))
    around = np.zeros(9)
    around[0] = 1.0 / _C0
    return around[:, None] * shading[0] + (basis / peak)[:, None] * shading[1]


def harmonics(direction: FloatArray) -> FloatArray:
    """Return the (9,) basis at a unit direction; see `rendering.differentiable.sh_basis`."""
    x, y, z = direction
    ring = _C2 / math.sqrt(12)
    second = [_C2 * x * y, _C2 * y * z, ring * (3 * z * z - 1), _C2 * x * z]
    return np.array([_C0, _C1 * y, _C1 * z, _C1 * x, *second, _C2 / 2 * (x * x - y * y)])
