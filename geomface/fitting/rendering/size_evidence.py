"""Which size of a face is probable, when pictures show shapes but not sizes."""

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.fitting.camera import CAMERA_COUNT, Camera, Perspective


def log_scale(camera: Camera) -> float:
    """Return the logarithm of the pixels a millimetre at the centre of the face."""
    if isinstance(camera, Perspective):
        return float(np.log(camera.focal) - np.log(-camera.translation[2]))
    return float(np.log(camera.scale))


def log_scale_gradient(camera: Camera) -> FloatArray:
    """Return (6,), the derivative of `log_scale` by a camera step."""
    gradient = np.zeros(CAMERA_COUNT)
    if isinstance(camera, Perspective):
        gradient[5] = -1.0 / camera.translation[2]
    else:
        gradient[5] = 1.0
    return gradient


def determined_count(matrix: FloatArray, precision: FloatArray, free: BoolArray) -> float:
    """Return how many coefficients the picture determines: sum_k 1 - precision_k C_kk.

    E + count log_scale is what to minimise instead of E. A small face before a near camera looks
    like a large one far away, but needs smaller coefficients, so E alone prefers it. Integrated
    over the coefficients (Laplace's approximation, exp(-E) / sqrt(det H)) it does not: the data's
    part of H grows with the square of the pixels a millimetre in every determined direction.

    Parameters
    ----------
    matrix : (n, n) float64, H of the free unknowns
    precision : (n,) float64, the prior's part of its diagonal
    free : (n,) bool, which of them are coefficients of the face

    Source
    ------
    MacKay 1992, "Bayesian interpolation": the effective number of parameters.
    """
    scale = 1.0 / np.sqrt(np.diag(matrix))
    inverse = np.linalg.inv(matrix * scale * scale[:, None])
    variance = np.diag(inverse) * scale**2
    return float((1.0 - precision * variance)[free].clip(0.0, 1.0).sum())
