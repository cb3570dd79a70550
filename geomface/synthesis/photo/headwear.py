"""What people wear on and around the head: wool caps, peaked caps, hats, headscarves, scarves."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.scans.fields import random_field
from geomface.synthesis.photo.body import TORSO
from geomface.synthesis.photo.obstacles import Obstacles

KINDS = ("wool cap", "peaked cap", "hat", "headscarf", "scarf")
_ROWS, _COLUMNS = 14, 45
_BELOW = -3.0
"""mm, where the crown of a hat that is not there lies below the skin."""


@dataclasses.dataclass(frozen=True, eq=False)
class Headwear:
    """Something worn, fitted to somebody.

    Parameters
    ----------
    kind : one of `KINDS`
    covered : (H,) places of the scalp under it
    lift : (H,) mm that its crown stands off the skin
    crown : (H, 3) sRGB of the crown
    cloth : (C, 3) mm, the sheet of a brim, a scarf or a drape
    colors : (C, 3) sRGB of the sheet
    """

    kind: str
    covered: BoolArray
    lift: FloatArray
    crown: FloatArray
    cloth: FloatArray
    colors: FloatArray


def draw_headwear(
    hats: float, scarves: float, masculine: float, rng: np.random.Generator
) -> str | None:
    """Draw what somebody wears, one of `KINDS`, or None.

    Parameters
    ----------
    hats : share of people with something on the head
    scarves : share of the others with a scarf around the neck
    """
    chance = rng.random()
    man = masculine > 0.5
    if chance < hats:
        shares = (0.36, 0.4, 0.22, 0.02) if man else (0.3, 0.15, 0.2, 0.35)
        return KINDS[int(rng.choice(4, p=shares))]
    return "scarf" if rng.random() < scarves else None


def cloth_faces() -> IndexArray:
    """Return the faces of the sheet: rows of columns, open between the last and the first."""
    index = np.arange(_ROWS * _COLUMNS).reshape(_ROWS, _COLUMNS)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:],
                                            index[:-1, 1:]))  # fmt: skip
    return np.vstack([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def hidden_cloth(middle: FloatArray) -> FloatArray:
    """Return a sheet so small and deep in the head, around `middle` (3,), that nobody sees it."""
    row, column = np.divmod(np.arange(_ROWS * _COLUMNS), _COLUMNS)
    return middle + 0.01 * np.stack([column, row, 0 * row], axis=1)


def fitted_headwear(
    kind: str,
    scalp: FloatArray,
    obstacles: Obstacles,
    rng: np.random.Generator,
) -> Headwear:
    """Return something worn by a person.

    Parameters
    ----------
    scalp : (H, 3) places that the crown of a hat may cover, mm
    """
    width = obstacles.width
    color = np.clip(rng.uniform(0.03, 0.7) + 0.07 * rng.standard_normal(3), 0.02, 0.9)
    other = np.clip(rng.uniform(0.03, 0.85) + 0.09 * rng.standard_normal(3), 0.02, 0.95)
    covered, lift = np.zeros(len(scalp), bool), np.full(len(scalp), _BELOW)
    if kind == "scarf":
        cloth = _scarf(obstacles, rng)
    elif kind == "headscarf":
        opening = rng.uniform(0.12, 0.34) * width
        cloth = _drape(opening, obstacles, rng)
        covered[:] = True
        # An under-scarf, where a forehead stands out of the cloth.
        lift[scalp[:, 1] > obstacles.brow[1] + opening + 0.02 * width] = 0.02 * width
    else:
        front = rng.uniform(0.14, 0.3)
        tilt = rng.uniform(0.12, 0.4)
        p = (scalp - obstacles.brow) / width
        over = p[:, 1] - front - tilt * p[:, 2]
        thick = rng.uniform(0.025, 0.05) if kind == "wool cap" else rng.uniform(0.03, 0.09)
        top = np.clip(over / 0.35, 0, 1)
        full = thick + top * rng.uniform(0.0, 0.14 if kind != "peaked cap" else 0.05)
        lift = np.where(over > 0, full * width * np.clip(over / 0.02, 0.5, 1), _BELOW)
        covered = over > -0.03
        cloth = _brim(kind, obstacles, front, tilt, rng)
    crown = np.tile(color, (len(scalp), 1))
    if kind == "wool cap":
        # Ribs run up; a turned-up border is lighter or of another colour.
        around = np.arctan2(scalp[:, 0] - obstacles.centre[0], scalp[:, 2] - obstacles.centre[2])
        crown = crown * (1.0 + 0.18 * np.sin(70 * around))[:, None]
        if rng.random() < 0.4:
            crown[over < 0.11] *= rng.uniform(0.7, 1.4)
    crown = crown * (1.0 + 0.03 * random_field(scalp, 18.0, rng, waves=8))[:, None]
    two = rng.random() < 0.3 and kind != "headscarf"
    colors = np.tile(other if two else color, (len(cloth), 1))
    folds = random_field(cloth * [1.0, 0.6, 1.0], 22.0, rng, waves=10)
    colors = colors * (1.0 + 0.06 * folds)[:, None]
    if kind in ("scarf", "headscarf") and rng.random() < 0.35:
        stripes = np.sin(np.arange(_ROWS) * rng.uniform(1.0, 2.5)) > 0.2
        colors = np.where(np.repeat(stripes, _COLUMNS)[:, None], other, colors)
    return Headwear(kind, covered, lift, np.clip(crown, 0, 1), cloth, np.clip(colors, 0, 1))


def _sheet(x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)


def _brim(
    kind: str, obstacles: Obstacles, front: float, tilt: float, rng: np.random.Generator
) -> FloatArray:
    """Return a ring on the head's ellipsoid that reaches out: all around, or in front alone."""
    width = obstacles.width
    angle = np.linspace(-np.pi, np.pi, _COLUMNS)
    share = np.linspace(0, 1, _ROWS)[:, None]
    if kind == "wool cap":
        return hidden_cloth(obstacles.centre)
    if kind == "peaked cap":
        reach = 0.5 * np.clip(np.cos(angle * 1.25), 0, 1) ** 0.6 * (np.abs(angle) < 1.25)
        drop = rng.uniform(0.05, 0.2)
    else:
        reach = np.full(_COLUMNS, rng.uniform(0.25, 0.55))
        drop = rng.uniform(-0.1, 0.2)
    ring = np.full(_COLUMNS, 0.9)
    height = up = np.zeros(_COLUMNS)
    for _ in range(3):
        # The edge of the crown is a tilted plane: its height and how far out it lies agree.
        deep = obstacles.centre[2] + np.cos(angle) * ring * obstacles.radii[2] - obstacles.brow[2]
        height = obstacles.brow[1] + width * (front + 0.075) + tilt * deep
        up = np.clip((height - obstacles.centre[1]) / obstacles.radii[1], 0, 0.95)
        ring = np.sqrt(1 - up**2)
    out = 0.88 * ring + share * (reach + 0.14)
    x = obstacles.centre[0] + np.sin(angle) * (out * obstacles.radii[0])
    z = obstacles.centre[2] + np.cos(angle) * (out * obstacles.radii[2] + 0.01 * width)
    # Peaks bend down at their sides, brims sag outwards.
    side = np.sin(angle) ** 2 if kind == "peaked cap" else 0.3 * np.cos(angle) ** 2
    y = height - width * share * (drop * reach / 0.5 + 0.5 * side * reach + 0.02)
    return _sheet(x, y, z)


