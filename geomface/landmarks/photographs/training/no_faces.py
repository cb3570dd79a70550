"""Pictures without a face, drawn by procedure: what the detector must learn to leave alone."""

from collections.abc import Callable, Mapping

import numpy as np

from geomface.arrays import FloatArray

Drawer = Callable[[np.random.Generator, int], np.ndarray]
_PLACES: dict[int, tuple[np.ndarray, np.ndarray]] = {}


def draw_no_face(rng: np.random.Generator, size: int, kind: str | None = None) -> np.ndarray:
    """Return a (size, size) float32 grey picture in [0, 1] of something that is no face.

    Parameters
    ----------
    kind : one of `KINDS`, drawn at random where None
    """
    kind = str(rng.choice(list(KINDS))) if kind is None else kind
    return np.clip(KINDS[kind](rng, size), 0.0, 1.0).astype(np.float32)


def headless(picture: np.ndarray, points: FloatArray, rng: np.random.Generator) -> np.ndarray:
    """Return a face picture (H, W) with all from the chin upwards painted over: a body, no head.

    Parameters
    ----------
    points : (68, 2) pixels
    """
    size = len(picture)
    x, y = _grid(size)
    chin = points[6:11].mean(axis=0) / size
    down = points[48:68].mean(axis=0) - points[36:48].mean(axis=0)
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    depth = (x - chin[0]) * down[0] + (y - chin[1]) * down[1]
    keep = np.clip((depth - rng.uniform(-0.01, 0.05)) / rng.uniform(0.004, 0.03), 0.0, 1.0)
    behind = draw_no_face(rng, size, str(rng.choice(["texture", "landscape", "things"])))
    return (keep * picture + (1.0 - keep) * behind).astype(np.float32)


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y in [0, 1] at the centres of pixels."""
    if size not in _PLACES:
        side = (np.arange(size, dtype=np.float32) + 0.5) / size
        _PLACES[size] = (side[None, :] + 0 * side[:, None], side[:, None] + 0 * side[None, :])
    return _PLACES[size]


def _noise(rng: np.random.Generator, size: int, cells: float, stretch: float = 1.0) -> np.ndarray:
    """Return smooth noise of deviation about 1 with so many cells a side."""
    across, up = max(2, round(cells * stretch)), max(2, round(cells))
    grid = rng.standard_normal((up + 1, across + 1)).astype(np.float32)
    side = (np.arange(size, dtype=np.float32) + 0.5) / size

    def read(values: np.ndarray, count: int) -> np.ndarray:
        cell = np.minimum((side * count).astype(np.int64), count - 1)
        share = side * count - cell
        share = (share * share * (3 - 2 * share))[:, None]
        return values[cell] + share * (values[cell + 1] - values[cell])

    return read(read(grid, up).T, across).T


def _along(size: int, at: tuple[float, float], turn: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels' places from a middle, along axes that are turned."""
    across, up = _grid(size)
    across, up = across - at[0], up - at[1]
    cosine, sine = np.cos(turn), np.sin(turn)
    return cosine * across + sine * up, cosine * up - sine * across


def _ellipse(
    size: int, at: tuple[float, float], a: float, b: float, turn: float = 0.0, soft: float = 0.01
) -> np.ndarray:
    """Return the coverage of an ellipse with a soft rim."""
    u, v = _along(size, at, turn)
    away = (np.sqrt((u / a) ** 2 + (v / b) ** 2) - 1.0) * min(a, b)
    return np.clip(0.5 - away / soft, 0.0, 1.0)


def _box(
    size: int, at: tuple[float, float], a: float, b: float, turn: float = 0.0, soft: float = 0.008
) -> np.ndarray:
    u, v = _along(size, at, turn)
    return np.clip(0.5 - np.maximum(np.abs(u) - a, np.abs(v) - b) / soft, 0.0, 1.0)


def _place(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform()), float(rng.uniform())


def _paint(picture: np.ndarray, cover: np.ndarray, shade: np.ndarray | float) -> np.ndarray:
    return picture + cover * (shade - picture)


