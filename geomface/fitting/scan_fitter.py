"""Fit rounds of a morphable model to a scan: match, weigh, solve pose and coefficients together."""

import dataclasses
from functools import cached_property

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import TooFewMatchesError
from geomface.fitting.equations import FitEquations, Planes, Points, Term
from geomface.fitting.linear_face import LinearFace, linear_face
from geomface.fitting.pose import small_similarity
from geomface.fitting.results import ScanFitStep
from geomface.fitting.scan_input import ScanInput
from geomface.fitting.settings import ScanFitSettings
from geomface.mesh import Similarity
from geomface.mesh.laplacian import lumped_mass
from geomface.mesh.normals import vertex_normals
from geomface.mesh.robust import geman_mcclure_weights, robust_scale
from geomface.registration.nonrigid import NonRigidRegistration
from geomface.registration.scan_target import MatchGates
from geomface.scans.visibility import pod_directions, seen_vertices
from geomface.statistics import MorphableModel, require_model

# A vertex takes part when a scanner could see it under less than about 73 degrees of incidence.
_LEAST_COSINE = 0.3
_YAW = np.repeat([-60.0, -30.0, 0.0, 30.0, 60.0], 3)
_PITCH = np.tile([-30.0, 0.0, 30.0], 5)
_LANDMARK_CUTOFF = 4.0


class ScanFitter:
    """What one model brings to its fits: computed once, used for every scan.

    Parameters
    ----------
    model : in millimetres, looking along +z
    settings : see `ScanFitSettings`
    """

    def __init__(self, model: MorphableModel, settings: ScanFitSettings | None = None) -> None:
        self.model = require_model(model, "fit to scans")
        self.settings = settings or ScanFitSettings()
        self.faces = model.mesh.faces
        self.face = linear_face(model, self.settings.expression_rate)
        self.centre = self.face.mean.mean(axis=0)
        self.area = lumped_mass(self.face.mean, self.faces)

    @cached_property
    def registration(self) -> NonRigidRegistration:
        """A registration of the model's template that knows nothing of the model."""
        return NonRigidRegistration(self.model.template)

    @cached_property
    def visible(self) -> BoolArray:
        """(V,) vertices that a scanner in front of the face could see; folds and nostrils not."""
        directions = pod_directions(_YAW, _PITCH)
        return seen_vertices(self.face.mean, self.faces, directions) > _LEAST_COSINE

    def landmark_face(self, face: LinearFace) -> LinearFace | None:
        """Return a face at the model's landmarks, or None when it has none."""
        embedding = self.model.template.landmarks
        return None if embedding is None else face.at(embedding)


@dataclasses.dataclass(frozen=True, eq=False)
class FrameMatches:
    """Vertices that found a match, and what they met, in the model's frame.

    Parameters
    ----------
    rows : (r,) int64
    points : (r, 3) float64, the scan vertex nearest in position and normal
    plane_points, normals : (r, 3) float64, the tangent planes of the scan
    kept_fraction : share of the area asked for
    """

    rows: IndexArray
    points: FloatArray
    plane_points: FloatArray
    normals: FloatArray
    kept_fraction: float