def _scarf(obstacles: Obstacles, rng: np.random.Generator) -> FloatArray:
    """Return a roll of cloth around the neck, wound up to below or over the chin."""
    width, chin = obstacles.width, obstacles.chin
    angle = np.linspace(-np.pi, np.pi, _COLUMNS)
    roll = np.linspace(-0.6 * np.pi, 0.75 * np.pi, _ROWS)[:, None]
    high = rng.uniform(-0.3, 0.02) if rng.random() < 0.75 else rng.uniform(0.0, 0.14)
    thick = rng.uniform(0.09, 0.15)
    wave = 0.02 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.012 * np.sin(5 * angle + roll)
    radius = 0.5 + thick * (np.cos(roll) + wave)
    y = chin[1] + width * (high - 1.2 * thick + 1.3 * thick * np.sin(roll) + wave)
    y = y + 0.15 * width * (1 - np.cos(angle)) * 0.5
    x = obstacles.centre[0] + width * radius * np.sin(angle)
    z = obstacles.brow[2] - 0.78 * width + width * radius * np.cos(angle) * 1.12
    return _sheet(x, y, z)


def _drape(opening: float, obstacles: Obstacles, rng: np.random.Generator) -> FloatArray:
    """Return a cloth over the head that leaves the face free and closes below the chin.

    The opening is that of the forehead, mm above the brows.
    """
    width, chin, centre = obstacles.width, obstacles.chin, obstacles.centre
    top = centre[1] + 1.08 * obstacles.radii[1]
    levels = np.array([0.0, 0.02, 0.07, 0.15, 0.24, 0.34, 0.45, 0.56, 0.67, 0.77, 0.86, 0.92])
    low = chin[1] - rng.uniform(0.02, 0.08) * width
    y = np.concatenate([top + (low - top) * levels, chin[1] - width * np.array([0.35, 0.7])])
    q = np.clip((y - centre[1]) / (1.08 * obstacles.radii[1]), 0, 1)
    ring = np.sqrt(np.maximum(1 - q**2, 0.0))
    off = rng.uniform(0.05, 0.1) * width
    side, front = ring * (obstacles.radii[0] + off), ring * (obstacles.radii[2] + off)
    # Ears and the forehead stand out of the ellipsoid.
    side, front = side + 0.06 * width, front + 0.09 * width
    back = centre[2] + 0 * y
    height, wide, deep, _ = TORSO.T * width
    for row in (_ROWS - 2, _ROWS - 1):
        at = y[row] - chin[1]
        side[row] = np.interp(at, height[::-1], wide[::-1]) + 0.04 * width
        front[row] = np.interp(at, height[::-1], deep[::-1]) + 0.06 * width
        back[row] = obstacles.brow[2] - 0.8 * width
    # The face lies in an oval: half as wide as the cloth is open at each height.
    brow, face = obstacles.brow[1] + opening, rng.uniform(0.4, 0.46)
    middle, half = 0.5 * (brow + low), 0.5 * (brow - low)
    oval = face * width * np.sqrt(np.maximum(1 - ((y - middle) / half) ** 2, 0.0))
    # Under the chin the cloth comes forward below the jaw.
    open_ = np.arcsin(np.clip(oval / np.maximum(side, 1e-3), 0, 0.98))
    share = np.linspace(0, 1, _COLUMNS)
    angle = open_[:, None] + share * (2 * np.pi - 2 * open_[:, None])
    fold = 1.0 + 0.015 * np.sin(9 * angle + 0.02 * y[:, None]) + 0.01 * np.sin(17 * angle)
    x = centre[0] + side[:, None] * np.sin(angle) * fold
    z = back[:, None] + front[:, None] * np.cos(angle) * fold
    return _sheet(x, y[:, None], z)
