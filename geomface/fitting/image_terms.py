"""The energy of landmarks in an image, its linearisation, and one damped step on it."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.fitting.bounded import solve_in_box
from geomface.fitting.linear_face import LinearFace
from geomface.rendering.camera import CAMERA_COUNT, Camera

_CAMERA_PRECISION = 1e-9
_HALVINGS = 8


@dataclasses.dataclass(frozen=True, eq=False)
class ImagePoints:
    """Points of a face seen in an image.

    E(camera, c) = sum_l w_l |W_l (project(x_l(c)) - y_l)|^2 / 2 - log p(c)

    Parameters
    ----------
    face : at the points
    pixels : (l, 2) float64, y
    whitening : (l, 2, 2) float64, W: W^T W is the inverse covariance of a point, 1 / pixel^2
    weights : (l,) float64 in [0, 1], w
    """

    face: LinearFace
    pixels: FloatArray
    whitening: FloatArray
    weights: FloatArray

    def misfit(self, camera: Camera, coefficients: FloatArray) -> FloatArray:
        """Return (l, 2) W (project(x(c)) - y), in standard deviations."""
        gap = camera.project(self.face.points(coefficients)) - self.pixels
        return np.einsum("lab,lb->la", self.whitening, gap)

    def energy(self, camera: Camera, coefficients: FloatArray) -> float:
        """Return E."""
        squared = (self.misfit(camera, coefficients) ** 2).sum(axis=1)
        return 0.5 * float(self.weights @ squared) + self.face.prior_energy(coefficients)

    def columns(self, camera: Camera, coefficients: FloatArray) -> FloatArray:
        """Return (l, 2, 6 + P): derivative of `misfit` by a camera step and the coefficients."""
        points = self.face.points(coefficients)
        by_point = camera.point_columns(points)
        columns = np.concatenate(
            [camera.camera_columns(points), by_point @ self.face.basis], axis=-1
        )
        return self.whitening @ columns

    def gradient(self, camera: Camera, coefficients: FloatArray) -> FloatArray:
        """Return the derivative of E by a camera step and the coefficients, (6 + P,)."""
        columns = self.columns(camera, coefficients)
        misfit = self.weights[:, None] * self.misfit(camera, coefficients)
        gradient = np.einsum("lak,la->k", columns, misfit)
        face = self.face
        gradient[CAMERA_COUNT:] += face.precision * coefficients + face.slope
        return gradient

    def information(self, camera: Camera, coefficients: FloatArray) -> FloatArray:
        """Return the Gauss-Newton matrix of E, (6 + P, 6 + P)."""
        root = np.sqrt(self.weights)[:, None, None]
        columns = root * self.columns(camera, coefficients)
        flat = columns.reshape(-1, columns.shape[-1])
        camera_precision = np.full(CAMERA_COUNT, _CAMERA_PRECISION)
        return flat.T @ flat + np.diag(np.concatenate([camera_precision, self.face.precision]))


def image_step(
    measured: ImagePoints, camera: Camera, coefficients: FloatArray
) -> tuple[Camera, FloatArray]:
    """Return camera and coefficients after one Gauss-Newton step, halved until E falls."""
    face = measured.face
    matrix = measured.information(camera, coefficients)
    gradient = measured.gradient(camera, coefficients)
    unknowns = np.concatenate([np.zeros(CAMERA_COUNT), coefficients])
    unbounded = np.full(CAMERA_COUNT, np.inf)
    lower = np.concatenate([-unbounded, face.lower])
    upper = np.concatenate([unbounded, face.upper])
    step = solve_in_box(matrix, matrix @ unknowns - gradient, lower, upper) - unknowns
    energy = measured.energy(camera, coefficients)
    share = 1.0
    for _ in range(_HALVINGS):
        moved = camera.moved(share * step[:CAMERA_COUNT])
        wanted = coefficients + share * step[CAMERA_COUNT:]
        if measured.energy(moved, wanted) <= energy:
            return moved, np.clip(wanted, face.lower, face.upper)
        share *= 0.5
    return camera, coefficients
