"""Fit a morphable model to a scan without correspondence."""

import dataclasses
import time

import numpy as np

from geomface.fitting.landmarks_3d import fit_in_frame
from geomface.fitting.proof import doubts
from geomface.fitting.results import ScanFit
from geomface.fitting.scan_fitter import ScanFitRun, ScanFitter
from geomface.fitting.scan_input import ScanInput, scan_input
from geomface.fitting.settings import ScanFitSettings
from geomface.mesh import Landmarks, Mesh, Similarity
from geomface.registration.verification import require_likely
from geomface.statistics import MorphableModel
from geomface.threads import one_blas_thread

# Beyond these the result is no face of the model, whatever the motion says.
_LARGEST_RESIDUAL_MM = 3.0
_LARGEST_MEAN_SQUARE = 4.0


@one_blas_thread()
def fit_scan(
    model: MorphableModel | ScanFitter,
    scan: Mesh,
    landmarks: Landmarks | None = None,
    *,
    settings: ScanFitSettings | None = None,
    start: Similarity | None = None,
    verify: bool = True,
) -> ScanFit:
    """Find the model's face, its pose and its scale that are most probable given a scan.

    Each round matches visible vertices x_v to tangent planes (p_v, n_v) of the scan and minimises

    sum_v w_v (n_v . (g(x_v(c)) - p_v))^2 / 2 + sum_l |g(x_l(c)) - y_l|^2 / (2 sigma_l^2) - log p(c)

    over pose g and coefficients c together: a Gauss-Newton step in the pose, exact in c, with
    blendshape weights in their box.

    Parameters
    ----------
    model : a MorphableModel, or a `ScanFitter` made from one to re-use what depends on it alone
    scan : any triangle mesh of a face, partial or noisy
    landmarks : measured points, missing ones NaN; needed without a start (`geomface.fit_scan` finds
        them)
    settings : see `ScanFitSettings`; ignored when a fitter is given
    start : a known pose, model to scan; default from the landmarks
    verify : False returns a result that is no likely face, too

    Returns
    -------
    ScanFit

    Raises
    ------
    LandmarkError : wrong scheme or count, or too few measured; neither landmarks nor a start.
    TooFewMatchesError : hardly any of the model meets the scan.
    FailedRegistrationError : the fit ended, but what it gives is no likely face; it holds the
        result.

    Convention
    ----------
    Neither the scan nor the landmarks need to be upright or in millimetres; the result is where
    the scan is once its numbers are millimetres.

    Source
    ------
    Model fitting by alternating matches and posterior: Amberg, Knothe and Vetter 2008; here pose
    and coefficients are solved together, so that they do not wait for each other.
    """
    began = time.perf_counter()
    fitter = model if isinstance(model, ScanFitter) else ScanFitter(model, settings)
    given = scan_input(
        fitter.model.template,
        scan,
        landmarks,
        start,
        default_sigma=fitter.settings.landmark_sigma_mm,
        fit_scale=fitter.settings.fit_scale,
    )
    run, converged = run_scan_fit(fitter, given)
    result = _result(fitter, given, run, converged, began)
    if not verify:
        return result
    reasons = result.reasons or doubts(fitter, scan, landmarks, given, run.pose)
    result = dataclasses.replace(result, reasons=reasons)
    require_likely(scan.name, reasons, result, landmarks_given=landmarks is not None)
    return result


def run_scan_fit(fitter: ScanFitter, given: ScanInput) -> tuple[ScanFitRun, bool]:
    """Start from the landmarks, then do the coarse and the fine rounds; say whether they ended."""
    settings = fitter.settings
    face = fitter.face
    coefficients, pose = np.clip(np.zeros(len(face)), face.lower, face.upper), Similarity()
    marks = fitter.landmark_face(face)
    if given.landmarks is not None and marks is not None and given.present.sum() >= 4:
        sigma = np.hypot(given.landmark_sigma, settings.model_sigma_mm)
        first = fit_in_frame(
            marks, given.landmarks, sigma, fitter.centre, fit_scale=settings.fit_scale
        )
        coefficients, pose = first.coefficients, first.pose
    run = ScanFitRun(
        fitter, given, face, coefficients, pose, landmark_extra_sigma=settings.model_sigma_mm
    )
    run.coarse()
    return run, run.fine(settings.fine_rounds)


def landmark_gaps(run: ScanFitRun) -> dict[str, float]:
    """Return {"median", "max"} distance of the landmarks in mm, or nothing without any."""
    given = run.scan
    if run.marks is None or given.landmarks is None:
        return {}
    marks = run.pose.apply(run.marks.points(run.coefficients))
    gaps = np.linalg.norm((marks - given.landmarks)[given.present], axis=1) * given.prepared.to_mm
    return {"median": float(np.median(gaps)), "max": float(gaps.max())}


def unlikely(run: ScanFitRun, median_mm: float) -> tuple[str, ...]:
    """Return a phrase for each reason not to believe a fit."""
    reasons = []
    if median_mm > _LARGEST_RESIDUAL_MM:
        reasons.append(
            f"the model lies {median_mm:.1f} mm (median) off the scan, expected at most "
            f"{_LARGEST_RESIDUAL_MM:g} mm"
        )
    shape = run.coefficients[: run.face.shape_count]
    square = float((shape**2).mean()) if len(shape) else 0.0
    if square > _LARGEST_MEAN_SQUARE:
        reasons.append(
            f"the shape coefficients are {np.sqrt(square):.1f} standard deviations (RMS), expected "
            f"at most {np.sqrt(_LARGEST_MEAN_SQUARE):g}"
        )
    return tuple(reasons)


def _result(
    fitter: ScanFitter, given: ScanInput, run: ScanFitRun, converged: bool, began: float
) -> ScanFit:
    placed = run.pose.apply(run.vertices)
    gaps = given.target.surface.query(placed[run.accepted]).distances * given.prepared.to_mm
    residual = {"median": float(np.median(gaps)), "p95": float(np.percentile(gaps, 95))}
    count = run.face.model_count
    covariance = np.zeros((count, count))
    if run.equations is not None:
        covariance = run.equations.covariance(count)
    mesh = fitter.model.mesh.replace(
        vertices=given.to_scan(run.vertices, run.pose),
        unit="mm",
        name=given.prepared.name,
    )
    split = run.face.shape_count
    return ScanFit(
        mesh=mesh,
        shape=run.coefficients[:split].copy(),
        expression=run.coefficients[split:count].copy(),
        covariance=covariance,
        similarity=given.similarity(run.pose),
        converged=converged,
        iterations=len(run.history),
        kept_fraction=run.history[-1].kept_fraction,
        residual_mm=residual,
        landmark_mm=landmark_gaps(run),
        confidence=run.weights.copy(),
        history=tuple(run.history),
        notes=given.prepared.notes,
        seconds=time.perf_counter() - began,
        scan_unit=given.prepared.scan_unit,
        scan_unit_mm=given.prepared.unit_factor,
        reasons=unlikely(run, residual["median"]),
    )
