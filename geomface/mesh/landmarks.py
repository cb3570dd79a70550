"""Landmarks: points measured on a scan, and their places on a template."""

import dataclasses

import numpy as np
from scipy import sparse

from geomface.arrays import (
    BoolArray,
    FloatArray,
    IndexArray,
    frozen,
    require_finite,
    require_indices,
    require_shape,
    require_whole,
)
from geomface.errors import LandmarkError

_ROUNDING = 1e-3


@dataclasses.dataclass(frozen=True, eq=False)
class Landmarks:
    """Named points on a scan; a missing one is a row of NaN.

    Parameters
    ----------
    points : (L, 3) float64, in `unit`; NaN rows are missing
    scheme : name of the landmark scheme, such as "multi-pie-68"
    sigma_mm : (L,) float64 or None, standard deviation per axis of each point, millimetres
    unit : unit of `points`

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> points = np.array([[0.0, 20.0, 95.0], [np.nan, np.nan, np.nan]])
    >>> gf.Landmarks(points, scheme="nose and chin").present
    array([ True, False])
    """

    points: FloatArray
    scheme: str = "multi-pie-68"
    sigma_mm: FloatArray | None = None
    unit: str = "mm"
    name: str = "landmarks"

    def __post_init__(self) -> None:
        points = require_shape(self.points, (None, 3), f"{self.name}: points", LandmarkError)
        object.__setattr__(self, "points", frozen(points, np.float64))
        if self.sigma_mm is not None:
            sigma = require_shape(
                self.sigma_mm, (len(points),), f"{self.name}: sigma_mm", LandmarkError
            )
            object.__setattr__(self, "sigma_mm", frozen(sigma, np.float64))
            known = self.sigma_mm[self.present]
            if not (np.isfinite(known) & (known > 0)).all():
                raise LandmarkError(
                    f"{self.name}: sigma_mm: expected a positive standard deviation of every "
                    "measured point, got 0, NaN or others. Leave sigma_mm out if it is not known."
                )

    @property
    def present(self) -> BoolArray:
        """(L,) True where the point was measured."""
        return np.asarray(np.isfinite(self.points).all(axis=1))

    def sigma(self, default: float) -> FloatArray:
        """Return the (L,) standard deviations in mm; `default` where landmarks bring none."""
        return np.full(len(self.points), default) if self.sigma_mm is None else self.sigma_mm


@dataclasses.dataclass(frozen=True, eq=False)
class LandmarkEmbedding:
    """Where each landmark lies on a template: three vertices and their weights.

    Parameters
    ----------
    vertices : (L, 3) int64; a landmark on a vertex repeats it
    weights : (L, 3) float64, rows sum to 1
    scheme : name of the landmark scheme

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> marks = gf.LandmarkEmbedding(np.array([[0, 1, 2]]), np.array([[0.5, 0.5, 0.0]]))
    >>> marks.positions(np.eye(3))
    array([[0.5, 0.5, 0. ]])
    """

    vertices: IndexArray
    weights: FloatArray
    scheme: str = "multi-pie-68"

    def __post_init__(self) -> None:
        vertices = require_shape(self.vertices, (None, 3), "landmark vertices", LandmarkError)
        weights = require_shape(self.weights, (len(vertices), 3), "landmark weights", LandmarkError)
        require_whole(vertices, "landmark vertices", LandmarkError)
        require_finite(weights, "landmark weights", LandmarkError)
        sums = weights.sum(axis=1)
        if (np.abs(sums - 1.0) > _ROUNDING).any():
            worst = sums[np.abs(sums - 1.0).argmax()]
            raise LandmarkError(
                f"landmark weights: expected rows that sum to 1, got {worst:g}. Divide each by it."
            )
        object.__setattr__(self, "vertices", frozen(vertices, np.int64))
        object.__setattr__(self, "weights", frozen(weights, np.float64))

    @classmethod
    def on_vertices(cls, indices: IndexArray, scheme: str = "multi-pie-68") -> "LandmarkEmbedding":
        """Embed landmarks that are vertices: indices is (L,) int64."""
        indices = require_shape(indices, (None,), "landmark vertices", LandmarkError)
        weights = np.tile([1.0, 0.0, 0.0], (len(indices), 1))
        return cls(np.repeat(indices[:, None], 3, axis=1), weights, scheme)

    def __len__(self) -> int:
        return len(self.vertices)

    def positions(self, vertices: FloatArray) -> FloatArray:
        """Return the (L, 3) landmark positions on `vertices` (V, 3)."""
        require_indices(self.vertices, len(vertices), "landmark vertices", LandmarkError)
        return np.einsum("lk,lkc->lc", self.weights, vertices[self.vertices])

    def matrix(self, vertex_count: int) -> sparse.csr_array:
        """Return the sparse (L, V) matrix B with B x the landmark positions on x."""
        rows = np.repeat(np.arange(len(self)), 3)
        entries = (self.weights.ravel(), (rows, self.vertices.ravel()))
        return sparse.csr_array(entries, shape=(len(self), vertex_count))
