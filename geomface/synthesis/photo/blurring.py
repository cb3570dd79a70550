"""Gaussian blur of pictures; what lies beyond an edge is like what lies at it."""

from typing import Any

import numba
import numpy as np


def blurred(picture: np.ndarray, down: float, across: float, truncate: float = 3.0) -> np.ndarray:
    """Return a picture (H, W) or (H, W, C), float32, blurred along its columns and its rows.

    Parameters
    ----------
    down, across : standard deviations, pixels; 0 leaves that direction as it is
    truncate : standard deviations after which the blur ends
    """
    rows = np.ascontiguousarray(picture, np.float32)
    shape = rows.shape if rows.ndim == 3 else (*rows.shape, 1)
    rows = rows.reshape(shape)
    if down > 0:
        rows = _down(rows, _weights(down, truncate))
    if across > 0:
        rows = _across(rows, _weights(across, truncate))
    return rows.reshape(picture.shape)


def _weights(deviation: float, truncate: float) -> np.ndarray:
    """Return (n + 1,) float32: the middle weight of the blur, then those at 1 .. n pixels."""
    place = np.arange(int(truncate * deviation + 0.5) + 1)
    weights = np.exp(-0.5 * (place / deviation) ** 2)
    return (weights / (2 * weights.sum() - weights[0])).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _down(picture: Any, weights: Any) -> Any:
    height, size = len(picture), picture.shape[1] * picture.shape[2]
    rows = picture.reshape(height, size)
    found = weights[0] * rows
    for row in range(height):
        for k in range(1, len(weights)):
            above, below = rows[max(row - k, 0)], rows[min(row + k, height - 1)]
            _add(found[row], above, below, weights[k])
    return found.reshape(picture.shape)


@numba.njit(cache=True, nogil=True)
def _across(picture: Any, weights: Any) -> Any:
    height, channels = len(picture), picture.shape[2]
    size, reach = picture.shape[1] * channels, len(weights) - 1
    rows = picture.reshape(height, size)
    found = weights[0] * rows
    # A row with its ends repeated.
    ends = reach * channels
    line = np.empty(size + 2 * ends, np.float32)
    for row in range(height):
        line[ends : ends + size] = rows[row]
        for i in range(ends):
            line[i] = rows[row, i % channels]
            line[ends + size + i] = rows[row, size - channels + i % channels]
        for k in range(1, reach + 1):
            left, right = ends - k * channels, ends + k * channels
            _add(found[row], line[left : left + size], line[right : right + size], weights[k])
    return found.reshape(picture.shape)


@numba.njit(cache=True, nogil=True)
def _add(total: Any, one: Any, other: Any, weight: Any) -> None:
    for i in range(len(total)):
        total[i] += weight * (one[i] + other[i])
