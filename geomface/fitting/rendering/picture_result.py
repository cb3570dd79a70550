"""What a fit to pictures returns, measured at the end."""

import numpy as np

from geomface.faces.dressing import sunken_eyes
from geomface.fitting.rendering.albedo import extract_colors
from geomface.fitting.rendering.picture import picture_level
from geomface.fitting.rendering.picture_fitter import PictureFitter, PictureView
from geomface.fitting.rendering.pixels import pixels_on_triangles
from geomface.fitting.rendering.seen import painted_shares, seen_vertices
from geomface.fitting.rendering.shading import VertexNormals
from geomface.fitting.rendering.unknowns import Unknowns
from geomface.fitting.results import ImageFit, PersonFit, PictureFitStep

_FINEST_PX = 400.0


def image_fit(
    fitter: PictureFitter,
    view: PictureView,
    at: Unknowns,
    history: tuple[PictureFitStep, ...],
    seconds: float,
) -> ImageFit:
    """Return one picture's result.

    Parameters
    ----------
    at : where the fit ended
    history : what each size took
    seconds : of the fit
    """
    scene = view.scene
    height, width = view.picture.shape[:2]
    # Fine enough for every vertex, and no more pixels than that.
    level = picture_level(view.picture, max(view.across / _FINEST_PX, 1.0))
    model_colors = np.clip(scene.skin.colors(at.albedo), 0.0, 1.0).astype(np.float32)
    fragments = scene.fragments(level, at)
    pixels = scene.pixels(level, fragments, fragments.usable)
    difference = np.abs(pixels.residuals(at)).mean(axis=1)
    vertices = scene.face.points(at.face)
    shares = scene.shares(level, at, pixels, fragments.usable)
    shown = painted_shares(shares, fragments.usable, level.size, scene.pixels_per_mm(level, at))
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
            shown.ravel()[fragments.usable],
        )
    marks = scene.marks
    placed = at.camera.project(marks.face.points(at.face))
    present = np.isfinite(view.start.points).all(axis=1)
    gaps = np.linalg.norm((placed - view.start.points)[present], axis=1)
    split = scene.face.shape_count
    mesh = fitter.model.mesh.replace(vertices=vertices, colors=colors, name=view.name)
    light = at.light if at.light.shape[1] == 3 else np.repeat(at.light, 3, axis=1)
    notes = (*view.start.notes, *((fitter.note,) if fitter.note else ()))
    return ImageFit(
        mesh=mesh,
        shape=at.face[:split].copy(),
        expression=at.face[split:].copy(),
        albedo=at.albedo.copy(),
        model_colors=model_colors,
        light=light.copy(),
        camera=at.camera,
        image_size=(height, width),
        used=fitter.used.copy(),
        seen=seen_vertices(shown, vertices, scene.faces, at.camera, fragments.ids, level.pixel),
        contour=view.start.contour,
        converged=history[-1].motion_px <= scene.settings.stop_motion_px,
        history=history,
        residual={
            "median": float(np.median(difference)),
            "p95": float(np.percentile(difference, 95)),
        },
        landmark_px={"median": float(np.median(gaps)), "max": float(gaps.max())},
        landmark_sigma_px=view.start.sigma_px,
        notes=notes,
        seconds=seconds,
        eyes=sunken_eyes(fitter.model, vertices),
        mouth=fitter.mouth,
    )


def person_fit(
    fitter: PictureFitter, fits: tuple[ImageFit, ...], name: str, seconds: float
) -> PersonFit:
    """Return the person of several pictures: the neutral face, with the colours most agree on."""
    first = fits[0]
    found = [fit.model_colors if fit.mesh.colors is None else fit.mesh.colors for fit in fits]
    mesh = fitter.model.mesh.replace(
        vertices=fitter.model.vertices(first.shape),
        colors=np.median(found, axis=0).astype(np.float32),
        name=name,
    )
    return PersonFit(mesh, first.shape, first.albedo, fits, seconds)
