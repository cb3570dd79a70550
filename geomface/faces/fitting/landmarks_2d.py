"""Fit a morphable model to landmarks in an image."""

import dataclasses
import time

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.errors import LandmarkError, SettingsError
from geomface.faces.fitting.camera import (
    CAMERA_COUNT,
    Camera,
    WeakPerspective,
    perspective_from_weak,
    weak_perspective_from_points,
)
from geomface.faces.fitting.contour import contour_strips, contour_vertices
from geomface.faces.fitting.image_input import check_image_points
from geomface.faces.fitting.image_terms import ImagePoints, image_step
from geomface.faces.fitting.linear_face import linear_face
from geomface.faces.fitting.results import ImageLandmarkFit
from geomface.faces.fitting.robust import geman_mcclure_loss, geman_mcclure_weights
from geomface.faces.fitting.settings import CAMERAS, ImageFitSettings
from geomface.faces.visibility import pod_directions, seen_vertices
from geomface.mesh import LandmarkEmbedding
from geomface.mesh.multi_pie import INNER_FACE, JAW
from geomface.statistics import MorphableModel

_STARTING_ROUNDS = 6
# A field of view of about 40 degrees, when the focal length is not known.
_USUAL_FOCAL = 1.4
_SCANNER_YAW, _SCANNER_PITCH = np.repeat([-60.0, 0.0, 60.0], 3), np.tile([-30.0, 0.0, 30.0], 3)


class ImageFitter:
    """What one model brings to its fits to images: computed once, used for every image.

    Parameters
    ----------
    model : in millimetres, looking along +z, with landmarks
    settings : see `ImageFitSettings`
    """

    def __init__(self, model: MorphableModel, settings: ImageFitSettings | None = None) -> None:
        self.model = model
        self.settings = settings or ImageFitSettings()
        embedding = model.template.landmarks
        if embedding is None:
            raise LandmarkError(
                f"{model.name}: this model has no landmarks. Give its template some."
            )
        self.embedding: LandmarkEmbedding = embedding
        self.face = linear_face(model, self.settings.expression_rate)
        self.marks = self.face.at(embedding)
        self.centre = self.face.mean.mean(axis=0)
        self.strips: tuple[IndexArray, ...] = ()
        if embedding.scheme == "multi-pie-68" and len(embedding) == 68:
            mean = self.face.mean
            directions = pod_directions(_SCANNER_YAW, _SCANNER_PITCH)
            outside = seen_vertices(mean, model.mesh.faces, directions) > 0.1
            self.strips = contour_strips(mean, embedding, outside)
            places = np.concatenate(self.strips)
            strip_faces = LandmarkEmbedding.on_vertices(places, scheme="strips")
            self.strip_face = self.face.at(strip_faces)
            lengths = np.cumsum([0, *(len(strip) for strip in self.strips)])
            self.own_rows = lengths[:-1]
            # The strips as rows of `strip_face`, so that a step moves a few hundred points only.
            self.strip_rows = tuple(
                np.arange(first, last)
                for first, last in zip(lengths[:-1], lengths[1:], strict=True)
            )


@dataclasses.dataclass(eq=False)
class _Fit:
    """One hypothesis about the contour, while it is fitted."""

    camera: Camera
    coefficients: FloatArray
    weights: FloatArray
    density: FloatArray
    points: ImagePoints | None = None
    contour: IndexArray = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    cost: float = np.inf
    iterations: int = 0
    converged: bool = False


