"""One fit of a morphable model to landmarks in an image: start, measure, iterate."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import LandmarkError
from geomface.fitting.camera_start import weak_perspective_from_points
from geomface.fitting.contour import contour_strips, contour_vertices
from geomface.fitting.image_terms import ImagePoints, image_step
from geomface.fitting.linear_face import linear_face
from geomface.fitting.settings import ImageFitSettings
from geomface.mesh import LandmarkEmbedding
from geomface.mesh.multi_pie import INNER_FACE, JAW, SCHEME
from geomface.mesh.robust import (
    geman_mcclure_loss,
    geman_mcclure_weights,
    robust_scale,
)
from geomface.rendering.camera import Camera, WeakPerspective
from geomface.scans.visibility import pod_directions, seen_vertices
from geomface.statistics import MorphableModel, require_model

_STARTING_ROUNDS = 6
# Fewer points than these are not enough for a camera: then the jaw helps from the start.
_INNER_ENOUGH = 12
_SCANNER_YAW, _SCANNER_PITCH = np.repeat([-60.0, 0.0, 60.0], 3), np.tile([-30.0, 0.0, 30.0], 3)


class ImageFitter:
    """What one model brings to its fits to images: computed once, used for every image.

    Parameters
    ----------
    model : in millimetres, looking along +z, with landmarks
    settings : see `ImageFitSettings`
    """

    def __init__(self, model: MorphableModel, settings: ImageFitSettings | None = None) -> None:
        self.model = require_model(model, "fit to landmarks in an image")
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
        if embedding.scheme == SCHEME and len(embedding) == 68:
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
class Hypothesis:
    """One hypothesis about the contour, while it is fitted.

    Parameters
    ----------
    camera, coefficients : where it stands
    weights : (L,) how far each landmark is believed, 0 a missing one
    density : (L,) log density of each landmark at its own place, without constants
    points : what was measured, as last seen
    contour : (17,) rows of the strips that stand for the jaw
    cost : -log p(landmarks, coefficients) without what all hypotheses share
    """

    camera: Camera
    coefficients: FloatArray
    weights: FloatArray
    density: FloatArray
    points: ImagePoints | None = None
    contour: IndexArray = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    cost: float = np.inf
    iterations: int = 0
    converged: bool = False


def raise_mirrored(name: str) -> None:
    """Say that the landmarks are those of a mirror image."""
    raise LandmarkError(
        f"{name}: the landmarks fit a face that looks away from the camera only, so they are "
        "mirrored or their y runs upwards; expected x right, y down and the subject's left on the "
        "right of the image. Mirror x, swap left and right, or turn y over."
    )


def start_camera(
    fitter: ImageFitter, points: FloatArray, sigma: FloatArray, name: str
) -> WeakPerspective:
    """Return the weak perspective of the mean face; wrong landmarks lose their weight.

    Raises
    ------
    LandmarkError : the face would look away from the camera.
    """
    present = np.asarray(np.isfinite(points).all(axis=1))
    used = present.copy()
    if fitter.strips and present[INNER_FACE].sum() >= _INNER_ENOUGH:
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
        raise_mirrored(name)
    return camera


def _measure(
    fitter: ImageFitter, points: FloatArray, sigma: FloatArray, fit: Hypothesis, slide: bool
) -> ImagePoints:
    """Return the landmarks as measurements of the face at the right places."""
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
        slid = rows != fitter.own_rows
        face = face.with_rows(np.flatnonzero(slid) + JAW.start, strip, rows[slid])
        along = np.stack([-outward[:, 1], outward[:, 0]], axis=1)
        # A point of the jaw that is itself the contour stays a landmark like the others.
        loose = here[JAW] * slid
        across_sigma = np.hypot(np.sqrt(variance[JAW]), loose * settings.contour_across_mm)
        along_sigma = np.hypot(np.sqrt(variance[JAW]), loose * settings.contour_along_mm)
        whitening[JAW] = np.stack(
            [outward / across_sigma[:, None], along / along_sigma[:, None]], axis=1
        )
        # How far a point lies along the contour is a convention: it is no evidence for either.
        fit.density[JAW] = -np.log(across_sigma) - 0.5 * np.log(variance[JAW])
    present = np.asarray(np.isfinite(points).all(axis=1))
    weights = np.where(present, fit.weights, 0.0)
    pixels = np.where(present[:, None], points, 0.0)
    return ImagePoints(face, pixels, whitening, weights)


def fit_hypothesis(
    fitter: ImageFitter, points: FloatArray, sigma: FloatArray, first: Camera, contour: str
) -> Hypothesis:
    """Iterate to rest under one hypothesis about the contour.

    Parameters
    ----------
    points, sigma : (L, 2) and (L,) pixels, NaN where missing
    first : where to start
    contour : "slide" or "fixed"
    """
    settings, face = fitter.settings, fitter.marks
    present = np.asarray(np.isfinite(points).all(axis=1))
    zero = np.clip(np.zeros(len(face)), face.lower, face.upper)
    fit = Hypothesis(first, zero, np.ones(len(points)), np.zeros(len(points)))
    slide = contour == "slide"
    for step in range(settings.most_steps):
        fit.iterations = step + 1
        measured = _measure(fitter, points, sigma, fit, slide)
        misfit = np.linalg.norm(measured.misfit(fit.camera, fit.coefficients), axis=1)
        # Two axes: a good landmark is sqrt(2) standard deviations off.
        cutoff = settings.robust_scale * robust_scale(misfit[present], np.sqrt(2.0))
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


def _cost(fit: Hypothesis, cutoff: float) -> float:
    """Return -log p(landmarks, coefficients) without what all hypotheses share."""
    measured = fit.points
    if measured is None:
        return np.inf
    misfit = np.linalg.norm(measured.misfit(fit.camera, fit.coefficients), axis=1)
    present = measured.weights > 0
    loss = geman_mcclure_loss(misfit[present], cutoff * np.sqrt(2.0))
    prior = measured.face.prior_energy(fit.coefficients)
    return float(0.5 * loss.sum() - fit.density[present].sum()) + prior
