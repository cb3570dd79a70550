"""Register a template to a scan: the one-line entry."""

import dataclasses
import time

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_kind
from geomface.errors import MeshError, TooFewMatchesError
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.mesh.robust import robust_scale
from geomface.registration.fit_state import FitState, Progress, RegistrationStep
from geomface.registration.nonrigid import NonRigidRegistration
from geomface.registration.prepare import PreparedScan, prepare_scan
from geomface.registration.prior import DeformationPrior, ShapePrior
from geomface.registration.scan_target import ScanTarget
from geomface.registration.settings import RegistrationSettings
from geomface.registration.verification import Verification, require_likely, verify_fit
from geomface.threads import one_blas_thread

# A landmark lies far off beyond so many robust standard deviations, and so many millimetres.
_FAR_LANDMARK, _LEAST_FAR_MM = 6.0, 8.0


@dataclasses.dataclass(frozen=True, eq=False)
class RegistrationResult:
    """A registered mesh and how it went.

    Parameters
    ----------
    mesh : the template's topology in the scan's pose and size, in millimetres
    confidence : (V,) float64 in [0, 1]; 0 where no scan surface supports the vertex
    similarity : template frame to the frame of `mesh`, the rigid part of the fit
    converged : the last level stopped by small motion, not by the cap
    iterations : number of re-matchings
    kept_fraction : share of the visible template area that found a match
    residual_mm : {"median", "p95"} distance from matched vertices to the scan surface
    landmark_mm : {"median", "max"} distance of template landmarks to the given ones, if any
    flips : triangles turned against their neighbourhood, not so in the template
    rim_crossings : lip or lid rim vertices that lie beyond the opposite rim
    history : one `RegistrationStep` a re-matching
    notes : what was accepted and what was done about it, one sentence each
    scan_unit : unit of the scan's own numbers, as said or found out
    scan_unit_mm : millimetres in one of it: `mesh` is that much larger than the scan's numbers
    seconds : wall time
    verification : what tells a fitted face from a template that melted onto something else

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> scan = gf.simulate_scan(face, rng=np.random.default_rng(1))
    >>> fit: gf.RegistrationResult = gf.register(face.template, scan.mesh, scan.landmarks)
    >>> fit.mesh.topology_id == face.mesh.topology_id, sorted(fit.residual_mm)
    (True, ['median', 'p95'])
    """

    mesh: Mesh
    confidence: FloatArray
    similarity: Similarity
    converged: bool
    iterations: int
    kept_fraction: float
    residual_mm: dict[str, float]
    landmark_mm: dict[str, float]
    flips: int
    rim_crossings: int
    history: tuple[RegistrationStep, ...]
    notes: tuple[str, ...]
    seconds: float
    scan_unit: str = "mm"
    scan_unit_mm: float = 1.0
    verification: Verification | None = None


