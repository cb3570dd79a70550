"""The scan as the registration sees it: cleaned for matching, with search trees."""

import dataclasses
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.spatial import KDTree

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import RegistrationError
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.normals import face_areas, vertex_normals
from geomface.mesh.topology import boundary_vertices


@dataclasses.dataclass(frozen=True, eq=False)
class Matches:
    """For each query vertex: its feature match, the tangent plane there, and whether to use it.

    Parameters
    ----------
    points : (V, 3) float64, the scan vertex nearest in position and normal
    plane_points : (V, 3) float64, a point of the scan surface near the query
    normals : (V, 3) float64, scan normal at the match
    accepted : (V,) bool
    """

    points: FloatArray
    plane_points: FloatArray
    normals: FloatArray
    accepted: BoolArray


class GateSettings(Protocol):
    """Settings that bring gates of the first and the last round."""

    @property
    def normal_feature_mm(self) -> tuple[float, float]:
        """One unit of normal difference counts as so many mm."""
        ...

    @property
    def distance_gate_mm(self) -> tuple[float, float]:
        """Matches farther than this are rejected."""
        ...

    @property
    def normal_gate_degrees(self) -> tuple[float, float]:
        """Matches whose normals differ more are rejected."""
        ...

    @property
    def boundary_margin_mm(self) -> float:
        """Matches closer than this to the scan's own rim are rejected."""
        ...


@dataclasses.dataclass(frozen=True)
class MatchGates:
    """What is compared in a match and when it is rejected.

    Parameters
    ----------
    normal_mm : one unit of normal difference counts as so many mm
    distance_mm : matches farther than this are rejected
    cosine : and those whose normals turn away by more than this says
    rim_mm : and those within this distance of the scan's own rim, where nearest points pile up
    """

    normal_mm: float
    distance_mm: float
    cosine: float
    rim_mm: float

    @classmethod
    def at(cls, progress: float, settings: GateSettings) -> "MatchGates":
        """Return the gates between first (0) and last (1), interpolated geometrically."""
        return cls(
            between(settings.normal_feature_mm, progress),
            between(settings.distance_gate_mm, progress),
            float(np.cos(np.radians(between(settings.normal_gate_degrees, progress)))),
            settings.boundary_margin_mm,
        )


def between(ends: tuple[float, float], progress: float) -> float:
    """Interpolate geometrically between the ends; progress 0 is the first, 1 the last."""
    return float(ends[0] * (ends[1] / ends[0]) ** progress)


