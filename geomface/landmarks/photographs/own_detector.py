"""Detectors of the user's own in the place of the one that ships."""

import time
from collections.abc import Callable

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.errors import LandmarkError
from geomface.landmarks.photographs.frames import frames_of
from geomface.landmarks.photographs.picture import color_picture
from geomface.landmarks.photographs.result import PhotographFace, PhotographResult

PhotographDetector = Callable[[ImageArray], "FloatArray | None"]
"""A user's own detector: RGB picture (H, W, 3) in [0, 1] to (68, 2) or (F, 68, 2) pixels, or None
where it sees no face."""


def ask_own_detector(image: ImageArray, detector: PhotographDetector) -> PhotographResult:
    """Ask a user's detector; its points are taken as they are, each with full confidence.

    Raises
    ------
    LandmarkError : no picture, or the detector returned something else than points.
    """
    began = time.perf_counter()
    picture = color_picture(image)
    found = detector(picture)
    points = _points(np.zeros((0, 68, 2)) if found is None else found)
    ones = np.ones(68)
    faces = [PhotographFace(item, ones, 0.0 * ones, 1.0, frames_of(item)) for item in points]
    faces.sort(key=lambda face: -face.frame[2])
    size = (picture.shape[0], picture.shape[1])
    return PhotographResult(tuple(faces), size, (), time.perf_counter() - began)


def _points(found: FloatArray) -> FloatArray:
    """Return the faces (F, 68, 2) of what a detector gave."""
    expected = "2D detector: expected (68, 2) or (F, 68, 2) finite pixels or None, got "
    try:
        points = np.asarray(found, np.float64)
    except (TypeError, ValueError) as error:
        raise LandmarkError(f"{expected}what is no array of numbers ({error}).") from None
    points = points[None] if points.ndim == 2 else points
    if points.shape[1:] != (68, 2) or not np.isfinite(points).all():
        raise LandmarkError(f"{expected}shape {points.shape}.")
    return points
