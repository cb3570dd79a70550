"""A smooth random displacement of a surface, as a few columns."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError

# Stop when this share of the variance is left anywhere, and drop this share of it in all.
_LEFT = 0.03
_DROPPED = 2e-3


def smooth_field(points: FloatArray, length: float, *, most: int = 400) -> FloatArray:
    """Return columns F with F F^T near the kernel k(x, y) = exp(-|x - y|^2 / (2 length^2)).

    A smooth displacement of standard deviation s along every axis is then s F z, z ~ N(0, 1).

    Parameters
    ----------
    points : (V, 3) float64
    length : correlation length, unit of the points
    most : largest number of columns before compression

    Returns
    -------
    (V, m) float64, orthogonal columns of falling length

    Raises
    ------
    SettingsError : a length that is not positive.

    Source
    ------
    Pivoted Cholesky of the kernel matrix: Harbrecht, Peters and Schneider 2012; as a model of
    what registration has to move: Luethi et al. 2018.
    """
    if not length > 0:
        raise SettingsError(f"smooth field: expected a positive length, got {length}.")
    count = len(points)
    left = np.ones(count)
    columns = np.zeros((min(most, count), count))
    used = 0
    while used < len(columns):
        pivot = int(left.argmax())
        if left[pivot] < _LEFT:
            break
        offset = points - points[pivot]
        kernel = np.exp(-np.einsum("vc,vc->v", offset, offset) / (2.0 * length**2))
        column = kernel - columns[:used, pivot] @ columns[:used]
        columns[used] = column / np.sqrt(left[pivot])
        left = np.maximum(left - columns[used] ** 2, 0.0)
        used += 1
    factor = columns[:used]
    values, vectors = np.linalg.eigh(factor @ factor.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = int(np.searchsorted(np.cumsum(values), (1.0 - _DROPPED) * values.sum())) + 1
    return np.ascontiguousarray((vectors[:, :keep].T @ factor).T)
