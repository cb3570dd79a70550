"""The curve between sRGB values, as image files hold them, and linear light."""

import numpy as np

from geomface.arrays import FloatArray

KNEE_SRGB, KNEE_LINEAR = 0.04045, 0.0031308
"""Where the curve leaves its straight part."""


def srgb_to_linear(values: np.ndarray) -> FloatArray:
    """Return linear light of sRGB values: c / 12.92 up to 0.04045, else ((c + 0.055) / 1.055)^2.4.

    Source
    ------
    IEC 61966-2-1. Negative values are kept on the straight part; above 1 the curve goes on.
    """
    values = np.asarray(values, np.float64)
    curve = ((np.maximum(values, KNEE_SRGB) + 0.055) / 1.055) ** 2.4
    return np.where(values <= KNEE_SRGB, values / 12.92, curve)


def linear_to_srgb(values: np.ndarray) -> FloatArray:
    """Return sRGB values of linear light; the inverse of `srgb_to_linear`."""
    values = np.asarray(values, np.float64)
    curve = 1.055 * np.maximum(values, KNEE_LINEAR) ** (1 / 2.4) - 0.055
    return np.where(values <= KNEE_LINEAR, 12.92 * values, curve)
