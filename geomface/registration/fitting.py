"""One fit: match, weigh, solve, level by level."""

import dataclasses

import numpy as np
from scipy import sparse

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import TooFewMatchesError
from geomface.mesh import Landmarks
from geomface.mesh.normals import vertex_normals
from geomface.registration.integrity import flipped_triangles, rim_gaps, rim_up, unfold
from geomface.registration.linear_system import FittingSystem
from geomface.registration.prior import DeformationPrior, MeasuredPlanes, MeasuredPoints
from geomface.registration.result import RegistrationStep
from geomface.registration.scan_target import Matches, ScanTarget
from geomface.registration.smoothness import exposure
from geomface.registration.start import robust_weights
from geomface.registration.template_terms import TemplateTerms

# A vertex takes part when at least this many of the fifteen frontal directions see it.
_VISIBLE_FROM = 2
# Hidden folds follow their surroundings: so much stiffer than the skin.
_HIDDEN_STIFFNESS = 100.0
# Flat skin keeps this share of the tangential pull, so that no vertex drifts freely.
_LEAST_PULL = 0.02
_LEAST_SCALE_MM = 0.15
_PIN_WEIGHT = 200.0
_MEND_ATTEMPTS = 4
# Lips that touch are closed, not crossed.
_TOUCHING_MM = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class FitState:
    """The end of a fit, in the template's frame and millimetres at adult size."""

    vertices: FloatArray
    confidence: FloatArray
    visible: BoolArray
    accepted: BoolArray
    flips: int
    rim_crossings: int
    converged: bool
    history: tuple[RegistrationStep, ...]


