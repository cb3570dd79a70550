"""Several views of the same landmarks become one point each, with its uncertainty."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.landmarks.shape_model import fit_landmark_shape
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.views import VIEW_SIZE, View
from geomface.mesh import Similarity
from geomface.mesh.closest import ClosestPointIndex
from geomface.statistics import LinearModel

GATE_MM = 12.0
"""A fragment this far from where the shape model wants the landmark hit something else."""
NEAR_MM = 8.0
"""A landmark that no view saw moves onto surface this near."""
LEAST_SIGMA_MM = 0.8
FILLED_SIGMA_MM = 5.0
_SQUARELY = 0.3
"""Views that look at a place less squarely than this cosine do not tell where it is."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fragments:
    """What is seen of the landmarks in one view.

    Parameters
    ----------
    view : the camera
    pixels : (68, 2)
    sigma_px : (68,) uncertainty, pixels
    points : (68, 3) on the scan, NaN where the ray met nothing
    cosines : (68,) how squarely the surface was seen
    """

    view: View
    pixels: FloatArray
    sigma_px: FloatArray
    points: FloatArray
    cosines: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class FusedLandmarks:
    """Landmarks of all views together, in the scan's millimetres.

    Parameters
    ----------
    points : (68, 3), frame of the surface
    sigma_mm : (68,) per axis, at adult size
    confidence : (68,) in [0, 1]
    filled : (68,) bool, landmarks that no view saw
    similarity : frame of the shape model to the surface's
    residual_mm : median distance to the shape model, at adult size
    disagreement_mm : median distance of what one view sees from what all do, at adult size
    """

    points: FloatArray
    sigma_mm: FloatArray
    confidence: FloatArray
    filled: BoolArray
    similarity: Similarity
    residual_mm: float
    disagreement_mm: float


def fuse(views: list[Fragments], surface: ScanSurface, shape_model: LinearModel) -> FusedLandmarks:
    """Weigh the fragments of each landmark and test them against the landmark shape model.

    A fragment counts 1 / sigma^2 with sigma = pixels x step / cosine: grazing views are vague. The
    shape model, fitted robustly to a first average, throws out fragments that hit hair, the other
    side of the nose or the background. What no view saw stands where the model wants it, moved
    onto surface that is near.
    """
    points = np.stack([seen.points for seen in views])  # (views, 68, 3)
    step = np.array([seen.view.extent / VIEW_SIZE for seen in views])[:, None]
    pixels = np.stack([seen.sigma_px for seen in views])
    cosines = np.stack([seen.cosines for seen in views])
    sigma = step * pixels / np.maximum(cosines, 0.1)
    good = np.isfinite(points).all(axis=2) & (cosines > 0.15)
    mean, spread = _average(points, sigma, good)
    fit = fit_landmark_shape(shape_model, mean, spread)
    scale = fit.similarity.scale
    miss = np.linalg.norm(points - fit.expected, axis=2)
    good &= miss < scale * np.maximum(GATE_MM, 2.0 * np.nanmedian(fit.residual))
    mean, spread = _average(points, sigma, good)
    fit = fit_landmark_shape(shape_model, mean, spread)
    filled = ~good.any(axis=0)
    wrong = np.nan_to_num(fit.residual, nan=np.inf) > GATE_MM
    filled |= wrong
    final = np.where(filled[:, None], fit.expected, mean)
    if filled.any():
        closest = ClosestPointIndex((surface.vertices, surface.faces)).query(final[filled])
        near = closest.distances < NEAR_MM * scale
        final[filled] = np.where(near[:, None], closest.points, final[filled])
    # Views of one face share their mistakes: the average is not better than its best view by much.
    sigma_mm = 1.2 * np.nan_to_num(spread / scale, nan=FILLED_SIGMA_MM)
    sigma_mm = np.maximum(sigma_mm, LEAST_SIGMA_MM)
    sigma_mm = np.where(filled, FILLED_SIGMA_MM, sigma_mm)
    confidence = np.where(filled, 0.0, 1.0 / (1.0 + (sigma_mm / 4.0) ** 2))
    apart = np.linalg.norm(points - final, axis=2)[cosines > _SQUARELY]
    return FusedLandmarks(
        final,
        sigma_mm,
        confidence,
        filled,
        fit.similarity,
        float(np.nanmedian(fit.residual)),
        float(np.median(apart)) / scale if len(apart) else np.inf,
    )


def _average(
    points: FloatArray, sigma: FloatArray, good: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return robust means (68, 3) and standard deviations (68,); NaN where no view is good."""
    weight = np.where(good, 1.0 / sigma**2, 0.0)
    known = np.where(good[..., None], points, 0.0)
    mean = np.full(points.shape[1:], np.nan)
    for _ in range(4):
        total = weight.sum(axis=0)
        some = total > 0
        sums = (weight[..., None] * known).sum(axis=0)
        mean[some] = sums[some] / total[some, None]
        away = np.linalg.norm(points - mean, axis=2)
        robust = 1.0 / (1.0 + (np.nan_to_num(away) / (3.0 * sigma)) ** 2)
        weight = np.where(good, robust / sigma**2, 0.0)
    best = np.where(good, sigma, np.inf).min(axis=0)
    return mean, np.where(np.isfinite(best), best, np.nan)
