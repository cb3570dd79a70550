"""Smooth random fields in space, for deformations, holes and missing surface."""

import numpy as np

from geomface.arrays import FloatArray


def random_field(
    points: FloatArray, wavelength: float, rng: np.random.Generator, *, waves: int = 32
) -> FloatArray:
    """Evaluate one smooth random field of mean 0 and variance about 1 at points.

    f(x) = sqrt(2 / M) sum_m cos(k_m . x + phase_m), |k_m| = 2 pi / wavelength, give or take 30 %.

    Parameters
    ----------
    points : (n, 3) float64, mm
    wavelength : mm; features of the field are about half as wide
    waves : number M of plane waves

    Returns
    -------
    (n,) float64

    Source
    ------
    Rahimi and Recht 2007, random Fourier features, here with a narrow band of wave numbers.
    """
    directions = rng.standard_normal((waves, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    numbers = 2 * np.pi / wavelength * rng.uniform(0.7, 1.3, waves)
    phases = rng.uniform(0, 2 * np.pi, waves)
    # One product a wave instead of a matrix product: the bytes then do not depend on the BLAS.
    total = np.zeros(len(points))
    for direction, number, phase in zip(directions, numbers, phases, strict=True):
        k = number * direction
        total += np.cos(points[:, 0] * k[0] + points[:, 1] * k[1] + points[:, 2] * k[2] + phase)
    return total * np.sqrt(2.0 / waves)


def random_displacement(
    points: FloatArray, wavelength: float, rms: float, rng: np.random.Generator, *, count: int
) -> FloatArray:
    """Return a smooth displacement (n, 3) whose length over the first `count` points has this RMS.

    Parameters
    ----------
    rms : mm, root of the mean squared length
    """
    field = np.stack([random_field(points, wavelength, rng) for _ in range(3)], axis=1)
    size = np.sqrt((field[:count] ** 2).sum(axis=1).mean())
    return field * (rms / size)


def weighted_quantile(values: FloatArray, weights: FloatArray, share: float) -> float:
    """Return the value below which a `share` in [0, 1] of the weight lies."""
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    place = int(np.searchsorted(cumulated, share * cumulated[-1]))
    return float(values[order[min(place, len(values) - 1)]])
