"""The fitted face in the renderer, and the sheet that shows how far it looks like its picture."""

import dataclasses

import numpy as np
import torch
from scipy import ndimage

from geomface.arrays import FloatArray, ImageArray
from geomface.faces.dressing import dressed
from geomface.files.color import linear_to_srgb
from geomface.fitting.rendering.picture import check_picture, picture_level
from geomface.fitting.results import ImageFit
from geomface.mesh import Mesh
from geomface.rendering.camera import Camera, view_rotation
from geomface.rendering.color_maps import heat_colors
from geomface.rendering.differentiable import Renderer, RenderSettings, SphericalHarmonicsLight
from geomface.rendering.differentiable.camera_conventions import from_fit
from geomface.rendering.sheets import contact_sheet

_WORST = 0.25
_TURN = 40.0
_MARGIN = 0.2
_BRIGHTEST = 0.9
_FEATHER = 2.0
_ROOM = 1.05
_EYES = 0.8
"""How bright eyes are in a render, of those on a sheet, which are dressed for bright light."""


def fit_panels(image: np.ndarray, fit: ImageFit, *, height: int = 300) -> dict[str, ImageArray]:
    """Return pictures of a fit by name, each (h, w, 3) float32 around the face.

    "photograph", "fit" (over the photograph), "model" (with the model's own colours), "shading" (a
    white surface in the fitted light), "albedo" (without light), "difference" (of photograph and
    model, sRGB; the hottest colour is 0.25), and "turned" (by 40 degrees).

    Parameters
    ----------
    image : the picture that was fitted
    height : of the panels, pixels
    """
    picture = check_picture(image)
    pixel = _pixel(fit, height)
    photograph = picture_level(picture, pixel).values
    photograph = np.repeat(photograph, 3, axis=2) if photograph.shape[2] == 1 else photograph
    front = render_fit(fit, pixel=pixel)
    own = render_fit(fit, pixel=pixel, own_colors=True)
    grey = picture.shape[2] == 1
    share = _shown_share(fit, front)[..., None]
    seen = share[..., 0] > 0.99

    def over(drawn: ImageArray) -> FloatArray:
        # A grey fit knows brightness only; its skin is shown grey.
        return share * (_grey(drawn) if grey else drawn) + (1 - share) * photograph

    def alone(panel: FloatArray) -> FloatArray:
        return np.where(front["alpha"][..., None] > 0.99, panel, 1.0)

    model = over(own["rgb"])
    difference = np.abs(model - photograph).mean(axis=2)
    white = front["shading"].clip(0)
    white = _BRIGHTEST * white / max(float(np.percentile(white[seen], 99)), 1e-6)
    panels = {
        "photograph": photograph,
        "fit": over(front["rgb"]),
        "model": model,
        "shading": alone(linear_to_srgb(white)),
        "albedo": alone(front["albedo"]),
        "difference": heat_colors(np.where(seen, difference, 0.0), _WORST),
    }
    rows, columns = (np.flatnonzero(front["alpha"].any(axis=k)) for k in (1, 0))
    pad = int(_MARGIN * max(np.ptp(rows), np.ptp(columns)))
    box = tuple(slice(max(0, int(side[0]) - pad), int(side[-1]) + pad) for side in (rows, columns))
    panels = {name: panel[box] for name, panel in panels.items()}
    away = -_TURN if fit.camera.rotation[0, 2] > 0 else _TURN
    height, width = panels["fit"].shape[:2]
    turned = render_turned(fit, away, (height, width), pixel=pixel)
    skin = _grey(turned["rgb"]) if grey else turned["rgb"]
    panels["turned"] = skin + (1 - turned["alpha"][..., None])
    return {name: np.clip(panel, 0, 1).astype(np.float32) for name, panel in panels.items()}


def fit_sheet(image: np.ndarray, fit: ImageFit, *, height: int = 300) -> ImageArray:
    """Return the panels of `fit_panels` in one row with their names.

    Example
    -------
    >>> import geomface as gf
    >>> drawn = gf.FaceSampler(gf.FaceImageSettings(size=96, seed=1)).batch([(0, 0)])
    >>> image = drawn.images["rgb"][0]
    >>> fit = gf.fit_image(image, drawn.landmarks[0], gf.load_builtin_face())
    >>> gf.fit_sheet(image, fit, height=48).dtype
    dtype('float32')
    """
    return panel_sheet(fit_panels(image, fit, height=height))


def panel_sheet(panels: dict[str, ImageArray]) -> ImageArray:
    """Return panels in one row with their names."""
    return contact_sheet(list(panels.values()), len(panels), list(panels))


def _pixel(fit: ImageFit, height: int) -> float:
    """Return the width of a panel's pixel in the picture: the face takes most of the height."""
    rows = fit.camera.project(fit.mesh.vertices)[:, 1]
    return float(np.ptp(rows)) * (1 + 2 * _MARGIN) / height


