"""Random backgrounds: soft light and shade, shapes out of focus."""

from typing import Any

import numba
import numpy as np

from geomface.arrays import ImageArray
from geomface.synthesis.parameters import FaceParameters
from geomface.synthesis.streams import stream

_CELLS = ((2, 0.20), (4, 0.12), (9, 0.06), (24, 0.02))
_MOST_SHAPES = 8
_CANVAS = 65
"""Side of the picture that the patches are painted in; nothing behind a face is in focus."""


def background_picture(parameters: FaceParameters, size: int, seed: int) -> ImageArray:
    """Return the (size, size, 3) float32 sRGB background of a picture.

    The same scene at any size: a coloured gradient, patches of several scales, and shapes with
    soft edges, as things far behind the focus look.
    """
    rng = stream(seed, "backdrop", parameters.identity, parameters.stream)
    level = parameters.background
    tint = rng.normal(0, 0.05, 3)
    contrast = rng.uniform(0.15, 1.2)
    colorful = rng.uniform(0.05, 0.5)
    canvas = np.zeros((_CANVAS, _CANVAS, 3), np.float32) + (level + tint).astype(np.float32)
    small = (np.arange(_CANVAS, dtype=np.float32) + 0.5) / _CANVAS
    for cells, strength in _CELLS:
        grey = rng.standard_normal((cells + 1, cells + 1, 1))
        colored = rng.standard_normal((cells + 1, cells + 1, 3))
        patch = (contrast * strength * (grey + colorful * colored)).astype(np.float32)
        canvas += _stretched(patch, small)
    place = (np.arange(size, dtype=np.float32) + 0.5) / size
    picture = _stretched(canvas, place)
    softness = float(np.exp(rng.uniform(np.log(0.006), np.log(0.08))))
    for _ in range(int(rng.integers(_MOST_SHAPES + 1))):
        center, half = rng.uniform(-0.1, 1.1, 2), np.exp(rng.uniform(-3.2, -0.5, 2))
        turn = rng.uniform(0, np.pi) if rng.random() < 0.35 else rng.normal(0, 0.03)
        shade = level + 0.3 * contrast * (rng.standard_normal() + colorful * rng.standard_normal(3))
        color = np.clip(shade + tint, 0, 1).astype(np.float32)
        strength = rng.uniform(0.3, 0.95)
        round_ = rng.random() < 0.2
        # Only where the shape can reach.
        reach = float(np.hypot(*half)) + softness * (1.0 + 4.0 * round_)
        columns, rows = (slice(*np.searchsorted(place, (c - reach, c + reach))) for c in center)
        mask = strength * _shape(place[columns], place[rows], center, half, turn, softness, round_)
        view = picture[rows, columns]
        view += mask[:, :, None] * (color - view)
    return np.clip(picture, 0.0, 1.0)


def _stretched(grid: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return a grid (n + 1, n + 1, C) read smoothly at all pairs of places (S,) in [0, 1]."""
    cells = len(grid) - 1
    at = place * cells
    cell = np.minimum(at.astype(np.int64), cells - 1)
    share = at - cell
    share = (share * share * (3 - 2 * share)).astype(np.float32)
    rows = grid[cell] + share[:, None, None] * (grid[cell + 1] - grid[cell])
    return _across(rows, cell, share)


@numba.njit(cache=True, nogil=True)
def _across(rows: Any, cell: Any, share: Any) -> Any:
    """Return (R, S, C) rows (R, n + 1, C) read at shares (S,) of the way from cell to cell."""
    found = np.empty((len(rows), len(cell), rows.shape[2]), np.float32)
    for r in range(len(rows)):
        for s in range(len(cell)):
            for c in range(rows.shape[2]):
                first = rows[r, cell[s], c]
                found[r, s, c] = first + share[s] * (rows[r, cell[s] + 1, c] - first)
    return found


def _shape(
    across: np.ndarray,
    down: np.ndarray,
    center: np.ndarray,
    half: np.ndarray,
    turn: float,
    softness: float,
    round_: bool,
) -> np.ndarray:
    """Return (R, C) coverage of a soft rectangle or ellipse."""
    x, y = across[None, :] - np.float32(center[0]), down[:, None] - np.float32(center[1])
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = cosine * x + sine * y, cosine * y - sine * x
    a, b = np.float32(half[0]), np.float32(half[1])
    if round_:
        away = (np.sqrt((u / a) ** 2 + (v / b) ** 2) - 1) * min(a, b)
    else:
        away = np.maximum(np.abs(u) - a, np.abs(v) - b)
    return np.clip(0.5 - away / np.float32(2 * softness), 0, 1).astype(np.float32)
