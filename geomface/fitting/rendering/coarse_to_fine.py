"""The steps of a fit to pictures: light first, then everything, from coarse to fine."""

import numpy as np

from geomface.errors import LandmarkError
from geomface.fitting.rendering.energy import PictureEnergy, Scene
from geomface.fitting.rendering.joint import JointEnergy, Views, shared_start
from geomface.fitting.rendering.picture import (
    PictureLevel,
    independent_pixels,
    picture_level,
    pixel_sigma,
)
from geomface.fitting.rendering.picture_fitter import PictureView
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.rendering.unknowns import Unknowns
from geomface.fitting.results import PictureFitStep

_LIGHT_STEPS = 8
_SETTLING_STEPS = 5
"""Steps of the landmarks alone after people that were seen apart became one."""


def fit_views(
    views: tuple[PictureView, ...], settings: PictureFitSettings
) -> tuple[Views, tuple[tuple[PictureFitStep, ...], ...]]:
    """Return the unknowns of every picture, and what each size took for each picture.

    Parameters
    ----------
    views : of one person
    """
    at = tuple(view.first for view in views)
    if len(views) > 1:
        at = shared_start(at, views[0].scene.face.shape_count)
    history: list[tuple[PictureFitStep, ...]] = []
    for face_px, steps, landmark_weight in zip(
        settings.face_sizes_px, settings.steps, settings.landmark_weights, strict=True
    ):
        levels = tuple(
            picture_level(view.picture, max(view.across / face_px, 1.0)) for view in views
        )
        if not history:
            if len(views) > 1:
                at = _settle(views, levels, at, landmark_weight)
            for _ in range(_LIGHT_STEPS):
                at, _ = _step(views, levels, at, landmark_weight, ("light", "albedo"))
        at, done = _fit_level(views, levels, at, face_px, steps, landmark_weight)
        history.append(done)
        if all(level.pixel == 1.0 for level in levels):
            break
    return at, tuple(zip(*history, strict=True))


def _settle(
    views: tuple[PictureView, ...], levels: tuple[PictureLevel, ...], at: Views, weight: float
) -> Views:
    """Let one shape and the cameras find each other by the landmarks alone."""
    nothing = np.zeros(0, np.int64)
    energy = JointEnergy(
        tuple(
            PictureEnergy(view.scene, level, nothing, 1.0, 0.0, weight)
            for view, level in zip(views, levels, strict=True)
        )
    )
    for _ in range(_SETTLING_STEPS):
        at = energy.step(at, ("camera", "face"))
    return at


def _step(
    views: tuple[PictureView, ...],
    levels: tuple[PictureLevel, ...],
    at: Views,
    landmark_weight: float,
    free: tuple[str, ...],
) -> tuple[Views, JointEnergy]:
    """Choose pixels and their noise at the current faces, and go one step."""
    energy = JointEnergy(
        tuple(
            _energy(view.scene, level, one, landmark_weight, free)
            for view, level, one in zip(views, levels, at, strict=True)
        )
    )
    return energy.step(at, free), energy


def _energy(
    scene: Scene,
    level: PictureLevel,
    at: Unknowns,
    landmark_weight: float,
    free: tuple[str, ...],
) -> PictureEnergy:
    """Choose pixels of one picture and their noise at the current face."""
    settings = scene.settings
    fragments = scene.fragments(level, at)
    places = fragments.selection(settings.most_pixels)
    if not len(places):
        raise LandmarkError(
            "fit_image: expected a face in the picture, but no pixel sees it where the landmarks "
            "put it. Check them against the picture."
        )
    usable = fragments.usable
    pixels = scene.pixels(level, fragments, usable)
    residuals = pixels.residuals(at)
    if "face" not in free:
        # Light and albedo alone cannot follow what no model knows: they may trust every pixel.
        sigma = pixel_sigma(residuals, settings.least_sigma, settings.most_sigma)
        weight = min(len(usable) / len(places), 1.0)
        return PictureEnergy(scene, level, places, sigma, weight, landmark_weight)
    shares = scene.shares(level, at, pixels, usable)
    likely = shares >= min(0.5, float(np.median(shares)))
    sigma = pixel_sigma(residuals[likely], settings.least_sigma, settings.most_sigma)
    longest = max(2, round(settings.correlated_mm * scene.pixels_per_mm(level, at)))
    common = independent_pixels(residuals[likely], usable[likely], level.size, sigma, longest)
    weight = min(len(usable) / common / len(places), 1.0)
    own = shares[np.searchsorted(usable, places)]
    return PictureEnergy(scene, level, places, sigma, weight, landmark_weight, own)


def _fit_level(
    views: tuple[PictureView, ...],
    levels: tuple[PictureLevel, ...],
    at: Views,
    face_px: float,
    steps: int,
    landmark_weight: float,
) -> tuple[Views, tuple[PictureFitStep, ...]]:
    """Go steps at one size until no face moves."""
    motions, taken, energy = np.full(len(views), np.inf), 0, None
    settings = views[0].scene.settings
    free = ("camera", "face", "albedo", "light")
    while taken < steps and motions.max() > settings.stop_motion_px:
        before = _placed(views, at)
        at, energy = _step(views, levels, at, landmark_weight, free)
        motions = np.array(
            [
                np.sqrt(((new - old) ** 2).sum(axis=1).mean())
                for new, old in zip(_placed(views, at), before, strict=True)
            ]
        )
        taken += 1
    parts = energy.parts if energy else ()
    return at, tuple(
        PictureFitStep(face_px, taken, len(part.places), part.sigma, float(motion))
        for part, motion in zip(parts, motions, strict=True)
    )


def _placed(views: tuple[PictureView, ...], at: Views) -> list[np.ndarray]:
    """Return where every picture shows the vertices."""
    return [
        one.camera.project(view.scene.face.points(one.face))
        for view, one in zip(views, at, strict=True)
    ]
