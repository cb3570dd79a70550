"""Landmarks in an image, checked."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, require_reals
from geomface.errors import LandmarkError, SettingsError

_FEWEST = 6
# Detectors place hidden points a little outside; this far out is another coordinate system.
_OUTSIDE = 1.0
# Landmarks of a face spread over an area: the shorter axis of their ellipse against the longer.
_FLATTEST = 0.02


@dataclasses.dataclass(frozen=True, eq=False)
class CheckedPoints:
    """Landmarks in pixels, NaN where missing, with a standard deviation each."""

    points: FloatArray
    sigma: FloatArray
    notes: tuple[str, ...]


def check_image_points(
    points: FloatArray,
    count: int,
    image_size: tuple[int, int],
    sigma: float | FloatArray,
    *,
    name: str,
) -> CheckedPoints:
    """Check landmarks in an image against the number that a model has.

    Parameters
    ----------
    points : (L, 2) pixels, missing ones NaN
    count : L of the model
    image_size : (height, width), pixels
    sigma : standard deviation, one or (L,), pixels

    Raises
    ------
    LandmarkError : wrong count, infinite, fewer than six, on one line, or far outside the image.
    SettingsError : sigma or image size that is not positive.
    """
    if len(image_size) != 2 or not min(image_size) > 0:
        raise SettingsError(f"image_size: expected (height, width) in pixels, got {image_size}.")
    points = require_reals(points, (count, 2), f"{name}: points", LandmarkError)
    if np.isinf(points).any():
        raise LandmarkError(f"{name}: expected pixels, got infinity. Mark missing points with NaN.")
    present = np.isfinite(points).all(axis=1)
    if present.sum() < _FEWEST:
        raise LandmarkError(
            f"{name}: expected at least {_FEWEST} measured landmarks of {count}, got "
            f"{present.sum()}. Add some."
        )
    shape = (count,) if isinstance(sigma, Sequence) or np.ndim(sigma) else ()
    deviation = require_reals(sigma, shape, "sigma_px: one or one a landmark", SettingsError)
    deviation = np.broadcast_to(deviation, (count,)).copy()
    if not (deviation[present] > 0).all() or not np.isfinite(deviation[present]).all():
        raise SettingsError("sigma_px: expected positive standard deviations.")
    deviation[~present] = 1.0
    extent = np.array([image_size[1], image_size[0]], np.float64)
    middle = np.median(points[present], axis=0)
    if (np.abs(middle / extent - 0.5) > 0.5 + _OUTSIDE).any():
        raise LandmarkError(
            f"{name}: their middle lies at ({middle[0]:.0f}, {middle[1]:.0f}) for an image of "
            f"{image_size[1]} x {image_size[0]} pixels. Expected pixels of this image, x first."
        )
    spread = np.linalg.svd(points[present] - points[present].mean(axis=0), compute_uv=False)
    if spread[1] <= _FLATTEST * spread[0] or spread[0] == 0:
        raise LandmarkError(
            f"{name}: the landmarks lie on one line, expected them to spread over a face."
        )
    if spread[0] < 4.0:
        raise LandmarkError(
            f"{name}: the landmarks lie within {spread[0]:.2g} pixels, expected pixels of the "
            "image. Multiply positions in [0, 1] by the size of the image."
        )
    notes = ()
    missing = int((~present).sum())
    if missing:
        notes = (f"{missing} of {count} landmarks are missing: left out.",)
    return CheckedPoints(points, deviation, notes)
