"""From the scene to the file: lens, sensor or film, sharpening, colour, JPEG."""

import io

import numpy as np
from PIL import Image

from geomface.arrays import ImageArray
from geomface.synthesis.distributions import Distribution
from geomface.synthesis.drawing import draw_one
from geomface.synthesis.photo.blurring import blurred
from geomface.synthesis.settings import (
    LARGEST_BLUR,
    LARGEST_NOISE,
    LARGEST_SHARPENING,
    PhotoSettings,
)

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_LEAST_SIDE = 64
"""Pixels a side that the coarsest sensor has."""


def develop(
    picture: ImageArray,
    settings: PhotoSettings,
    rng: np.random.Generator,
    grain: np.random.Generator | None = None,
) -> ImageArray:
    """Return a picture (size, size, 3) as a camera would have kept it.

    Parameters
    ----------
    picture : sRGB in [0, 1], sharp and clean
    settings : strengths
    rng : of this picture
    grain : of the noise, where many pictures are of one camera; None: `rng`
    """
    size = len(picture)
    grain = rng if grain is None else grain
    sigma = _drawn(settings.blur, LARGEST_BLUR, rng) * size / 227.0
    motion = rng.random() < 0.06
    stretch = rng.uniform(1.5, 3.0) if motion else 1.0
    picture = _blurred(picture, sigma, sigma * stretch)
    picture = _colored(picture, settings.jitter, rng)
    picture = picture * _vignette(size, settings.jitter * rng.uniform(0.0, 0.35))
    film, coarse = rng.random() < settings.film, rng.random() < settings.coarse
    side = size
    if coarse:
        side = max(int(size * rng.uniform(0.45, 0.95)), min(_LEAST_SIDE, size))
        picture = _resized(picture, side)
    if film:
        picture = _exposed_film(picture, rng, grain)
    else:
        picture = _sensed(picture, settings, rng, grain)
    picture = _sharpened(picture, _drawn(settings.sharpening, LARGEST_SHARPENING, rng))
    picture = np.clip(picture, 0.0, 1.0)
    if rng.random() < settings.jpeg:
        picture = _compressed(picture, int(rng.integers(35, 96)))
    if side != size:
        picture = np.clip(_resized(picture, size), 0.0, 1.0)
    return picture


def _drawn(distribution: Distribution, most: float, rng: np.random.Generator) -> float:
    """Draw a strength: what a Gaussian has beyond 0 and the largest one is clipped."""
    return min(max(draw_one(distribution, rng), 0.0), most)


def _blurred(picture: ImageArray, down: float, across: float) -> ImageArray:
    """Blur by standard deviations in pixels, more along the rows when a hand moves."""
    down, across = (width if width > 0.2 else 0.0 for width in (down, across))
    return blurred(picture, down, across)


def _resized(picture: ImageArray, side: int) -> ImageArray:
    """Return (side, side, 3), averaged when smaller, bicubic when larger."""
    kind = Image.Resampling.BOX if side < len(picture) else Image.Resampling.BICUBIC
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(picture[..., c])).resize((side, side), kind)
        )
        for c in range(3)
    ]
    return np.stack(channels, axis=2)


def _colored(picture: ImageArray, strength: float, rng: np.random.Generator) -> ImageArray:
    """Change gamma, tone curve, brightness, white balance and saturation a little."""
    gamma = np.exp(0.08 * strength * rng.standard_normal())
    steep = np.float32(min(strength, 1.0) * 0.8 * rng.random() ** 2)
    balance = np.exp(0.04 * strength * rng.standard_normal(3)).astype(np.float32)
    saturation = np.float32(max(1.0 + 0.15 * strength * rng.standard_normal(), 0.0))
    shift = np.float32(0.02 * strength * rng.standard_normal())
    bright = np.maximum(picture, 0.0) ** np.float32(gamma)
    picture = np.asarray(bright * balance, np.float32)
    grey = (picture @ _GREY)[..., None]
    vivid = np.clip(grey + saturation * (picture - grey), 0.0, 1.0)
    # Cameras make middle tones steeper, and bend towards black and white.
    bent = vivid + steep * vivid * vivid * (3 - 2 * vivid) - steep * vivid + shift
    return np.asarray(bent, np.float32)


def _vignette(size: int, strength: float) -> np.ndarray:
    """Return (size, size, 1): darker towards the corners."""
    place = np.linspace(-1, 1, size, dtype=np.float32) ** 2
    return (1 - np.float32(0.5 * strength) * (place[:, None] + place[None, :]) / 2)[..., None]


def _sensed(
    picture: ImageArray,
    settings: PhotoSettings,
    rng: np.random.Generator,
    noise: np.random.Generator,
) -> ImageArray:
    """Add the noise of a sensor: that of photons and of reading, spread over colours and pixels."""
    level = _drawn(settings.noise, LARGEST_NOISE, rng)
    spread = rng.uniform(0.0, 0.9)
    if level == 0:
        return picture
    grain: ImageArray = noise.standard_normal(picture.shape, np.float32)
    # Sensors colour their noise less than pixels would: most of it is common to all channels.
    grain = np.asarray(np.float32(0.35) * grain + np.float32(0.94) * grain[..., :1], np.float32)
    if spread > 0.35:
        # Colours are guessed from neighbours and noise is smoothed: it clots.
        grain = _blurred(grain, spread, spread)
        grain *= np.float32(1.0) / max(float(grain.std()), 1e-6)
    grain = grain * np.sqrt(np.float32(0.25) + np.abs(picture))
    return np.asarray(picture + np.float32(level) * grain, np.float32)


def _exposed_film(
    picture: ImageArray, rng: np.random.Generator, noise: np.random.Generator
) -> ImageArray:
    """Return grey film, printed hard or soft, with grain that is coarsest in middle tones."""
    weights = _GREY * np.exp(0.25 * rng.standard_normal(3)).astype(np.float32)
    grey = np.clip(picture @ (weights / weights.sum()), 0.0, 1.0)
    steep = np.float32(0.6 * rng.random() ** 2)
    grey = grey + steep * (grey * grey * (3 - 2 * grey) - grey)
    clot = rng.uniform(0.45, 0.8) * len(picture) / 160.0
    grain = noise.standard_normal(grey.shape, np.float32)
    grain = _blurred(grain, clot, clot)
    grain *= np.float32(0.008 + 0.028 * rng.random() ** 2) / max(float(grain.std()), 1e-6)
    grey = grey + grain * np.sqrt(np.float32(0.15) + 3 * grey * (1 - grey))
    return np.repeat(np.asarray(grey, np.float32)[..., None], 3, axis=2)


def _sharpened(picture: ImageArray, amount: float) -> ImageArray:
    """Add the amount of what a blur of 0.9 pixels takes away."""
    if amount < 0.05:
        return picture
    lost = picture - _blurred(picture, 0.9, 0.9)
    return np.asarray(picture + np.float32(amount) * lost, np.float32)


def _compressed(picture: ImageArray, quality: int) -> ImageArray:
    """Return the picture as a JPEG file keeps it."""
    kept = io.BytesIO()
    image = Image.fromarray(np.round(255 * picture).astype(np.uint8))
    image.save(kept, "jpeg", quality=quality)
    with Image.open(kept) as read:
        return np.asarray(read, np.float32) / np.float32(255)
