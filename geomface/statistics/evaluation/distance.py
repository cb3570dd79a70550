"""How far apart two registered shapes are: by their vertices, or by their surfaces."""

from collections.abc import Callable

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_indices, require_shape
from geomface.errors import SettingsError
from geomface.mesh.closest import ClosestPointIndex

Measure = Callable[[FloatArray], FloatArray]
"""Takes differences (M, V, 3) of M shapes to their reconstructions, returns M distances."""


def vertex_distance(difference: FloatArray) -> FloatArray:
    """Return (...) mean lengths of differences (..., V, 3): sum_v |d_v| / V.

    The mean of the lengths, not the root of the mean square: a Frobenius norm is larger.
    """
    return np.sqrt(np.einsum("...vc,...vc->...v", difference, difference)).mean(axis=-1)


class SurfaceDistance:
    """Two-sided mean distance of other shapes to one surface, built once.

    d(A, B) = (mean over the vertices a of A of |a - B| + mean over those of B of |b - A|) / 2,
    |a - B| the distance of a point to the triangles. Never above the mean vertex distance, since
    sliding along the surface costs nothing; never one-sided, which would hide missing parts.

    Parameters
    ----------
    vertices : (V, 3) float64
    faces : (F, 3) int64, shared by all shapes
    """

    def __init__(self, vertices: FloatArray, faces: IndexArray) -> None:
        self._own = ClosestPointIndex((vertices, faces))

    def to(self, vertices: FloatArray) -> float:
        """Return the distance to another shape (V, 3) of the same faces."""
        return self.between(ClosestPointIndex((vertices, self._own.faces)))

    def between(self, other: ClosestPointIndex) -> float:
        """Return the distance to another surface whose index is built."""
        there = other.query(self._own.vertices).distances.mean()
        back = self._own.query(other.vertices).distances.mean()
        return 0.5 * float(there + back)


def surface_measure(shapes: FloatArray, faces: IndexArray) -> Measure:
    """Return the measure of shapes (M, V, 3) against shape - difference, by surface."""
    indices = [SurfaceDistance(shape, faces) for shape in shapes]

    def measure(difference: FloatArray) -> FloatArray:
        return np.array(
            [
                index.to(shape - gap)
                for index, shape, gap in zip(indices, shapes, difference, strict=True)
            ]
        )

    return measure


def require_distance(distance: str, faces: IndexArray | None, count: int) -> IndexArray:
    """Check the choice of a distance and return its faces, none for the vertex distance.

    Raises
    ------
    SettingsError : an unknown distance, or "surface" without faces.
    MeshError : faces that are no triangles of `count` vertices.
    """
    if distance == "vertex":
        return np.zeros((0, 3), np.int64)
    if distance != "surface":
        raise SettingsError(f"distance: expected 'vertex' or 'surface', got {distance!r}.")
    if faces is None:
        raise SettingsError(
            "distance: the surface distance needs faces (F, 3), the triangles that all shapes "
            "share."
        )
    faces = np.asarray(require_shape(faces, (None, 3), "faces"), np.int64)
    require_indices(faces, count, "faces")
    return faces
