"""Registration that starts from a morphable model and measures what is left from its face."""

import dataclasses
import time
from functools import cached_property, lru_cache

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import RegistrationError
from geomface.fitting.detail import DetailField, split_variance
from geomface.fitting.proof import doubts
from geomface.fitting.scan import landmark_gaps, run_scan_fit, unlikely
from geomface.fitting.scan_fitter import ScanFitRun, ScanFitter
from geomface.fitting.scan_input import scan_input
from geomface.fitting.settings import ModelRegistrationSettings
from geomface.fitting.smooth_field import smooth_field
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.mesh.normals import vertex_normals
from geomface.mesh.robust import geman_mcclure_weights
from geomface.registration import (
    NonRigidRegistration,
    RegistrationResult,
    RegistrationStep,
    ShapePrior,
    register,
)
from geomface.registration.integrity import crossing_rims, flipped_triangles, rim_pairs, unfold
from geomface.registration.template_terms import inner_rims
from geomface.registration.verification import require_likely, verify_fit
from geomface.statistics import MorphableModel, require_model
from geomface.threads import one_blas_thread


def shape_prior(model: MorphableModel, *, expression: bool = True) -> ShapePrior:
    """Return a model as the prior that `registration.register` takes.

    Parameters
    ----------
    expression : with the expressions as further modes; a blendshape of full weight then counts as
        one standard deviation, and nothing keeps it positive
    """
    model = require_model(model, "shape prior")
    linear = model.geometry if expression else model.shape
    return ShapePrior(linear.mean, linear.modes.astype(np.float64))


def known_faces(template: Template) -> ShapePrior | None:
    """Return the built-in face model to verify registrations with, if it has this topology."""
    topology, faces = _builtin_faces()
    mesh = template.mesh
    return faces if mesh.topology_id == topology and mesh.unit == "mm" else None


@lru_cache(maxsize=1)
def _builtin_faces() -> tuple[str, ShapePrior]:
    from geomface.faces.builtin import load_builtin_face

    builtin = load_builtin_face()
    return builtin.mesh.topology_id, shape_prior(builtin)


class ModelRegistration:
    """What one model brings to its registrations: computed once, used for every scan.

    Parameters
    ----------
    model : in millimetres, looking along +z
    settings : see `ModelRegistrationSettings`
    """

    def __init__(
        self, model: MorphableModel, settings: ModelRegistrationSettings | None = None
    ) -> None:
        self.settings = settings or ModelRegistrationSettings()
        self.fitter = ScanFitter(model, self.settings.fit)

    @cached_property
    def field(self) -> FloatArray:
        """(V, m) columns of the smooth displacement, mm."""
        length = self.settings.smooth_length_mm
        return self.settings.smooth_sigma_mm * smooth_field(self.fitter.face.mean, length)

    @cached_property
    def free(self) -> tuple[NonRigidRegistration, ShapePrior]:
        """The registration that only leans on the model."""
        return self.fitter.registration, shape_prior(self.fitter.model)

    @cached_property
    def detail(self) -> DetailField:
        """The prior of the fine displacement along the normals."""
        return DetailField(
            self.fitter.face.mean,
            self.fitter.faces,
            length=self.settings.detail_length_mm,
        )


