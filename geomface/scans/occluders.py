"""What covers a scanned face: a hat, hair, loose strands, a scarf, with shape and colour."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.scans.fields import random_field
from geomface.scans.settings import OCCLUDERS


@dataclasses.dataclass(frozen=True, eq=False)
class Cover:
    """What lies on a surface.

    Parameters
    ----------
    covered : (V,) bool, where something else than the surface is seen
    lift : (V,) float64, mm along the normal, 0 where nothing is
    colors : (V, 3) float64 sRGB, those of the surface where nothing is
    """

    covered: BoolArray
    lift: FloatArray
    colors: FloatArray


def cover_surface(
    positions: FloatArray,
    colors: FloatArray,
    landmarks: FloatArray,
    kinds: Sequence[str],
    rng: np.random.Generator,
) -> Cover:
    """Cover a face and what surrounds it with things that are no face.

    Parameters
    ----------
    positions : (V, 3) float64, mm
    colors : (V, 3) float64 sRGB in [0, 1]
    landmarks : (68, 3) float64, multi-pie-68, mm
    kinds : of `OCCLUDERS`: "hat" covers all above a line over the brows and "scarf" all below one
        under the mouth, each 3 to 9 mm thick; "hair" hangs over the forehead to a slanted line, 1
        to 4 mm thick; "strands" are single locks across the face, under 1 mm thick
    rng : the only source of randomness

    Convention
    ----------
    x to the subject's left, y up, z out of the face. Later kinds lie over earlier ones.
    """
    covered, lift, painted = np.zeros(len(positions), bool), np.zeros(len(positions)), colors.copy()
    for kind in kinds:
        where, height, paint = _KINDS[kind](positions, landmarks, rng)
        painted[where] = np.clip(paint[where], 0, 1)
        lift[where] = np.maximum(lift, height)[where]
        covered |= where
    return Cover(covered, lift, painted)


_Layer = tuple[BoolArray, FloatArray, FloatArray]


def _hat(positions: FloatArray, landmarks: FloatArray, rng: np.random.Generator) -> _Layer:
    """Cloth above a line over the brows."""
    edge = landmarks[17:27, 1].max() + rng.uniform(4.0, 26.0)
    above = positions[:, 1] - edge - rng.uniform(-0.15, 0.15) * positions[:, 0]
    return _cloth(positions, above, rng)


def _scarf(positions: FloatArray, landmarks: FloatArray, rng: np.random.Generator) -> _Layer:
    """Cloth below a line between lower lip and chin."""
    lip, chin = landmarks[57, 1], landmarks[8, 1]
    edge = lip - rng.uniform(0.15, 0.75) * (lip - chin)
    below = edge + rng.uniform(-0.15, 0.15) * positions[:, 0] - positions[:, 1]
    return _cloth(positions, below + 1.5 * random_field(positions, 25.0, rng, waves=8), rng)


def _cloth(positions: FloatArray, inside: FloatArray, rng: np.random.Generator) -> _Layer:
    """Ribbed cloth of one colour where `inside`, mm beyond its edge, is positive."""
    height = rng.uniform(3.0, 9.0) * np.clip(inside / 5.0 + 0.3, 0, 1)
    ribs = np.sin(2 * np.pi * inside / rng.uniform(5.0, 9.0))
    shade = 1 + 0.15 * ribs + 0.08 * random_field(positions, 12.0, rng, waves=12)
    return inside > 0, height, rng.uniform(0.08, 0.85, 3) * shade[:, None]


def _hair(positions: FloatArray, landmarks: FloatArray, rng: np.random.Generator) -> _Layer:
    """Hair over the forehead, down to a slanted wavy line."""
    edge = landmarks[17:27, 1].max() + rng.uniform(-4.0, 18.0)
    slant = rng.uniform(-0.5, 0.5)
    wave = 2.0 * np.sin(positions[:, 0] / rng.uniform(2.0, 4.0)) + 2.0 * random_field(
        positions, 18.0, rng, waves=8
    )
    above = positions[:, 1] - edge - slant * positions[:, 0] + wave
    height = rng.uniform(1.0, 4.0) * np.clip(above / 8.0, 0.2, 1)
    return above > 0, height, _hair_color(positions, rng)


def _strands(positions: FloatArray, landmarks: FloatArray, rng: np.random.Generator) -> _Layer:
    """Single locks that hang from above the forehead over the face."""
    top, bottom = landmarks[17:27, 1].max() + 15.0, landmarks[57, 1]
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    middle = 0.5 * (landmarks[0, 0] + landmarks[16, 0])
    where = np.zeros(len(positions), bool)
    for _ in range(int(rng.integers(4, 13))):
        begin, slope = middle + rng.uniform(-0.4, 0.4) * width, rng.uniform(-0.5, 0.5)
        swing, period, phase = rng.uniform(1, 6), rng.uniform(40, 90), rng.uniform(0, 2 * np.pi)
        end, thickness = rng.uniform(bottom, top), rng.uniform(2.5, 5.0)
        down = top - positions[:, 1]
        path = begin + slope * down + swing * np.sin(2 * np.pi * down / period + phase)
        # Locks become thinner towards their ends.
        share = np.clip((positions[:, 1] - end) / 20.0, 0, 1)
        where |= np.abs(positions[:, 0] - path) < 0.5 * thickness * np.sqrt(share)
    where &= positions[:, 2] > landmarks[0, 2]
    return where, np.full(len(positions), rng.uniform(0.3, 1.0)), _hair_color(positions, rng)


def _hair_color(positions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Black to fair, streaked across."""
    dark, fair = np.array([0.07, 0.05, 0.045]), np.array([0.62, 0.47, 0.27])
    tone = dark + rng.uniform(0, 1) ** 2 * (fair - dark)
    streaks = random_field(positions * [1.0, 0.15, 0.3], 6.0, rng, waves=12)
    return tone * (1 + 0.2 * streaks)[:, None]


_KINDS: dict[str, Callable[[FloatArray, FloatArray, np.random.Generator], _Layer]] = dict(
    zip(OCCLUDERS, (_hat, _hair, _strands, _scarf), strict=True)
)
