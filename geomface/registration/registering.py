"""Register a template to a scan: the one-line entry."""

import dataclasses
import time

import numpy as np

from geomface.errors import MeshError
from geomface.mesh import Landmarks, Mesh, Similarity, Template
from geomface.mesh.diagnose import (
    MILLIMETRES,
    ScanDiagnosis,
    arrange_landmarks,
    diagnose_scan,
    suspected_mirror_image,
)
from geomface.registration.fitting import FitState
from geomface.registration.gradient import fit_three_terms
from geomface.registration.integrity import flipped_triangles, rim_gaps
from geomface.registration.nonrigid import NonRigidRegistration, Progress
from geomface.registration.prior import DeformationPrior
from geomface.registration.result import RegistrationResult, RegistrationStep
from geomface.registration.scan_target import ScanTarget
from geomface.registration.settings import RegistrationSettings
from geomface.registration.start import similarity_from_landmarks, similarity_without_landmarks
from geomface.threads import one_blas_thread

_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclasses.dataclass(frozen=True, eq=False)
class ShapePrior:
    """A linear shape model on the template's topology, in the template's frame and unit.

    Parameters
    ----------
    mean : (V, 3) float64
    modes : (K, V, 3) float64, each one standard deviation
    """

    mean: np.ndarray
    modes: np.ndarray


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
) -> RegistrationResult:
    """Fit the template to a scan and return it in the scan's pose, scale and unit.

    Parameters
    ----------
    template : a Template, or a `NonRigidRegistration` made from one to re-use its factors
    scan : any triangle mesh of a face; dirt is set aside for the fit and named in the notes
    landmarks : measured points, missing ones NaN; without them several poses are tried
    settings : see `RegistrationSettings`; ignored when a solver is given
    start : a known pose, template to scan; default from the landmarks, or searched for
    prior : a shape model to lean on where the scan says little
    on_progress : called with (levels done, levels)

    Returns
    -------
    RegistrationResult

    Raises
    ------
    LandmarkError : wrong scheme or count, or too few measured.
    TooFewMatchesError : hardly any of the template meets the scan.
    RegistrationError : no starting pose was found without landmarks.

    Convention
    ----------
    Neither the scan nor the landmarks need to be upright or in millimetres; the result is where
    the scan is. Left and right are the subject's.
    """
    began = time.perf_counter()
    solver = (
        template
        if isinstance(template, NonRigidRegistration)
        else NonRigidRegistration(template, settings)
    )
    notes: list[str] = []
    if landmarks is not None:
        embedding = solver.template.require_landmarks(landmarks)
        placed = embedding.positions(solver.template.mesh.vertices)
        landmarks, moved = arrange_landmarks(landmarks, placed)
        notes += moved
        missing = int((~landmarks.present).sum())
        if 0 < missing < len(landmarks.points):
            notes.append(f"{missing} of {len(landmarks.points)} landmarks are missing: left out.")
        mirrored = suspected_mirror_image(landmarks.points, placed)
        if mirrored:
            notes.append(
                "the landmarks say that this scan is a mirror image: it was reflected at x = 0 for "
                "the fit and the result reflected back. Check the scanner's export."
            )
            scan = scan.replace(
                vertices=scan.vertices * _MIRROR,
                faces=scan.faces[:, ::-1],
                quads=None,
                uv=None,
                uv_faces=None,
            )
            landmarks = dataclasses.replace(landmarks, points=landmarks.points * _MIRROR)
        start = start or similarity_from_landmarks(placed, landmarks)
        diagnosis = diagnose_scan(scan, scale_to_template=1.0 / start.scale)
        notes += diagnosis.notes
        if _tilt(start.rotation) > 60.0:
            notes.append("the scan does not look along +z: turned by its landmarks.")
    else:
        mirrored = False
        diagnosis = diagnose_scan(scan)
        notes += diagnosis.notes
        if start is None:
            start = _start_without_landmarks(solver, scan, diagnosis)
            notes.append("no landmarks: the starting pose was searched for; check the overlay.")
    faces = diagnosis.weld[scan.faces][~diagnosis.degenerate_faces]
    target = ScanTarget(solver.to_frame(scan.vertices, start), faces)
    framed = None
    if landmarks is not None:
        points = solver.to_frame(landmarks.points, start)
        framed = dataclasses.replace(landmarks, points=points, unit="mm")
    if solver.settings.method == "three-term-gradient":
        state = _fit_by_gradient(solver, target, framed)
    else:
        shape = None
        if prior is not None:
            shape = DeformationPrior(
                solver.rest,
                (prior.mean - solver.centre) * solver.scale,
                prior.modes * solver.scale,
            )
        state = solver.fit(target, framed, prior=shape, on_progress=on_progress)
    return _result(solver, target, framed, start, state, mirrored, scan, tuple(notes), began)


