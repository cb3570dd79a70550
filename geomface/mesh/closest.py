"""Closest points on a surface, and what rays meet first."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.mesh import Mesh


@dataclasses.dataclass(frozen=True, eq=False)
class ClosestPoints:
    """For each query: its closest surface point.

    Parameters
    ----------
    points : (n, 3) float64
    faces : (n,) int64, the triangle of each point
    barycentric : (n, 3) float64, weights of that triangle's corners
    distances : (n,) float64, >= 0
    """

    points: FloatArray
    faces: IndexArray
    barycentric: FloatArray
    distances: FloatArray


class ClosestPointIndex:
    """A tree over the triangles of one surface: built once, asked often.

    Parameters
    ----------
    mesh : a Mesh, or a pair (vertices (V, 3) float64, faces (F, 3) int64)
    """

    def __init__(self, mesh: Mesh | tuple[FloatArray, IndexArray]) -> None:
        import igl

        vertices, faces = (mesh.vertices, mesh.faces) if isinstance(mesh, Mesh) else mesh
        self.vertices = np.ascontiguousarray(vertices, np.float64)
        self.faces = np.ascontiguousarray(faces, np.int64)
        self._tree = igl.AABB()
        self._tree.init(self.vertices, self.faces)

    def query(self, points: FloatArray) -> ClosestPoints:
        """Return the closest surface points of `points` (n, 3)."""
        points = np.ascontiguousarray(points, np.float64)
        answer = self._tree.squared_distance(self.vertices, self.faces, points)
        squared, faces, closest = (np.asarray(part) for part in answer)
        corners = self.vertices[self.faces[faces]]
        return ClosestPoints(closest, faces, barycentric(closest, corners), np.sqrt(squared))

    def first_hit(
        self, origins: FloatArray, directions: FloatArray
    ) -> tuple[IndexArray, FloatArray]:
        """Return the triangle that each ray meets first, -1 for none, and how far along it.

        Parameters
        ----------
        origins, directions : (n, 3) float64; distances count in lengths of the direction
        """
        faces, along, _ = self._tree.intersect_ray_first(
            self.vertices, self.faces, np.ascontiguousarray(origins), directions
        )
        return np.asarray(faces, np.int64), np.asarray(along, np.float64)


def barycentric(points: FloatArray, corners: FloatArray) -> FloatArray:
    """Return (n, 3) barycentric weights of points (n, 3) in their triangles (n, 3, 3).

    A degenerate triangle puts all weight on its nearest corner.
    """
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    offset = points - corners[:, 0]
    d11, d12, d22 = (
        np.einsum("ij,ij->i", a, b) for a, b in ((edge1, edge1), (edge1, edge2), (edge2, edge2))
    )
    d1, d2 = np.einsum("ij,ij->i", offset, edge1), np.einsum("ij,ij->i", offset, edge2)
    determinant = d11 * d22 - d12 * d12
    good = determinant > 1e-14 * np.maximum(d11 * d22, 1e-300)
    safe = np.where(good, determinant, 1.0)
    v = (d22 * d1 - d12 * d2) / safe
    w = (d11 * d2 - d12 * d1) / safe
    weights = np.stack([1.0 - v - w, v, w], axis=1)
    if not good.all():
        gaps = np.linalg.norm(corners[~good] - points[~good, None], axis=2)
        weights[~good] = np.eye(3)[np.argmin(gaps, axis=1)]
    weights = np.clip(weights, 0.0, None)
    return weights / weights.sum(axis=1, keepdims=True)