@one_blas_thread()
def register_with_model(
    model: MorphableModel | ModelRegistration,
    scan: Mesh,
    landmarks: Landmarks | None = None,
    *,
    settings: ModelRegistrationSettings | None = None,
    start: Similarity | None = None,
    verify: bool = True,
) -> RegistrationResult:
    """Register a model's topology to a scan, leaning on the model wherever the scan is silent.

    x_v = g(mean_v + basis_v c + F_v s + h_v n_v)

    First pose g and coefficients c as in `fit_scan`; then c and a smooth displacement F s together
    (a Gaussian process: what real faces have and the model has not), with landmarks and tangent
    planes each at their own noise; then a fine displacement h along the normals. The result is the
    average of this and of a free registration with the model as prior, weighted by the inverse of
    the expected squared errors: they err independently, and the fine displacement tells how far
    the model is to be trusted.

    Parameters
    ----------
    model : a MorphableModel, or a `ModelRegistration` made from one to re-use what depends on it
    scan, landmarks, start : as in `fit_scan`
    settings : see `ModelRegistrationSettings`; ignored when a `ModelRegistration` is given
    verify : False returns a result that is no likely face, too

    Returns
    -------
    RegistrationResult : `history` counts the model's rounds as level 0, the smooth ones as level 1
        and the fine ones as level 2; stiffness is 0 throughout. A note tells the weight of the
        free registration if it was needed.

    Raises
    ------
    LandmarkError, TooFewMatchesError, FailedRegistrationError : as `fit_scan`.

    Source
    ------
    A model with a Gaussian process for its discrepancy: Kennedy and O'Hagan 2001; for shapes,
    Luethi et al. 2018 (`augmentModel` of scalismo).
    """
    began = time.perf_counter()
    solver = model if isinstance(model, ModelRegistration) else ModelRegistration(model, settings)
    chosen, fitter = solver.settings, solver.fitter
    given = scan_input(
        fitter.model.template,
        scan,
        landmarks,
        start,
        default_sigma=fitter.settings.landmark_sigma_mm,
        fit_scale=fitter.settings.fit_scale,
    )
    first, _ = run_scan_fit(fitter, given)
    smooth = first.face.with_smooth(solver.field)
    extra = np.zeros(len(smooth) - len(first.face))
    run = ScanFitRun(
        fitter,
        given,
        smooth,
        np.concatenate([first.coefficients, extra]),
        first.pose,
        landmark_extra_sigma=0.0,
        independent_mm=chosen.independent_mm,
    )
    converged = run.fine(chosen.smooth_rounds)
    displacement, detail_mm, steps = _fine_displacement(solver, run)
    vertices, notes = _average(solver, run, run.vertices + displacement, detail_mm, scan, landmarks)
    result = _result(solver, first, run, vertices, steps, converged, notes, began)
    if verify and result.verification is not None:
        reasons = result.verification.reasons
        reasons = reasons or doubts(fitter, scan, landmarks, given, run.pose)
        verification = dataclasses.replace(result.verification, reasons=reasons)
        result = dataclasses.replace(result, verification=verification)
        require_likely(scan.name, reasons, result, landmarks_given=landmarks is not None)
    return result


