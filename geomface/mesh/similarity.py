"""Similarity transforms and their least squares fit."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, frozen, require_shape
from geomface.errors import MeshError
from geomface.mesh.robust import geman_mcclure_weights, robust_scale


@dataclasses.dataclass(frozen=True, eq=False)
class Similarity:
    """x -> scale * rotation @ x + translation.

    Parameters
    ----------
    scale : positive float
    rotation : (3, 3) float64, determinant +1
    translation : (3,) float64
    """

    scale: float = 1.0
    rotation: FloatArray = dataclasses.field(default_factory=lambda: np.eye(3))
    translation: FloatArray = dataclasses.field(default_factory=lambda: np.zeros(3))

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotation", frozen(self.rotation, np.float64))
        object.__setattr__(self, "translation", frozen(self.translation, np.float64))

    def apply(self, points: FloatArray) -> FloatArray:
        """Transform points (..., 3)."""
        return self.scale * (points @ self.rotation.T) + self.translation

    def apply_vectors(self, vectors: FloatArray) -> FloatArray:
        """Rotate directions (..., 3), without scale and translation."""
        return vectors @ self.rotation.T

    def inverse(self) -> "Similarity":
        """Return the transform that undoes this one."""
        rotation = self.rotation.T
        return Similarity(1 / self.scale, rotation, -(rotation @ self.translation) / self.scale)

    def compose(self, first: "Similarity") -> "Similarity":
        """Return the transform that applies `first` and then this one."""
        return Similarity(
            self.scale * first.scale, self.rotation @ first.rotation, self.apply(first.translation)
        )


def fit_similarity(
    source: FloatArray, target: FloatArray, weights: FloatArray | None = None, *, scale: bool = True
) -> Similarity:
    """Fit the similarity that takes `source` to `target` in weighted least squares.

    min over s, R, t of sum_i w_i |s R a_i + t - b_i|^2 with det R = +1.

    Parameters
    ----------
    source, target : (n, 3) float64, n >= 3
    weights : (n,) float64 >= 0, default 1
    scale : False fits a rigid motion (s = 1)

    Raises
    ------
    MeshError : fewer than three points of positive weight, or all of them on one line.

    Source
    ------
    Umeyama 1991, with weights in all three sums; a reflection is never returned.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> points = np.random.default_rng(1).random((10, 3))
    >>> fit = gf.fit_similarity(points, 2.0 * points + [5.0, 0.0, 0.0])
    >>> round(fit.scale, 6), round(float(fit.translation[0]), 6)
    (2.0, 5.0)
    """
    source = require_shape(source, (None, 3), "source points")
    target = require_shape(target, (len(source), 3), "target points")
    w = (
        np.ones(len(source))
        if weights is None
        else require_shape(weights, (len(source),), "weights")
    )
    if np.count_nonzero(w > 0) < 3:
        raise MeshError(
            f"a similarity needs at least 3 points, got {np.count_nonzero(w > 0)}. Add landmarks."
        )
    w = w / w.sum()
    source_mean, target_mean = w @ source, w @ target
    a, b = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd((b * w[:, None]).T @ a)
    if singular[1] <= 1e-12 * max(singular[0], 1e-300):
        raise MeshError("a similarity needs points that do not lie on one line. Add landmarks.")
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    factor = float((singular * signs).sum() / (w @ (a * a).sum(axis=1))) if scale else 1.0
    return Similarity(factor, rotation, target_mean - factor * rotation @ source_mean)


def robust_similarity(
    source: FloatArray, target: FloatArray, *, floor_share: float = 0.01
) -> Similarity:
    """Fit the similarity that takes `source` to `target`, some points of which may be wrong.

    Iteratively re-weighted least squares; the floor of the robust scale is a share of the target's
    extent, so the unit does not matter.

    Raises
    ------
    MeshError : fewer than three points, or all of them on one line.
    """
    floor = floor_share * float(np.linalg.norm(np.ptp(target, axis=0)))
    weights = np.ones(len(source))
    for _ in range(20):
        similarity = fit_similarity(source, target, weights)
        residuals = np.linalg.norm(similarity.apply(source) - target, axis=1)
        # Cube: the pose must not lean towards outliers at all, unlike the later fit.
        weights = geman_mcclure_weights(residuals, 3.0 * robust_scale(residuals, floor)) ** 1.5
    return similarity