class ScanFitRun:
    """The changing part of one fit, everything in the model's frame.

    Parameters
    ----------
    fitter : the model
    scan : the scan in the model's frame
    face : the fitter's, or that with a smooth displacement
    coefficients, pose : where to start
    """

    def __init__(
        self,
        fitter: ScanFitter,
        scan: ScanInput,
        face: LinearFace,
        coefficients: FloatArray,
        pose: Similarity,
        *,
        landmark_extra_sigma: float,
        independent_mm: float | None = None,
    ) -> None:
        self.fitter, self.scan, self.face = fitter, scan, face
        self.coefficients, self.pose = coefficients, pose
        self.history: list[ScanFitStep] = []
        self.weights = np.zeros(len(face.mean))
        self.accepted = np.zeros(len(face.mean), bool)
        self.noise = fitter.settings.least_noise_mm
        self.independent_mm = independent_mm or fitter.settings.independent_mm
        self.equations: FitEquations | None = None
        self.marks = None
        if scan.landmarks is not None:
            self.marks = fitter.landmark_face(face)
            self.mark_sigma = np.hypot(scan.landmark_sigma, landmark_extra_sigma)

    @property
    def vertices(self) -> FloatArray:
        """The current face before its pose, (V, 3)."""
        return self.face.points(self.coefficients)

    def _landmark_term(self) -> list[Term]:
        """Landmarks as measurements; those far off lose their weight."""
        if self.marks is None or self.scan.landmarks is None:
            return []
        rows = np.flatnonzero(self.scan.present)
        wanted = self.pose.inverse().apply(self.scan.landmarks[rows])
        gaps = np.linalg.norm(self.marks.points(self.coefficients)[rows] - wanted, axis=1)
        sigma = self.mark_sigma[rows]
        spread = robust_scale(gaps / sigma, np.sqrt(3.0))
        weights = geman_mcclure_weights(gaps / sigma, _LANDMARK_CUTOFF * spread) / sigma**2
        return [(self.marks, Points(rows, wanted, weights))]

    def match(
        self, progress: float, rows: IndexArray, vertices: FloatArray, *, on_triangles: bool
    ) -> FrameMatches:
        """Match some vertices of a face (V, 3) to the scan.

        Raises
        ------
        TooFewMatchesError : less than `minimum_kept` of them found a match.
        """
        settings, fitter = self.fitter.settings, self.fitter
        normals = vertex_normals(vertices, fitter.faces, weighting="area")
        matches = self.scan.target.match(
            self.pose.apply(vertices[rows]),
            self.pose.apply_vectors(normals[rows]),
            MatchGates.at(progress, settings),
            on_triangles=on_triangles,
        )
        used = matches.accepted
        kept = float(fitter.area[rows[used]].sum() / max(fitter.area[rows].sum(), 1e-12))
        if kept < settings.minimum_kept:
            raise TooFewMatchesError(
                f"{self.scan.prepared.name}: only {kept:.0%} of the visible model found a match on "
                f"the scan, expected at least {settings.minimum_kept:.0%}. Check the landmarks, "
                "the unit and that the scan shows a face."
            )
        back = self.pose.inverse()
        return FrameMatches(
            rows[used],
            back.apply(matches.points[used]),
            back.apply(matches.plane_points[used]),
            back.apply_vectors(matches.normals[used]),
            kept,
        )

    def round(
        self, progress: float, rows: IndexArray, *, modes: int, fine: bool, share: float
    ) -> float:
        """Match, weigh and solve once; return the mean motion of the matched vertices in mm.

        Parameters
        ----------
        progress : 0 at the first round, 1 at the last coarse round and after
        rows : (r,) int64 vertices to match
        modes : shape modes in use
        fine : match to triangles, along normals only
        share : visible vertices for each one of `rows`
        """
        settings, fitter = self.fitter.settings, self.fitter
        vertices = self.vertices
        before = self.pose.apply(vertices)
        matches = self.match(progress, rows, vertices, on_triangles=fine)
        chosen, planes, towards = matches.rows, matches.plane_points, matches.normals
        along = np.einsum("vc,vc->v", towards, planes - vertices[chosen])
        self.noise = robust_scale(along, settings.least_noise_mm)
        robust = geman_mcclure_weights(along, settings.robust_scale * self.noise)
        self.weights[:], self.accepted[:] = 0.0, False
        self.weights[chosen], self.accepted[chosen] = robust, True
        # One independent measurement a square of independent_mm, whatever the vertex density.
        weights = share * robust * fitter.area[chosen] / (self.independent_mm * self.noise) ** 2
        terms: list[Term] = [(self.face, Planes(chosen, planes, towards, weights))]
        if not fine and settings.point_share > 0:
            terms.append(
                (self.face, Points(chosen, matches.points, settings.point_share * weights))
            )
        terms += self._landmark_term()
        self.equations = FitEquations(terms, self.coefficients, fitter.centre)
        step, self.coefficients = self.equations.solve(
            shape_modes=modes, fit_scale=settings.fit_scale
        )
        self.pose = self.pose.compose(small_similarity(step, fitter.centre))
        after = self.pose.apply(self.vertices)
        # What nothing supports may still drift when the rest stands.
        motion = float(np.linalg.norm((after - before)[chosen], axis=1).mean())
        self.history.append(ScanFitStep(modes, self.noise, matches.kept_fraction, motion))
        return motion

    def coarse(self) -> None:
        """Match a part of the vertices while gates close and modes are freed."""
        settings, count = self.fitter.settings, self.face.shape_count
        visible = np.flatnonzero(self.fitter.visible)
        first = min(settings.first_modes, count)
        rounds = settings.coarse_rounds
        for level in range(rounds):
            progress = level / max(rounds - 1, 1)
            modes = round(first + (count - first) * progress)
            rows = visible[level % settings.subsample :: settings.subsample]
            self.round(progress, rows, modes=modes, fine=False, share=len(visible) / len(rows))

    def fine(self, rounds: int) -> bool:
        """Match all visible vertices until the face stands still; return whether it does."""
        visible = np.flatnonzero(self.fitter.visible)
        for _ in range(rounds):
            motion = self.round(1.0, visible, modes=self.face.shape_count, fine=True, share=1.0)
            if motion < self.fitter.settings.stop_motion_mm:
                return True
        return False