def _tilt(rotation: np.ndarray) -> float:
    """Angle in degrees between the template's +z and the scan's."""
    return float(np.degrees(np.arccos(np.clip(rotation[2, 2], -1.0, 1.0))))


def _start_without_landmarks(
    solver: NonRigidRegistration, scan: Mesh, diagnosis: ScanDiagnosis
) -> Similarity:
    """Search for the pose with the scan brought to the template's unit by its size."""
    faces = diagnosis.weld[scan.faces][~diagnosis.degenerate_faces]
    template = solver.template.mesh
    to_template = diagnosis.unit_factor / MILLIMETRES[template.unit]
    source = ScanTarget(template.vertices, template.faces)
    similarity, _ = similarity_without_landmarks(
        source, ScanTarget(scan.vertices * to_template, faces)
    )
    return Similarity(1.0 / to_template).compose(similarity)


def _fit_by_gradient(
    solver: NonRigidRegistration, target: ScanTarget, landmarks: Landmarks | None
) -> FitState:
    vertices, stages = fit_three_terms(
        solver.rest, solver.faces, target, solver.landmark_rows, landmarks
    )
    history = tuple(
        RegistrationStep(level, smoothness, 0.0, 1.0, 0.0)
        for level, (smoothness, _) in enumerate(stages)
    )
    everywhere = np.ones(len(vertices), bool)
    return FitState(
        vertices,
        everywhere.astype(np.float64),
        everywhere,
        everywhere,
        int(flipped_triangles(vertices, solver.faces, solver.rest).sum()),
        int((rim_gaps(vertices, solver.pairs, solver.rest) < 0).sum()),
        True,
        history,
    )


def _result(
    solver: NonRigidRegistration,
    target: ScanTarget,
    landmarks: Landmarks | None,
    start: Similarity,
    state: FitState,
    mirrored: bool,
    scan: Mesh,
    notes: tuple[str, ...],
    began: float,
) -> RegistrationResult:
    vertices = solver.from_frame(state.vertices, start)
    if mirrored:
        vertices = vertices * _MIRROR
    mesh = solver.template.mesh
    registered = mesh.replace(vertices=vertices, unit=scan.unit, name=scan.name, texture=None)
    to_mm = start.scale * MILLIMETRES[scan.unit] / solver.scale
    distances = target.surface.query(state.vertices[state.accepted]).distances * to_mm
    if len(distances) == 0:
        raise MeshError("no vertex was matched.")
    landmark_mm = {}
    if landmarks is not None and solver.landmark_rows is not None:
        present = landmarks.present
        miss = (solver.landmark_rows @ state.vertices - landmarks.points)[present]
        lengths = np.linalg.norm(miss, axis=1) * to_mm
        landmark_mm = {"median": float(np.median(lengths)), "max": float(lengths.max())}
    mass = solver.bending.mass
    kept = mass[state.accepted].sum() / max(mass[state.visible].sum(), 1e-12)
    return RegistrationResult(
        mesh=registered,
        confidence=state.confidence,
        similarity=start,
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
        notes=notes,
        seconds=time.perf_counter() - began,
    )
