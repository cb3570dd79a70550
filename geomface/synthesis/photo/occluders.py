"""Things between the camera and the face: a hand, a telephone, a cup, a pen, something blurred."""

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.synthesis.photo.soft_shadows import soft_shadow

KINDS = ("hand", "card", "cup", "stick", "blob")
_SHARES = (0.42, 0.18, 0.1, 0.12, 0.18)
_CHEEKS = (2, 14, 31, 35, 48, 54, 5, 11)
"""Landmarks beside which one sees the skin's colour."""


def occluded(
    picture: ImageArray, landmarks: np.ndarray, rng: np.random.Generator
) -> tuple[ImageArray, np.ndarray]:
    """Return an sRGB picture (size, size, 3) with something in front, and its coverage.

    What lies near the face throws a soft shadow on it; hands are mostly the person's own.

    Parameters
    ----------
    landmarks : (68, 2) pixels
    """
    size = len(picture)
    cell = np.clip(np.floor(landmarks[list(_CHEEKS)]).astype(np.int64), 0, size - 1)
    skin = np.median(picture[cell[:, 1], cell[:, 0]], axis=0)
    cover, colors = draw_occluder(size, landmarks, skin, rng)
    extent = float(max(np.ptp(landmarks, axis=0)))
    right, down = extent * rng.normal(0, 0.02), extent * rng.uniform(0.0, 0.04)
    shade = soft_shadow(cover, round(right), round(down), 0.025 * extent)
    picture = picture * (1 - np.float32(rng.uniform(0.1, 0.4)) * shade[..., None])
    return picture + cover[..., None] * (colors - picture), cover


