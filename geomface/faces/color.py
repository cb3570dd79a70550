"""CIE Lab of display sRGB."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.files.color import srgb_to_linear

_WHITE = np.array([0.95047, 1.0, 1.08883])
_XYZ_TO_RGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)


def srgb_to_lab(color: FloatArray) -> FloatArray:
    """Return CIE Lab (..., 3), D65 white, of gamma-encoded sRGB in [0, 1].

    The way back is `albedo_kernel.colors_of_lab`.

    Source
    ------
    CIE 15:2004 (Lab), IEC 61966-2-1 (sRGB).
    """
    linear = np.asarray(srgb_to_linear(np.asarray(color, np.float64)))
    ratio = linear @ np.linalg.inv(_XYZ_TO_RGB).T / _WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)
