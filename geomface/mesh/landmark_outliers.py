"""Landmarks that no face has where they lie: missing ones in disguise, and those far off."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import LandmarkError
from geomface.mesh.landmark_order import LIKELY_CAUSES, extent
from geomface.mesh.landmarks import Landmarks
from geomface.mesh.similarity import robust_similarity

# How faces differ from each other, in shares of the landmark cloud: by so much, changing over such
# a length, and besides by so much at each point. Opening the mouth is 7 standard deviations
# between the inner lips.
_DIFFER, _LENGTH, _SPREAD = 0.05, 0.2, 0.012
_FAR_OFF = 9.0
_FEW = 1 / 3
_ENOUGH = 12
# Files that have no other word for a missing point repeat one (0, 0, 0) for all of them.
_REPEATED = 3


def drop_far_landmarks(
    landmarks: Landmarks, template_points: FloatArray
) -> tuple[Landmarks, tuple[str, ...]]:
    """Set landmarks to missing that lie where no face has them, and name them.

    Each is predicted from all others: with y_l the displacement from the template's landmark in
    the robust pose and K their covariance (a Gaussian process over the face), the error of that
    prediction is r_l = [K^-1 y]_l / [K^-1]_ll with variance 1 / [K^-1]_ll. The worst one is left
    out as long as it is more than nine standard deviations off.

    Parameters
    ----------
    landmarks : in the template's order, missing ones NaN
    template_points : (L, 3) positions on the template, mm

    Raises
    ------
    LandmarkError : more than a third of them lie far off.

    Source
    ------
    Leave-one-out prediction of Gaussian processes: Rasmussen and Williams 2006, section 5.4.
    """
    points = landmarks.points.copy()
    given = np.flatnonzero(landmarks.present)
    size = extent(template_points)
    rows, far = given, {}
    while len(rows) >= _ENOUGH:
        source = template_points[rows]
        moved = robust_similarity(source, points[rows]).inverse().apply(points[rows]) - source
        gaps = np.linalg.norm(source[:, None] - source[None], axis=2) / (_LENGTH * size)
        covariance = (_DIFFER * size) ** 2 * np.exp(-(gaps**2) / 2)
        precision = np.linalg.inv(covariance + (_SPREAD * size) ** 2 * np.eye(len(rows)))
        errors = np.linalg.norm(precision @ moved, axis=1) / np.diag(precision)
        ratios = errors * np.sqrt(np.diag(precision))
        worst = int(ratios.argmax())
        if ratios[worst] <= _FAR_OFF:
            break
        far[int(rows[worst])] = float(errors[worst])
        rows = np.delete(rows, worst)
    if len(far) > _FEW * len(given):
        raise LandmarkError(
            f"{landmarks.name}: {len(far)} of {len(given)} landmarks lie where no face has them: "
            f"{_listed(sorted(far))}. {LIKELY_CAUSES}"
        )
    if not far:
        return landmarks, ()
    points[list(far)] = np.nan
    left_out = ", ".join(f"{place} ({far[place]:.0f} mm)" for place in sorted(far))
    return dataclasses.replace(landmarks, points=points), (
        f"{landmarks.name}: left out, far from where the other landmarks want them: {left_out}; "
        "counted from 0. Check their names, left and right, or mark them again.",
    )


def set_repeated_missing(landmarks: Landmarks) -> tuple[Landmarks, tuple[str, ...]]:
    """Set to missing what lies at a place that three or more landmarks share, such as (0, 0, 0)."""
    points = landmarks.points.copy()
    _, place, count = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    repeated = (count[place.ravel()] >= _REPEATED) & landmarks.present
    if not repeated.any():
        return landmarks, ()
    x, y, z = points[repeated][0]
    points[repeated] = np.nan
    return dataclasses.replace(landmarks, points=points), (
        f"{landmarks.name}: {repeated.sum()} landmarks at the same place ({x:g}, {y:g}, {z:g}) "
        f"were taken for missing: {_listed(np.flatnonzero(repeated))}.",
    )


def _listed(places: IndexArray | list[int]) -> str:
    names = [str(place) for place in places]
    shown = names if len(names) <= 20 else [*names[:20], f"{len(names) - 20} more"]
    return ", ".join(shown) + " (counted from 0)"
