"""The fitted face in the renderer: its camera, its light, its pictures."""

import dataclasses

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray
from geomface.fitting.camera import Camera, Perspective
from geomface.fitting.rendering.result import ImageFit
from geomface.mesh import Mesh
from geomface.rendering.camera import view_rotation
from geomface.rendering.differentiable import Camera as RenderCamera
from geomface.rendering.differentiable import (
    PerspectiveCamera,
    Renderer,
    RenderSettings,
    SphericalHarmonicsLight,
    WeakPerspectiveCamera,
)

_FLIP = np.diag([1.0, -1.0, -1.0])
_ROOM = 1.05


def render_camera(camera: Camera, *, pixel: float = 1.0) -> RenderCamera:
    """Return the renderer's camera that sees what a fitted camera sees.

    Parameters
    ----------
    pixel : width of a rendered pixel in pixels of the picture

    Convention
    ----------
    The fit's camera frame has y up and z towards the camera, the renderer's y down and z along
    the view.
    """

    def tensor(values: object) -> torch.Tensor:
        return torch.tensor(np.asarray(values, np.float64)[None])

    rotation = _FLIP @ camera.rotation
    if isinstance(camera, Perspective):
        translation = _FLIP @ camera.translation - rotation @ camera.centre
        focal = np.full(2, camera.focal / pixel)
        middle = camera.middle / pixel
        return PerspectiveCamera(
            tensor(focal), tensor(middle), tensor(rotation), tensor(translation)
        )
    return WeakPerspectiveCamera(
        tensor(camera.scale / pixel),
        tensor(camera.shift / pixel),
        tensor(rotation),
        tensor(-rotation @ camera.centre),
    )


def turned_camera(camera: Camera, yaw: float, points: FloatArray, middle: FloatArray) -> Camera:
    """Return the camera after the face turned by `yaw` degrees, its points around a pixel.

    Parameters
    ----------
    points : (n, 3) float64, mm
    middle : (2,) float64, pixel where the box of the points is to have its centre
    """
    turned = dataclasses.replace(camera, rotation=view_rotation(yaw, 0.0) @ camera.rotation)
    flat = turned.project(points)
    move = middle - 0.5 * (flat.min(axis=0) + flat.max(axis=0))
    if isinstance(turned, Perspective):
        return dataclasses.replace(turned, middle=turned.middle + move)
    return dataclasses.replace(turned, shift=turned.shift + move)


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
        render_camera(camera, pixel=pixel),
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


def render_turned(
    fit: ImageFit, yaw: float, size: tuple[int, int], *, pixel: float = 1.0
) -> dict[str, np.ndarray]:
    """Return "rgb" and "alpha" of a fit turned by `yaw` degrees, in the middle of a picture.

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
    return render_face(fit.mesh, colors, fit.light, camera, size, pixel=pixel)
