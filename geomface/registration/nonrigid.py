"""Coarse-to-fine non-rigid registration of a template to a scan: the energy and its solver."""

import dataclasses
from functools import cached_property

import numpy as np
from scipy import sparse

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import TooFewMatchesError
from geomface.mesh import Landmarks, Similarity, Template
from geomface.mesh.factor import elimination_order
from geomface.mesh.normals import vertex_normals
from geomface.mesh.robust import geman_mcclure_weights, robust_scale
from geomface.mesh.topology import require_used_vertices
from geomface.registration.fit_state import FitState, Progress, RegistrationStep
from geomface.registration.hidden import HiddenParts
from geomface.registration.integrity import (
    crossing_rims,
    flipped_triangles,
    part_rims,
    rim_pairs,
    unfold,
)
from geomface.registration.linear_system import FittingSystem
from geomface.registration.mouth import SCHEME, closing, find_lips, keep_apart, seam_rows
from geomface.registration.prior import DeformationPrior, MeasuredPlanes, MeasuredPoints
from geomface.registration.scan_target import Matches, MatchGates, ScanTarget, between
from geomface.registration.settings import RegistrationSettings
from geomface.registration.stretching import Stretching
from geomface.registration.template_terms import (
    BendingOperator,
    Relief,
    exposure,
    feature_strength,
    inner_rims,
    near_rims,
)
from geomface.registration.turned_face import TurnedFace

# Data weight per square millimetre of template, 1 / mm^2: one independent measurement of 0.6 mm
# standard deviation every 4.3 mm^2.
_DATA_DENSITY = 3.0 / 4.3
# A vertex takes part when at least this many of the fifteen frontal directions see it.
_VISIBLE_FROM = 2
# Hidden folds follow their surroundings: so much stiffer than the skin.
_HIDDEN_STIFFNESS = 100.0
# Flat skin keeps this share of the tangential pull.
_LEAST_PULL = 0.02
# A feature match farther than this along the surface loses its pull, first and last level: scan
# vertices lie anywhere, and what is pulled to the nearest one stays where it happens to be.
_SLIDE_MM = (400.0, 0.6)
_LEAST_SCALE_MM = 0.15
_LANDMARK_CUTOFF = 4.0
_PIN_WEIGHT = 200.0
_MEND_ATTEMPTS = 4


