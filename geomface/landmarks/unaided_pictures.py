"""Fits to photographs that find the landmarks themselves where none are given."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import FloatArray
from geomface.statistics import MorphableModel

if TYPE_CHECKING:
    from geomface.fitting.rendering import ImageFit, PictureFitSettings, PictureFitter
    from geomface.landmarks.photographs.own_detector import PhotographDetector


def fit_image(
    image: np.ndarray,
    landmarks: FloatArray | None = None,
    model: "MorphableModel | PictureFitter | None" = None,
    settings: "PictureFitSettings | None" = None,
    *,
    focal_px: float | None = None,
    sigma_px: float | FloatArray | None = None,
    confidence: FloatArray | None = None,
    name: str = "image",
    detector: "PhotographDetector | None" = None,
) -> "ImageFit":
    """Find camera, face, albedo and light under which the model looks like a picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 1) grey or (H, W, 3), sRGB, floats in [0, 1] or uint8
    landmarks : (L, 2) float64 pixels; missing ones NaN; None: those of the largest face are found
    model : a MorphableModel, or a `PictureFitter` made from one to re-use what depends on it
        alone; default the built-in face
    settings, focal_px, sigma_px, confidence, name : as `geomface.fitting.rendering.fit_image`
    detector : a function that finds missing landmarks, see `PhotographDetector`; default the
        detector that ships

    Raises
    ------
    SettingsError : a picture of the wrong shape, range or without contrast.
    LandmarkError : no face is found; landmarks of the wrong count, outside the picture, mirrored,
        or of too small a face.

    Example
    -------
    >>> import geomface as gf
    >>> sampler = gf.FaceSampler(gf.FaceImageSettings(size=128, seed=1))
    >>> drawn = sampler.batch([(0, 0)])
    >>> fit = gf.fit_image(drawn.images["rgb"][0], drawn.landmarks[0], gf.load_builtin_face())
    >>> fit.image_size, bool(fit.landmark_px["median"] < 3.0)
    ((128, 128), True)
    """
    from geomface.faces.builtin import load_builtin_face
    from geomface.fitting.rendering import fit_image as fit_to_landmarks

    noticed: tuple[str, ...] = ()
    if landmarks is None:
        landmarks, confidence, noticed = find_landmarks(image, detector)
    fit = fit_to_landmarks(
        image,
        landmarks,
        load_builtin_face() if model is None else model,
        settings,
        focal_px=focal_px,
        sigma_px=sigma_px,
        confidence=confidence,
        name=name,
    )
    return dataclasses.replace(fit, notes=(*noticed, *fit.notes))


def find_landmarks(
    image: np.ndarray, detector: "PhotographDetector | None" = None
) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Return the landmarks (68, 2) and confidences (68,) of a picture's largest face, and notes.

    Raises
    ------
    LandmarkError : no face is found
    """
    from geomface.landmarks.photographs.detect import detect_photograph_landmarks

    result = detect_photograph_landmarks(image, detector=detector)
    return result.faces[0].points, result.faces[0].confidence, result.notes