def draw_occluder(
    size: int, landmarks: FloatArray, skin: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coverage (size, size) and the colours (size, size, 3) of one occluder, float32.

    Parameters
    ----------
    size : pixels a side
    landmarks : (68, 2) pixels; it touches the face more often than not
    skin : (3,) sRGB as it looks in the picture
    """
    kind = KINDS[int(rng.choice(len(KINDS), p=_SHARES))]
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    extent = float(max(high - low))
    middle = 0.5 * (low + high)
    # Hands and cups come from below more often than from above.
    angle = rng.uniform(0, 2 * np.pi) if kind != "cup" else np.pi / 2 + rng.normal(0, 0.4)
    if kind == "hand" and rng.random() < 0.6:
        angle = np.pi / 2 + rng.normal(0, 0.8)
    towards = np.array([np.cos(angle), np.sin(angle)])
    center = middle + towards * extent * rng.uniform(0.35, 0.75)
    grid = np.arange(size, dtype=np.float32) + np.float32(0.5)
    x, y = grid[None, :] - np.float32(center[0]), grid[:, None] - np.float32(center[1])
    color = np.broadcast_to(_dull(rng), (size, size, 3))
    round_ = 0.08 * extent
    if kind == "hand":
        own = rng.random() < 0.8
        tone = skin if own else np.array([0.62, 0.43, 0.34]) * rng.uniform(0.5, 1.25)
        away, color = _hand(x, y, extent, angle + np.pi, tone * rng.uniform(0.85, 1.1), rng)
        round_ = 0.045 * extent
    elif kind == "card":
        half = extent * rng.uniform(0.15, 0.35, 2)
        turn = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.normal(0, 0.15)
        away = _box(x, y, half, turn)
        screen = _box(x, y, 0.86 * half, turn)
        color = np.where((screen < 0)[..., None], _dull(rng), color)
        round_ = 0.01 * extent
    elif kind == "cup":
        half = extent * rng.uniform([0.13, 0.16], [0.22, 0.28])
        away = _box(x + 0.1 * x * y / extent, y, half, rng.normal(0, 0.15))
        color = np.where((np.abs(y + 0.3 * half[1]) < 0.25 * half[1])[..., None], _dull(rng), color)
        round_ = half[0]
    elif kind == "stick":
        half = extent * np.array([1.5, rng.uniform(0.02, 0.06)])
        away = _box(x, y, half, angle + rng.normal(0, 0.6))
        round_ = half[1]
    else:
        half = extent * rng.uniform(0.15, 0.4, 2)
        away = (np.sqrt((x / half[0]) ** 2 + (y / half[1]) ** 2) - 1) * min(half)
    softness = rng.uniform(0.6, 1.5) if kind != "blob" else rng.uniform(1.0, 0.08 * extent + 1.5)
    cover = np.clip(0.5 - away / np.float32(2 * softness), 0, 1).astype(np.float32)
    slope = rng.normal(0, 0.25, 2) / extent
    light = 1.0 + slope[0] * x + slope[1] * y
    # Rounded things darken towards their edge.
    light = light * (0.62 + 0.38 * np.sqrt(np.clip(-away / round_, 0, 1)))
    colors = np.clip(light[:, :, None] * color, 0, 1).astype(np.float32)
    return cover, colors


def _dull(rng: np.random.Generator) -> FloatArray:
    """Return an sRGB colour as things have it: seldom a pure one."""
    return np.clip(rng.uniform(0.05, 0.85) + 0.06 * rng.standard_normal(3), 0.02, 0.95)


def _box(x: np.ndarray, y: np.ndarray, half: np.ndarray, turn: float) -> np.ndarray:
    """Return the signed distance to a rounded rectangle."""
    cosine, sine = np.cos(turn), np.sin(turn)
    u, v = np.abs(cosine * x + sine * y), np.abs(cosine * y - sine * x)
    round_ = 0.15 * min(half)
    du, dv = u - half[0] + round_, v - half[1] + round_
    outside = np.sqrt(np.maximum(du, 0) ** 2 + np.maximum(dv, 0) ** 2)
    return outside + np.minimum(np.maximum(du, dv), 0) - round_


def _hand(
    x: np.ndarray,
    y: np.ndarray,
    extent: float,
    turn: float,
    skin: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the signed distance to a hand that comes from outside, and its colours.

    Four fingers, a thumb, a palm and an arm in a sleeve; nails are lighter, knuckles darker.
    """
    ahead = np.array([np.cos(turn), np.sin(turn)])
    aside = np.array([-ahead[1], ahead[0]]) * rng.choice([-1.0, 1.0])
    thick = 0.06 * extent
    spread, bend = rng.uniform(1.0, 1.4), rng.normal(0, 0.08)
    along = ahead[0] * x + ahead[1] * y
    color = np.broadcast_to(skin, (*along.shape, 3)).copy()
    away = _capsule(x, y, -0.55 * extent * ahead, -0.3 * extent * ahead, 0.17 * extent)
    arm = _capsule(x, y, -1.6 * extent * ahead, -0.5 * extent * ahead, 0.13 * extent)
    away = np.minimum(away, arm)
    sleeve = rng.uniform(-1.1, -0.6) * extent
    away = np.where(along < sleeve, away - 0.03 * extent, away)
    color[along < sleeve] = _dull(rng)
    thumb = -0.38 * extent * ahead + 0.13 * extent * aside
    end = thumb + (0.16 * ahead + rng.uniform(0.08, 0.2) * aside) * extent
    away = np.minimum(away, _capsule(x, y, thumb, end, 1.1 * thick))
    for finger, length in enumerate((0.26, 0.34, 0.32, 0.22)):
        place = finger - 1.5
        base = place * 1.95 * thick * aside - 0.25 * extent * ahead
        reach = length - 0.15 - rng.uniform(0.0, 0.06)
        tip = (spread * place * 1.95 * thick + bend * extent) * aside + reach * extent * ahead
        bone = _capsule(x, y, base, tip, thick)
        # Where fingers touch, the gap between them is dark.
        touch = np.clip(1.0 - np.abs(bone - away) / (0.5 * thick), 0, 1) * (bone < 0.3 * thick)
        color *= (1.0 - 0.45 * touch * (away < 0.3 * thick))[..., None]
        away = np.minimum(away, bone)
        nail = _capsule(x, y, tip - 0.2 * thick * ahead, tip + 0.3 * thick * ahead, 0.5 * thick)
        color = np.where((nail < 0)[..., None], np.minimum(1.12 * color + 0.03, 1), color)
        knuckle = base + 0.5 * (tip - base)
        crease = np.abs((x - knuckle[0]) * ahead[0] + (y - knuckle[1]) * ahead[1])
        lined = (crease < 0.12 * thick) & (bone < 0)
        color = np.where(lined[..., None], 0.85 * color, color)
    return away, color


def _capsule(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float
) -> np.ndarray:
    dx, dy = end - start
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.sqrt((x - start[0] - along * dx) ** 2 + (y - start[1] - along * dy) ** 2) - radius