@one_blas_thread()
def register(
    template: Template | NonRigidRegistration,
    scan: Mesh,
    landmarks: Landmarks | None = None,
    *,
    settings: RegistrationSettings | None = None,
    start: Similarity | None = None,
    prior: ShapePrior | None = None,
    on_progress: Progress | None = None,
    verify: bool = True,
    faces: ShapePrior | None = None,
) -> RegistrationResult:
    """Fit the template to a scan and return it in the scan's pose and size, in millimetres.

    Parameters
    ----------
    template : a Template, or a `NonRigidRegistration` made from one to re-use its factors
    scan : any triangle mesh of a face; dirt is set aside for the fit and named in the notes
    landmarks : measured points, missing ones NaN; needed without a start (`geomface.register` finds
        them)
    settings : see `RegistrationSettings`; ignored when a solver is given
    start : a known pose, template to scan; default from the landmarks
    prior : a shape model to lean on where the scan says little
    on_progress : called with (levels done, levels)
    verify : False returns a result that is no likely face, too
    faces : a face model of this topology to verify with; default the prior

    Returns
    -------
    RegistrationResult

    Raises
    ------
    LandmarkError : wrong scheme or count, or too few measured; neither landmarks nor a start.
    TooFewMatchesError : hardly any of the template meets the scan.
    FailedRegistrationError : the fit ended, but what it gives is no likely face; it holds the
        result.

    Convention
    ----------
    Neither the scan nor the landmarks need to be upright or in millimetres; the result is where
    the scan is once its numbers are millimetres. Left and right are the subject's.
    """
    require_kind(template, (Template, NonRigidRegistration), "register", where="`.template`")
    require_kind(scan, Mesh, "register", where="`.mesh`")
    began = time.perf_counter()
    solver = template
    if isinstance(solver, Template):
        solver = NonRigidRegistration(solver, settings)
    given = prepare_scan(scan, solver.template, landmarks, start=start)
    target = ScanTarget(solver.to_frame(given.vertices, given.start), given.faces)
    framed = None
    if given.landmarks is not None:
        points = solver.to_frame(given.landmarks.points, given.start)
        framed = dataclasses.replace(given.landmarks, points=points)
    shape = None
    if prior is not None:
        mean, modes = (prior.mean - solver.centre) * solver.scale, prior.modes * solver.scale
        shape = DeformationPrior(solver.rest, mean, modes)
    try:
        state = solver.fit(target, framed, prior=shape, on_progress=on_progress)
    except TooFewMatchesError as error:
        raise TooFewMatchesError(f"{scan.name}: {error}") from error
    model = prior if faces is None else faces
    result = _result(solver, given, target, framed, state, model, began)
    if verify and result.verification is not None:
        reasons = result.verification.reasons
        require_likely(scan.name, reasons, result, landmarks_given=landmarks is not None)
    return result


def _result(
    solver: NonRigidRegistration,
    given: PreparedScan,
    target: ScanTarget,
    landmarks: Landmarks | None,
    state: FitState,
    model: ShapePrior | None,
    began: float,
) -> RegistrationResult:
    vertices = given.reflected(solver.from_frame(state.vertices, given.start))
    to_mm = given.to_mm / solver.scale
    distances = target.surface.query(state.vertices[state.accepted]).distances * to_mm
    if len(distances) == 0:
        raise MeshError("no vertex was matched.")
    landmark_mm, notes = {}, given.notes
    if landmarks is not None and solver.landmark_rows is not None:
        present = landmarks.present
        miss = (solver.landmark_rows @ state.vertices - landmarks.points)[present]
        lengths = np.linalg.norm(miss, axis=1) * to_mm
        landmark_mm = {"median": float(np.median(lengths)), "max": float(lengths.max())}
        notes += _far_from_fit(np.flatnonzero(present), lengths, landmarks.name)
    mass = solver.bending.mass
    kept = mass[state.accepted].sum() / max(mass[state.visible].sum(), 1e-12)
    return RegistrationResult(
        mesh=solver.template.mesh.replace(
            vertices=vertices, unit="mm", name=given.name, texture=None
        ),
        confidence=state.confidence,
        similarity=given.start,
        converged=state.converged,
        iterations=len(state.history),
        kept_fraction=float(kept),
        residual_mm={
            "median": float(np.median(distances)),
            "p95": float(np.percentile(distances, 95)),
        },
        landmark_mm=landmark_mm,
        flips=state.flips,
        rim_crossings=state.rim_crossings,
        history=state.history,
        verification=verify_fit(
            solver, state.vertices, state.accepted, state.history, state.flips, model
        ),
        notes=notes,
        seconds=time.perf_counter() - began,
        scan_unit=given.scan_unit,
        scan_unit_mm=given.unit_factor,
    )


def _far_from_fit(places: IndexArray, lengths: FloatArray, name: str) -> tuple[str, ...]:
    """Name landmarks that lie much farther from the fitted face than the others do."""
    far = lengths > _FAR_LANDMARK * robust_scale(lengths, _LEAST_FAR_MM / _FAR_LANDMARK)
    if not far.any():
        return ()
    named = ", ".join(
        f"{place} ({length:.0f} mm)"
        for place, length in zip(places[far], lengths[far], strict=True)
    )
    return (f"{name}: far from the fitted face: {named}; counted from 0. Check them.",)
