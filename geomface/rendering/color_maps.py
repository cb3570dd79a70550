"""Colours for numbers: perceptually ordered, readable in grey and by colour-blind readers."""

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import SettingsError
from geomface.files.color import linear_to_srgb

_STEPS = 256


def _build_table() -> np.ndarray:
    """Sweep the OKLab lightness evenly while the hue turns from violet over teal to yellow.

    Source
    ------
    Ottosson 2020, "A perceptual color space for image processing" (the OKLab matrices).
    """
    t = np.linspace(0.0, 1.0, _STEPS)
    lightness = 0.36 + 0.58 * t
    hue = np.deg2rad(292.0 - 187.0 * t)
    from_lab = np.array(
        [
            [1.0, 0.3963377774, 0.2158037573],
            [1.0, -0.1055613458, -0.0638541728],
            [1.0, -0.0894841775, -1.2914855480],
        ]
    )
    from_cone = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    table = np.zeros((_STEPS, 3))
    # The most colourful value inside the sRGB gamut, up to the chroma asked for.
    for chroma in np.linspace(0.0, 0.17, 86):
        lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
        linear = (lab @ from_lab.T) ** 3 @ from_cone.T
        inside = ((linear >= 0) & (linear <= 1)).all(axis=1)
        table[inside] = linear_to_srgb(linear[inside])
    return table


_TABLE = _build_table()


def heat_colors(values: np.ndarray, maximum: float) -> ImageArray:
    """Colour numbers from violet (0 or less) over teal to yellow (`maximum` or more).

    Parameters
    ----------
    values : (...) floats, such as distances in mm; NaN becomes grey
    maximum : value of the last colour, positive

    Returns
    -------
    (..., 3) float32 in [0, 1]; the lightness grows evenly with the value

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> mesh = gf.load_builtin_face().mesh
    >>> colors = gf.heat_colors(np.abs(mesh.vertices[:, 0]), 80.0)  # far from the middle is yellow
    >>> gf.render_mesh(mesh, size=96, colors=colors).shape
    (96, 96, 3)
    """
    if not maximum > 0:
        raise SettingsError(f"heat_colors: expected a positive maximum, got {maximum}.")
    values = np.asarray(values, np.float64)
    known = np.isfinite(values) | np.isinf(values)
    place = np.clip(np.where(known, values, 0.0) / maximum, 0.0, 1.0) * (_STEPS - 1)
    low = np.minimum(place.astype(np.int64), _STEPS - 2)
    share = (place - low)[..., None]
    colors = _TABLE[low] * (1 - share) + _TABLE[low + 1] * share
    return np.where(known[..., None], colors, 0.6).astype(np.float32)


def color_bar(height: int, width: int) -> ImageArray:
    """Return a vertical scale (height, width, 3), the maximum at the top."""
    column = heat_colors(np.linspace(1.0, 0.0, height), 1.0)
    return np.repeat(column[:, None], width, axis=1)
