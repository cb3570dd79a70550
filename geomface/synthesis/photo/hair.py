"""Where hair grows on a head, and the body of hair that lies under the hairs one sees."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.scans.fields import random_field
from geomface.synthesis.photo.haircuts import HairStyle

_HIDDEN = -3.0
"""mm, where the body lies below the skin."""


def hair_growth(
    skin: FloatArray, landmarks: FloatArray, style: HairStyle, rng: np.random.Generator
) -> FloatArray:
    """Return (n,) how far places of the skin (n, 3) lie inside the hair line, widths of the head.

    Negative where nothing grows.
    """
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    brow = landmarks[17:27].mean(axis=0)
    p = (skin - brow) / width
    aside = np.abs(p[:, 0])
    front = float((landmarks[27, 2] - brow[2]) / width)
    back = np.maximum(front - p[:, 2], 0.0)
    temple = np.exp(-(((aside - 0.24) / 0.11) ** 2))
    tongue = np.exp(-((aside / 0.07) ** 2))
    edge = 0.008 * random_field(skin, 9.0, rng, waves=10) + 0.014 * random_field(
        skin, 30.0, rng, waves=8
    )
    inside = p[:, 1] - style.line - style.recede * temple + style.peak * tongue
    inside = inside + style.slope * (back - 0.06) + edge
    inside = np.minimum(inside, p[:, 1] + style.end + 2 * edge)
    # Beside the face it ends in front of the ears, and it leaves the cheeks free.
    inside = np.minimum(inside, 1.6 * (back - 0.33) + np.maximum(p[:, 1] + 0.1, 0) * 4 + edge)
    if np.isfinite(style.crown):
        inside = np.minimum(inside, style.crown - p[:, 1] + edge)
    return inside


def hair_body(growth: FloatArray, width: float, style: HairStyle | None) -> FloatArray:
    """Return (n,) how far the body of hair stands off the skin, mm; below it where none grows.

    Parameters
    ----------
    growth : (n,) see `hair_growth`
    width : of the head, mm
    """
    if style is None:
        return np.full(len(growth), _HIDDEN)
    # Long hair lies flat at its parting; what hangs needs no body.
    share = 0.04 if style.length > 0.6 else 0.16
    full = min(share * (style.volume + 0.3 * style.lift * min(style.length, 0.4)), 0.025) * width
    grown = np.clip((growth - 0.01) / 0.12, 0, 1)
    rise = 0.5 + full * grown * style.density
    return np.where(growth > 0, rise, np.maximum(40 * growth, -1.0) * -_HIDDEN)


def hair_colors(
    growth: FloatArray, skin: FloatArray, style: HairStyle | None, rng: np.random.Generator
) -> FloatArray:
    """Return (n, 3) sRGB of the body of hair: dark, and like the skin (n, 3) at the hair line."""
    if style is None:
        return np.full((len(growth), 3), 0.1)
    # Under long hair one does not see the skin.
    least = 0.65 if style.length > 0.15 else 0.35
    share = np.clip(growth / 0.05, 0, 1)[:, None] * (least + (0.98 - least) * style.density)
    share = share * rng.uniform(0.85, 1.0)
    return skin + np.minimum(share, 1.0) * (0.55 * style.mean_color - skin)
