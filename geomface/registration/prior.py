"""A statistical prior on the shape, given by mean, modes and standard deviations."""

import dataclasses

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, frozen, require_shape

_POSE_SIGMA_MM = 5.0
"""How far the starting pose and scale may be wrong, root mean square over the face."""
_CORRELATED = 30.0
"""Neighbouring vertices do not err independently: count one measurement in so many."""
_MODEL_VARIANCE_MM2 = 2.0
"""What the model leaves out at a landmark, beside the landmark's own error."""


@dataclasses.dataclass(frozen=True, eq=False)
class ShapePrior:
    """A linear shape model on the template's topology, in the template's frame and unit.

    Parameters
    ----------
    mean : (V, 3) float64
    modes : (K, V, 3) float64, each one standard deviation
    """

    mean: np.ndarray
    modes: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredPlanes:
    """Where the vertices are said to lie along a direction each.

    Parameters
    ----------
    normals : (V, 3) unit normals of the matched scan surface
    heights : (V,) mm, normal . (match - rest)
    weights : (V,) in [0, 1], 0 without a match
    """

    normals: FloatArray
    heights: FloatArray
    weights: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredPoints:
    """Where points on the surface are said to lie.

    Parameters
    ----------
    rows : (l, V) sparse, the points as mixtures of vertices
    displacements : (l, 3) mm, measured point - point at rest
    weights : (l,) 1 / mm^2
    """

    rows: sparse.csr_array
    displacements: FloatArray
    weights: FloatArray


class DeformationPrior:
    """Expected displacement from a linear shape model.

    With a prior the bending energy acts on what the model cannot explain: K (d - e), where e is
    the displacement of the model's face that is the most probable one given the scan. It is
    measured along the normals of the matches and at the landmarks only: along the surface the
    current shape says nothing that the prior should believe.

    Parameters
    ----------
    rest : (V, 3) float64, fitting frame
    mean : (V, 3) float64, fitting frame
    modes : (K, V, 3) float64, one standard deviation each
    noise_mm : standard deviation of what the model leaves out
    """

    def __init__(
        self, rest: FloatArray, mean: FloatArray, modes: FloatArray, *, noise_mm: float = 0.35
    ) -> None:
        rest = require_shape(rest, (None, 3), "prior: rest")
        mean = require_shape(mean, (len(rest), 3), "prior: mean")
        modes = require_shape(modes, (None, len(rest), 3), "prior: modes")
        self.offset = frozen(mean - rest, np.float64)
        basis = np.concatenate([modes, _POSE_SIGMA_MM * pose_modes(mean)])
        self._basis = np.ascontiguousarray(np.moveaxis(basis, 0, -1), dtype=np.float64)
        self._precision = 1.0 / (_CORRELATED * noise_mm**2)

    def displacement(self, planes: MeasuredPlanes, points: MeasuredPoints | None) -> FloatArray:
        """Return e (V, 3), the posterior mean displacement given planes and points.

        min_c sum_v w_v (n_v . (o_v + B_v c) - h_v)^2 / (30 s^2)
              + sum_l |o_l + B_l c - g_l|^2 / (1 / w_l + s_l^2) + |c|^2
        """
        count = self._basis.shape[2]
        slopes = np.einsum("vc,vck->vk", planes.normals, self._basis)
        left = planes.heights - np.einsum("vc,vc->v", planes.normals, self.offset)
        weighted = slopes * (self._precision * planes.weights)[:, None]
        system = weighted.T @ slopes + np.eye(count)
        right = weighted.T @ left
        if points is not None:
            placed = (points.rows @ self._basis.reshape(len(self._basis), -1)).reshape(-1, count)
            gaps = (points.displacements - points.rows @ self.offset).ravel()
            trust = points.weights / (1.0 + _MODEL_VARIANCE_MM2 * points.weights)
            weighted = placed * np.repeat(trust, 3)[:, None]
            system += weighted.T @ placed
            right += weighted.T @ gaps
        return self.offset + self._basis @ np.linalg.solve(system, right)


def pose_modes(mean: FloatArray) -> FloatArray:
    """Return (7, V, 3) shifts, small turns and a change of scale, of about 1 mm each."""
    centred = mean - mean.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=1).mean())
    shifts = [np.broadcast_to(axis, mean.shape) for axis in np.eye(3)]
    turns = [np.cross(axis, centred) / size for axis in np.eye(3)]
    return np.stack([*shifts, *turns, centred / size])
