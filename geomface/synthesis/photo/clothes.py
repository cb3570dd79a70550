"""What people wear below the neck: round and low necks, collars, ties, jackets, roll necks."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.scans.fields import random_field

KINDS = ("round", "low", "shirt", "suit", "roll")
_SHARES = (0.3, 0.12, 0.3, 0.18, 0.1)
_ROWS, _COLUMNS, _TIE_ROWS = 6, 41, 8


@dataclasses.dataclass(frozen=True)
class Clothes:
    """Somebody's clothes.

    Parameters
    ----------
    kind : one of `KINDS`
    color, second, third : (3,) sRGB of the whole, of the shirt below a jacket, of a tie
    tie : there is a tie
    pattern : strength of stripes or checks
    """

    kind: str
    color: tuple[float, ...]
    second: tuple[float, ...]
    third: tuple[float, ...]
    tie: bool
    pattern: float


def draw_clothes(rng: np.random.Generator) -> Clothes:
    """Draw clothes: shirts are lighter than jackets."""
    kind = KINDS[int(rng.choice(len(KINDS), p=_SHARES))]
    light = rng.uniform(0.55, 0.95) if kind == "shirt" and rng.random() < 0.6 else None
    base = light if light is not None else rng.uniform(0.04, 0.8)
    if kind == "suit":
        base = rng.uniform(0.04, 0.35)
    color = np.clip(base + 0.08 * rng.standard_normal(3), 0.02, 0.95)
    second = np.clip(rng.uniform(0.65, 0.97) + 0.04 * rng.standard_normal(3), 0.1, 0.98)
    third = np.clip(rng.uniform(0.03, 0.5) + 0.12 * rng.standard_normal(3), 0.02, 0.9)
    tie = bool(kind == "suit" and rng.random() < 0.7 or kind == "shirt" and rng.random() < 0.15)
    pattern = float(rng.uniform(0.1, 0.35)) if rng.random() < 0.3 else 0.0
    return Clothes(kind, tuple(color), tuple(second), tuple(third), tie, pattern)


def clothes_faces() -> IndexArray:
    """Return the faces of a collar and a tie, the same for everybody."""
    sheets, start = [], 0
    for rows, columns in ((_ROWS, _COLUMNS), (_TIE_ROWS, 3)):
        index = start + np.arange(rows * columns).reshape(rows, columns)
        a, b = index[:-1, :-1].ravel(), index[1:, :-1].ravel()
        c, d = index[1:, 1:].ravel(), index[:-1, 1:].ravel()
        sheets += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
        start += rows * columns
    return np.vstack(sheets)


def collar_and_tie(clothes: Clothes, landmarks: FloatArray, thick: float) -> FloatArray:
    """Return the vertices of a collar and a tie; inside the neck for clothes without.

    Parameters
    ----------
    landmarks : (68, 3)
    thick : of the neck, 1 is usual
    """
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    chin, bridge = landmarks[8], landmarks[27]
    middle = np.array([0.5 * (landmarks[0, 0] + landmarks[16, 0]), chin[1], bridge[2]])
    # Widths of the head: height below the chin, radius, and how deep points hang in front.
    if clothes.kind == "roll":
        rows = [(-0.34, 0.45, 0), (-0.2, 0.45, 0), (-0.08, 0.44, 0)]
        rows += [(-0.09, 0.47, 0), (-0.16, 0.485, 0), (-0.26, 0.48, 0)]
        gap = 0.0
    elif clothes.kind in ("shirt", "suit"):
        rows = [(-0.32, 0.43, 0), (-0.2, 0.43, 0), (-0.15, 0.44, 0)]
        rows += [(-0.15, 0.455, 0.02), (-0.24, 0.5, 0.1), (-0.31, 0.53, 0.3)]
        gap = 0.05 if clothes.tie else 0.22
    elif clothes.kind == "round":
        rows = [(-0.32, 0.42, 0), (-0.27, 0.445, 0), (-0.245, 0.455, 0)]
        rows += [(-0.245, 0.465, 0), (-0.28, 0.475, 0), (-0.32, 0.47, 0)]
        gap = 0.0
    else:
        rows, gap = [(-0.5, 0.2, 0)] * _ROWS, 0.0
    height, radius, point = np.array(rows).T[:, :, None]
    share = np.linspace(0, 1, _COLUMNS)
    angle = gap + share * (2 * np.pi - 2 * gap)
    ahead = np.exp(-(((np.minimum(angle, 2 * np.pi - angle) - gap) / 0.35) ** 2))
    x = width * thick * radius * np.sin(angle)
    z = -0.85 * width + width * radius * np.cos(angle) * 1.02
    y = width * (height - point * ahead) - 0.14 * np.clip(z + 0.8 * width, 0, None)
    collar = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)
    return middle + np.vstack([collar, _tie(clothes, width)])


def _tie(clothes: Clothes, width: float) -> np.ndarray:
    if not clothes.tie:
        column, row = np.meshgrid(np.arange(3), np.arange(_TIE_ROWS))
        hidden = np.stack([column, -row, 0 * row], axis=-1).reshape(-1, 3)
        return 0.01 * hidden + [0.0, -0.5 * width, -0.8 * width]
    y = np.array([-0.24, -0.27, -0.33, -0.36, -0.5, -0.75, -1.0, -1.4])
    half = np.array([0.05, 0.065, 0.045, 0.04, 0.055, 0.075, 0.09, 0.11])
    z = np.array([-0.36, -0.34, -0.34, -0.34, -0.3, -0.25, -0.2, -0.14])
    across = np.array([-1.0, 0.0, 1.0])
    x = half[:, None] * across
    deep = z[:, None] - 0.02 * across**2 + 0.02
    return width * np.stack(np.broadcast_arrays(x, y[:, None], deep), axis=-1).reshape(-1, 3)


def clothes_colors(
    clothes: Clothes,
    torso: FloatArray,
    collar: FloatArray,
    skin: FloatArray,
    landmarks: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the sRGB colours of torso (n, 3) and of collar and tie (m, 3), one below the other.

    Parameters
    ----------
    skin : (3,) sRGB, seen in a low neck
    """
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    place = np.vstack([torso, collar])
    chin = landmarks[8]
    color, second, third = (
        np.array(item) for item in (clothes.color, clothes.second, clothes.third)
    )
    colors = np.tile(color, (len(place), 1))
    aside = np.abs(place[:, 0] - chin[0]) / width
    below = (chin[1] - place[:, 1]) / width
    front = place[:, 2] > landmarks[27, 2] - 0.75 * width
    if clothes.kind == "suit":
        colors[front & (aside < 0.42 - 0.28 * (below - 0.3))] = second
        colors[len(torso) :] = second
    if clothes.kind == "low":
        colors[front & (aside < 0.5 - 0.9 * (below - 0.2))] = 0.96 * skin
    if clothes.kind == "round" and rng.random() < 0.3:
        colors[len(torso) :] = second
    turn = 2 * np.pi / (width * rng.uniform(0.12, 0.3))
    stripes = np.sin(turn * place[:, 0]) + rng.choice([0, 1]) * np.sin(turn * place[:, 1])
    colors = colors * (1.0 + clothes.pattern * np.clip(stripes, -1, 1))[:, None]
    colors[len(place) - 3 * _TIE_ROWS :] = third
    folds = random_field(place, 40.0, rng, waves=8)
    return np.clip(colors * (1.0 + 0.07 * folds[:, None]), 0, 1)
