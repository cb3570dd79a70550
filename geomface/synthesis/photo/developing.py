"""From the scene to the file: blur, colour, vignette, noise."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from geomface.arrays import ImageArray
from geomface.synthesis.drawing import draw_one
from geomface.synthesis.settings import PhotoSettings

_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def develop(picture: ImageArray, settings: PhotoSettings, rng: np.random.Generator) -> ImageArray:
    """Return a picture (size, size, 3) as a cheap camera would have kept it.

    Parameters
    ----------
    picture : sRGB in [0, 1], sharp and clean
    settings : strengths
    rng : of this picture
    """
    size = len(picture)
    sigma = max(draw_one(settings.blur, rng), 0.0) * size / 227.0
    motion = rng.random() < 0.12
    picture = _blurred(picture, sigma, rng.uniform(1.5, 3.5) if motion else 1.0)
    picture = _colored(picture, settings.jitter, rng)
    picture = picture * _vignette(size, settings.jitter * rng.uniform(0.0, 0.35))
    level = max(draw_one(settings.noise, rng), 0.0)
    if level > 0:
        grain = rng.standard_normal(picture.shape, np.float32)
        # Sensors colour their noise less than pixels would: part of it is common to all channels.
        grain = np.float32(0.6) * grain + np.float32(0.8) * grain[..., :1]
        picture += np.float32(level) * grain * np.sqrt(np.float32(0.25) + np.abs(picture))
    return np.clip(picture, 0.0, 1.0)


def _blurred(picture: ImageArray, sigma: float, stretch: float) -> ImageArray:
    """Blur, more so along the rows by a factor `stretch` (a moving hand)."""
    for axis, width in ((0, sigma), (1, sigma * stretch)):
        if width > 0.2:
            blurred = gaussian_filter1d(picture, width, axis=axis, mode="nearest", truncate=3.0)
            picture = np.asarray(blurred, np.float32)
    return picture


def _colored(picture: ImageArray, strength: float, rng: np.random.Generator) -> ImageArray:
    """Change gamma, contrast, brightness, white balance and saturation a little."""
    gamma = np.exp(0.10 * strength * rng.standard_normal())
    contrast = np.exp(0.10 * strength * rng.standard_normal())
    balance = np.exp(0.04 * strength * rng.standard_normal(3)).astype(np.float32)
    saturation = np.float32(max(1.0 + 0.15 * strength * rng.standard_normal(), 0.0))
    shift = np.float32(0.03 * strength * rng.standard_normal())
    bright = np.maximum(picture, 0.0) ** np.float32(gamma)
    picture = np.asarray(bright * balance, np.float32)
    grey = (picture @ _GREY)[..., None]
    vivid = grey + saturation * (picture - grey)
    return np.asarray(0.5 + np.float32(contrast) * (vivid - np.float32(0.5)) + shift, np.float32)


def _vignette(size: int, strength: float) -> np.ndarray:
    """Return (size, size, 1): darker towards the corners."""
    place = np.linspace(-1, 1, size, dtype=np.float32) ** 2
    return (1 - np.float32(0.5 * strength) * (place[:, None] + place[None, :]) / 2)[..., None]
