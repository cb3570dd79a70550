"""What a known linear model says about a mesh: who it is and which expression it has."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from geomface.arrays import (
    FloatArray,
    IndexArray,
    frozen,
    require_finite,
    require_indices,
    require_shape,
)
from geomface.errors import SettingsError
from geomface.statistics import MorphableModel
from geomface.statistics.evaluation import vertex_distance

_BLOCK_BYTES = 64 << 20


@dataclasses.dataclass(frozen=True, eq=False)
class Readout:
    """Coefficients read from meshes.

    Parameters
    ----------
    coefficients : {part: (N, K)}, "identity" and "expression" for a morphable model
    residual : (N,) mm, mean vertex distance between a mesh and what the model makes of it: 0 for
        faces of the model, large for what is no face
    """

    coefficients: dict[str, FloatArray]
    residual: FloatArray


class OracleReadout:
    """Reads the coefficients of a known linear model from meshes; factored once.

    c = argmin |x - mean - B c|^2 + ridge |c|^2 = (B^T B + ridge I)^-1 B^T (x - mean)

    Parameters
    ----------
    mean : (V, 3) mm
    bases : {part: (V, 3, K)} mm, all of them read together
    ridge : mm^2; small against the squared singular values of the columns, so that meshes of the
        model are read exactly, and above 0, so that dependent columns share what they explain
    vertices : (n,) int64, those that are looked at; default all

    Raises
    ------
    MeshError : bases of another shape than the mean, NaN or infinity
    SettingsError : no bases, a ridge below 0, or of 0 with dependent columns

    Convention
    ----------
    An embedding without training, for worlds whose truth is a linear model: compare people by the
    cosine of "identity" (`unit_rows`), expressions by the distance of "expression".
    """

    def __init__(
        self,
        mean: FloatArray,
        bases: Mapping[str, FloatArray],
        *,
        ridge: float = 1e-6,
        vertices: IndexArray | None = None,
    ) -> None:
        mean = np.asarray(require_shape(mean, (None, 3), "mean"), np.float64)
        if not bases or not ridge >= 0:
            raise SettingsError(
                f"read-out: expected one or more bases and a ridge of at least 0, got {len(bases)} "
                f"and {ridge}."
            )
        rows = np.arange(len(mean)) if vertices is None else np.asarray(vertices, np.int64)
        require_indices(rows, len(mean), "read-out: vertices")
        columns = []
        for name, basis in bases.items():
            basis = require_shape(basis, (len(mean), 3, None), f"basis of {name}")
            columns.append(np.asarray(basis[rows], np.float64).reshape(3 * len(rows), -1))
        self.parts = {name: item.shape[1] for name, item in zip(bases, columns, strict=True)}
        self.vertices, self._count = frozen(rows), len(mean)
        self._mean, self._basis = mean[rows].reshape(-1), np.concatenate(columns, axis=1)
        require_finite(self._mean, "mean")
        require_finite(self._basis, "bases")
        gram = self._basis.T @ self._basis + ridge * np.eye(self._basis.shape[1])
        try:
            factor = np.linalg.cholesky(gram)
        except np.linalg.LinAlgError as error:
            raise SettingsError(
                f"read-out: {self._basis.shape[1]} columns depend on each other on these "
                f"{len(rows)} vertices. Give more vertices or a ridge above {ridge:g}."
            ) from error
        half = np.linalg.solve(factor, self._basis.T)
        self._gain = np.linalg.solve(factor.T, half)

    @classmethod
    def of(
        cls, model: MorphableModel, *, ridge: float = 1e-6, vertices: IndexArray | None = None
    ) -> "OracleReadout":
        """Return the read-out of a model's identity and, where it has them, expressions."""
        mean, bases = model.shape.mean, {"identity": model.shape.basis}
        if model.expression is not None:
            mean, bases["expression"] = mean + model.expression.mean, model.expression.basis
        return cls(mean, bases, ridge=ridge, vertices=vertices)

    def read(self, meshes: FloatArray) -> Readout:
        """Return the coefficients of meshes (N, V, 3) in mm, of any float type, block by block.

        Raises
        ------
        MeshError : meshes of another vertex count, NaN or infinity
        """
        meshes = require_shape(meshes, (None, self._count, 3), "meshes")
        found = np.empty((len(meshes), len(self._gain)))
        residual = np.empty(len(meshes))
        rows = max(_BLOCK_BYTES // (8 * self._mean.size), 1)
        for start in range(0, len(meshes), rows):
            part = slice(start, start + rows)
            block = np.asarray(meshes[part][:, self.vertices], np.float64)
            require_finite(block, "meshes")
            gap = block.reshape(len(block), -1) - self._mean
            found[part] = gap @ self._gain.T
            gap -= found[part] @ self._basis.T
            residual[part] = vertex_distance(gap.reshape(len(block), -1, 3))
        ends = np.cumsum(list(self.parts.values()))[:-1]
        split = np.split(found, ends, axis=1)
        return Readout(dict(zip(self.parts, split, strict=True)), residual)
