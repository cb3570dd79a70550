"""The kernel that mixes the colours of a skin, place by place."""

from typing import Any

import numba
import numpy as np

FIELDS = (
    "pores", "cheek", "nose", "flush", "socket", "bag", "lid", "lash",
    "lip_distance", "upper", "mouth_line",
    "nasolabial", "marionette", "crowsFeet", "frownLines", "underEye", "foreheadCos", "foreheadSin",
    "moustache", "chin", "jaw", "angle", "height", "grain",
    "nostril", "wing", "lid_height",
)  # fmt: skip
"""Columns of the kernel's table."""
(
    _PORES, _CHEEK, _NOSE, _FLUSH, _SOCKET, _BAG, _LID, _LASH,
    _LIP, _UPPER, _MOUTH,
    _NASOLABIAL, _MARIONETTE, _CROW, _FROWN, _UNDER, _COS, _SIN,
    _MOUSTACHE, _CHIN, _JAW, _ANGLE, _HEIGHT, _GRAIN,
    _NOSTRIL, _WING, _LID_HEIGHT,
) = range(len(FIELDS))  # fmt: skip
_HIGHEST_LIGHT = 96.0


@numba.njit(cache=True, nogil=True)
def mix_colors(
    table: Any, patches: Any, amounts: Any, spots: Any, spot_colors: Any, paint: Any
) -> Any:
    """Return (P, 3) float32 Lab of the skin.

    table (P, fields), patches (P, n) with Lab amounts (n, 3), spots (P, k) covers with Lab colours
    (k, 3), paint: a `Paint`. Skin and redness, spots, folds and sockets, nostrils, the beard, lips
    and make-up, lashes and the hair line are mixed in this order; brows are not among them.
    """
    count = len(table)
    out = np.empty((count, 3), np.float32)
    lab = np.empty(3, np.float64)
    for i in range(count):
        f = table[i]
        light, red, yellow = paint.base[0], paint.base[1], paint.base[2]
        for k in range(patches.shape[1]):
            light += patches[i, k] * amounts[k, 0]
            red += patches[i, k] * amounts[k, 1]
            yellow += patches[i, k] * amounts[k, 2]
        for k in range(spots.shape[1]):
            light += spots[i, k] * spot_colors[k, 0]
            red += spots[i, k] * spot_colors[k, 1]
            yellow += spots[i, k] * spot_colors[k, 2]
        lab[0], lab[1], lab[2] = light, red, yellow
        blush = paint.cheek * f[_CHEEK] + paint.nose * f[_NOSE] + paint.flush * f[_FLUSH]
        _add(lab, blush, -0.45, 1.0, 0.1)
        lab[0] += paint.pores * f[_PORES]
        _fold(lab, f, paint)
        _beard(lab, f, paint)
        _add(lab, paint.rouge * f[_CHEEK], -0.5, 1.0, 0.1)
        _mix(lab, paint.lid * f[_LID], paint.lid_color)
        if f[_LIP] < 8.0:
            _lips(lab, f, paint)
        _mix(lab, paint.lash * f[_LASH], (14.0, 5.0, 4.0))
        cover = _scalp(f, paint)
        if cover > 0.0:
            hair = paint.hair_color
            _mix(lab, cover, (hair[0] + 4.0 * f[_GRAIN], hair[1], hair[2]))
        out[i, 0] = min(max(lab[0], 4.0), _HIGHEST_LIGHT)
        out[i, 1] = lab[1]
        out[i, 2] = lab[2]
    return out


@numba.njit(cache=True, nogil=True)
def _add(lab: Any, amount: Any, light: Any, red: Any, yellow: Any) -> None:
    lab[0] += amount * light
    lab[1] += amount * red
    lab[2] += amount * yellow


@numba.njit(cache=True, nogil=True)
def _mix(lab: Any, cover: Any, color: Any) -> None:
    for c in range(3):
        lab[c] += cover * (color[c] - lab[c])


@numba.njit(cache=True, nogil=True)
def _rise(value: Any, low: Any, high: Any) -> Any:
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@numba.njit(cache=True, nogil=True)
def _fold(lab: Any, f: Any, paint: Any) -> None:
    dark = paint.nasolabial * f[_NASOLABIAL] + paint.marionette * f[_MARIONETTE]
    dark += paint.crows_feet * f[_CROW] + paint.frown_lines * f[_FROWN]
    dark += paint.under_eye * f[_UNDER] + paint.wing * f[_WING]
    if f[_LID_HEIGHT] < 20.0:
        away = (f[_LID_HEIGHT] - paint.crease_height) / 1.1
        dark += paint.crease * (0.75 * np.exp(-away * away) + 0.25 * np.exp(-away * away / 9.0))
    wave = paint.phase_cos * f[_COS] + paint.phase_sin * f[_SIN]
    # Narrow dark lines between broad ridges.
    dark += paint.forehead * (wave * wave * wave if wave > 0.0 else 0.15 * wave)
    _add(lab, min(dark, 1.4), -14.0, 2.5, 1.0)
    lab[0] += paint.bag * f[_BAG]
    _add(lab, paint.socket * f[_SOCKET], -6.0, 1.4, -2.8)
    if f[_NOSTRIL] < 3.0:
        away = f[_NOSTRIL] / paint.nostril
        _mix(lab, 0.95 * np.exp(-away * away * away), (9.0, 14.0, 8.0))


