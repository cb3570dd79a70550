"""Fit a morphable model to one picture by rendering it."""

import time

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import LandmarkError, SettingsError
from geomface.faces.dressing import mouth_loop, sunken_eyes
from geomface.fitting.image_fitter import ImageFitter
from geomface.fitting.landmarks_2d import BestHypothesis, best_hypothesis
from geomface.fitting.rendering.albedo import extract_colors, skin_of, vertex_texture
from geomface.fitting.rendering.energy import PictureEnergy, Scene
from geomface.fitting.rendering.picture import (
    PictureLevel,
    check_face_inside,
    check_picture,
    independent_pixels,
    picture_level,
    pixel_sigma,
)
from geomface.fitting.rendering.pixels import pixels_on_triangles
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.rendering.shading import VertexNormals
from geomface.fitting.rendering.unknowns import Unknowns, UnknownsPrior
from geomface.fitting.results import ImageFit, PictureFitStep
from geomface.mesh.mirror import mirror_map
from geomface.rendering.visibility import choose_backend
from geomface.statistics import MorphableModel, TextureModel, require_model
from geomface.threads import one_blas_thread

_LIGHT_STEPS = 8
_FINEST_PX = 400.0


class PictureFitter:
    """What one model brings to its fits to pictures: computed once, used for every picture.

    Parameters
    ----------
    model : in millimetres, looking along +z, with landmarks; without colours the procedural skin
        stands in
    settings : see `PictureFitSettings`
    """

    def __init__(self, model: MorphableModel, settings: PictureFitSettings | None = None) -> None:
        self.settings = settings or PictureFitSettings()
        self.model = require_model(model, "fit to pictures")
        self.landmarks = ImageFitter(model, self.settings.landmarks)
        self.texture: TextureModel
        self.texture, self.note = vertex_texture(model, self.settings.albedo_modes)
        self.backend = choose_backend()
        self.mirror = mirror_map(model.mesh)
        self.mouth = mouth_loop(model.template)
        regions, name = model.template.regions, self.settings.region
        self.used = np.ones(len(model.mesh.vertices), bool)
        if name in regions:
            self.used[:] = False
            self.used[regions[name]] = True


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
    chosen = fitter.settings
    picture = check_picture(image, name)
    size = (picture.shape[0], picture.shape[1])
    start = best_hypothesis(
        fitter.landmarks,
        landmarks,
        size,
        camera=chosen.camera,
        focal_px=focal_px,
        sigma_px=sigma_px,
        confidence=confidence,
        name=f"{name}: landmarks",
    )
    across = check_face_inside(start.points, size, f"{name}: landmarks")
    scene = _scene(fitter, start, picture.shape[2])
    at = Unknowns(
        start.fit.camera,
        start.fit.coefficients,
        np.zeros(scene.skin.basis.shape[-1]),
        scene.prior.light_mean(),
    )
    history = []
    for face_px, steps, landmark_weight in zip(
        chosen.face_sizes_px, chosen.steps, chosen.landmark_weights, strict=True
    ):
        level = picture_level(picture, max(across / face_px, 1.0))
        if not history:
            for _ in range(_LIGHT_STEPS):
                at, _ = _step(scene, level, at, landmark_weight, ("light", "albedo"))
        at, done = _fit_level(scene, level, at, face_px, steps, landmark_weight)
        history.append(done)
        if level.pixel == 1.0:
            break
    # Fine enough for every vertex, and no more pixels than that.
    level = picture_level(picture, max(across / _FINEST_PX, 1.0))
    return _result(fitter, scene, start, at, level, size, tuple(history), began, name)


def _scene(fitter: PictureFitter, start: BestHypothesis, channels: int) -> Scene:
    settings, face = fitter.settings, fitter.landmarks.face
    marks = start.fit.points
    if marks is None:
        raise SettingsError("most_steps: expected at least one step.")
    skin = skin_of(fitter.texture, channels)
    prior = UnknownsPrior(
        face,
        skin.basis.shape[-1],
        channels,
        settings.ambient_sigma,
        settings.light_sigma,
        settings.light_color_sigma,
    )
    faces = fitter.model.mesh.faces
    trusted = np.asarray(fitter.used[faces].all(axis=1))
    return Scene(face, skin, faces, trusted, prior, marks, fitter.backend, settings)


