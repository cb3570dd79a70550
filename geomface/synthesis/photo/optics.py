"""Optics of a photograph's pixels: tone curves, lobes of light, lids, teeth, relief of the skin."""

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy")
def shoulder(value: Any) -> Any:
    """Bend what is brighter than 0.7 towards 1, as cameras do."""
    if value <= np.float32(0.7):
        return value
    over = (value - np.float32(0.7)) * np.float32(1 / 0.3)
    return np.float32(0.7) + np.float32(0.3) * over / (np.float32(1.0) + over)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def encoded(value: Any) -> Any:
    """Return linear light as sRGB."""
    if value <= np.float32(0.0031308):
        return max(value, np.float32(0.0)) * np.float32(12.92)
    return np.float32(1.055) * value ** np.float32(1 / 2.4) - np.float32(0.055)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def decoded(value: Any) -> Any:
    """Return sRGB as linear light."""
    if value <= np.float32(0.04045):
        return value * np.float32(1 / 12.92)
    return ((value + np.float32(0.055)) * np.float32(1 / 1.055)) ** np.float32(2.4)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def lobe(cosine: Any, power: Any, size: Any) -> Any:
    """Return a normalised highlight, (n + 8) / 8 (n . h)^n, widened by the size of the lamp."""
    power = power / (np.float32(1.0) + np.float32(0.25) * power * size * size)
    if cosine <= 0:
        return np.float32(0.0)
    return (power + np.float32(8.0)) * np.float32(0.125) * cosine**power


@numba.njit(cache=True, nogil=True, error_model="numpy")
def wrapped(cosine: Any, wrap: Any, size: Any) -> Any:
    """Return the cosine law, softened by light under the skin and by a lamp's size."""
    wrap = wrap + np.float32(0.2) * size
    lit = (cosine + wrap) / (np.float32(1.0) + wrap)
    return max(lit, np.float32(0.0)) / (np.float32(1.0) + np.float32(0.5) * wrap)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def lids(x: Any, y: Any, eye: Any, strength: Any) -> Any:
    """Return how much of the sky the lids leave, and the distance below the upper one in mm."""
    across = (x - eye[0]) / eye[13]
    upper = eye[7] + across * (eye[8] + across * eye[9]) - y
    lower = y - (eye[10] + across * (eye[11] + across * eye[12]))
    upper_open = np.float32(1.0) - np.float32(0.62) * np.exp(
        -max(upper, np.float32(0)) / np.float32(2.2)
    )
    lower_open = np.float32(1.0) - np.float32(0.35) * np.exp(
        -max(lower, np.float32(0)) / np.float32(1.3)
    )
    side = np.float32(1.0) - np.float32(0.45) * np.exp(
        -max(np.float32(1.0) - abs(across), np.float32(0)) / np.float32(0.22)
    )
    lid = upper_open * lower_open * side
    return np.float32(1.0) - strength * (np.float32(1.0) - lid), upper


@numba.njit(cache=True, nogil=True, error_model="numpy")
def tooth(x: Any) -> Any:
    """Return how bright the teeth are x mm beside the middle: gaps, and darker in the corners."""
    place = x / np.float32(7.4)
    gap = abs(place - np.round(place)) * np.float32(7.4)
    bright = np.float32(1.0) - np.float32(0.45) * np.exp(-gap * gap / np.float32(0.35))
    return bright * np.exp(-(x * x) / np.float32(500.0))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def slopes(x: Any, y: Any, z: Any, nx: Any, nz: Any, bump: Any, scale: Any) -> Any:
    """Return the slope of the skin's relief (3,) and its oil, read from the front or the side.

    The side of the tile is a power of two, so that its bits say where in the tile a texel lies.
    """
    inside = len(bump) - 1
    beside = min(max((abs(nx) - np.float32(0.5)) * np.float32(5.0), np.float32(0)), np.float32(1))
    row, column = y * scale, x * scale
    gx, gy, gz, oil = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    if beside < 1:
        r, c = int(np.floor(row)), int(np.floor(column))
        s, t = row - np.float32(r), column - np.float32(c)
        share = np.float32(1) - beside
        for k in range(4):
            a, b = k // 2, k % 2
            w = share * (s if a else np.float32(1) - s) * (t if b else np.float32(1) - t)
            p, q = np.uintp((r + a) & inside), np.uintp((c + b) & inside)
            gx += w * bump[p, q, 0]
            gy += w * bump[p, q, 1]
            oil += w * bump[p, q, 2]
    if beside > 0:
        column = z * scale
        r, c = int(np.floor(row)), int(np.floor(column))
        s, t = row - np.float32(r), column - np.float32(c)
        for k in range(4):
            a, b = k // 2, k % 2
            w = beside * (s if a else np.float32(1) - s) * (t if b else np.float32(1) - t)
            p, q = np.uintp((r + a) & inside), np.uintp((c + b) & inside)
            gz += w * bump[p, q, 0]
            gy += w * bump[p, q, 1]
            oil += w * bump[p, q, 2]
    return gx, gy, gz, oil