def _average(
    solver: ModelRegistration,
    run: ScanFitRun,
    vertices: FloatArray,
    detail_mm: float,
    scan: Mesh,
    landmarks: Landmarks | None,
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the mean with a free registration, each at its weight, and what is to say about it.

    w = e_model^2 / (e_model^2 + e_free^2),  e_model^2 = e_0^2 + (k h)^2
    """
    settings = solver.settings
    squared = settings.model_error_mm**2 + (settings.error_per_detail * detail_mm) ** 2
    share = squared / (squared + settings.free_error_mm**2)
    if share < settings.least_free_share:
        return vertices, ()
    free, prior = solver.free
    given = run.scan
    start = None
    if landmarks is None:
        to_scan = Similarity(1.0 / given.prepared.unit_factor)
        start = to_scan.compose(given.similarity(run.pose))
    try:
        found = register(free, scan, landmarks, start=start, prior=prior)
    except RegistrationError as error:
        return vertices, (f"the model alone, without a free registration: {error}",)
    other = given.from_scan(found.mesh.vertices, run.pose)
    rest = solver.fitter.face.mean
    mean = (1 - share) * vertices + share * other
    mean = rest + unfold(mean - rest, rest, solver.fitter.faces, solver.detail.precision)
    return mean, (f"averaged with a free registration that counts {share:.0%}.",)


def _fine_displacement(
    solver: ModelRegistration, run: ScanFitRun
) -> tuple[FloatArray, float, list[RegistrationStep]]:
    """Return h n (V, 3) from the smooth fit on, without folds; its standard deviation in mm as the
    scan says it; and a step for each re-matching."""
    fitter, settings = solver.fitter, solver.settings
    base = run.vertices
    normals = vertex_normals(base, fitter.faces, weighting="area")
    visible = np.flatnonzero(fitter.visible)
    height = np.zeros(len(base))
    noise = sigma = measured = 0.0
    steps = []
    for level in range(settings.detail_rounds):
        at = base + height[:, None] * normals
        found = run.match(1.0, visible, at, on_triangles=True)
        rows, planes, towards = found.rows, found.plane_points, found.normals
        gaps, slopes, weights = (np.zeros(len(base)) for _ in range(3))
        gaps[rows] = np.einsum("vc,vc->v", towards, planes - base[rows])
        slopes[rows] = np.einsum("vc,vc->v", towards, normals[rows])
        if level == 0:
            # Once it is fitted, the field follows some noise too: the first estimate is honest.
            noise, sigma = split_variance(base[rows], gaps[rows], 1.5 * run.scan.spacing)
            measured = sigma
            noise = max(noise, settings.least_noise_mm)
            sigma = min(sigma, settings.detail_sigma_mm)
            if sigma < settings.least_detail_mm:
                break
        left = gaps[rows] - slopes[rows] * height[rows]
        run.weights[:], run.accepted[:] = 0.0, False
        robust = geman_mcclure_weights(left, fitter.settings.robust_scale * np.hypot(noise, sigma))
        run.weights[rows], run.accepted[rows] = robust, True
        # A scan vertex is one measurement, however many vertices of the model share it.
        share = np.minimum(solver.detail.mass[rows] / run.scan.spacing**2, 1.0)
        weights[rows] = robust * share / noise**2
        before = height
        height = solver.detail.posterior_mean(slopes, gaps, weights, sigma)
        motion = float(np.abs(height - before).mean())
        steps.append(RegistrationStep(2, 0.0, noise, found.kept_fraction, motion))
        if motion < settings.stop_motion_mm:
            break
    displacement = height[:, None] * normals
    if steps:
        displacement = unfold(displacement, base, fitter.faces, solver.detail.precision)
    return displacement, measured, steps


def _result(
    solver: ModelRegistration,
    first: ScanFitRun,
    run: ScanFitRun,
    vertices: FloatArray,
    fine: list[RegistrationStep],
    converged: bool,
    remarks: tuple[str, ...],
    began: float,
) -> RegistrationResult:
    given, fitter = run.scan, solver.fitter
    gaps = given.target.surface.query(run.pose.apply(vertices)[run.accepted]).distances
    gaps = gaps * given.prepared.to_mm
    residual = {"median": float(np.median(gaps)), "p95": float(np.percentile(gaps, 95))}
    rest, faces = fitter.face.mean, fitter.faces
    pairs = rim_pairs(rest, inner_rims(rest, faces))
    history = [
        RegistrationStep(level, 0.0, step.scale_mm, step.kept_fraction, step.motion_mm)
        for level, part in enumerate((first, run))
        for step in part.history
    ]
    history += fine
    flips = int(flipped_triangles(vertices, faces, rest).sum())
    free, known = solver.free[0], known_faces(fitter.model.template)
    found = verify_fit(free, vertices, run.accepted, tuple(history), flips, known)
    reasons = unlikely(first, residual["median"]) + found.reasons
    return RegistrationResult(
        mesh=fitter.model.mesh.replace(
            vertices=given.to_scan(vertices, run.pose),
            unit="mm",
            name=given.prepared.name,
        ),
        confidence=run.weights.copy(),
        similarity=given.similarity(run.pose),
        converged=converged,
        iterations=len(history),
        kept_fraction=history[-1].kept_fraction,
        residual_mm=residual,
        landmark_mm=landmark_gaps(run),
        flips=flips,
        rim_crossings=int(crossing_rims(vertices, pairs, rest).sum()),
        history=tuple(history),
        notes=(*given.prepared.notes, *remarks),
        seconds=time.perf_counter() - began,
        scan_unit=given.prepared.scan_unit,
        scan_unit_mm=given.prepared.unit_factor,
        verification=dataclasses.replace(found, reasons=reasons),
    )