@numba.njit(cache=True, nogil=True)
def _beard(lab: Any, f: Any, paint: Any) -> None:
    if paint.shadow > 0.0:
        bare = (1.0 - 0.9 * f[_MOUSTACHE]) * (1.0 - 0.9 * f[_CHIN]) * (1.0 - 0.9 * f[_JAW])
        _mix(lab, paint.shadow * (1.0 - bare), (22.0, 2.0, 2.0))
    bare = (1.0 - paint.moustache * f[_MOUSTACHE]) * (1.0 - paint.chin * f[_CHIN])
    bare *= 1.0 - paint.jaw * _rise(f[_JAW], paint.reach - 0.22, paint.reach + 0.22)
    cover = paint.density * (1.0 - bare) * (1.0 + 0.3 * f[_GRAIN])
    _mix(lab, min(max(cover, 0.0), 0.96), paint.beard_color)


@numba.njit(cache=True, nogil=True)
def _lips(lab: Any, f: Any, paint: Any) -> None:
    shift = f[_UPPER] * paint.upper_lip + (1.0 - f[_UPPER]) * paint.lower_lip
    steep = min(max(4.0 * (f[_LIP] - shift) / paint.lip_edge, -60.0), 60.0)
    lip = 1.0 / (1.0 + np.exp(steep))
    sums, stick = paint.lip_sum, paint.stick_color
    for c in range(3):
        factor = 0.82 if c == 0 else (0.9 if c == 1 else 0.72)
        red = lab[c] * factor + sums[c]
        red += paint.stick * (stick[c] - red)
        if c == 0:
            red -= 9.0 * f[_MOUTH]
        lab[c] += lip * (red - lab[c])


@numba.njit(cache=True, nogil=True)
def _scalp(f: Any, paint: Any) -> Any:
    """Return how much of a place the hair of the head covers at its line."""
    side, height = abs(f[_ANGLE]), f[_HEIGHT]
    line = paint.scalp_line
    if line < 140.0:
        away = (side - 0.72) / 0.2
        line += paint.scalp_temple * np.exp(-away * away)
    top = _rise(height - line + 1.6 * f[_GRAIN], -2.5, 4.0)
    # Beside the eyes the line runs down to the ear, where men wear it longer.
    edge = min(paint.scalp_side + 0.012 * max(30.0 - height, 0.0), 1.45)
    beside = _rise(side - edge, -0.03, 0.05) * _rise(height - paint.scalp_end, -4.0, 6.0)
    full = 0.9 * (1.0 - (1.0 - top) * (1.0 - beside))
    return full * min(max(1.0 + 0.12 * f[_GRAIN], 0.6), 1.1)


@numba.njit(cache=True, nogil=True)
def colors_of_lab(lab: Any) -> Any:
    """Return (P, 3) float32 sRGB of Lab colours (P, 3) float32, clipped to the gamut."""
    out = np.empty_like(lab)
    for i in range(len(lab)):
        fy = (lab[i, 0] + 16.0) / 116.0
        x = 0.95047 * _cubed(fy + lab[i, 1] / 500.0)
        y = _cubed(fy)
        z = 1.08883 * _cubed(fy - lab[i, 2] / 200.0)
        out[i, 0] = _encoded(3.2404542 * x - 1.5371385 * y - 0.4985314 * z)
        out[i, 1] = _encoded(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z)
        out[i, 2] = _encoded(0.0556434 * x - 0.2040259 * y + 1.0572252 * z)
    return out


@numba.njit(cache=True, nogil=True)
def _cubed(f: Any) -> Any:
    return f * f * f if f > 6.0 / 29.0 else 3.0 * (6.0 / 29.0) ** 2 * (f - 4.0 / 29.0)


@numba.njit(cache=True, nogil=True)
def _encoded(value: Any) -> Any:
    value = min(max(value, 0.0), 1.0)
    if value <= 0.0031308:
        return 12.92 * value
    return 1.055 * np.float32(value) ** np.float32(1 / 2.4) - 0.055
