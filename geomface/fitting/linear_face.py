"""A morphable model as one set of columns with a prior on every coefficient."""

import dataclasses
from functools import cached_property

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh import LandmarkEmbedding
from geomface.statistics import MorphableModel


@dataclasses.dataclass(frozen=True, eq=False)
class LinearFace:
    """Shape, expression and, if wanted, a smooth displacement side by side, with their prior.

    x(c) = mean + basis c_model + smooth [c_x c_y c_z],      c = (c_model, c_x, c_y, c_z)
    -log p(c) = sum_k precision_k c_k^2 / 2 + slope_k c_k,   lower <= c <= upper

    Parameters
    ----------
    mean : (n, 3) float64, mm: all vertices, or the landmarks
    basis : (n, 3, P) float64, shape modes first, then expressions
    smooth : (n, m) float64, mm, columns of a displacement along each axis; m = 0 without one
    shape_count : number of shape modes
    precision, slope, lower, upper : (P + 3 m,) float64

    Convention
    ----------
    Shape, smooth and Gaussian expression coefficients are N(0, 1). Blendshape weights lie in
    [0, 1] and fall off exponentially there, so that few of them are active.
    """

    mean: FloatArray
    basis: FloatArray
    smooth: FloatArray
    shape_count: int
    precision: FloatArray
    slope: FloatArray
    lower: FloatArray
    upper: FloatArray

    def __len__(self) -> int:
        return len(self.precision)

    @property
    def model_count(self) -> int:
        """Number P of shape and expression coefficients."""
        return self.basis.shape[-1]

    @cached_property
    def _components(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        x, y, z = (np.ascontiguousarray(self.basis[:, axis]) for axis in range(3))
        return x, y, z

    def axis_basis(self, axis: int) -> FloatArray:
        """Return (n, P): one coordinate of the model's columns, in one piece of memory."""
        return self._components[axis]

    def points(self, coefficients: FloatArray) -> FloatArray:
        """Return x(c), (n, 3)."""
        count = self.model_count
        flat = self.basis.reshape(-1, count) @ coefficients[:count]
        points = self.mean + flat.reshape(-1, 3)
        if self.smooth.shape[1]:
            points = points + self.smooth @ coefficients[count:].reshape(3, -1).T
        return points

    def along(self, rows: IndexArray, normals: FloatArray) -> FloatArray:
        """Return (r, P + 3 m): the columns of some rows along a normal (r, 3) each."""
        x, y, z = self._components
        columns = x[rows] * normals[:, :1]
        columns += y[rows] * normals[:, 1:2]
        columns += z[rows] * normals[:, 2:]
        if not self.smooth.shape[1]:
            return columns
        smooth = normals[:, :, None] * self.smooth[rows][:, None, :]
        return np.hstack([columns, smooth.reshape(len(rows), -1)])

    def columns(self, rows: IndexArray) -> FloatArray:
        """Return (r, 3, P + 3 m): the columns of some rows, axis by axis."""
        basis = self.basis[rows]
        if not self.smooth.shape[1]:
            return basis
        smooth = np.einsum("ab,rm->rabm", np.eye(3), self.smooth[rows])
        return np.concatenate([basis, smooth.reshape(len(basis), 3, -1)], axis=-1)

    def at(self, embedding: LandmarkEmbedding) -> "LinearFace":
        """Return the face at its landmarks."""
        weights, vertices = embedding.weights, embedding.vertices
        return dataclasses.replace(
            self,
            mean=embedding.positions(self.mean),
            basis=np.einsum("lk,lkcp->lcp", weights, self.basis[vertices]),
            smooth=np.einsum("lk,lkm->lm", weights, self.smooth[vertices]),
        )

    def with_rows(self, place: IndexArray, other: "LinearFace", rows: IndexArray) -> "LinearFace":
        """Return the face with some of its points replaced by rows of another one."""
        mean, basis, smooth = self.mean.copy(), self.basis.copy(), self.smooth.copy()
        mean[place], basis[place] = other.mean[rows], other.basis[rows]
        smooth[place] = other.smooth[rows]
        return dataclasses.replace(self, mean=mean, basis=basis, smooth=smooth)

    def with_smooth(self, field: FloatArray) -> "LinearFace":
        """Return the face with a smooth displacement of columns `field` (n, m), mm."""
        extra = np.ones(3 * field.shape[1])

        def longer(values: FloatArray, value: float) -> FloatArray:
            return np.concatenate([values[: self.model_count], value * extra])

        return dataclasses.replace(
            self,
            smooth=field,
            precision=longer(self.precision, 1.0),
            slope=longer(self.slope, 0.0),
            lower=longer(self.lower, -np.inf),
            upper=longer(self.upper, np.inf),
        )

    def prior_energy(self, coefficients: FloatArray) -> float:
        """Return -log p(c) without its constant."""
        return float(0.5 * self.precision @ coefficients**2 + self.slope @ coefficients)


def linear_face(model: MorphableModel, expression_rate: float) -> LinearFace:
    """Return shape and expression of a model as one set of columns.

    Parameters
    ----------
    expression_rate : rate of the exponential prior of blendshape weights; 5 expects a fifth of
        the full expression
    """
    shape, expression = model.shape, model.expression
    mean, blocks = shape.mean, [shape.basis]
    count = len(shape) + (0 if expression is None else len(expression))
    slope, lower, upper = np.zeros(count), np.full(count, -np.inf), np.full(count, np.inf)
    if expression is not None:
        mean = mean + expression.mean
        blocks.append(expression.basis)
        if expression.kind == "blendshapes":
            weights = slice(len(shape), None)
            slope[weights], lower[weights], upper[weights] = expression_rate, 0.0, 1.0
    basis = np.concatenate(blocks, axis=-1).astype(np.float64)
    nothing = np.zeros((len(mean), 0))
    return LinearFace(mean, basis, nothing, len(shape), np.ones(count), slope, lower, upper)
