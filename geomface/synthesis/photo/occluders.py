"""Things between the camera and the face: a hand, a card, a stick, something blurred."""

import numpy as np

from geomface.arrays import FloatArray

KINDS = ("hand", "card", "stick", "blob")


def draw_occluder(
    size: int, landmarks: FloatArray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coverage (size, size) and the colours (size, size, 3) of one occluder, float32.

    Parameters
    ----------
    size : pixels a side
    landmarks : (68, 2) pixels; it touches the face more often than not
    """
    kind = KINDS[int(rng.integers(len(KINDS)))]
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    extent = float(max(high - low))
    middle = 0.5 * (low + high)
    angle = rng.uniform(0, 2 * np.pi)
    towards = np.array([np.cos(angle), np.sin(angle)])
    center = middle + towards * extent * rng.uniform(0.35, 0.75)
    grid = np.arange(size, dtype=np.float32) + np.float32(0.5)
    x, y = grid[None, :] - np.float32(center[0]), grid[:, None] - np.float32(center[1])
    if kind == "hand":
        away = _hand(x, y, extent, angle + np.pi, rng)
        color = np.array([0.62, 0.43, 0.34]) * rng.uniform(0.5, 1.25)
    elif kind == "card":
        away = _box(x, y, extent * rng.uniform(0.15, 0.35, 2), rng.uniform(0, np.pi))
        color = _dull(rng)
    elif kind == "stick":
        half = extent * np.array([1.5, rng.uniform(0.02, 0.06)])
        away = _box(x, y, half, angle + rng.normal(0, 0.6))
        color = _dull(rng)
    else:
        half = extent * rng.uniform(0.15, 0.4, 2)
        away = (np.sqrt((x / half[0]) ** 2 + (y / half[1]) ** 2) - 1) * min(half)
        color = _dull(rng)
    softness = rng.uniform(0.6, 1.5) if kind != "blob" else rng.uniform(1.0, 0.08 * extent + 1.5)
    cover = np.clip(0.5 - away / np.float32(2 * softness), 0, 1).astype(np.float32)
    slope = rng.normal(0, 0.25, 2) / extent
    light = 1.0 + slope[0] * x + slope[1] * y
    # Rounded things darken towards their edge.
    light = light * (0.72 + 0.28 * np.clip(-away / (0.08 * extent), 0, 1))
    colors = np.clip(light[:, :, None] * color, 0, 1).astype(np.float32)
    return cover, colors


def _dull(rng: np.random.Generator) -> FloatArray:
    """Return an sRGB colour as things have it: seldom a pure one."""
    return np.clip(rng.uniform(0.05, 0.85) + 0.1 * rng.standard_normal(3), 0.02, 0.95)


def _box(x: np.ndarray, y: np.ndarray, half: np.ndarray, turn: float) -> np.ndarray:
    """Return the signed distance to a rounded rectangle."""
    cosine, sine = np.cos(turn), np.sin(turn)
    u, v = np.abs(cosine * x + sine * y), np.abs(cosine * y - sine * x)
    round_ = 0.15 * min(half)
    du, dv = u - half[0] + round_, v - half[1] + round_
    outside = np.sqrt(np.maximum(du, 0) ** 2 + np.maximum(dv, 0) ** 2)
    return outside + np.minimum(np.maximum(du, dv), 0) - round_


def _hand(
    x: np.ndarray, y: np.ndarray, extent: float, turn: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the signed distance to four fingers and a palm that come from outside."""
    ahead = np.array([np.cos(turn), np.sin(turn)])
    aside = np.array([-ahead[1], ahead[0]])
    thick = 0.062 * extent
    spread = rng.uniform(1.0, 1.35)
    away = _capsule(x, y, -0.9 * extent * ahead, -0.32 * extent * ahead, 0.19 * extent)
    for finger, length in enumerate((0.26, 0.34, 0.32, 0.22)):
        base = (finger - 1.5) * 2.0 * thick * aside - 0.25 * extent * ahead
        tip = spread * (finger - 1.5) * 2.0 * thick * aside + (length - 0.15) * extent * ahead
        away = np.minimum(away, _capsule(x, y, base, tip, thick))
    return away


def _capsule(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float
) -> np.ndarray:
    dx, dy = end - start
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.sqrt((x - start[0] - along * dx) ** 2 + (y - start[1] - along * dy) ** 2) - radius
