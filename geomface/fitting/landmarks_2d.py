"""Fit a morphable model to landmarks in an image."""

import dataclasses
import time

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.fitting.camera_start import perspective_from_weak
from geomface.fitting.image_fitter import (
    Hypothesis,
    ImageFitter,
    fit_hypothesis,
    raise_mirrored,
    start_camera,
)
from geomface.fitting.image_input import check_image_points
from geomface.fitting.landmark_noise import estimate_sigma, expected_sigma, relative_sigma
from geomface.fitting.results import ImageLandmarkFit
from geomface.fitting.settings import CAMERAS, ImageFitSettings
from geomface.mesh.multi_pie import JAW
from geomface.ranges import POSITIVE, require_number
from geomface.rendering.camera import CAMERA_COUNT, Camera
from geomface.statistics import MorphableModel
from geomface.threads import one_blas_thread

# A field of view of about 40 degrees, when the focal length is not known.
_USUAL_FOCAL = 1.4
# Faces that fill a picture were cut out of a larger one: few are photographed from nearer.
_NEAREST_MM = 600.0
_SIGMA_ROUNDS = 2


@one_blas_thread()
def fit_landmarks_2d(
    model: MorphableModel | ImageFitter,
    points: FloatArray,
    image_size: tuple[int, int],
    *,
    camera: str = "weak-perspective",
    focal_px: float | None = None,
    sigma_px: float | FloatArray | None = None,
    confidence: FloatArray | None = None,
    settings: ImageFitSettings | None = None,
    name: str = "landmarks",
) -> ImageLandmarkFit:
    """Find the camera and the model's face that are most probable given landmarks in an image.

    min over camera, c of sum_l |W_l (project(x_l(c)) - y_l)|^2 / 2 - log p(c),

    W_l the inverse root of the covariance of a landmark: `sigma_px` and, turned into pixels, what
    the model cannot reach; for a sliding point of the jaw a long ellipse along the contour.

    Parameters
    ----------
    model : a MorphableModel, or an `ImageFitter` made from one to re-use what depends on it alone
    points : (L, 2) float64 pixels; missing ones NaN; at least six
    image_size : (height, width) in pixels
    camera : "weak-perspective" or "perspective"
    focal_px : focal length of the perspective camera, pixels; by default 1.4 times the longer
        side, or more where the face would be nearer than 600 mm
    sigma_px : standard deviation, one or (L,) pixels; default that of the settings, or found by
        the size of the face and by what no face explains
    confidence : (L,) in [0, 1], how sure a detector is of each; used where no sigma is given
    settings : see `ImageFitSettings`; ignored when a fitter is given
    name : what messages call the landmarks

    Returns
    -------
    ImageLandmarkFit

    Raises
    ------
    LandmarkError : wrong count, too few, all on one line, far outside the image, or mirrored.
    SettingsError : an unknown camera, a focal length or sigma that is not positive.

    Convention
    ----------
    Pixel x right, y down, origin in the top left corner, pixel centres at +0.5. The camera looks
    at the face: +z of the model points towards it when the face looks straight into it.

    Source
    ------
    Affine camera and posterior as in Huber et al. 2016 (eos); contour landmarks as in Zhu et al.
    2015 (landmark marching) and Bas et al. 2016, here by strips found from the mean face, camera
    and coefficients in one Gauss-Newton step.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> points = face.template.landmarks.positions(face.mesh.vertices)
    >>> pixels = np.array([128.0, 128.0]) + points[:, :2] * [1.0, -1.0]  # seen from the front
    >>> fit = gf.fit_landmarks_2d(face, pixels, (256, 256))
    >>> bool(fit.residual_px["median"] < 2.0)
    True
    """
    began = time.perf_counter()
    fitter = model if isinstance(model, ImageFitter) else ImageFitter(model, settings)
    found = best_hypothesis(
        fitter,
        points,
        image_size,
        camera=camera,
        focal_px=focal_px,
        sigma_px=sigma_px,
        confidence=confidence,
        name=name,
    )
    return _result(fitter, found, began, name)


@dataclasses.dataclass(frozen=True, eq=False)
class BestHypothesis:
    """The more probable fit of the two about the contour, and what it was fitted to.

    Parameters
    ----------
    points : (L, 2) float64 pixels, NaN where missing
    fit : the fit
    contour : "slide" or "fixed"
    sigma_px : standard deviation that was taken for a usual landmark, pixels
    notes : what was done about unusual input
    """

    points: FloatArray
    fit: Hypothesis
    contour: str
    sigma_px: float
    notes: tuple[str, ...]


