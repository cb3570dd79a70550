"""A registered face as a model sees it: pose and coefficients solved together."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, require_finite, require_shape
from geomface.mesh.rotation import rotation_matrix
from geomface.mesh.similarity import Similarity, fit_similarity
from geomface.statistics.linear_model import LinearModel, flat_columns

_MOST_STEPS = 100
_AT_REST = 1e-10
_SHORTEST = 0.1
# Directions of the modes that are this much weaker than the strongest hold nothing but rounding.
_RANK = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class Projection:
    """The face of a model that is nearest to a mesh.

    Parameters
    ----------
    vertices : (V, 3) float64, in the pose and size of the mesh
    coefficients : (K,) float64, standard deviations
    similarity : model frame to mesh frame
    steps : Gauss-Newton steps taken
    converged : the last one moved nothing
    """

    vertices: FloatArray
    coefficients: FloatArray
    similarity: Similarity
    steps: int
    converged: bool


class ModelProjector:
    """Projects registered faces onto one linear model, whose factors are computed once.

    min over g, z of sum_v |g^-1(x_v) - mean_v - (B z)_v|^2,   g a similarity

    Each step is a Gauss-Newton step in the pose, exact in z: what the modes can take up is
    projected out of the pose columns and of the residual first (variable projection). A face that
    the model holds exactly is found to rounding.

    Parameters
    ----------
    model : shape in mm, (V, 3)

    Source
    ------
    Variable projection: Golub and Pereyra 1973.
    """

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        columns = flat_columns(model.basis).astype(np.float64)
        left, values, right = np.linalg.svd(columns, full_matrices=False)
        kept = values > _RANK * values.max(initial=0.0)
        self.left = np.ascontiguousarray(left[:, kept])
        self.to_coefficients = right[kept].T / values[kept]

    def project(self, vertices: FloatArray, *, scale: bool = True) -> Projection:
        """Return the model's face nearest to vertices (V, 3) in any pose.

        Parameters
        ----------
        scale : False keeps their size: a rigid motion only

        Raises
        ------
        MeshError : another number of vertices, NaN or infinity.
        """
        mean = self.model.mean
        vertices = np.asarray(vertices, np.float64)
        require_shape(vertices, mean.shape, "vertices")
        require_finite(vertices, "vertices")
        to_model = fit_similarity(vertices, mean, scale=scale)
        miss, along = self._miss(to_model.apply(vertices))
        size = float(np.linalg.norm(mean - mean.mean(axis=0)))
        converged, steps = False, 0
        while not converged and steps < _MOST_STEPS:
            steps += 1
            placed, share = to_model.apply(vertices), 1.0
            tried = self._step(placed, miss, scale, share).compose(to_model)
            found, there = self._miss(tried.apply(vertices))
            while share > _SHORTEST and not np.linalg.norm(found) <= np.linalg.norm(miss):
                share /= 2.0
                tried = self._step(placed, miss, scale, share).compose(to_model)
                found, there = self._miss(tried.apply(vertices))
            if not np.linalg.norm(found) <= np.linalg.norm(miss):
                # Too far for a straight line: move onto the face of these coefficients instead.
                face = mean + (self.left @ along).reshape(mean.shape)
                tried = fit_similarity(vertices, face, scale=scale)
                found, there = self._miss(tried.apply(vertices))
            gain = float(np.linalg.norm(miss) - np.linalg.norm(found))
            to_model, miss, along = tried, found, there
            converged = gain <= _AT_REST * size
        similarity = to_model.inverse()
        face = mean + (self.left @ along).reshape(mean.shape)
        return Projection(
            similarity.apply(face), self.to_coefficients @ along, similarity, steps, converged
        )

    def _miss(self, placed: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return what no mode can take up (3 V,), and what they take along their directions."""
        residual = (placed - self.model.mean).ravel()
        along = self.left.T @ residual
        return residual - self.left @ along, along

    def _step(self, placed: FloatArray, miss: FloatArray, scale: bool, share: float) -> Similarity:
        """Return the small motion of the mesh that takes most of the miss away."""
        centre = placed.mean(axis=0)
        x, y, z = (placed - centre).T
        columns = np.zeros((len(placed), 3, 7))
        columns[:, 1, 0], columns[:, 2, 0] = -z, y
        columns[:, 0, 1], columns[:, 2, 1] = z, -x
        columns[:, 0, 2], columns[:, 1, 2] = -y, x
        columns[:, [0, 1, 2], [3, 4, 5]] = 1.0
        columns[:, :, 6] = placed - centre
        motion = columns.reshape(-1, 7)[:, : 7 if scale else 6]
        motion = motion / np.linalg.norm(motion, axis=0)
        lengths = np.linalg.norm(columns.reshape(-1, 7), axis=0)[: motion.shape[1]]
        motion = motion - self.left @ (self.left.T @ motion)
        step = np.zeros(7)
        step[: len(lengths)] = -share * np.linalg.lstsq(motion, miss, rcond=1e-9)[0] / lengths
        factor, rotation = float(np.exp(step[6])), rotation_matrix(step[:3])
        return Similarity(factor, rotation, centre + step[3:6] - factor * rotation @ centre)
