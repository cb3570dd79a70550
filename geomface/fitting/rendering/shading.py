"""What a lit skin shows, with the derivatives that fitting needs, in numpy.

The functions of `geomface.rendering` do the same in torch; a test holds them together.
"""

import math

import numpy as np

from geomface.arrays import FloatArray
from geomface.files.color import KNEE_LINEAR, KNEE_SRGB, linear_to_srgb, srgb_to_linear
from geomface.rendering.differentiable.spherical_harmonics import LAMBERT

HARMONICS = 9
GREY_FROM_RGB = np.array([[0.299, 0.587, 0.114]])
"""One channel of three."""
_C0, _C1, _C2 = (math.sqrt(k / (4 * math.pi)) for k in (1, 3, 15))
_FACTORS = np.array(LAMBERT) * [_C0, _C1, _C1, _C1, _C2, _C2, _C2 / math.sqrt(12), _C2, _C2 / 2]


def to_linear(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return linear light of sRGB values, and its derivative."""
    linear = srgb_to_linear(values)
    above = np.maximum(values, KNEE_SRGB) + 0.055
    return linear, np.where(values <= KNEE_SRGB, 1 / 12.92, 2.4 * linear / above)


def to_srgb(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return sRGB values of linear light, and the derivative."""
    srgb = linear_to_srgb(values)
    above = np.maximum(values, KNEE_LINEAR)
    return srgb, np.where(values <= KNEE_LINEAR, 12.92, (srgb + 0.055) / (2.4 * above))


def lambert_basis(normals: FloatArray) -> FloatArray:
    """Return (n, 9), A_k Y_k at unit normals (n, 3): shading = lambert_basis @ light.

    Convention
    ----------
    Order and constants of `SphericalHarmonicsLight`.
    """
    x, y, z = normals.T
    one = np.ones_like(x)
    columns = [one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return np.stack(columns, axis=1) * _FACTORS


def lambert_gradient(normals: FloatArray, light: FloatArray) -> FloatArray:
    """Return (n, C, 3), the derivative of the shading by the normal as a free vector.

    Parameters
    ----------
    normals : (n, 3) float64, unit
    light : (9, C) float64
    """
    x, y, z = normals.T
    weighted = light * _FACTORS[:, None]
    gradient = np.empty((len(normals), light.shape[1], 3))
    for channel, (_, b1, b2, b3, b4, b5, b6, b7, b8) in enumerate(weighted.T):
        gradient[:, channel, 0] = b3 + b4 * y + b7 * z + 2 * b8 * x
        gradient[:, channel, 1] = b1 + b4 * x + b5 * z - 2 * b8 * y
        gradient[:, channel, 2] = b2 + b5 * y + 6 * b6 * z + b7 * x
    return gradient
