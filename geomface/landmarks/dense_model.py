"""The dense shape model: landmarks and skin vary together, so the whole face tells a landmark."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.landmarks.surface import ScanSurface
from geomface.mesh import Similarity
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.robust import geman_mcclure_weights, robust_scale
from geomface.registration.prior import pose_modes
from geomface.registration.scan_target import MatchGates, ScanTarget, between
from geomface.statistics import LinearModel

ROUNDS = 14
_POSE_SIGMA_MM = 5.0
_DISTANCE_MM = (15.0, 4.0)
_FEATURE_MM = (10.0, 4.0)
_COSINE = (0.5, 0.77)
# Noise of the planes: wide at first, so that the landmarks lead.
_NOISE_MM = (2.0, 0.3)
_CORRELATED = 2.0
"""Neighbouring skin points do not err independently: one counts for so many."""
_EDGE_MM = 1.0
_SHARED_MISTAKES = 2.2
"""Landmarks of one view err together: each counts as if it were so much less sure."""
GOOD_RESIDUAL_MM = 0.5
"""Skin that comes this near knows this kind of face."""
_NOISE_ALONE_MM = 0.3
_OUT_OF_MODEL = 5.0
"""Along the surface a landmark of skin that fits badly errs so much more than the residual says."""
_SPREAD = 2.4
"""The posterior alone is so much too sure of itself."""
_NEAR_MM = 2.0
LEAST_SIGMA_MM = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class DenseShapeModel:
    """The 68 landmarks and points of the skin between them, with how they vary together.

    Parameters
    ----------
    points : model of (68 + n, 3), mm, the landmarks first
    normals : (n, 3) float64, outward at the mean's skin points

    Convention
    ----------
    Millimetres, face forward (x left, y up, z out), the centre of the landmarks near the origin.
    """

    points: LinearModel
    normals: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class DenseFit:
    """What the skin says.

    Parameters
    ----------
    landmarks : (68, 3) float64, frame of the scan in mm
    sigma_mm : (68,) per axis, how far the skin leaves each landmark open, at adult size
    residual_mm : robust standard deviation of the skin to the scan, at adult size
    kept : share of the skin points that met the scan
    """

    landmarks: FloatArray
    sigma_mm: FloatArray
    residual_mm: float
    kept: float


def fit_dense_model(
    model: DenseShapeModel,
    surface: ScanSurface,
    start: Similarity,
    landmarks: FloatArray,
    sigma_mm: FloatArray,
) -> DenseFit | None:
    """Fit pose, size and shape of the skin to the scan and to landmarks that are roughly known.

    min_c sum_v w_v (n_v . (x_v(c) - q_v))^2 / (2 s^2) + sum_l w_l |x_l(c) - y_l|^2 / sigma_l^2
          + |c|^2

    with x(c) the model's points and its pose, linear in c, q and n the matched tangent planes of
    the scan. Skin slides along the planes to where the shape model expects it: what the eye of a
    detector cannot tell on a smooth brow or along a jaw, the rest of the face tells.

    Parameters
    ----------
    start : model frame to the scan's, mm
    landmarks : (68, 3) in the scan's frame, mm
    sigma_mm : (68,) standard deviations per axis, inf for those that say nothing

    Returns
    -------
    DenseFit : None when hardly any skin met the scan

    Source
    ------
    Active shape models on surfaces: Blanz and Vetter 1999; posterior models: Albrecht et al. 2013.
    """
    back = start.inverse()
    target = ScanTarget(back.apply(surface.vertices), surface.faces)
    wanted = back.apply(landmarks)
    mean = model.points.mean
    basis = np.concatenate(
        [model.points.basis, _POSE_SIGMA_MM * np.moveaxis(pose_modes(mean), 0, -1)], axis=2
    )
    count = basis.shape[2]
    coefficients = np.zeros(count)
    scan_noise, kept = _NOISE_MM[1], 0.0
    system = np.eye(count)
    for index in range(ROUNDS):
        progress = index / (ROUNDS - 1)

        points = mean + basis @ coefficients
        normals = model.normals
        matches = target.match(
            points[68:],
            normals,
            MatchGates(
                between(_FEATURE_MM, progress),
                between(_DISTANCE_MM, progress),
                between(_COSINE, progress),
                _EDGE_MM,
            ),
            on_triangles=index > ROUNDS // 2,
        )
        kept = float(matches.accepted.mean())
        rows = np.flatnonzero(matches.accepted)
        planes = matches.normals[rows]
        gaps = np.einsum("vc,vc->v", planes, matches.plane_points[rows] - points[68:][rows])
        if len(rows) < count:
            return None
        scan_noise = robust_scale(gaps, _NOISE_MM[1])
        noise = max(scan_noise, between(_NOISE_MM, progress))
        weights = geman_mcclure_weights(gaps, 2.5 * noise) / (_CORRELATED * noise**2)
        slopes = np.einsum("vc,vck->vk", planes, basis[68:][rows])
        weighted = slopes * weights[:, None]
        system = np.eye(count) + weighted.T @ slopes
        right = weighted.T @ (gaps + slopes @ coefficients)
        misses = np.linalg.norm(points[:68] - wanted, axis=1)
        trust = geman_mcclure_weights(misses, 4.0 * robust_scale(misses, 3.0))
        trust /= (_SHARED_MISTAKES * sigma_mm) ** 2
        flat = basis[:68].reshape(-1, count)
        weighted = flat * np.repeat(trust, 3)[:, None]
        system += weighted.T @ flat
        right += weighted.T @ (wanted - mean[:68]).ravel()
        coefficients = np.linalg.solve(system, right)
    spread = np.einsum("lck,kj,lcj->l", basis[:68], np.linalg.inv(system), basis[:68])
    found = mean[:68] + basis[:68] @ coefficients
    return DenseFit(start.apply(found), np.sqrt(spread / 3.0), scan_noise, kept)


def refine_landmarks(
    models: Sequence[DenseShapeModel],
    surface: ScanSurface,
    start: Similarity,
    landmarks: FloatArray,
    sigma_mm: FloatArray,
    filled: BoolArray,
) -> tuple[FloatArray, FloatArray] | None:
    """Move landmarks to where the skin wants them, as far as the skin knows this kind of face.

    The first model that comes near is taken, else the nearest one. What it leaves out, told by its
    residual, is weighed against the uncertainty of the landmarks: skin that does not fit changes
    little.

    Parameters
    ----------
    models : dense shape models, the likeliest first
    start : models' frame to the scan's, mm
    landmarks : (68, 3) in the scan's frame, mm
    sigma_mm : (68,) standard deviations per axis, at adult size
    filled : (68,) bool, landmarks that no view saw

    Returns
    -------
    landmarks, sigma_mm : (68, 3) and (68,); None when no model met the scan
    """
    given = np.where(filled, np.inf, sigma_mm)
    best: DenseFit | None = None
    for model in models:
        fit = fit_dense_model(model, surface, start, landmarks, given)
        if fit is not None and (best is None or fit.residual_mm < best.residual_mm):
            best = fit
        if best is not None and best.residual_mm < GOOD_RESIDUAL_MM:
            break
    if best is None:
        return None
    outside = _OUT_OF_MODEL * max(best.residual_mm - _NOISE_ALONE_MM, 0.0)
    own = np.where(filled, 1e3, sigma_mm) ** 2
    share = own / (own + outside**2)
    points = landmarks + share[:, None] * (best.landmarks - landmarks)
    closest = ClosestPointIndex((surface.vertices, surface.faces)).query(points)
    near = closest.distances < _NEAR_MM * start.scale
    points = np.where(near[:, None], closest.points, points)
    sigma = np.sqrt((_SPREAD * best.sigma_mm) ** 2 + share * outside**2)
    return points, np.maximum(sigma, LEAST_SIGMA_MM)
