"""What each place of a face is for the skin: lip, brow, beard zone, socket, fold, spot."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.faces.albedo_geometry import (
    FAR,
    any_of,
    bump,
    closed_curve,
    nearest,
    rise,
    signed_distance,
    spacing_of,
    step,
)  # fmt: skip
from geomface.faces.albedo_hair import HairFields, hair_fields
from geomface.faces.albedo_lines import folds_of
from geomface.faces.albedo_marks import Spots, patches_of, spots_of, waves
from geomface.faces.albedo_openings import openings_of

_SEED = 70


@dataclasses.dataclass(frozen=True, eq=False)
class SkinFields:
    """Fields at P places of a face, most of them in [0, 1].

    Parameters
    ----------
    lip_distance : (P,) mm outside the border of the lips, negative inside, FAR behind the face
    upper : (P,) 1 above the line between the lips, 0 below
    mouth_line : (P,) the dark line between the lips
    lash : (P,) the line of the lashes
    lid : (P,) upper lids, where shadow is put on
    cheek, nose, flush : (P,) where redness gathers
    socket : (P,) lids and shadows under the eyes
    bag : (P,) bags under the eyes
    hair : brows, beard and the line of the hair
    openings : {name: (P,)} nostrils, wings of the nose and creases of the lids, see `openings_of`
    folds : {name: (P,)} lines of the skin, see `folds_of`
    spots : {kind: spots}, see `spots_of`
    patches : (P, PATCHES) patterns without a name, zero mean
    pores : (P,) fine grain, zero mean
    """

    lip_distance: FloatArray
    upper: FloatArray
    mouth_line: FloatArray
    lash: FloatArray
    lid: FloatArray
    cheek: FloatArray
    nose: FloatArray
    flush: FloatArray
    socket: FloatArray
    bag: FloatArray
    hair: HairFields
    openings: Mapping[str, FloatArray]
    folds: Mapping[str, FloatArray]
    spots: Mapping[str, Spots]
    patches: ImageArray
    pores: FloatArray

    @property
    def lip(self) -> FloatArray:
        """(P,) the red of the lips of the mean face."""
        return step(self.lip_distance + 0.1, 1.6)


def skin_fields(points: FloatArray, landmarks: FloatArray) -> SkinFields:
    """Return the fields at places on or near a neutral face.

    Parameters
    ----------
    points : (P, 3) float64, places on the template, in its unit
    landmarks : (68, 3) float64, multi-pie-68, same unit

    Convention
    ----------
    All lengths are measured in a face whose outer corners of the eyes lie 90 mm apart, so the
    template may be of any size. x to the subject's left, y up, z out of the face. What is finer
    than the places lie apart is left out.
    """
    scale = 90.0 / np.linalg.norm(landmarks[45] - landmarks[36])
    origin = landmarks[27]
    p = (points - origin) * scale
    marks = (landmarks - origin) * scale
    spacing = spacing_of(p)
    lip_distance, upper, mouth_line = _lips(p, marks)
    socket, bag, lid, lash = _eyes(p, marks)
    cheeks = [0.46 * marks[a] + 0.32 * marks[b] + 0.22 * marks[c] for a, b, c in _CHEEKS]
    clear = rise(lip_distance, -0.5, 1.5) * (1 - socket)
    cheek = any_of([bump(p, place, (15, 12, 20)) for place in cheeks])
    nose = any_of(
        [bump(p, marks[30], (9, 8, 12)), *(bump(p, marks[k], (6, 6, 9)) for k in (31, 35))]
    )
    chin = bump(p, marks[8] + [0, 10, 4], (16, 10, 20))
    flush = np.clip(any_of([cheek, nose, 0.7 * chin]), 0, 1)
    return SkinFields(
        lip_distance=lip_distance,
        upper=upper,
        mouth_line=mouth_line,
        lash=lash,
        lid=lid,
        cheek=cheek * clear,
        nose=nose,
        flush=flush,
        socket=socket,
        bag=bag,
        hair=hair_fields(p, marks, spacing),
        openings=openings_of(p, marks, spacing),
        folds=folds_of(p, marks, spacing),
        spots=spots_of(p, marks, spacing),
        patches=patches_of(p, spacing),
        pores=waves(p, np.random.default_rng(_SEED), 1.2, 4.5, spacing, 24),
    )


# Lower lid's outer part, corner of the mouth, jaw contour near the ear: right, then left.
_CHEEKS = ((41, 48, 2), (46, 54, 14))


def _lips(p: FloatArray, marks: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    outer = closed_curve(marks[48:60])
    far = np.abs(p[:, 2] - marks[48:68, 2].mean()) > 28.0
    distance = np.where(far, FAR, signed_distance(p, outer))
    contact = 0.5 * (marks[61:64] + marks[[67, 66, 65]])
    line = np.vstack([marks[60], contact, marks[64]])
    at = np.linspace(0, 4, 120)
    path = np.stack([np.interp(at, np.arange(5), line[:, k]) for k in range(3)], axis=1)
    away, node = nearest(p[:, :2], path[:, :2])
    depth = np.maximum(marks[62, 2] - 2.5 - p[:, 2], 0.0) / 6.0
    mouth_line = np.exp(-((away / 1.1) ** 2)) + np.clip(depth, 0, 1) * (away < 9)
    mouth_line = np.clip(mouth_line, 0, 1) * step(distance + 0.1, 1.6)
    return distance, step(path[node, 1] - p[:, 1], 2.0), mouth_line


def _eyes(
    p: FloatArray, marks: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return sockets, bags under the eyes, upper lids and lashes."""
    sockets, bags, lids, lashes = [], [], [], []
    for ids in (range(36, 42), range(42, 48)):
        ring = marks[list(ids)]
        curve = closed_curve(ring)
        center = ring.mean(axis=0)
        away, node = nearest(p, curve)
        under = bump(p, center + [-2.5 * np.sign(center[0]), -8.5, 2], (12, 5, 12))
        lid = bump(p, center + [0, 4.5, 0], (14, 5.5, 14))
        sockets.append(np.clip(0.85 * under + 0.75 * lid + 0.35 * np.exp(-away / 3), 0, 1))
        lower = rise(center[1] - 1.0 - p[:, 1], 0.0, 4.0)
        bags.append(
            lower * np.exp(-(((away - 5.5) / 3.2) ** 2)) * (np.abs(p[:, 0] - center[0]) < 22)
        )
        above = rise(p[:, 1] - center[1], -1.0, 4.0) * (np.abs(p[:, 0] - center[0]) < 28)
        lids.append(above * np.exp(-((away / 6.0) ** 2)))
        upper = step(center[1] - 1.0 - curve[node, 1], 3.0)
        lashes.append(np.exp(-((away / 0.85) ** 2)) * (0.35 + 0.65 * upper))
    return any_of(sockets), any_of(bags), any_of(lids), np.clip(any_of(lashes), 0, 1)
