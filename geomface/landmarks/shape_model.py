"""The landmark shape model: how 68 landmarks can lie to each other, of the points alone."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import MeshError
from geomface.mesh.robust import geman_mcclure_weights, robust_scale
from geomface.mesh.similarity import Similarity, fit_similarity
from geomface.statistics import (
    LinearModel,
    posterior,
)

NOISE_MM = 1.5
"""What the modes leave out, and how well a place can be told at all."""

_POSE_ROUNDS = 8
"""The pose of the mean comes first, by least distances and not squares: a free shape would shrink
to follow gross errors."""
_MOST_SIGMAS = 3.0


@dataclasses.dataclass(frozen=True, eq=False)
class LandmarkShapeFit:
    """Landmarks explained by the model.

    Parameters
    ----------
    similarity : model frame (mm, face forward) to the frame of the points
    expected : (68, 3) where the model wants them, frame of the points
    residual : (68,) distance from each given point, in mm at adult size; NaN where none was given
    """

    similarity: Similarity
    expected: FloatArray
    residual: FloatArray


def fit_landmark_shape(
    model: LinearModel,
    points: FloatArray,
    sigma: FloatArray,
    *,
    which: IndexArray | None = None,
    rounds: int = 16,
) -> LandmarkShapeFit:
    """Fit pose, size and shape of the model to points of which some are wrong.

    Alternates the robust similarity and the posterior of the shape. Weights fall with the
    residual (Geman-McClure), so that a few gross errors move nothing.

    Parameters
    ----------
    model : from `learn_landmark_shape`
    points : (68, 3) float64, NaN where there is none
    sigma : (68,) standard deviation of each, unit of the points
    which : indices to fit to, default all that are there

    Raises
    ------
    MeshError : fewer than six points.
    """
    present = np.isfinite(points).all(axis=1)
    if which is not None:
        chosen = np.zeros(len(points), bool)
        chosen[which] = True
        present &= chosen
    rows = np.flatnonzero(present)
    if len(rows) < 6:
        raise MeshError(f"landmark shape model: expected at least 6 points, got {len(rows)}.")
    shape = model.mean
    trust = 1.0 / np.maximum(sigma[rows], 1e-9) ** 2
    weights = trust.copy()
    similarity = fit_similarity(shape[rows], points[rows], weights)
    for index in range(rounds):
        residual = np.linalg.norm(similarity.apply(shape[rows]) - points[rows], axis=1)
        typical = robust_scale(residual, 3.0 * similarity.scale)
        if index < _POSE_ROUNDS:
            robust = typical / np.maximum(residual, 0.3 * typical)
        else:
            robust = geman_mcclure_weights(residual, 4.0 * typical)
        weights = trust * robust
        similarity = fit_similarity(shape[rows], points[rows], weights)
        local = similarity.inverse().apply(points[rows])
        spread = sigma[rows] / similarity.scale / np.sqrt(np.maximum(robust, 1e-6))
        if index < _POSE_ROUNDS:
            continue
        found = posterior(model, rows, local, np.hypot(spread, NOISE_MM))
        shape = model.reconstruct(np.clip(found.coefficients, -_MOST_SIGMAS, _MOST_SIGMAS))
    expected = similarity.apply(shape)
    residual = np.full(len(points), np.nan)
    given = np.isfinite(points).all(axis=1)
    residual[given] = np.linalg.norm(expected[given] - points[given], axis=1) / similarity.scale
    return LandmarkShapeFit(similarity, expected, residual)