def _step(
    scene: Scene,
    level: PictureLevel,
    at: Unknowns,
    landmark_weight: float,
    free: tuple[str, ...],
) -> tuple[Unknowns, PictureEnergy]:
    """Choose pixels and their noise at the current face, and go one step."""
    settings = scene.settings
    fragments = scene.fragments(level, at)
    places = fragments.selection(settings.most_pixels)
    if not len(places):
        raise LandmarkError(
            "fit_image: expected a face in the picture, but no pixel sees it where the landmarks "
            "put it. Check them against the picture."
        )
    residuals = scene.pixels(level, fragments, fragments.usable).residuals(at)
    sigma = pixel_sigma(residuals, settings.least_sigma, settings.most_sigma)
    scale = float(np.median(at.camera.pixels_per_mm(scene.face.mean))) / level.pixel
    longest = max(2, round(settings.correlated_mm * scale))
    common = 1.0
    if "face" in free:
        # Light and albedo alone cannot follow what no model knows: they may trust every pixel.
        common = independent_pixels(residuals, fragments.usable, level.size, sigma, longest)
    weight = min(len(fragments.usable) / common / len(places), 1.0)
    energy = PictureEnergy(scene, level, places, sigma, weight, landmark_weight)
    return energy.step(at, free), energy


def _fit_level(
    scene: Scene,
    level: PictureLevel,
    at: Unknowns,
    face_px: float,
    steps: int,
    landmark_weight: float,
) -> tuple[Unknowns, PictureFitStep]:
    motion, taken, energy = np.inf, 0, None
    free = ("camera", "face", "albedo", "light")
    while taken < steps and motion > scene.settings.stop_motion_px:
        before = at.camera.project(scene.face.points(at.face))
        at, energy = _step(scene, level, at, landmark_weight, free)
        after = at.camera.project(scene.face.points(at.face))
        motion = float(np.sqrt(((after - before) ** 2).sum(axis=1).mean()))
        taken += 1
    pixels, sigma = (len(energy.places), energy.sigma) if energy else (0, 0.0)
    return at, PictureFitStep(face_px, taken, pixels, sigma, motion)


def _result(
    fitter: PictureFitter,
    scene: Scene,
    start: BestHypothesis,
    at: Unknowns,
    level: PictureLevel,
    size: tuple[int, int],
    history: tuple[PictureFitStep, ...],
    began: float,
    name: str,
) -> ImageFit:
    model_colors = np.clip(scene.skin.colors(at.albedo), 0.0, 1.0).astype(np.float32)
    fragments = scene.fragments(level, at)
    pixels = scene.pixels(level, fragments, fragments.usable)
    difference = np.abs(pixels.residuals(at)).mean(axis=1)
    vertices = scene.face.points(at.face)
    colors = model_colors
    if scene.settings.extract_albedo:
        colors = extract_colors(
            scene.skin,
            at,
            VertexNormals(vertices, scene.faces).normals,
            scene.faces,
            fitter.mirror,
            pixels_on_triangles(pixels.centres, pixels.corners, vertices, at.camera),
            pixels.picture,
        )
    marks = scene.marks
    placed = at.camera.project(marks.face.points(at.face))
    present = np.isfinite(start.points).all(axis=1)
    gaps = np.linalg.norm((placed - start.points)[present], axis=1)
    split = scene.face.shape_count
    mesh = fitter.model.mesh.replace(vertices=vertices, colors=colors, name=name)
    light = at.light if at.light.shape[1] == 3 else np.repeat(at.light, 3, axis=1)
    notes = (*start.notes, *((fitter.note,) if fitter.note else ()))
    return ImageFit(
        mesh=mesh,
        shape=at.face[:split].copy(),
        expression=at.face[split:].copy(),
        albedo=at.albedo.copy(),
        model_colors=model_colors,
        light=light.copy(),
        camera=at.camera,
        image_size=size,
        used=fitter.used.copy(),
        contour=start.contour,
        converged=history[-1].motion_px <= scene.settings.stop_motion_px,
        history=history,
        residual={
            "median": float(np.median(difference)),
            "p95": float(np.percentile(difference, 95)),
        },
        landmark_px={"median": float(np.median(gaps)), "max": float(gaps.max())},
        landmark_sigma_px=start.sigma_px,
        notes=notes,
        seconds=time.perf_counter() - began,
        eyes=sunken_eyes(fitter.model, vertices),
        mouth=fitter.mouth,
    )