class NonRigidRegistration:
    """Fits one template to many scans: what depends on the template alone is computed once.

    Each round matches the visible template to the scan and solves

    min_d  lambda (d - e)^T K (d - e) + (d - e)^T C (d - e)
           + sum_v w_v [ (n_v . (x_v + d_v - p_v))^2 + t_v |P_v (x_v + d_v - q_v)|^2 ]
           + sum_l u_l |B_l (x + d) - y_l|^2,     P_v = I - n_v n_v^T

    for the total displacement d from the rest shape x: K the bending operator, C the stretching of
    the surface, (p, n) the scan's tangent plane, q the feature match, w robust weights times area,
    t the tangential share (large at features only), B x the landmarks of the template, y those of
    the scan, e what a shape model expects (0 without one). lambda falls from level to level, and so
    does the distance along the surface beyond which a feature match loses its share.

    Parameters
    ----------
    template : any triangle mesh: a mask, a closed head, several parts
    settings : see `RegistrationSettings`

    Raises
    ------
    MeshError : vertices that no face uses, or triangles at the rim that are not wound alike.

    Source
    ------
    Point-to-plane non-rigid ICP in displacement form; bending energy as in Botsch and Kobbelt
    2004, stiffness annealing as in Amberg et al. 2007 (there on increments, here on the total
    displacement, so the material is not plastic); features instead of hard correspondences.
    """

    def __init__(self, template: Template, settings: RegistrationSettings | None = None) -> None:
        self.template = template
        self.settings = settings or RegistrationSettings()
        mesh = template.mesh
        require_used_vertices(mesh)
        self.scale = self.settings.size_mm / mesh.diagonal
        self.centre = mesh.vertices.mean(axis=0)
        self.rest = (mesh.vertices - self.centre) * self.scale
        self.faces = mesh.faces
        self.bending = BendingOperator(self.rest, self.faces)
        self.stretching = Stretching(self.rest, self.faces)
        self.area_weight = _DATA_DENSITY * self.bending.mass
        self.feature = feature_strength(self.rest, self.faces)
        normals = vertex_normals(self.rest, self.faces, weighting="area")
        self.exposed = exposure(self.rest, self.faces, normals)
        rims = inner_rims(self.rest, self.faces)
        self.near_rim = near_rims(self.rest, rims, self.settings.rim_width_mm)
        self.pairs = rim_pairs(self.rest, rims)
        # The order depends on the pattern alone: found once, used for every scan and level.
        pattern = self.bending.matrix() + sparse.eye_array(len(self.rest), format="csc")
        self.hidden = HiddenParts(self.rest, self.faces)
        self.landmark_rows = None
        if template.landmarks is not None:
            self.landmark_rows = template.landmarks.matrix(len(self.rest))
            pattern = pattern + self.landmark_rows.T @ self.landmark_rows
        self.lips = find_lips(self.rest, self.faces, template.landmarks)
        if self.lips is not None:
            apart, middle = seam_rows(self.lips, len(self.rest))
            pattern = pattern + abs(apart).T @ abs(apart) + middle.T @ middle
        self.order = elimination_order(pattern.tocsc())

    @cached_property
    def relief(self) -> Relief:
        """The relief of the template, for verification."""
        return Relief(self.bending.laplacian, self.bending.mass)

    @cached_property
    def turned(self) -> TurnedFace | None:
        """The template upside down, for verification; None without its 68 landmarks."""
        landmarks = self.template.landmarks
        if landmarks is None or landmarks.scheme != SCHEME or len(landmarks) != 68:
            return None
        return TurnedFace(self.rest, self.exposed >= _VISIBLE_FROM, landmarks)

    def to_frame(self, points: FloatArray, similarity: Similarity) -> FloatArray:
        """Bring scan points into the fitting frame (template pose, adult size)."""
        framed = (similarity.inverse().apply(points) - self.centre) * self.scale
        # To the nanometre: the same scan in another unit or pose then makes the same matches,
        # instead of rounding errors growing from match to match.
        return np.round(framed, 6)

    def from_frame(self, points: FloatArray, similarity: Similarity) -> FloatArray:
        """Bring fitted points back to the scan's pose and unit."""
        return similarity.apply(points / self.scale + self.centre)

    def fit(
        self,
        target: ScanTarget,
        landmarks: Landmarks | None = None,
        *,
        prior: DeformationPrior | None = None,
        on_progress: Progress | None = None,
    ) -> FitState:
        """Fit the template to a scan; everything in the fitting frame.

        Raises
        ------
        TooFewMatchesError : less than `minimum_kept` of the visible template found a match.
        """
        settings = self.settings
        run = _Fit(self, target, landmarks, prior)
        levels = len(settings.stiffness)
        for level, stiffness in enumerate(settings.stiffness):
            last = level == levels - 1
            progress = level / max(levels - 1, 1)
            if prior is not None:
                stiffness *= settings.prior_stiffness**progress
            run.begin_level(level, progress, stiffness)
            if level in (levels // 2, levels - 2):
                run.update_exposure()
            if level == levels - 2 and levels > 2 or last:
                run.look_at_mouth()
            for _ in range(settings.final_matches if last else settings.matches_per_level):
                if run.step(fine=last) < settings.stop_motion_mm:
                    break
            if on_progress is not None:
                on_progress(level + 1, levels)
        run.mend()
        run.settle()
        return run.state()


class _Fit:
    """The changing part of one fit: the displacement, and what the current level sets."""

    def __init__(
        self,
        solver: NonRigidRegistration,
        target: ScanTarget,
        landmarks: Landmarks | None,
        prior: DeformationPrior | None,
    ) -> None:
        self.solver, self.target, self.prior = solver, target, prior
        self.rest = solver.rest
        self.displacement = np.zeros_like(self.rest)
        self.exposed = solver.exposed.copy()
        self.system = FittingSystem(solver.order, solver.stretching)
        self.history: list[RegistrationStep] = []
        self.robust = np.zeros(len(self.rest))
        self.accepted = np.zeros(len(self.rest), bool)
        self.pins: tuple[IndexArray, FloatArray] | None = None
        self.marks: MeasuredPoints | None = None
        self.seam: MeasuredPoints | None = None
        self.measured = landmarks
        if landmarks is not None and solver.landmark_rows is not None:
            present = landmarks.present
            rows = solver.landmark_rows[np.flatnonzero(present)]
            self.sigma = landmarks.sigma(solver.settings.landmark_sigma_mm)[present]
            self.points = landmarks.points[present]
            moved = self.points - rows @ self.rest
            self.marks = MeasuredPoints(rows, moved, np.zeros(len(moved)))

    @property
    def vertices(self) -> FloatArray:
        """The current shape, (V, 3)."""
        return self.rest + self.displacement

    @property
    def visible(self) -> BoolArray:
        """Vertices that a scanner could see, (V,)."""
        return self.exposed >= _VISIBLE_FROM

    def begin_level(self, level: int, progress: float, stiffness: float) -> None:
        """Set the schedule of a level and drop the old factor."""
        settings = self.solver.settings
        self.level, self.progress, self.stiffness = level, progress, stiffness
        self.gates = MatchGates.at(progress, settings)
        # Landmarks lead while the template is stiff (they alone know about sliding), and fall
        # back to their statistical weight once features have taken hold.
        late = max(0.0, progress - 0.5) / 0.5
        self.emphasis = float(settings.landmark_emphasis ** (1.0 - late))
        self.stale = True

    def update_exposure(self) -> None:
        """See again what a scanner could see: an opened mouth shows more of the lips."""
        normals = vertex_normals(self.vertices, self.solver.faces, weighting="area")
        candidates = np.flatnonzero(self.solver.exposed < 6)
        self.exposed[candidates] = exposure(self.vertices, self.solver.faces, normals, candidates)
        self.stale = True

    def look_at_mouth(self) -> None:
        """Hold the inner lips together where those of the scan meet."""
        lips, held = self.solver.lips, self.seam is not None
        if lips is not None:
            self.seam = closing(
                lips, self.vertices, self.rest, self.target, self.measured, held=held
            )
            self.stale = True

    def step(self, *, fine: bool) -> float:
        """Match, weigh and solve once; return the mean vertex motion in mm."""
        solver = self.solver
        vertices = self.vertices
        matches, kept = self._match(vertices, fine)
        normals = matches.normals
        along = np.einsum("vc,vc->v", normals, matches.plane_points - vertices)
        scale = robust_scale(along[self.accepted], _LEAST_SCALE_MM)
        self.robust = geman_mcclure_weights(along, solver.settings.robust_scale * scale)
        self.robust[~self.accepted] = 0.0
        offset = matches.points - vertices
        slide = offset - normals * np.einsum("vc,vc->v", normals, offset)[:, None]
        plane, pull = self._data_weights(np.linalg.norm(slide, axis=1))
        if self.stale:
            self._factor(plane, pull)
        offset = np.einsum("vc,vc->v", normals, matches.plane_points - self.rest)[:, None]
        toward = matches.points - self.rest
        tangent = toward - normals * np.einsum("vc,vc->v", normals, toward)[:, None]
        right = plane[:, None] * normals * offset + pull[:, None] * tangent
        if self.prior is not None:
            planes = MeasuredPlanes(normals, offset[:, 0], self.robust)
            expected = self.prior.displacement(planes, self.marks)
            right += self.bent @ expected + solver.stretching(expected)
        for points in (self.marks, self.seam):
            if points is not None:
                weighted = points.weights[:, None] * points.displacements
                right += points.rows.T @ weighted
        if self.pins is not None:
            right[self.pins[0]] += _PIN_WEIGHT * (self.pins[1] - self.rest[self.pins[0]])
        before = self.displacement
        # Only the last level is worth an accurate solution: the matches change anyway.
        tolerance = 1e-3 if fine else 4e-3
        self.displacement = self.system.solve(
            right, before, normals, plane, pull, tolerance=tolerance
        )
        motion = float(np.linalg.norm(self.displacement - before, axis=1).mean())
        self.history.append(RegistrationStep(self.level, self.stiffness, scale, kept, motion))
        return motion

    def _match(self, vertices: FloatArray, fine: bool) -> tuple[Matches, float]:
        """Return matches of the whole template and the share of it that may use them."""
        solver, settings = self.solver, self.solver.settings
        normals = vertex_normals(vertices, solver.faces, weighting="area")
        matches = self.target.match(
            vertices, normals, self.gates, rim_exempt=solver.near_rim, on_triangles=fine
        )
        # While the template is stiff, its own matches are plenty.
        if settings.two_way and self.progress >= 0.5:
            matches = self.target.blend_reverse(
                matches, vertices, normals, self.visible, self.gates
            )
        mass = solver.bending.mass
        self.accepted = matches.accepted & self.visible
        kept = float(mass[self.accepted].sum()) / max(float(mass[self.visible].sum()), 1e-12)
        if kept < settings.minimum_kept:
            raise TooFewMatchesError(
                f"only {kept:.0%} of the visible template found a match on the scan, expected at "
                f"least {settings.minimum_kept:.0%}. Check that the landmarks are of this scan "
                "and in its frame, the unit, and that it shows the face."
            )
        return matches, kept

    def _data_weights(self, slide: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return w and w t, (V,) each, for matches that far along the surface, mm."""
        solver, settings = self.solver, self.solver.settings
        plane = solver.area_weight * self.robust
        features = settings.feature_pull * (1.0 if self.prior is None else settings.prior_pull)
        share = np.minimum(_LEAST_PULL + features * solver.feature, 1.0)
        near = geman_mcclure_weights(slide, between(_SLIDE_MM, self.progress))
        return plane, plane * share * near

    def _factor(self, plane: FloatArray, pull: FloatArray) -> None:
        """Assemble lambda K + B^T U B, and the pins, and factor it with the data weights."""
        hidden = np.where(self.visible, 1.0, _HIDDEN_STIFFNESS)
        self.bent = stiff = self.stiffness * self.solver.bending.matrix(hidden)
        if self.marks is not None:
            weights = self._landmark_weights(self.marks.rows)
            self.marks = dataclasses.replace(self.marks, weights=weights)
        for points in (self.marks, self.seam):
            if points is not None:
                weighted = sparse.diags_array(points.weights) @ points.rows
                stiff = stiff + (points.rows.T @ weighted).tocsc()
        if self.pins is not None:
            diagonal = np.zeros(len(self.rest))
            diagonal[self.pins[0]] = _PIN_WEIGHT
            stiff = stiff + sparse.diags_array(diagonal).tocsc()
        self.system.factor(stiff.tocsc(), plane, pull)
        self.stale = False

    def _landmark_weights(self, rows: sparse.csr_array) -> FloatArray:
        """Return robust landmark weights u (l,), 1 / mm^2."""
        residuals = np.linalg.norm(rows @ self.vertices - self.points, axis=1)
        spread = robust_scale(residuals, 1.5 * float(np.median(self.sigma)))
        robust = geman_mcclure_weights(residuals, _LANDMARK_CUTOFF * spread)
        return self.emphasis * robust / self.sigma**2

    def mend(self) -> None:
        """Part crossing rims: pin them where they meet and solve again, so that all follow."""
        solver = self.solver
        for attempt in range(_MEND_ATTEMPTS):
            crossing = crossing_rims(self.vertices, solver.pairs, self.rest)
            if not crossing.any():
                break
            # Beyond the middle by a hair, more with every attempt.
            apart = 0.02 + 0.08 * attempt
            self.pins = part_rims(
                self.vertices, solver.pairs, self.rest, crossing, apart, self.pins
            )
            self.stale = True
            self.step(fine=True)

    def settle(self) -> None:
        """Let hidden parts follow the rest, on their side of closed lips; smooth what is folded."""
        solver, lips = self.solver, self.solver.lips
        vertices, carried = solver.hidden.carry(self.vertices, self.accepted)
        barrier = keep_apart(lips, vertices) if lips is not None and self.seam else None
        hidden = ~(self.visible | self.accepted | carried)
        vertices = solver.hidden.settle(vertices, hidden, barrier)
        bending = solver.bending.matrix()
        self.displacement = unfold(vertices - self.rest, self.rest, solver.faces, bending)
        if barrier is not None and lips is not None:
            # What was smoothed may have left its side of the lips.
            met = np.concatenate([lips.upper, lips.lower])
            self.displacement[met] = vertices[met] - self.rest[met]
            self.displacement = barrier(self.vertices)[1] - self.rest
        self.accepted &= ~carried
        self.robust[carried] = 0.0

    def state(self) -> FitState:
        """Return the outcome."""
        solver, vertices = self.solver, self.vertices
        return FitState(
            vertices,
            self.robust,
            self.visible,
            self.accepted,
            flips=int(flipped_triangles(vertices, solver.faces, self.rest).sum()),
            rim_crossings=int(crossing_rims(vertices, solver.pairs, self.rest).sum()),
            converged=self.history[-1].motion_mm < 5.0 * solver.settings.stop_motion_mm,
            history=tuple(self.history),
        )
