"""A registered face as a model sees it: pose and coefficients solved together."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, require_finite, require_shape
from geomface.mesh.rotation import rotation_matrix
from geomface.mesh.similarity import Similarity, fit_similarity
from geomface.statistics.linear_model import LinearModel, flat_columns

_MOST_STEPS = 100
_AT_REST = 1e-9
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

    min over g, z of sum_v |x_v - g(mean + B z)_v|^2 / s^2 + |z|^2,   g a similarity

    s is the deviation of what the model cannot hold, taken from the mesh itself and in its own
    size. So a face that the model holds exactly is found to rounding, and of any other one size and
    coefficients stay likely: the modes could make up for most changes of the size, and the size
    for what they lack. Each step is a Gauss-Newton step in the pose, exact in z: what the modes
    take up is projected out of the pose columns and of the residual first (variable projection).

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
        self.values, self.right = values[kept], right[kept]

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
        size = float(np.linalg.norm(mean - mean.mean(axis=0)))
        converged, steps = False, 0
        while not converged and steps < _MOST_STEPS:
            steps += 1
            placed = to_model.apply(vertices)
            noise = self._noise(placed)
            miss, share = self._miss(placed, noise), 1.0
            worst = np.linalg.norm(miss) / to_model.scale
            while True:
                tried = self._step(placed, miss, noise, scale, share).compose(to_model)
                found = self._miss(tried.apply(vertices), noise)
                better = np.linalg.norm(found) / tried.scale <= worst
                if better or share < _SHORTEST:
                    break
                share /= 2.0
            if not better:
                # Too far for a straight line: move onto the face of these coefficients instead.
                tried = fit_similarity(vertices, self._face(placed, noise)[0], scale=scale)
            moved = float(np.linalg.norm(tried.apply(vertices) - placed))
            to_model, converged = tried, moved <= _AT_REST * size
        placed = to_model.apply(vertices)
        face, coefficients = self._face(placed, self._noise(placed))
        similarity = to_model.inverse()
        return Projection(similarity.apply(face), coefficients, similarity, steps, converged)

    def _noise(self, placed: FloatArray) -> float:
        """Return the variance of what the modes cannot take up, mm^2."""
        residual = (placed - self.model.mean).ravel()
        residual = residual - self.left @ (self.left.T @ residual)
        return float(residual @ residual) / len(residual)

    def _face(self, placed: FloatArray, noise: float) -> tuple[FloatArray, FloatArray]:
        """Return the model's most probable face, and its coefficients."""
        along = self.left.T @ (placed - self.model.mean).ravel()
        along = along * self.values / (self.values**2 + noise)
        face = self.model.mean + (self.left @ (self.values * along)).reshape(placed.shape)
        return face, self.right.T @ along

    def _without_modes(self, columns: FloatArray, noise: float) -> FloatArray:
        """Return r of columns x, with |r|^2 = min over z of |x - B z|^2 + noise |z|^2."""
        share = 1.0 - np.sqrt(noise / (self.values**2 + noise))
        taken = self.left.T @ columns
        return columns - self.left @ (taken.T * share).T

    def _miss(self, placed: FloatArray, noise: float) -> FloatArray:
        return self._without_modes((placed - self.model.mean).ravel(), noise)

    def _step(
        self, placed: FloatArray, miss: FloatArray, noise: float, scale: bool, share: float
    ) -> Similarity:
        """Return the small motion of the mesh that takes most of the miss away, in its own size."""
        centre = placed.mean(axis=0)
        x, y, z = (placed - centre).T
        columns = np.zeros((len(placed), 3, 7))
        columns[:, 1, 0], columns[:, 2, 0] = -z, y
        columns[:, 0, 1], columns[:, 2, 1] = z, -x
        columns[:, 0, 2], columns[:, 1, 2] = -y, x
        columns[:, [0, 1, 2], [3, 4, 5]] = 1.0
        columns[:, :, 6] = placed - centre
        motion = columns.reshape(-1, 7)[:, : 7 if scale else 6]
        lengths = np.linalg.norm(motion, axis=0)
        motion = self._without_modes(motion / lengths, noise)
        if scale:  # of miss / size: a mesh that shrinks does not come nearer by that
            motion[:, 6] -= miss / lengths[6]
        step = np.zeros(7)
        step[: len(lengths)] = -share * np.linalg.lstsq(motion, miss, rcond=1e-9)[0] / lengths
        factor, rotation = float(np.exp(step[6])), rotation_matrix(step[:3])
        return Similarity(factor, rotation, centre + step[3:6] - factor * rotation @ centre)
