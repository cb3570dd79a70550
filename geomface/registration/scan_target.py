"""The scan as the registration sees it: cleaned for matching, with search trees."""

import dataclasses

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
        rim = boundary_vertices(self.faces, len(self.vertices))
        if rim.any():
            self.rim_distance, _ = KDTree(self.vertices[rim]).query(self.vertices)
        else:
            self.rim_distance = np.full(len(self.vertices), np.inf)
        self._surface: ClosestPointIndex | None = None
        self._trees: dict[float, KDTree] = {}

    @property
    def surface(self) -> ClosestPointIndex:
        """The closest-point index of the scan surface."""
        if self._surface is None:
            self._surface = ClosestPointIndex((self.vertices, self.faces))
        return self._surface

    def _tree(self, normal_mm: float) -> KDTree:
        # Quantised, so that a level re-uses its tree.
        key = round(normal_mm, 3)
        if key not in self._trees:
            self._trees = {key: KDTree(np.hstack([self.vertices, key * self.normals]))}
        return self._trees[key]

    def match(
        self,
        vertices: FloatArray,
        normals: FloatArray,
        *,
        normal_mm: float,
        distance_gate: float,
        cosine_gate: float,
        rim_margin: float,
        rim_exempt: BoolArray,
        on_triangles: bool,
    ) -> Matches:
        """Match vertices to the scan: nearest in (position, normal_mm * normal).

        A match is rejected when it is farther than `distance_gate` mm, its normal turns away by
        more than `cosine_gate` says, or it lies within `rim_margin` mm of the scan's own rim,
        where nearest points pile up. `rim_exempt` vertices (lips and lids) may match a rim, since
        theirs is real. With `on_triangles` the tangent plane passes through the closest point of
        the triangles instead of the matched vertex.
        """
        key = round(normal_mm, 3)
        _, index = self._tree(normal_mm).query(np.hstack([vertices, key * normals]), workers=-1)
        points, plane_normals = self.vertices[index], self.normals[index]
        plane_points = points
        rim = self.rim_distance[index]
        if on_triangles:
            closest = self.surface.query(vertices)
            corners = self.faces[closest.faces]
            smooth = np.einsum("vk,vkc->vc", closest.barycentric, self.normals[corners])
            smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-12)
            same_sheet = np.einsum("vc,vc->v", smooth, normals) > cosine_gate
            near_rim = np.einsum("vk,vk->v", closest.barycentric, self.rim_distance[corners])
            use = same_sheet & (near_rim > rim_margin)
            plane_points = np.where(use[:, None], closest.points, points)
            plane_normals = np.where(use[:, None], smooth, plane_normals)
        gap = np.linalg.norm(points - vertices, axis=1)
        cosine = np.einsum("vc,vc->v", self.normals[index], normals)
        accepted = (gap < distance_gate) & (cosine > cosine_gate)
        accepted &= (rim > rim_margin) | rim_exempt
        return Matches(points, plane_points, plane_normals, accepted)

    def blend_reverse(
        self,
        matches: Matches,
        vertices: FloatArray,
        normals: FloatArray,
        usable: BoolArray,
        *,
        normal_mm: float,
        distance_gate: float,
        cosine_gate: float,
        rim_margin: float,
    ) -> Matches:
        """Average each match with the scan points that would choose this vertex themselves.

        Every scan vertex away from the rim looks for its nearest usable template vertex in the
        same metric; a vertex that was chosen takes the mean of its own match and of those scan
        points. It keeps the template from bunching where one side of a fold is longer.
        """
        chosen = np.flatnonzero(usable)
        tree = KDTree(np.hstack([vertices[chosen], normal_mm * normals[chosen]]))
        inner = np.flatnonzero(self.rim_distance > rim_margin)
        points, own = self.vertices[inner], self.normals[inner]
        _, nearest = tree.query(np.hstack([points, normal_mm * own]), workers=-1)
        owner = chosen[nearest]
        good = np.linalg.norm(points - vertices[owner], axis=1) < distance_gate
        good &= np.einsum("sc,sc->s", own, normals[owner]) > cosine_gate
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