class ScanTarget:
    """A scan prepared for matching.

    Vertices without a face of positive area take no part; the caller's mesh is not touched.

    Parameters
    ----------
    vertices : (S, 3) float64, already in the template's frame, mm
    faces : (T, 3) int64
    """

    def __init__(self, vertices: FloatArray, faces: IndexArray) -> None:
        solid = face_areas(vertices, faces) > 1e-9
        faces = faces[solid]
        if len(faces) == 0:
            raise RegistrationError(
                "the scan has no triangle of positive area; expected a surface. Mesh the point "
                "cloud first."
            )
        used = np.zeros(len(vertices), bool)
        used[faces.ravel()] = True
        renumber = np.cumsum(used) - 1
        self.vertices = np.ascontiguousarray(vertices[used])
        self.faces = renumber[faces]
        self.normals = vertex_normals(self.vertices, self.faces, weighting="area")
        self._trees: dict[float, KDTree] = {}

    @cached_property
    def rim_distance(self) -> FloatArray:
        """(S,) distance of every vertex to the scan's own rim, inf without one."""
        rim = boundary_vertices(self.faces, len(self.vertices))
        if not rim.any():
            return np.full(len(self.vertices), np.inf)
        return np.asarray(KDTree(self.vertices[rim]).query(self.vertices)[0])

    @cached_property
    def surface(self) -> ClosestPointIndex:
        """The closest-point index of the scan surface."""
        return ClosestPointIndex((self.vertices, self.faces))

    def _tree(self, key: float) -> KDTree:
        # Quantised by its callers, so that a level re-uses its tree.
        if key not in self._trees:
            self._trees = {key: KDTree(np.hstack([self.vertices, key * self.normals]))}
        return self._trees[key]

    def match(
        self,
        vertices: FloatArray,
        normals: FloatArray,
        gates: MatchGates,
        *,
        rim_exempt: BoolArray | None = None,
        on_triangles: bool,
    ) -> Matches:
        """Match vertices to the scan: nearest in (position, normal_mm * normal).

        Matches outside the gates are rejected. `rim_exempt` vertices (lips and lids) may match a
        rim, since theirs is real. With `on_triangles` the tangent plane passes through the closest
        point of the triangles instead of the matched vertex.
        """
        key = round(gates.normal_mm, 3)
        _, index = self._tree(key).query(np.hstack([vertices, key * normals]), workers=-1)
        points, plane_normals = self.vertices[index], self.normals[index]
        plane_points = points
        rim = self.rim_distance[index]
        if on_triangles:
            closest = self.surface.query(vertices)
            corners = self.faces[closest.faces]
            smooth = np.einsum("vk,vkc->vc", closest.barycentric, self.normals[corners])
            smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-12)
            same_sheet = np.einsum("vc,vc->v", smooth, normals) > gates.cosine
            near_rim = np.einsum("vk,vk->v", closest.barycentric, self.rim_distance[corners])
            use = same_sheet & (near_rim > gates.rim_mm)
            plane_points = np.where(use[:, None], closest.points, points)
            plane_normals = np.where(use[:, None], smooth, plane_normals)
        gap = np.linalg.norm(points - vertices, axis=1)
        cosine = np.einsum("vc,vc->v", self.normals[index], normals)
        accepted = (gap < gates.distance_mm) & (cosine > gates.cosine)
        inside = rim > gates.rim_mm
        accepted &= inside if rim_exempt is None else inside | rim_exempt
        return Matches(points, plane_points, plane_normals, accepted)

    def blend_reverse(
        self,
        matches: Matches,
        vertices: FloatArray,
        normals: FloatArray,
        usable: BoolArray,
        gates: MatchGates,
    ) -> Matches:
        """Average each match with the scan points that would choose this vertex themselves.

        Every scan vertex away from the rim looks for its nearest usable template vertex in the
        same metric; a vertex that was chosen takes the mean of its own match and of those scan
        points. It keeps the template from bunching where one side of a fold is longer.
        """
        chosen = np.flatnonzero(usable)
        tree = KDTree(np.hstack([vertices[chosen], gates.normal_mm * normals[chosen]]))
        inner = np.flatnonzero(self.rim_distance > gates.rim_mm)
        points, own = self.vertices[inner], self.normals[inner]
        _, nearest = tree.query(np.hstack([points, gates.normal_mm * own]), workers=-1)
        owner = chosen[nearest]
        good = np.linalg.norm(points - vertices[owner], axis=1) < gates.distance_mm
        good &= np.einsum("sc,sc->s", own, normals[owner]) > gates.cosine
        owner, points, own = owner[good], points[good], own[good]
        count = len(vertices)
        total = 1.0 + np.bincount(owner, minlength=count)[:, None]

        def mean(forward: FloatArray, reverse: FloatArray) -> FloatArray:
            sums = [np.bincount(owner, reverse[:, axis], minlength=count) for axis in range(3)]
            return (forward + np.stack(sums, axis=1)) / total

        blended = mean(matches.normals, own)
        blended /= np.maximum(np.linalg.norm(blended, axis=1, keepdims=True), 1e-12)
        return Matches(
            np.where(matches.accepted[:, None], mean(matches.points, points), matches.points),
            np.where(
                matches.accepted[:, None], mean(matches.plane_points, points), matches.plane_points
            ),
            np.where(matches.accepted[:, None], blended, matches.normals),
            matches.accepted,
        )
