"""Histograms of gradients: features of pictures that nobody trained."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError


def gradient_histograms(pictures: FloatArray, *, cell: int = 8, directions: int = 9) -> FloatArray:
    """Return histograms of gradient directions in square cells, each relative to its neighbours.

    h_cb = sum over a cell's pixels of |g| w_b(angle of g mod 180 degrees),
    f_c = h_c / sqrt(mean of |h|^2 over the 3 x 3 cells around + e^2)

    Parameters
    ----------
    pictures : (N, H, W) in [0, 1]; what no whole cell covers is left out at both sides alike
    cell : pixels a side
    directions : bins of 180 degrees; w shares a gradient between the nearest two

    Returns
    -------
    (N, rows x columns x directions) float64

    Raises
    ------
    SettingsError : pictures smaller than a cell

    Source
    ------
    Dalal and Triggs 2005, one block a cell.
    """
    from scipy.ndimage import uniform_filter1d

    pictures = np.asarray(pictures, np.float64)
    if pictures.ndim != 3 or min(pictures.shape[1:]) < max(cell, 2):
        raise SettingsError(
            f"gradient histograms: expected pictures (N, H, W) of at least {cell} pixels a side, "
            f"got shape {pictures.shape}."
        )
    down, right = np.gradient(pictures, axis=(1, 2))
    size = np.hypot(down, right)
    place = np.mod(np.arctan2(down, right), np.pi) * (directions / np.pi)
    rows, columns = (length // cell for length in pictures.shape[1:])
    top, left = ((length % cell) // 2 for length in pictures.shape[1:])
    histograms = np.empty((len(pictures), rows, columns, directions))
    for index in range(directions):
        away = np.abs(place - index)
        share = size * np.clip(1.0 - np.minimum(away, directions - away), 0.0, None)
        share = share[:, top : top + rows * cell, left : left + columns * cell]
        histograms[..., index] = share.reshape(-1, rows, cell, columns, cell).sum(axis=(2, 4))
    energy = (histograms**2).sum(axis=-1)
    for axis in (1, 2):
        energy = uniform_filter1d(energy, 3, axis=axis, mode="nearest")
    # Gradients of a level in 255: flat cells of noise do not count as much as edges.
    floor = (cell * cell / 255.0) ** 2
    return (histograms / np.sqrt(energy + floor)[..., None]).reshape(len(pictures), -1)