def fit_landmarks_2d(
    model: MorphableModel | ImageFitter,
    points: FloatArray,
    image_size: tuple[int, int],
    *,
    camera: str = "weak-perspective",
    focal_px: float | None = None,
    sigma_px: float | FloatArray | None = None,
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
    focal_px : focal length of the perspective camera, pixels; by default 1.4 times the longer side
    sigma_px : standard deviation, one or (L,) pixels; default that of the settings
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
    """
    began = time.perf_counter()
    fitter = model if isinstance(model, ImageFitter) else ImageFitter(model, settings)
    chosen = fitter.settings
    if camera not in CAMERAS:
        raise SettingsError(f"camera: expected one of {', '.join(CAMERAS)}, got {camera!r}.")
    if focal_px is not None and not focal_px > 0:
        raise SettingsError(f"focal_px: expected a positive focal length, got {focal_px}.")
    given = check_image_points(
        points,
        len(fitter.embedding),
        image_size,
        chosen.sigma_px if sigma_px is None else sigma_px,
        name=name,
    )
    notes = list(given.notes)
    first = _start(fitter, given.points, given.sigma, name)
    if camera == "perspective":
        longer = float(max(image_size))
        if focal_px is None:
            notes.append(f"no focal length: {_USUAL_FOCAL:g} times the longer side was taken.")
        middle = 0.5 * np.array([image_size[1], image_size[0]], np.float64)
        first = perspective_from_weak(first, focal_px or _USUAL_FOCAL * longer, middle)
    jaw_seen = bool(np.isfinite(given.points[JAW]).all(axis=1).any()) if fitter.strips else False
    wanted = ["fixed", "slide"] if chosen.contour == "auto" else [chosen.contour]
    if not jaw_seen:
        wanted = ["fixed"]
    fits = {kind: _fit(fitter, given.points, given.sigma, first, kind) for kind in wanted}
    contour = min(fits, key=lambda kind: fits[kind].cost)
    best = fits[contour]
    if best.camera.rotation[2, 2] <= 0:
        _raise_mirrored(name)
    return _result(fitter, given.points, best, contour, tuple(notes), began, name)


def _raise_mirrored(name: str) -> None:
    raise LandmarkError(
        f"{name}: the landmarks fit a face that looks away from the camera only, so they are "
        "mirrored or their y runs upwards; expected x right, y down and the subject's left on the "
        "right of the image. Mirror x, swap left and right, or turn y over."
    )


def _start(
    fitter: ImageFitter, points: FloatArray, sigma: FloatArray, name: str
) -> WeakPerspective:
    """Return the weak perspective of the mean face; wrong landmarks lose their weight."""
    present = np.asarray(np.isfinite(points).all(axis=1))
    used = present.copy()
    if fitter.strips and present[INNER_FACE].sum() >= 12:
        used[JAW] = False
    mean, pixels = fitter.marks.mean[used], points[used]
    weights = 1.0 / sigma[used] ** 2
    robust = np.ones(len(pixels))
    camera = weak_perspective_from_points(mean, pixels, weights, fitter.centre)
    for _ in range(_STARTING_ROUNDS):
        gaps = np.linalg.norm(camera.project(mean) - pixels, axis=1)
        robust = geman_mcclure_weights(gaps, 3.0 * max(float(np.median(gaps)), 1e-9))
        camera = weak_perspective_from_points(mean, pixels, weights * robust, fitter.centre)
    if camera.rotation[2, 2] <= 0:
        _raise_mirrored(name)
    return camera


def _measure(
    fitter: ImageFitter, points: FloatArray, sigma: FloatArray, fit: _Fit, slide: bool
) -> tuple[ImagePoints, BoolArray]:
    """Return the landmarks as measurements of a face at the right places, and which are there."""
    settings, camera = fitter.settings, fit.camera
    face = fitter.marks
    here = camera.pixels_per_mm(face.points(fit.coefficients))
    variance = sigma**2 + (here * settings.model_sigma_mm) ** 2
    whitening = np.eye(2) / np.sqrt(variance)[:, None, None]
    fit.density = -np.log(variance)
    if slide:
        strip = fitter.strip_face
        inner = face.points(fit.coefficients)[INNER_FACE].mean(axis=0)
        rows, outward = contour_vertices(
            strip.points(fit.coefficients), inner, fitter.strip_rows, camera
        )
        if fit.iterations <= settings.contour_steps or len(fit.contour) == 0:
            fit.contour = rows
        rows = fit.contour
        face = face.with_rows(JAW, strip, rows)
        along = np.stack([-outward[:, 1], outward[:, 0]], axis=1)
        # A point of the jaw that is itself the contour stays a landmark like the others.
        slid = here[JAW] * (rows != fitter.own_rows)
        across_sigma = np.hypot(np.sqrt(variance[JAW]), slid * settings.contour_across_mm)
        along_sigma = np.hypot(np.sqrt(variance[JAW]), slid * settings.contour_along_mm)
        whitening[JAW] = np.stack(
            [outward / across_sigma[:, None], along / along_sigma[:, None]], axis=1
        )
        # How far a point lies along the contour is a convention: it is no evidence for either.
        fit.density[JAW] = -np.log(across_sigma) - 0.5 * np.log(variance[JAW])
    present = np.asarray(np.isfinite(points).all(axis=1))
    weights = np.where(present, fit.weights, 0.0)
    pixels = np.where(present[:, None], points, 0.0)
    return ImagePoints(face, pixels, whitening, weights), present


def _fit(
    fitter: ImageFitter, points: FloatArray, sigma: FloatArray, first: Camera, contour: str
) -> _Fit:
    """Iterate to rest under one hypothesis about the contour."""
    settings, face = fitter.settings, fitter.marks
    zero = np.clip(np.zeros(len(face)), face.lower, face.upper)
    fit = _Fit(first, zero, np.ones(len(points)), np.zeros(len(points)))
    slide = contour == "slide"
    for step in range(settings.most_steps):
        fit.iterations = step + 1
        measured, present = _measure(fitter, points, sigma, fit, slide)
        misfit = np.linalg.norm(measured.misfit(fit.camera, fit.coefficients), axis=1)
        # Two axes: a good landmark is sqrt(2) standard deviations off.
        spread = max(np.sqrt(2.0), 1.4826 * float(np.median(misfit[present])))
        cutoff = settings.robust_scale * spread
        fit.weights = np.where(present, geman_mcclure_weights(misfit, cutoff), 0.0)
        measured = dataclasses.replace(measured, weights=fit.weights)
        before = fit.camera.project(measured.face.points(fit.coefficients))
        fit.camera, fit.coefficients = image_step(measured, fit.camera, fit.coefficients)
        after = fit.camera.project(measured.face.points(fit.coefficients))
        fit.points = measured
        motion = float(np.linalg.norm((after - before)[present], axis=1).max())
        settled = not slide or fit.iterations >= settings.contour_steps
        if motion < settings.stop_motion_px and settled:
            fit.converged = True
            break
    fit.cost = _cost(fit, settings.robust_scale)
    return fit


def _cost(fit: _Fit, robust_scale: float) -> float:
    """Return -log p(landmarks, coefficients) without what all hypotheses share."""
    measured = fit.points
    if measured is None:
        return np.inf
    misfit = np.linalg.norm(measured.misfit(fit.camera, fit.coefficients), axis=1)
    present = measured.weights > 0
    loss = geman_mcclure_loss(misfit[present], robust_scale * np.sqrt(2.0))
    prior = measured.face.prior_energy(fit.coefficients)
    return float(0.5 * loss.sum() - fit.density[present].sum()) + prior


def _result(
    fitter: ImageFitter,
    points: FloatArray,
    fit: _Fit,
    contour: str,
    notes: tuple[str, ...],
    began: float,
    name: str,
) -> ImageLandmarkFit:
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
        weights=fit.weights.copy(),
        notes=notes,
        seconds=time.perf_counter() - began,
    )
