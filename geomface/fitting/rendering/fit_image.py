"""Fit a morphable model to one picture, or to several of one person, by rendering it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.fitting.rendering.coarse_to_fine import fit_views
from geomface.fitting.rendering.picture_fitter import PictureFitter, open_view
from geomface.fitting.rendering.picture_result import image_fit, person_fit
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.results import ImageFit, PersonFit
from geomface.statistics import MorphableModel
from geomface.threads import one_blas_thread


@one_blas_thread()
def fit_image(
    image: np.ndarray,
    landmarks: FloatArray,
    model: MorphableModel | PictureFitter,
    settings: PictureFitSettings | None = None,
    *,
    focal_px: float | None = None,
    sigma_px: float | FloatArray | None = None,
    confidence: FloatArray | None = None,
    name: str = "image",
) -> ImageFit:
    """Find camera, face, albedo and light under which the model looks like a picture.

    min over camera, c, t, l of
        w / 2 sum_s rho(|srgb(linear(albedo_s(t)) A Y(n_s(c)) l) - picture_s| / sigma)
        + E_landmarks(camera, c) - log p(c, t, l),

    from coarse to fine, by Gauss-Newton steps in all unknowns at once; the start is the fit to the
    landmarks and the light and albedo that suit it.

    Parameters
    ----------
    image : (H, W) or (H, W, 1) grey or (H, W, 3), sRGB, floats in [0, 1] or uint8
    landmarks : (L, 2) float64 pixels; missing ones NaN
    model : a MorphableModel, or a `PictureFitter` made from one to re-use what depends on it alone
    settings : see `PictureFitSettings`; ignored when a fitter is given
    focal_px : focal length of a perspective camera, pixels; by default 1.4 times the longer side,
        or more where the face would be nearer than 600 mm
    sigma_px : standard deviation of the landmarks, one or (L,) pixels; default that of the
        settings, or found by the size of the face and by what no face explains
    confidence : (L,) in [0, 1], how sure a detector is of each; used where no sigma is given

    Returns
    -------
    ImageFit

    Raises
    ------
    SettingsError : a picture of the wrong shape, range or without contrast.
    LandmarkError : wrong count, outside the picture, mirrored, or too small a face.

    Convention
    ----------
    Pixel x right, y down, pixel centres at +0.5; the light is in the model's frame, x to the
    subject's left, y up, z out of the face. Of light and albedo together only the product shows:
    their priors divide it.

    Source
    ------
    Blanz and Vetter 1999, 2003 (analysis by synthesis with priors); joint Gauss-Newton with
    spherical harmonics as in Thies et al. 2016, here with exact derivatives inside the outline.

    Example
    -------
    >>> import geomface as gf
    >>> sampler = gf.FaceSampler(gf.FaceImageSettings(size=128, seed=1))
    >>> drawn = sampler.batch([(0, 0)])
    >>> fit = gf.fit_image(drawn.images["rgb"][0], drawn.landmarks[0], gf.load_builtin_face())
    >>> fit.image_size, bool(fit.landmark_px["median"] < 3.0)
    ((128, 128), True)
    """
    began = time.perf_counter()
    fitter = model if isinstance(model, PictureFitter) else PictureFitter(model, settings)
    view = open_view(
        fitter,
        image,
        landmarks,
        focal_px=focal_px,
        sigma_px=sigma_px,
        confidence=confidence,
        name=name,
    )
    at, history = fit_views((view,), fitter.settings)
    return image_fit(fitter, view, at[0], history[0], time.perf_counter() - began)


@one_blas_thread()
def fit_images(
    images: Sequence[np.ndarray],
    landmarks: Sequence[FloatArray],
    model: MorphableModel | PictureFitter,
    settings: PictureFitSettings | None = None,
    *,
    focal_px: Sequence[float | None] | None = None,
    sigma_px: float | None = None,
    confidence: Sequence[FloatArray | None] | None = None,
    names: Sequence[str] | None = None,
) -> PersonFit:
    """Find the one person whom several pictures show: shape and skin are the same in all.

    min over a, t and camera_i, e_i, l_i of sum_i E_i(camera_i, a, e_i, t, l_i) - log p(a, t),

    E_i the picture's part of the energy of `fit_image`; pose, expression and light are its own.

    Parameters
    ----------
    images, landmarks : one a picture, as for `fit_image`
    model, settings, sigma_px : as for `fit_image`
    focal_px, confidence : one a picture, or None
    names : what messages and results call the pictures, another name for each

    Returns
    -------
    PersonFit

    Raises
    ------
    SettingsError, LandmarkError : as `fit_image`, or lists of different lengths, a name twice

    Example
    -------
    >>> import geomface as gf
    >>> from geomface.fitting.rendering import PictureFitSettings
    >>> drawn = gf.FaceSampler(gf.FaceImageSettings(size=96, seed=1)).batch([(0, 0), (0, 1)])
    >>> quick = PictureFitSettings(face_sizes_px=(60.0,), steps=(4,), landmark_weights=(1.0,))
    >>> person = gf.fit_images(drawn.images["rgb"], drawn.landmarks, gf.load_builtin_face(), quick)
    >>> len(person.pictures), bool((person.pictures[1].shape == person.shape).all())
    (2, True)
    """
    began = time.perf_counter()
    pictures, marks = _entries("images", images), _entries("landmarks", landmarks)
    count = len(pictures)
    names = [f"image {k}" for k in range(count)] if names is None else _entries("names", names)
    focals = [None] * count if focal_px is None else _entries("focal_px", focal_px)
    trust = [None] * count if confidence is None else _entries("confidence", confidence)
    if not count or {len(marks), len(names), len(focals), len(trust)} != {count}:
        raise SettingsError(
            f"fit_images: expected one entry for each of {count} pictures, at least one, got "
            f"{len(marks)} landmarks, {len(names)} names, {len(focals)} focal lengths and "
            f"{len(trust)} confidences."
        )
    repeated = sorted({str(name) for name in names if names.count(name) > 1})
    if repeated:
        raise SettingsError(
            f"fit_images: names: expected another name for every picture, got {repeated[0]} more "
            "than once. Number them."
        )
    fitter = model if isinstance(model, PictureFitter) else PictureFitter(model, settings)
    views = tuple(
        open_view(
            fitter,
            pictures[index],
            marks[index],
            focal_px=focals[index],
            sigma_px=sigma_px,
            confidence=trust[index],
            name=names[index],
        )
        for index in range(count)
    )
    at, history = fit_views(views, fitter.settings)
    seconds = time.perf_counter() - began
    fits = tuple(
        image_fit(fitter, view, one, steps, seconds)
        for view, one, steps in zip(views, at, history, strict=True)
    )
    return person_fit(fitter, fits, names[0], time.perf_counter() - began)


def _entries(what: str, values: Iterable[Any]) -> list[Any]:
    """Return what is given for each picture, or say that there is one thing for all."""
    if isinstance(values, Iterable) and not isinstance(values, str | Mapping):
        return list(values)
    raise SettingsError(
        f"fit_images: {what}: expected a list with one entry a picture, got a "
        f"{type(values).__name__}."
    )