def _octaves(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return noise of all scales round a middle grey."""
    fall = rng.uniform(0.5, 1.0)
    stretch = float(np.exp(rng.normal(0, 0.6)))
    layers = [fall**k * _noise(rng, size, 2 * 2**k, stretch) for k in range(6)]
    return rng.uniform(0.25, 0.75) + rng.uniform(0.05, 0.3) * np.sum(layers, axis=0)


def _texture(rng: np.random.Generator, size: int) -> np.ndarray:
    """Noise, waves, checks, dots or strokes, mixed."""
    x, y = _grid(size)
    picture = _octaves(rng, size)
    turn = rng.uniform(0, np.pi)
    u, v = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    u, v = (item + rng.uniform(0, 0.02) * _noise(rng, size, 6) for item in (u, v))
    waves = rng.uniform(3, 40)
    strength = rng.uniform(0.1, 0.5)
    kind = rng.integers(6)
    if kind == 0:
        picture = picture + strength * np.sin(2 * np.pi * waves * u)
    elif kind == 1:
        pattern = np.sin(2 * np.pi * waves * u) * np.sin(2 * np.pi * waves * v)
        picture = picture + strength * np.clip(6 * pattern, -1, 1)
    elif kind == 2:
        shade = rng.uniform(0, 1)
        for _ in range(int(rng.integers(10, 80))):
            a = float(np.exp(rng.uniform(-4.5, -2.2)))
            cover = _ellipse(size, _place(rng), a, a * rng.uniform(0.5, 1), turn)
            picture = _paint(picture, strength * 2 * cover, shade)
    elif kind == 3:
        for _ in range(int(rng.integers(10, 60))):
            length, wide = rng.uniform(0.02, 0.3), rng.uniform(0.003, 0.015)
            cover = _box(size, _place(rng), length, wide, turn + rng.normal(0, 0.4))
            picture = _paint(picture, cover, rng.uniform(0, 1))
    elif kind == 4:
        fibre = _noise(rng, size, 4, 25) + 0.7 * _noise(rng, size, 8, 12)
        picture = 0.4 * picture + 0.3 + strength * 0.5 * fibre
    return picture


def _landscape(rng: np.random.Generator, size: int) -> np.ndarray:
    """Sky, hills, trees and houses."""
    x, y = _grid(size)
    picture = rng.uniform(0.5, 1.0) - rng.uniform(0, 0.4) * y
    picture = picture + rng.uniform(0, 0.15) * (
        _noise(rng, size, 3, 2) + 0.5 * _noise(rng, size, 8)
    )
    for depth in np.sort(rng.uniform(0.25, 0.9, int(rng.integers(2, 5)))):
        line = depth + rng.uniform(0.01, 0.12) * _noise(rng, size, rng.uniform(2, 9))[:1]
        shade = rng.uniform(0.05, 0.7) + rng.uniform(0.02, 0.15) * _noise(rng, size, 40)
        picture = _paint(picture, np.clip((y - line) / 0.01, 0, 1), shade)
        for _ in range(int(rng.integers(0, 7))):
            place, tall = rng.uniform(0, 1), rng.uniform(0.03, 0.25)
            foot = depth + rng.uniform(0, 0.1)
            if rng.random() < 0.6:
                picture = _paint(
                    picture, _box(size, (place, foot), 0.06 * tall, tall / 2), rng.uniform(0, 0.4)
                )
                leaves = rng.uniform(0.05, 0.5) + 0.12 * _noise(rng, size, 50)
                crown = _ellipse(
                    size, (place, foot - tall * 0.7), 0.4 * tall, 0.5 * tall, soft=0.04
                )
                picture = _paint(picture, crown * (_noise(rng, size, 30) > -0.6), leaves)
            else:
                picture = _house(rng, picture, place, foot, tall)
    return picture


def _house(
    rng: np.random.Generator, picture: np.ndarray, x: float, foot: float, tall: float
) -> np.ndarray:
    size, wide = len(picture), tall * rng.uniform(0.5, 1.2)
    picture = _paint(
        picture, _box(size, (x, foot - tall / 2), wide / 2, tall / 2), rng.uniform(0, 1)
    )
    shade = rng.uniform(0, 1)
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    for row in range(rows):
        for column in range(columns):
            at = x + wide * ((column + 0.5) / columns - 0.5), foot - tall * (row + 0.6) / rows
            a, b = 0.25 * wide / columns, 0.25 * tall / rows
            picture = _paint(picture, _box(size, at, a, b), shade)
    return picture


def _things(rng: np.random.Generator, size: int) -> np.ndarray:
    """Boxes, discs and bars, sharp or soft; some in pairs over a bar, as sockets and cars are."""
    picture = _octaves(rng, size)
    for _ in range(int(rng.integers(2, 12))):
        at, turn = _place(rng), rng.normal(0, 0.5)
        a, b = np.exp(rng.uniform(-3.5, -1.0, 2))
        soft = float(np.exp(rng.uniform(-5.5, -2.5)))
        shape = _box if rng.random() < 0.5 else _ellipse
        shade = rng.uniform(0, 1) + rng.uniform(0, 0.2) * _noise(rng, size, rng.uniform(2, 40))
        picture = _paint(picture, shape(size, at, a, b, turn, soft), shade)
        if rng.random() < 0.6:  # a pair, and something below
            dark, apart = rng.uniform(0, 1), a * rng.uniform(0.3, 0.6)
            part = _ellipse if rng.random() < 0.6 else _box
            height = at[1] - b * rng.uniform(-0.2, 0.5)
            for side in (-1, 1):
                eye = part(size, (at[0] + side * apart, height), 0.16 * a, 0.16 * a, turn, soft)
                picture = _paint(picture, eye, dark)
            bar = _box(size, (at[0], at[1] + 0.5 * b), 0.4 * a, 0.08 * b, turn, soft)
            picture = _paint(picture, bar, dark)
    return picture


def _animal(rng: np.random.Generator, size: int) -> np.ndarray:
    """A furry body and head with ears, eyes and muzzle, now and then from the side."""
    picture = _landscape(rng, size) if rng.random() < 0.5 else _octaves(rng, size)
    x, y = rng.uniform(0.3, 0.7, 2)
    a = float(np.exp(rng.uniform(-2.6, -1.1)))
    b, turn = a * rng.uniform(0.7, 1.25), rng.normal(0, 0.25)
    cosine, sine = np.cos(turn), np.sin(turn)

    def at(u: float, v: float) -> tuple[float, float]:
        return x + a * (cosine * u) - b * sine * v, y + a * sine * u + b * cosine * v

    fur = rng.uniform(0.05, 0.9) + rng.uniform(0.03, 0.15) * _noise(rng, size, 60, 0.5)
    fur = fur + rng.uniform(0, 0.25) * np.sign(_noise(rng, size, 9, 3)) * (rng.random() < 0.4)
    dark, soft = rng.uniform(0, 0.15), 0.015
    body = _ellipse(size, at(rng.normal(0, 0.7), 1.8), 1.4 * a, 1.3 * b, 0, 0.03)
    picture = _paint(picture, body, fur)
    ear, spread = rng.uniform(0.25, 0.6, 2)
    for side in (-1, 1):
        place = at(side * (0.4 + spread * 0.7), -0.95 * rng.uniform(0.6, 1.1))
        shape = _ellipse(size, place, ear * a * 0.6, ear * b * 1.2, turn + side * 0.4, soft)
        picture = _paint(picture, shape, fur * rng.uniform(0.6, 1.2))
    picture = _paint(picture, _ellipse(size, (x, y), a, b, turn, 0.03), fur)
    eye, apart, height = rng.uniform(0.07, 0.24), rng.uniform(0.3, 0.65), rng.uniform(-0.4, 0.05)
    aside = rng.random() < 0.3
    ring = rng.uniform(0, 1)
    for side in (-1, 1)[: 1 if aside else 2]:
        place = at(side * apart, height)
        picture = _paint(picture, _ellipse(size, place, eye * a, eye * a, 0, soft), ring)
        picture = _paint(
            picture, _ellipse(size, place, 0.6 * eye * a, 0.8 * eye * a, 0, soft), dark
        )
        glint = at(side * apart - 0.3 * eye, height - 0.3 * eye)
        picture = _paint(picture, _ellipse(size, glint, 0.2 * eye * a, 0.2 * eye * a, 0, soft), 0.9)
    snout = at((0.9 if aside else 0.0) + rng.normal(0, 0.05), rng.uniform(0.3, 0.6))
    muzzle = _ellipse(
        size, snout, rng.uniform(0.3, 0.5) * a, rng.uniform(0.25, 0.5) * b, turn, 0.03
    )
    picture = _paint(picture, muzzle, fur * rng.uniform(0.8, 1.5))
    nose = _ellipse(size, (snout[0], snout[1] - 0.12 * b), 0.16 * a, 0.1 * b, turn, soft)
    return _paint(picture, nose, dark)


KINDS: Mapping[str, Drawer] = {
    "texture": _texture,
    "landscape": _landscape,
    "things": _things,
    "animal": _animal,
}