def best_hypothesis(
    fitter: ImageFitter,
    points: FloatArray,
    image_size: tuple[int, int],
    *,
    camera: str,
    focal_px: float | None,
    sigma_px: float | FloatArray | None,
    confidence: FloatArray | None = None,
    name: str,
) -> BestHypothesis:
    """Fit under each hypothesis about the contour and return the more probable one.

    Parameters and errors as `fit_landmarks_2d`.
    """
    chosen = fitter.settings
    if camera not in CAMERAS:
        raise SettingsError(f"camera: expected one of {', '.join(CAMERAS)}, got {camera!r}.")
    if focal_px is not None:
        require_number("focal_px", focal_px, POSITIVE)
    sigma = chosen.sigma_px if sigma_px is None else sigma_px
    relative = relative_sigma(confidence, len(fitter.embedding))
    given = check_image_points(
        points,
        len(fitter.embedding),
        image_size,
        relative if sigma is None else sigma,
        name=name,
    )
    notes = list(given.notes)
    first = start_camera(fitter, given.points, given.sigma, name)
    scale = first.scale
    if camera == "perspective":
        longer = float(max(image_size))
        if focal_px is None:
            focal_px = max(_USUAL_FOCAL * longer, _NEAREST_MM * first.scale)
            notes.append(
                f"no focal length: {focal_px / longer:.3g} times the longer side was taken."
            )
        middle = 0.5 * np.array([image_size[1], image_size[0]], np.float64)
        first = perspective_from_weak(first, focal_px, middle)
    kinds = ("fixed", "slide") if chosen.contour == "auto" else (chosen.contour,)
    if not fitter.strips or not np.isfinite(given.points[JAW]).all(axis=1).any():
        # Nothing to slide: another scheme of landmarks, or no point of the jaw.
        kinds = ("fixed",)
    deviation = given.sigma
    if sigma is None:
        deviation = expected_sigma(chosen, scale) * relative
    best, contour = _more_probable(fitter, given.points, deviation, first, kinds)
    for _ in range(0 if sigma is not None else _SIGMA_ROUNDS):
        usual = estimate_sigma(
            best, given.points, relative, chosen, scale, slide=contour == "slide"
        )
        deviation = usual * relative
        best, contour = _more_probable(fitter, given.points, deviation, first, kinds)
    if best.camera.rotation[2, 2] <= 0:
        raise_mirrored(name)
    present = np.isfinite(given.points).all(axis=1)
    usual = float(np.median(deviation[present]))
    return BestHypothesis(given.points, best, contour, usual, tuple(notes))


def _more_probable(
    fitter: ImageFitter,
    points: FloatArray,
    sigma: FloatArray,
    first: Camera,
    kinds: tuple[str, ...],
) -> tuple[Hypothesis, str]:
    """Return the better of the fits under some hypotheses about the contour, and which it is."""
    fits = {kind: fit_hypothesis(fitter, points, sigma, first, kind) for kind in kinds}
    contour = min(fits, key=lambda kind: fits[kind].cost)
    return fits[contour], contour


def _result(
    fitter: ImageFitter, found: BestHypothesis, began: float, name: str
) -> ImageLandmarkFit:
    points, fit, contour, notes = found.points, found.fit, found.contour, found.notes
    measured = fit.points
    if measured is None:
        raise SettingsError("most_steps: expected at least one step.")
    inverse = np.linalg.inv(measured.information(fit.camera, fit.coefficients))
    covariance = inverse[CAMERA_COUNT:, CAMERA_COUNT:]
    placed = fit.camera.project(measured.face.points(fit.coefficients))
    present = np.isfinite(points).all(axis=1)
    gaps = np.linalg.norm((placed - points)[present], axis=1)
    split = fitter.face.shape_count
    return ImageLandmarkFit(
        mesh=fitter.model.mesh.replace(vertices=fitter.face.points(fit.coefficients), name=name),
        shape=fit.coefficients[:split].copy(),
        expression=fit.coefficients[split:].copy(),
        covariance=0.5 * (covariance + covariance.T),
        camera=fit.camera,
        contour=contour,
        converged=fit.converged,
        iterations=fit.iterations,
        pixels=placed,
        residual_px={"median": float(np.median(gaps)), "max": float(gaps.max())},
        sigma_px=found.sigma_px,
        weights=fit.weights.copy(),
        notes=notes,
        seconds=time.perf_counter() - began,
    )