class Fitting:
    """The changing part of one fit; see `NonRigidRegistration` for the energy."""

    def __init__(
        self,
        solver: TemplateTerms,
        target: ScanTarget,
        landmarks: Landmarks | None,
        prior: DeformationPrior | None,
    ) -> None:
        self.solver, self.target, self.prior = solver, target, prior
        self.rest = solver.rest
        self.displacement = np.zeros_like(self.rest)
        self.exposed = solver.exposed.copy()
        self.system = FittingSystem(solver.order)
        self.bent = sparse.csc_array((0, 0))
        self.history: list[RegistrationStep] = []
        self.weights = np.zeros(len(self.rest))
        self.robust = np.zeros(len(self.rest))
        self.accepted = np.zeros(len(self.rest), bool)
        self.progress = 0.0
        self.emphasis = 1.0
        self.pins: tuple[IndexArray, FloatArray] | None = None
        rows = solver.landmark_rows
        self.rows = None
        if landmarks is not None and rows is not None:
            present = landmarks.present
            self.rows = rows[np.flatnonzero(present)]
            self.points = landmarks.points[present]
            sigma = landmarks.sigma_mm
            default = solver.settings.landmark_sigma_mm
            self.sigma = np.full(len(present), default) if sigma is None else sigma
            self.sigma = np.where(np.isfinite(self.sigma), self.sigma, default)[present]
        self.landmark_weights = np.zeros(0)

    @property
    def vertices(self) -> FloatArray:
        """The current shape, (V, 3)."""
        return self.rest + self.displacement

    @property
    def visible(self) -> BoolArray:
        """Vertices that a scanner could see, (V,)."""
        return self.exposed >= _VISIBLE_FROM

    def between(self, ends: tuple[float, float]) -> float:
        """Interpolate a setting geometrically between first and last level."""
        return float(ends[0] * (ends[1] / ends[0]) ** self.progress)

    def begin_level(self, progress: float, stiffness: float) -> None:
        """Set the schedule of a level and drop the old factor."""
        self.progress = progress
        # Landmarks lead while the template is stiff (they alone know about sliding), and fall
        # back to their statistical weight once features have taken hold.
        late = max(0.0, progress - 0.5) / 0.5
        self.emphasis = float(self.solver.settings.landmark_emphasis ** (1.0 - late))
        self.stale = True

    def update_exposure(self) -> None:
        """See again what a scanner could see: an opened mouth shows more of the lips."""
        normals = vertex_normals(self.vertices, self.solver.faces, weighting="area")
        candidates = np.flatnonzero(self.solver.exposed < 6)
        self.exposed[candidates] = exposure(self.vertices, self.solver.faces, normals, candidates)
        self.stale = True

    def _match(self, on_triangles: bool) -> tuple[FloatArray, Matches]:
        settings = self.solver.settings
        vertices = self.vertices
        normals = vertex_normals(vertices, self.solver.faces, weighting="area")
        degrees = self.between(settings.normal_gate_degrees)
        matches = self.target.match(
            vertices,
            normals,
            normal_mm=self.between(settings.normal_feature_mm),
            distance_gate=self.between(settings.distance_gate_mm),
            cosine_gate=float(np.cos(np.radians(degrees))),
            rim_margin=settings.boundary_margin_mm,
            rim_exempt=self.solver.near_rim,
            on_triangles=on_triangles,
        )
        # While the template is stiff, its own matches are plenty.
        if settings.two_way and self.progress >= 0.5:
            matches = self.target.blend_reverse(
                matches,
                vertices,
                normals,
                self.visible,
                normal_mm=self.between(settings.normal_feature_mm),
                distance_gate=self.between(settings.distance_gate_mm),
                cosine_gate=float(np.cos(np.radians(degrees))),
                rim_margin=settings.boundary_margin_mm,
            )
        return vertices, matches

    def _landmark_terms(self, vertices: FloatArray) -> FloatArray:
        """Return robust landmark weights (l,), 1 / mm^2."""
        if self.rows is None:
            return np.zeros(0)
        residuals = np.linalg.norm(self.rows @ vertices - self.points, axis=1)
        robust = robust_weights(residuals, floor=1.5 * float(np.median(self.sigma)))
        return self.emphasis * robust / self.sigma**2

    def _measured_points(self) -> MeasuredPoints | None:
        if self.rows is None:
            return None
        moved = self.points - self.rows @ self.rest
        return MeasuredPoints(self.rows, moved, self.landmark_weights)

    def step(self, level: int, stiffness: float, *, on_triangles: bool) -> float:
        """Match, weigh and solve once; return the mean vertex motion in mm."""
        solver, settings = self.solver, self.solver.settings
        vertices, matches = self._match(on_triangles)
        normals = matches.normals
        accepted = matches.accepted & self.visible
        visible_area = float(solver.bending.mass[self.visible].sum())
        kept = float(solver.bending.mass[accepted].sum()) / max(visible_area, 1e-12)
        if kept < settings.minimum_kept:
            raise TooFewMatchesError(
                f"only {kept:.0%} of the visible template found a match on the scan, expected at "
                f"least {settings.minimum_kept:.0%}. Check the landmarks, the unit and that the "
                "scan shows this face."
            )
        along = np.einsum("vc,vc->v", normals, matches.plane_points - vertices)
        scale = max(1.4826 * float(np.median(np.abs(along[accepted]))), _LEAST_SCALE_MM)
        self.robust = (1.0 + (along / (settings.robust_scale * scale)) ** 2) ** -2
        self.robust[~accepted] = 0.0
        self.accepted = accepted
        plane = solver.area_weight * self.robust
        features = settings.feature_pull * (1.0 if self.prior is None else settings.prior_pull)
        pull = plane * np.minimum(_LEAST_PULL + features * solver.feature, 1.0)
        offset = np.einsum("vc,vc->v", normals, matches.plane_points - self.rest)[:, None]
        toward = matches.points - self.rest
        tangent = toward - normals * np.einsum("vc,vc->v", normals, toward)[:, None]
        right = plane[:, None] * normals * offset + pull[:, None] * tangent
        if self.stale:
            hidden = np.where(self.visible, 1.0, _HIDDEN_STIFFNESS)
            self.bent = stiffness * solver.bending.matrix(hidden)
        if self.rows is not None and self.stale:
            self.landmark_weights = self._landmark_terms(vertices)
        if self.prior is not None:
            planes = MeasuredPlanes(normals, offset[:, 0], self.robust)
            right += self.bent @ self.prior.displacement(planes, self._measured_points())
        if self.rows is not None:
            weighted = self.landmark_weights[:, None] * (self.points - self.rows @ self.rest)
            right += self.rows.T @ weighted
        if self.pins is not None:
            right[self.pins[0]] += _PIN_WEIGHT * (self.pins[1] - self.rest[self.pins[0]])
        if self.stale:
            self._factor(plane, pull)
        before = self.displacement
        # Only the last level is worth an accurate solution: the matches change anyway.
        tolerance = 1e-3 if on_triangles else 4e-3
        self.displacement = self.system.solve(
            right, before, normals, plane, pull, tolerance=tolerance
        )
        motion = float(np.linalg.norm(self.displacement - before, axis=1).mean())
        self.history.append(RegistrationStep(level, stiffness, scale, kept, motion))
        return motion

    def _factor(self, plane: FloatArray, pull: FloatArray) -> None:
        stiff = self.bent
        if self.rows is not None:
            weighted = sparse.diags_array(self.landmark_weights) @ self.rows
            stiff = stiff + (self.rows.T @ weighted).tocsc()
        if self.pins is not None:
            diagonal = np.zeros(len(self.rest))
            diagonal[self.pins[0]] = _PIN_WEIGHT
            stiff = stiff + sparse.diags_array(diagonal).tocsc()
        self.system.factor(stiff.tocsc(), plane, pull)
        self.stale = False

    def mend(self, level: int, stiffness: float) -> None:
        """Part crossing rims, then smooth what is still folded.

        Crossing rims are pinned where they meet and the step is solved again, so their
        surroundings follow; a folded triangle is a local matter (`unfold`).
        """
        solver = self.solver
        for attempt in range(_MEND_ATTEMPTS):
            vertices = self.vertices
            crossing = rim_gaps(vertices, solver.pairs, self.rest) < -_TOUCHING_MM
            if not crossing.any():
                break
            upper, lower = solver.pairs.upper[crossing], solver.pairs.lower[crossing]
            middle = 0.5 * (vertices[upper] + vertices[lower])
            # Beyond the middle by a hair, more with every attempt.
            apart = (0.02 + 0.08 * attempt) * rim_up(vertices, solver.pairs, self.rest)[crossing]
            pinned = np.concatenate([upper, lower])
            places = np.concatenate([middle + apart, middle - apart])
            if self.pins is not None:
                older = ~np.isin(self.pins[0], pinned)
                pinned = np.concatenate([pinned, self.pins[0][older]])
                places = np.concatenate([places, self.pins[1][older]])
            pinned, first = np.unique(pinned, return_index=True)
            self.pins = (pinned, places[first])
            self.stale = True
            self.step(level, stiffness, on_triangles=True)
        self.displacement = unfold(
            self.displacement, self.rest, solver.faces, solver.bending.matrix()
        )

    def state(self) -> FitState:
        """Return the outcome."""
        solver = self.solver
        vertices = self.vertices
        flips = int(flipped_triangles(vertices, solver.faces, self.rest).sum())
        crossings = int((rim_gaps(vertices, solver.pairs, self.rest) < -_TOUCHING_MM).sum())
        converged = self.history[-1].motion_mm < 5.0 * solver.settings.stop_motion_mm
        return FitState(
            vertices,
            self.robust,
            self.visible,
            self.accepted,
            flips,
            crossings,
            converged,
            tuple(self.history),
        )
