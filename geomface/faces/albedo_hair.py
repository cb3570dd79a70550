"""Hair that grows on a face: brows, beard, the hair line, as skin under it looks."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.faces.albedo_geometry import (
    FAR,
    any_of,
    around_head,
    beside_curve,
    bump,
    open_curve,
    rise,
    step,
)  # fmt: skip
from geomface.faces.albedo_marks import waves

_SEED = 17


@dataclasses.dataclass(frozen=True, eq=False)
class HairFields:
    """Where hair may grow, at P places.

    Parameters
    ----------
    brow_rows : (B,) the places near a brow
    brow_along : (B,) from its inner end on, in lengths of the brow
    brow_above : (B,) mm over its middle line
    brow_length : mm
    brow_grain : (B,) streaks of its hairs, zero mean
    moustache, chin, jaw : (P,) zones of the beard, 1 where it grows on most men
    angle, height : (P,) place on the unrolled head: radians, mm above the root of the nose
    grain : (P,) fine streaks that run down, zero mean
    """

    brow_rows: IndexArray
    brow_along: FloatArray
    brow_above: FloatArray
    brow_length: float
    brow_grain: FloatArray
    moustache: FloatArray
    chin: FloatArray
    jaw: FloatArray
    angle: FloatArray
    height: FloatArray
    grain: FloatArray


def hair_fields(p: FloatArray, marks: FloatArray, spacing: float) -> HairFields:
    """Return the fields of hair at places (P, 3), mm from the root of the nose."""
    rng = np.random.default_rng(_SEED)
    along, above, length = np.zeros(len(p)), np.full(len(p), FAR), 0.0
    for ids in (range(21, 16, -1), range(22, 27)):
        curve = open_curve(marks[list(ids)])
        way, offset = beside_curve(p, curve)
        length = float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())
        closer = np.abs(offset) + np.maximum(-way, 0) < np.abs(above) + np.maximum(
            -along * length, 0
        )
        along = np.where(closer, way / length, along)
        above = np.where(closer, offset, above)
    rows = np.flatnonzero((np.abs(above) < 16.0) & (along > -0.4) & (along < 1.4))
    hairs = np.stack([along[rows] * length, above[rows], np.zeros(len(rows))], axis=1)
    # Hairs of a brow point outwards and up: the streaks are long along that way.
    slant = np.array([[0.80, 0.60], [-0.60, 0.80]])
    hairs[:, :2] = np.einsum("ni,ji->nj", hairs[:, :2], slant) * [0.22, 1.0]
    moustache, chin, jaw = _beard(p, marks)
    angle, flat = around_head(p)
    return HairFields(
        rows,
        along[rows],
        above[rows],
        length,
        waves(hairs, rng, 0.9, 2.2, 0.35 * spacing),
        moustache,
        chin,
        jaw,
        angle,
        flat[:, 1],
        waves(p * [1.0, 0.3, 1.0], rng, 0.8, 5.0, 0.5 * spacing, 48),
    )


def brow_cover(fields: HairFields, c: Mapping[str, float], man: float) -> FloatArray:
    """Return (B,) how much of each place near a brow its hair covers."""
    start = np.clip(0.06 * c["browGap"], -0.14, 0.16)
    end = 1.0 + np.clip(0.07 * c["browTail"], -0.2, 0.15)
    u = (fields.brow_along - start) / (end - start)
    arch = np.sin(np.pi * np.clip(u, 0, 1) ** 1.25) - 0.5
    shift = 1.5 * c["browHeight"] + (1.7 * c["browArch"] - 0.9 * (2 * man - 1)) * arch
    shift = np.clip(shift, -4.5, 4.5)
    half = np.interp(u, [0, 0.15, 0.55, 1], [3.3, 4.0, 3.2, 1.4])
    half = half * np.exp(0.27 * c["browWidth"] + 0.22 * (2 * man - 1) - 0.06)
    half = np.clip(half * np.exp(np.clip(0.3 * c["browShape"], -0.6, 0.6) * (0.5 - u)), 0.8, 7.5)
    across = np.exp(-(np.abs((fields.brow_above - shift) / half) ** 3.2))
    ends = rise(u, -0.07, 0.14) * (1.0 - rise(u, 0.78, 1.08))
    density = np.clip(0.8 + 0.17 * c["browDensity"] + 0.07 * (2 * man - 1), 0.2, 0.98)
    hairs = np.clip(1.0 + 0.28 * fields.brow_grain, 0.3, 1.5)
    return np.clip(across * ends * density * hairs, 0.0, 0.97)


def _beard(p: FloatArray, marks: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the zones of moustache, chin and jaw."""
    lip_top = marks[[50, 51, 52]].mean(axis=0)
    base = marks[33]
    # The moustache: a band above the upper lip that droops beside the corners of the mouth.
    span = np.linalg.norm(marks[54, :2] - marks[48, :2])
    middle = np.array([0.5 * (base[0] + lip_top[0]), 0.36 * base[1] + 0.64 * lip_top[1], 0])
    x = (p[:, 0] - middle[0]) / span
    droop = middle[1] - 26.0 * np.maximum(np.abs(x) - 0.18, 0.0) ** 1.4
    band = np.exp(-(((p[:, 1] - droop) / 4.6) ** 4)) * step(np.abs(x) - 0.60, 0.16)
    band *= step(lip_top[2] - 26.0 - p[:, 2], 8.0)
    # The jaw: its contour, a row half-way to the mouth, and one under the chin.
    fine = np.linspace(-7, 7, 29)
    contour = np.stack([np.interp(fine, np.arange(-7, 8), marks[1:16, k]) for k in range(3)], 1)
    share = np.interp(np.abs(fine), [0, 3, 5, 7], [0.45, 0.45, 0.30, 0.0])
    goal = np.where(fine[:, None] < 0, marks[48], marks[54])
    goal = np.where(np.abs(fine[:, None]) < 1, marks[57], goal)
    sizes = np.interp(np.abs(fine), [0, 3, 5, 6, 7], [11, 11.5, 10, 7, 5.5])
    jaw = np.zeros(len(p))
    for nodes in (contour, contour + share[:, None] * (goal - contour), contour + [0, -11, -11]):
        for node, size in zip(nodes, sizes, strict=True):
            jaw = np.maximum(jaw, bump(p, node, (size, size, size + 5)))
    corners = [bump(p, marks[k] + [4 * np.sign(marks[k, 0]), -9, -2], (5, 9, 9)) for k in (48, 54)]
    below = np.clip((marks[48:60, 1].min() - 1.0 - p[:, 1]) / 5.0, 0, 1)
    patch = bump(p, 0.5 * (marks[57] + marks[8]) + [0, 4, 0], (13, 12, 18)) * below
    chin = any_of([np.clip(1.3 * patch, 0, 1), *(0.9 * corner for corner in corners)])
    tip = bump(p, marks[8] + [0, 3, 0], (17, 10, 22))
    return band, np.clip(any_of([chin, 0.9 * tip]), 0, 1), np.clip(1.35 * jaw, 0, 1)
