"""Landmark lists in another order than they claim: one place off, left for right, by groups."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import LandmarkError, MeshError
from geomface.mesh.landmarks import Landmarks
from geomface.mesh.multi_pie import SCHEME, mirror_order
from geomface.mesh.similarity import robust_similarity

LIKELY_CAUSES = (
    "Check the landmarks: their order, left and right (the subject's), the unit, and whether they "
    "belong to this scan and not to its mirror image."
)

# All lengths are shares of the template's landmark cloud: people differ by less than 0.03 of it,
# an order that is one place off leaves more than 0.05.
_UNLIKELY = 0.035
_NO_FACE = 0.07
_CLEARLY_BETTER = 0.5
_SYMMETRIC = 0.02
# Expressions and slips of the hand do not count against an order.
_TRIMMED_TO = 0.75
_FEWEST, _ENOUGH = 6, 12
_MIRROR = np.array([-1.0, 1.0, 1.0])
# Where each landmark of the Multi-PIE order lies in files that list the groups as jaw, eyes,
# left brow, nose, right brow, mouth.
_GROUPWISE = np.concatenate(
    [np.arange(17), np.arange(29, 34), np.arange(43, 48), np.arange(34, 43)]
    + [np.arange(17, 29), np.arange(48, 68)]
)


@dataclasses.dataclass(frozen=True, eq=False)
class ArrangedLandmarks:
    """Landmarks in the template's order.

    Parameters
    ----------
    landmarks : in the order that fits the template
    exchange : (L,) int64, the order that was used to exchange left and right, which also undoes
        it; None when they stayed
    mirrored : they are those of a mirror image, and no exchange of names mends it
    notes : a sentence for each other change
    """

    landmarks: Landmarks
    exchange: IndexArray | None = None
    mirrored: bool = False
    notes: tuple[str, ...] = ()


def left_right_order(scheme: str, points: FloatArray) -> IndexArray | None:
    """Return (L,) the landmark that each one becomes in the mirror, None when it cannot be told.

    Parameters
    ----------
    points : (L, 3) landmarks of the template, x to the left
    """
    if scheme == SCHEME:
        return mirror_order()
    middle = np.median(points[:, 0])
    mirrored = points * _MIRROR + [2.0 * middle, 0.0, 0.0]
    gaps = np.linalg.norm(mirrored[:, None] - points[None], axis=2)
    order = gaps.argmin(axis=1)
    paired = (order[order] == np.arange(len(order))).all()
    return order if paired and gaps.min(axis=1).max() < _SYMMETRIC * extent(points) else None


def arrange_landmarks(landmarks: Landmarks, template_points: FloatArray) -> ArrangedLandmarks:
    """Put landmarks into the template's order where another one clearly fits better.

    Known are lists with left and right exchanged (as the viewer sees them), lists that begin one
    place early or late, and 68 points listed as jaw, eyes, left brow, nose, right brow, mouth. One
    is taken when it leaves less than half of a residual that no face has.

    Parameters
    ----------
    landmarks : as the file lists them, missing ones NaN
    template_points : (L, 3) positions on the template, mm, in the scheme's order

    Raises
    ------
    LandmarkError : no order fits a face.
    """
    listed = np.arange(len(template_points))
    size = extent(template_points)
    present = int(landmarks.present.sum())
    as_listed = _misfit(landmarks.points, template_points)
    if present < _FEWEST or as_listed <= _UNLIKELY * size:
        return ArrangedLandmarks(landmarks)
    partner = left_right_order(landmarks.scheme, template_points)
    orders = {"": listed}
    if present >= _ENOUGH:
        orders["begins one place late"] = np.roll(listed, -1)
        orders["begins one place early"] = np.roll(listed, 1)
    if present >= _ENOUGH and len(listed) == len(_GROUPWISE):
        orders["lists jaw, eyes, left brow, nose, right brow, mouth"] = _GROUPWISE
    misfits = {}
    for how, order in orders.items():
        points = landmarks.points[order]
        misfits[how, False] = _misfit(points, template_points)
        # In the mirror: the names change sides, or, where names have no sides, the template does.
        if partner is None:
            misfits[how, True] = _misfit(points, template_points * _MIRROR)
        else:
            misfits[how, True] = _misfit(points[partner], template_points)
    how, other_side = min(misfits, key=lambda key: misfits[key])
    least = misfits[how, other_side]
    if least >= _CLEARLY_BETTER * as_listed:
        if as_listed <= _NO_FACE * size:
            return ArrangedLandmarks(landmarks)
        raise LandmarkError(
            f"{landmarks.name}: its landmarks lie {as_listed:.0f} mm from those of a face, "
            f"expected less than {_NO_FACE * size:.0f} mm. {LIKELY_CAUSES}"
        )
    arranged = reordered(landmarks, orders[how])
    note = (
        f"{landmarks.name} {how} (residual {least:.1f} mm, as listed {as_listed:.1f} mm): put into "
        f"the order of {landmarks.scheme}."
    )
    notes = (note,) if how else ()
    if other_side and partner is not None:
        return ArrangedLandmarks(reordered(arranged, partner), partner, notes=notes)
    return ArrangedLandmarks(arranged, mirrored=other_side, notes=notes)


def exchanged_sides(landmarks: Landmarks) -> str:
    """Return the note about landmarks whose left and right were exchanged."""
    return (
        f"{landmarks.name} has left and right exchanged, as a viewer sees them: named anew. Should "
        "the scan be a mirror image, reflect it and its landmarks instead."
    )


def reordered(landmarks: Landmarks, order: IndexArray) -> Landmarks:
    """Return the landmarks listed in another order, with their sigmas."""
    sigma = None if landmarks.sigma_mm is None else landmarks.sigma_mm[order]
    return dataclasses.replace(landmarks, points=landmarks.points[order], sigma_mm=sigma)


def extent(points: FloatArray) -> float:
    """Return the bounding-box diagonal of points (n, 3), NaN left out."""
    return float(np.linalg.norm(np.nanmax(points, axis=0) - np.nanmin(points, axis=0)))


def _misfit(points: FloatArray, template_points: FloatArray) -> float:
    """Return the trimmed RMS distance to the template's landmarks, at its size; inf if none."""
    there = np.isfinite(points).all(axis=1) & np.isfinite(template_points).all(axis=1)
    if there.sum() < 4:
        return np.inf
    source, target = template_points[there], points[there]
    try:
        fitted = robust_similarity(source, target)
    except MeshError:
        return np.inf
    squares = np.sort(((fitted.apply(source) - target) ** 2).sum(axis=1)) / fitted.scale**2
    kept = max(int(_TRIMMED_TO * len(squares)), min(len(squares), 5))
    return float(np.sqrt(squares[:kept].mean()))
