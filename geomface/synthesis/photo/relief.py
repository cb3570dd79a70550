"""Relief of the skin finer than its mesh: pores, fine lines, unevenness, and where it is oily."""

import functools

import numpy as np
from scipy.ndimage import gaussian_filter

SIZE = 256
TILE_MM = 80.0
"""Side of the tile that repeats over the skin, mm."""
# Wavelength in mm and slope of each part of the relief.
_PARTS = ((0.9, 0.12), (1.7, 0.13), (3.5, 0.09), (8.0, 0.03))


@functools.lru_cache(maxsize=16)
def relief_tile(half_octave: int) -> np.ndarray:
    """Return (SIZE, SIZE, 3) float32: slopes along x and y, and how oily the skin is, about 1.

    Parameters
    ----------
    half_octave : the relief is averaged over sqrt(2)^half_octave times 0.25 mm, what a pixel covers
    """
    rng = np.random.default_rng(20260)
    frequency = np.fft.fftfreq(SIZE, TILE_MM / SIZE)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    slopes = np.zeros((SIZE, SIZE, 2))
    for wavelength, slope in _PARTS:
        band = np.exp(-((np.log2(np.maximum(radius, 1e-6) * wavelength) / 0.6) ** 2))
        spectrum = np.fft.fft2(rng.standard_normal((SIZE, SIZE))) * band
        spectrum[0, 0] = 0
        both = [
            np.fft.ifft2(2j * np.pi * spectrum * wave).real
            for wave in (frequency[None, :], frequency[:, None])
        ]
        slopes += np.stack(both, axis=2) * (slope / np.std(both))
    oil = gaussian_filter(rng.standard_normal((SIZE, SIZE)), 12, mode="wrap")
    oil = (
        1.0 + 0.35 * oil / oil.std() - 0.25 * np.abs(slopes).sum(axis=2) / np.abs(slopes).mean() / 2
    )
    tile = np.concatenate([slopes, np.clip(oil, 0.1, 2.0)[..., None]], axis=2)
    blur = 0.4 * 0.25 * np.sqrt(2.0) ** half_octave / (TILE_MM / SIZE)
    return gaussian_filter(tile, (blur, blur, 0), mode="wrap").astype(np.float32)


def relief_for(pixel_mm: float) -> np.ndarray:
    """Return the tile for pixels that cover this many mm."""
    octave = int(np.clip(np.round(2 * np.log2(pixel_mm / 0.25)), 0, 15))
    return relief_tile(octave)
