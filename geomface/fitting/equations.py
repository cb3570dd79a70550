"""Weighted least squares in pose and coefficients together: what each measurement adds."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.fitting.bounded import solve_in_box
from geomface.fitting.linear_face import LinearFace
from geomface.fitting.pose import (
    POSE_COUNT,
    pose_columns,
    pose_columns_along,
    small_similarity,
)
from geomface.statistics.linear_model import gram_matrix

# Keeps the pose determined when nothing measures it; in rad^-2, mm^-2.
_POSE_PRECISION = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class Planes:
    """Vertices matched to tangent planes: w (n . (g(x) - p))^2 / 2.

    Parameters
    ----------
    rows : (r,) int64, rows of the face
    points, normals : (r, 3) float64, the planes in the model's frame
    weights : (r,) float64, 1 / mm^2
    """

    rows: IndexArray
    points: FloatArray
    normals: FloatArray
    weights: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class Points:
    """Vertices matched to points: w |g(x) - p|^2 / 2.

    Parameters
    ----------
    rows : (r,) int64, rows of the face
    points : (r, 3) float64 in the model's frame
    weights : (r,) float64, 1 / mm^2
    """

    rows: IndexArray
    points: FloatArray
    weights: FloatArray


Term = tuple[LinearFace, Planes | Points]
"""Measurements, and the face that they measure: its vertices or its landmarks."""


def fit_energy(
    terms: list[Term], step: FloatArray, coefficients: FloatArray, centre: FloatArray
) -> float:
    """Return the energy of a pose step and coefficients.

    E(xi, c) = sum w (n . (g_xi(x(c)) - p))^2 / 2 + sum w |g_xi(x(c)) - p|^2 / 2 - log p(c)

    Parameters
    ----------
    terms : what was measured, all of one model
    step : (7,) see `small_similarity`
    coefficients : (P + 3 m,)
    """
    move = small_similarity(step, centre)
    energy = terms[0][0].prior_energy(coefficients)
    for face, measured in terms:
        gap = move.apply(face.points(coefficients))[measured.rows] - measured.points
        if isinstance(measured, Planes):
            gap = np.einsum("rc,rc->r", gap, measured.normals)[:, None]
        energy += 0.5 * float(measured.weights @ (gap**2).sum(axis=1))
    return energy


class FitEquations:
    """The normal equations of `fit_energy`, linear in the pose step and exact in the coefficients.

    g_xi(x(c)) ~ x(c) + J(x(c0)) xi, with J the columns of a small motion at the current face.

    Parameters
    ----------
    terms, centre : as in `fit_energy`
    coefficients : (P + 3 m,) the current c0
    """

    def __init__(self, terms: list[Term], coefficients: FloatArray, centre: FloatArray) -> None:
        self.face = terms[0][0]
        count = POSE_COUNT + len(self.face)
        self.matrix = np.zeros((count, count))
        self.right = np.zeros(count)
        for face, measured in terms:
            rows, weights = measured.rows, measured.weights
            at = face.points(coefficients)[rows]
            offset = measured.points - face.mean[rows]
            if isinstance(measured, Planes):
                normals = measured.normals
                pose = pose_columns_along(at, normals, centre)
                columns = np.hstack([pose, face.along(rows, normals)])
                self._add(columns, np.einsum("rc,rc->r", normals, offset), weights)
            else:
                columns = np.concatenate([pose_columns(at, centre), face.columns(rows)], axis=-1)
                flat = columns.reshape(-1, count)
                self._add(flat, offset.ravel(), np.repeat(weights, 3))

    def _add(self, columns: FloatArray, values: FloatArray, weights: FloatArray) -> None:
        root = np.sqrt(weights)
        scaled = columns * root[:, None]
        self.matrix += gram_matrix(scaled)
        self.right += (root * values) @ scaled

    def _information(self) -> FloatArray:
        pose = np.full(POSE_COUNT, _POSE_PRECISION)
        return self.matrix + np.diag(np.concatenate([pose, self.face.precision]))

    def gradient(self, coefficients: FloatArray) -> FloatArray:
        """Return the gradient of `fit_energy` at step 0, (7 + P + 3 m,)."""
        unknowns = np.concatenate([np.zeros(POSE_COUNT), coefficients])
        gradient = self.matrix @ unknowns - self.right
        gradient[POSE_COUNT:] += self.face.precision * coefficients + self.face.slope
        return gradient

    def solve(
        self, *, shape_modes: int | None = None, fit_scale: bool = True
    ) -> tuple[FloatArray, FloatArray]:
        """Return the pose step (7,) and the coefficients of least energy.

        Parameters
        ----------
        shape_modes : all beyond the first so many are held at 0
        fit_scale : False holds the scale
        """
        face = self.face
        free = np.full(POSE_COUNT, np.inf)
        free[6] = np.inf if fit_scale else 0.0
        lower = np.concatenate([-free, face.lower])
        upper = np.concatenate([free, face.upper])
        if shape_modes is not None:
            held = slice(POSE_COUNT + shape_modes, POSE_COUNT + face.shape_count)
            lower[held] = upper[held] = 0.0
        right = self.right.copy()
        right[POSE_COUNT:] -= face.slope
        found = solve_in_box(self._information(), right, lower, upper)
        return found[:POSE_COUNT], found[POSE_COUNT:]

    def covariance(self, count: int) -> FloatArray:
        """Return the covariance of the first `count` coefficients, pose and all else unknown."""
        inverse = np.linalg.inv(self._information())
        block = inverse[POSE_COUNT : POSE_COUNT + count, POSE_COUNT : POSE_COUNT + count]
        return 0.5 * (block + block.T)
