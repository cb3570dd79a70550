"""Lenses of glasses: they dim what is behind them and mirror the room."""

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.synthesis.photo.glasses import Glasses
from geomface.synthesis.photo.strands import StrandCanvas

_DARK = 0.25
"""Share of the light from which on eyes are seen through lenses."""
_BEHIND = 0.4
"""mm, how much nearer than a lens something must be to lie before it."""


def through_lenses(
    picture: ImageArray,
    canvas: StrandCanvas,
    glasses: Glasses,
    camera: CameraNumbers,
    light: FloatArray,
    rng: np.random.Generator,
) -> tuple[ImageArray, np.ndarray]:
    """Return the sRGB picture (size, size, 3) as seen through glasses, and what they hide.

    What they hide is (size, size), 1 under lenses that let less than a quarter of the light pass.

    Both lenses mirror the same room: a gradient from the ceiling, and a window or a lamp when it
    stands where the lens turns to.

    Parameters
    ----------
    canvas : depth of what may lie before the lenses
    light : (9, 3) spherical harmonics
    """
    picture = np.array(picture, np.float32)
    bright = np.clip(light[0].mean() / 3.5 + 0.35 * np.linalg.norm(light[1:4].mean(axis=1)), 0.2, 2)
    sky = rng.uniform(0.0, 0.12) * bright
    # Where the main light is mirrored, in half axes of a lens; often beyond its edge.
    towards = camera.rotation @ light[[3, 1, 2]].mean(axis=1)
    towards /= max(float(np.linalg.norm(towards)), 1e-6)
    yaw = camera.rotation[2, 0]
    at = np.array([2.0 * (0.5 * towards[0] + yaw), 1.1 * towards[1]]) + rng.normal(0, 0.45, 2)
    half = np.exp(rng.normal(-1.1, 0.5, 2))
    turn = rng.normal(0, 0.25)
    glare = bright * rng.uniform(0.0, 1.0) ** 1.5 * (rng.random() < 0.7)
    cover = np.zeros(picture.shape[:2], np.float32)
    for rim in glasses.rims:
        _lens(picture, cover, canvas, rim, glasses.lens, camera, (sky, glare, at, half, turn))
    return picture, cover * (glasses.lens.mean() < _DARK)


def _lens(
    picture: ImageArray,
    cover: np.ndarray,
    canvas: StrandCanvas,
    rim: FloatArray,
    lens: FloatArray,
    camera: CameraNumbers,
    mirrored: tuple[float, float, FloatArray, FloatArray, float],
) -> None:
    size = len(picture)
    edge = camera.project(rim)
    middle = edge.mean(axis=0)
    low = np.clip(np.floor(edge.min(axis=0)).astype(int) - 1, 0, size)
    high = np.clip(np.ceil(edge.max(axis=0)).astype(int) + 1, 0, size)
    if (high <= low).any():
        return
    x = np.arange(low[0], high[0]) + 0.5 - middle[0]
    y = (np.arange(low[1], high[1]) + 0.5 - middle[1])[:, None]
    away = edge - middle
    angles = np.arctan2(away[:, 1], away[:, 0])
    order = np.argsort(angles)
    reach = np.interp(np.arctan2(y, x), angles[order], np.hypot(*away[order].T), period=2 * np.pi)
    inside = np.clip(reach - np.hypot(x, y) + 0.5, 0, 1)
    if away[0, 0] * away[7, 1] > away[0, 1] * away[7, 0]:
        return  # seen from behind
    depth = rim @ camera.rotation[2] + camera.translation[2]
    cell = canvas.depth[2 * low[1] : 2 * high[1] : 2, 2 * low[0] : 2 * high[0] : 2]
    inside = inside * (cell > depth.mean() - 6.0 - _BEHIND)
    sky, glare, at, half, turn = mirrored
    spread = np.maximum(0.5 * (edge.max(axis=0) - edge.min(axis=0)), 1e-3)
    u, v = x / spread[0] - at[0], y / spread[1] - at[1]
    u, v = np.cos(turn) * u + np.sin(turn) * v, np.cos(turn) * v - np.sin(turn) * u
    soft = 4.0 / spread.min()
    window = np.clip(0.5 + (half[0] - np.abs(u)) / soft, 0, 1)
    window = window * np.clip(0.5 + (half[1] - np.abs(v)) / soft, 0, 1)
    shine = (sky * (0.6 - 0.4 * y / spread[1]) + glare * window)[..., None]
    view = picture[low[1] : high[1], low[0] : high[0]]
    # sRGB is near enough to a square: what comes through and what is mirrored add up as light.
    seen = np.sqrt(np.maximum(view, 0) ** 2 * lens + np.maximum(shine, 0) ** 2)
    seen_cover = cover[low[1] : high[1], low[0] : high[0]]
    np.maximum(seen_cover, inside, out=seen_cover)
    view += inside[..., None] * (seen - view)
