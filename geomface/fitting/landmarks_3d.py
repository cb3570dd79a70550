"""Fit a morphable model to landmarks in space."""

import dataclasses
import time

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.errors import LandmarkError
from geomface.fitting.equations import FitEquations, Points
from geomface.fitting.linear_face import LinearFace, linear_face
from geomface.fitting.pose import small_similarity
from geomface.fitting.results import LandmarkFit
from geomface.fitting.settings import LandmarkFitSettings
from geomface.mesh import Landmarks, Similarity
from geomface.mesh.landmark_order import exchanged_sides
from geomface.mesh.robust import geman_mcclure_weights, robust_scale
from geomface.mesh.units import landmark_unit, millimetres
from geomface.registration.prepare import prepare_landmarks, with_scale
from geomface.registration.start import similarity_from_landmarks
from geomface.statistics import MorphableModel, require_model
from geomface.threads import one_blas_thread


@dataclasses.dataclass(frozen=True, eq=False)
class FrameFit:
    """Pose and coefficients in the model's frame, and how far each landmark was believed."""

    coefficients: FloatArray
    pose: Similarity
    weights: FloatArray
    covariance: FloatArray
    iterations: int
    converged: bool


def fit_in_frame(
    face: LinearFace,
    points: FloatArray,
    sigma: FloatArray,
    centre: FloatArray,
    *,
    fit_scale: bool = True,
    robust: float = 4.0,
    stop: float = 1e-3,
    most_steps: int = 50,
) -> FrameFit:
    """Fit a face at its landmarks to points already near it.

    Parameters
    ----------
    face : at its landmarks
    points : (L, 3) float64, mm in the model's frame; NaN rows are missing
    sigma : (L,) float64 mm, standard deviation per axis
    centre : (3,) float64, what the pose steps turn about
    robust : landmarks beyond so many standard deviations lose their weight
    stop : mm
    """
    rows = np.flatnonzero(np.isfinite(points).all(axis=1))
    coefficients = np.clip(np.zeros(len(face)), face.lower, face.upper)
    pose, converged, steps = Similarity(), False, 0
    weights = np.zeros(len(points))
    equations = None
    for steps in range(1, most_steps + 1):  # noqa: B007  (the count is returned)
        before = pose.apply(face.points(coefficients)[rows])
        gaps = np.linalg.norm(before - points[rows], axis=1) / sigma[rows]
        # Three axes: a good landmark is sqrt(3) standard deviations off.
        cutoff = robust * robust_scale(gaps, np.sqrt(3.0))
        weights[rows] = geman_mcclure_weights(gaps, cutoff)
        term = Points(rows, pose.inverse().apply(points[rows]), weights[rows] / sigma[rows] ** 2)
        equations = FitEquations([(face, term)], coefficients, centre)
        step, coefficients = equations.solve(fit_scale=fit_scale)
        pose = pose.compose(small_similarity(step, centre))
        after = pose.apply(face.points(coefficients)[rows])
        if float(np.linalg.norm(after - before, axis=1).max()) < stop:
            converged = True
            break
    count = face.model_count
    covariance = np.eye(count) if equations is None else equations.covariance(count)
    return FrameFit(coefficients, pose, weights, covariance, steps, converged)


@one_blas_thread()
def fit_landmarks_3d(
    model: MorphableModel, landmarks: Landmarks, *, settings: LandmarkFitSettings | None = None
) -> LandmarkFit:
    """Find the model's face, its pose and its scale that are most probable given landmarks.

    min over g, c of sum_l w_l |g(x_l(c)) - y_l|^2 / (2 sigma_l^2) - log p(c)

    Parameters
    ----------
    landmarks : measured points, missing ones NaN; at least four
    settings : see `LandmarkFitSettings`

    Returns
    -------
    LandmarkFit

    Raises
    ------
    LandmarkError : wrong scheme or count, too few measured, on one line, or mirrored.

    Convention
    ----------
    Any pose and unit; the result is where the landmarks are.

    Source
    ------
    Posterior of a linear model (Blanz and Vetter 2002), pose and coefficients in one Gauss-Newton
    step; wrong landmarks lose their weight (Geman-McClure).

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> someone = face.sample(np.random.default_rng(1))
    >>> points = gf.Landmarks(face.template.landmarks.positions(someone.vertices))
    >>> fit = gf.fit_landmarks_3d(face, points)
    >>> bool(fit.residual_mm["median"] < 2.0)
    True
    """
    began = time.perf_counter()
    settings = settings or LandmarkFitSettings()
    arranged, placed = prepare_landmarks(
        require_model(model, "fit to landmarks").template, landmarks
    )
    landmarks, notes = arranged.landmarks, list(arranged.notes)
    if arranged.exchange is not None:
        notes.append(exchanged_sides(landmarks))
    full = linear_face(model, settings.expression_rate)
    face = full.at(model.template.require_landmarks(landmarks))
    if arranged.mirrored:
        raise LandmarkError(
            f"{landmarks.name}: the landmarks are those of a mirror image, expected left and right "
            "to be the subject's. Reflect the points at x = 0, or correct their order."
        )
    start = similarity_from_landmarks(placed, landmarks)
    found_unit = landmark_unit(landmarks, millimetres(model.mesh.unit) / start.scale)
    notes += found_unit.notes
    if not settings.fit_scale:
        scale = millimetres(model.mesh.unit) / found_unit.factor
        start = with_scale(start, scale, placed[landmarks.present].mean(axis=0))
    sigma = np.hypot(landmarks.sigma(settings.landmark_sigma_mm), settings.model_sigma_mm)
    found = fit_in_frame(
        face,
        start.inverse().apply(landmarks.points),
        sigma,
        full.mean.mean(axis=0),
        fit_scale=settings.fit_scale,
        robust=settings.robust_scale,
        stop=settings.stop_motion_mm,
        most_steps=settings.most_steps,
    )
    similarity = start.compose(found.pose)
    placed = similarity.apply(face.points(found.coefficients))
    present: BoolArray = landmarks.present
    gaps = np.linalg.norm((placed - landmarks.points)[present], axis=1)
    gaps = gaps * found_unit.factor
    return LandmarkFit(
        mesh=model.mesh.replace(
            vertices=similarity.apply(full.points(found.coefficients)),
            unit=found_unit.unit,
            name=landmarks.name,
        ),
        shape=found.coefficients[: face.shape_count].copy(),
        expression=found.coefficients[face.shape_count :].copy(),
        covariance=found.covariance,
        similarity=similarity,
        converged=found.converged,
        iterations=found.iterations,
        residual_mm={"median": float(np.median(gaps)), "max": float(gaps.max())},
        weights=found.weights,
        notes=tuple(notes),
        seconds=time.perf_counter() - began,
    )