def _shown_share(fit: ImageFit, front: dict[str, np.ndarray]) -> FloatArray:
    """Return (h, w), 1 where the region that was fitted shows, falling off inside its edge."""
    trusted = np.asarray(fit.used[fit.mesh.faces].all(axis=1))
    shown = (front["face_id"] >= 0) & trusted[front["face_id"]]
    shown &= front["alpha"] > 0.99
    distance = np.asarray(ndimage.distance_transform_edt(shown))
    return np.clip(distance / _FEATHER, 0.0, 1.0)


def _grey(image: ImageArray) -> ImageArray:
    return np.repeat((image @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)


def turned_camera(camera: Camera, yaw: float, points: FloatArray, middle: FloatArray) -> Camera:
    """Return the camera after the face turned by `yaw` degrees, its points around a pixel.

    Parameters
    ----------
    points : (n, 3) float64, mm
    middle : (2,) float64, pixel where the box of the points is to have its centre
    """
    turned = dataclasses.replace(camera, rotation=view_rotation(yaw, 0.0) @ camera.rotation)
    flat = turned.project(points)
    return turned.shifted(middle - 0.5 * (flat.min(axis=0) + flat.max(axis=0)))


def render_face(
    mesh: Mesh,
    colors: ImageArray,
    light: FloatArray,
    camera: Camera,
    size: tuple[int, int],
    *,
    pixel: float = 1.0,
    outputs: tuple[str, ...] = ("rgb", "alpha"),
) -> dict[str, np.ndarray]:
    """Return pictures of a face as the fit sees it.

    Parameters
    ----------
    colors : (V, 3) sRGB
    light : (9, 3), model frame
    size : (height, width) of the rendered pictures
    pixel : width of a rendered pixel in pixels of the picture
    outputs : of the renderer

    Returns
    -------
    {output: (height, width, ...) float32, int32 for "face_id"}
    """
    renderer = Renderer(mesh, RenderSettings(height=size[0], width=size[1]))
    drawn = renderer.render(
        torch.tensor(mesh.vertices[None], dtype=torch.float64),
        from_fit(camera, pixel=pixel),
        colors=torch.tensor(np.asarray(colors, np.float64)[None]),
        light=SphericalHarmonicsLight(torch.tensor(np.asarray(light, np.float64)[None])),
        outputs=outputs,
    )
    pictures = {name: drawn[name][0].numpy() for name in outputs}
    return {
        name: picture if name == "face_id" else picture.astype(np.float32)
        for name, picture in pictures.items()
    }


def render_fit(
    fit: ImageFit, *, pixel: float = 1.0, own_colors: bool = False
) -> dict[str, np.ndarray]:
    """Return "rgb", "alpha", "shading", "albedo" and "face_id" in the frame of the picture.

    Parameters
    ----------
    pixel : width of a rendered pixel in pixels of the picture
    own_colors : show the model's colours instead of those extracted from the picture
    """
    height, width = (max(1, int(side / pixel)) for side in fit.image_size)
    extracted = None if own_colors else fit.mesh.colors
    colors = fit.model_colors if extracted is None else extracted
    return render_face(
        fit.mesh,
        colors,
        fit.light,
        fit.camera,
        (height, width),
        pixel=pixel,
        outputs=("rgb", "alpha", "shading", "albedo", "face_id"),
    )


def render_in_place(fit: ImageFit) -> ImageArray:
    """Return a fitted face where it is in its picture, on black, as `synth faces` draws plain ones.

    Its colours are the model's, so that it is to the photograph what a render is to one. Eyes and
    the inside of the mouth are put in.

    Returns
    -------
    (H, W, 4) float32 in [0, 1]: sRGB, and how much of each pixel the face covers
    """
    whole = dressed(fit.mesh, fit.model_colors, fit.eyes, fit.mouth)
    colors = _colors(whole).copy()
    colors[len(fit.mesh.vertices) :] *= _EYES
    drawn = render_face(whole, colors, fit.light, fit.camera, fit.image_size)
    return np.clip(np.concatenate([drawn["rgb"], drawn["alpha"][..., None]], axis=2), 0.0, 1.0)


def render_turned(
    fit: ImageFit, yaw: float, size: tuple[int, int], *, pixel: float = 1.0
) -> dict[str, np.ndarray]:
    """Return "rgb" and "alpha" of a fit turned by `yaw` degrees, in the middle of a picture.

    Eyes and the inside of the mouth are put in, which no model of skin has.

    Parameters
    ----------
    size : (height, width)
    pixel : width of a rendered pixel in pixels of the photograph; more where it would not fit
    """
    extent = np.array([size[1], size[0]], np.float64)
    points = fit.mesh.vertices
    turned = turned_camera(fit.camera, yaw, points, np.zeros(2))
    needed = (np.ptp(turned.project(points), axis=0) / extent).max()
    pixel = max(pixel, _ROOM * float(needed))
    camera = turned_camera(fit.camera, yaw, points, 0.5 * pixel * extent)
    colors = fit.model_colors if fit.mesh.colors is None else fit.mesh.colors
    whole = dressed(fit.mesh, colors, fit.eyes, fit.mouth)
    return render_face(whole, _colors(whole), fit.light, camera, size, pixel=pixel)


def _colors(mesh: Mesh) -> ImageArray:
    return np.zeros((0, 3), np.float32) if mesh.colors is None else mesh.colors
