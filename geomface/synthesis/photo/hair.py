"""Hair as a shell over the skull: where it grows, how far it stands off, its colour."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.scans.fields import random_field

_HIDDEN = -3.0
"""mm, where the shell lies below the skin."""
_COLORS = np.array(
    [
        [0.05, 0.04, 0.04],
        [0.12, 0.08, 0.06],
        [0.24, 0.16, 0.10],
        [0.40, 0.27, 0.15],
        [0.62, 0.48, 0.29],
        [0.52, 0.51, 0.50],
    ]
)
_SHARES = (0.34, 0.26, 0.18, 0.08, 0.07, 0.07)


@dataclasses.dataclass(frozen=True)
class HairStyle:
    """How somebody's hair grows; lengths in widths of the head.

    Parameters
    ----------
    line : height of the hair line over the brows, in the middle
    recede : how much higher it lies at the temples
    slope : how fast it falls towards the ears
    end : where it ends at the back, below the brows
    thickness : how far it stands off
    curl : mm, size of its waves
    color : sRGB
    """

    line: float
    recede: float
    slope: float
    end: float
    thickness: float
    curl: float
    color: tuple[float, float, float]


def draw_hair(skin: np.ndarray, rng: np.random.Generator) -> HairStyle:
    """Draw a style; dark skin (3,) goes with dark hair."""
    light = float(skin.mean())
    shares = np.array(_SHARES) * [1, 1, 1, light > 0.4, light > 0.5, 1]
    first = _COLORS[int(rng.choice(len(_COLORS), p=shares / shares.sum()))]
    color = np.clip(first * rng.uniform(0.8, 1.25) + rng.normal(0, 0.01, 3), 0.02, 0.9)
    long = rng.random() < 0.4
    fringe = rng.random() < 0.15
    return HairStyle(
        line=float(rng.uniform(0.12, 0.2) if fringe else rng.uniform(0.27, 0.42)),
        recede=float(rng.uniform(0.0, 0.12)),
        slope=float(rng.uniform(0.75, 1.05)),
        end=float(rng.uniform(0.9, 1.5) if long else rng.uniform(0.3, 0.55)),
        thickness=float(rng.uniform(0.06, 0.16) if long else rng.uniform(0.025, 0.11)),
        curl=float(rng.uniform(9, 40)),
        color=(float(color[0]), float(color[1]), float(color[2])),
    )


def hair_lift(
    skin: FloatArray, landmarks: FloatArray, style: HairStyle | None, rng: np.random.Generator
) -> FloatArray:
    """Return (n,) how far the shell stands off the skin (n, 3), mm; below it where none grows."""
    if style is None:
        return np.full(len(skin), _HIDDEN)
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    brow = landmarks[17:27].mean(axis=0)
    p = (skin - brow) / width
    front = float((landmarks[27, 2] - brow[2]) / width)
    back = np.maximum(front - p[:, 2], 0.0)
    temple = np.exp(-(((np.abs(p[:, 0]) - 0.27) / 0.12) ** 2))
    edge = 0.012 * random_field(skin, 14.0, rng, waves=10) + 0.02 * random_field(
        skin, 30.0, rng, waves=8
    )
    inside = p[:, 1] - style.line - style.recede * temple + style.slope * (back - 0.06) + edge
    # Beside and behind the face it ends somewhere; long hair falls over the neck but not the chin.
    inside = np.minimum(inside, p[:, 1] + style.end + 2 * edge)
    inside = np.minimum(inside, 1.6 * (back - 0.33) + np.maximum(p[:, 1] + 0.1, 0) * 4 + edge)
    wave = 1.0 + 0.22 * random_field(skin, style.curl, rng, waves=12)
    full = style.thickness * width * np.clip(wave, 0.3, 1.8)
    grown = np.clip(inside / 0.07, 0, 1)
    return np.where(inside > 0, 1.0 + full * np.sqrt(grown), np.maximum(40 * inside, 1) * _HIDDEN)


def hair_colors(skin: FloatArray, style: HairStyle | None, rng: np.random.Generator) -> FloatArray:
    """Return (n, 3) sRGB of the shell: strands that run down."""
    if style is None:
        return np.full((len(skin), 3), 0.1)
    strands = random_field(skin * [1.0, 0.12, 1.0], 5.0, rng, waves=16)
    tone = 1.0 + 0.22 * strands + 0.1 * random_field(skin, 25.0, rng, waves=8)
    return np.clip(np.array(style.color) * np.clip(tone, 0.4, 1.8)[:, None], 0, 1)
