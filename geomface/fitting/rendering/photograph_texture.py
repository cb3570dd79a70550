"""The photograph on the face's texture: what it shows, without its light; the rest from the fit."""

import dataclasses

import numpy as np
import torch
from scipy import ndimage

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.errors import MeshError
from geomface.files.color import linear_to_srgb, srgb_to_linear
from geomface.fitting.rendering.picture import check_picture
from geomface.fitting.rendering.pixels import triangle_picture
from geomface.fitting.rendering.seen import not_hidden
from geomface.fitting.rendering.shading import VertexNormals, lambert_basis
from geomface.fitting.results import ImageFit
from geomface.geometry_image.readout import read_bilinear
from geomface.geometry_image.sampling import TexelSampling, dilate, sample_texels
from geomface.mesh import Mesh
from geomface.parametrization import unwrap
from geomface.rendering.visibility import choose_backend
from geomface.statistics import MorphableModel

_GREY = np.array([0.299, 0.587, 0.114])
_DARKEST = 0.02
_LEAST_RATIO, _LARGEST_RATIO = 0.125, 4.0
_FEATHER = 0.012
"""Width of the seam, as a share of the texture's side."""
_SEEN = 0.5
_FINEST_PX = 600.0


@dataclasses.dataclass(frozen=True, eq=False)
class PhotographTexture:
    """A face with a photograph on it.

    Parameters
    ----------
    mesh : the face of the fit with uv and the texture
    mask : (H, W) bool, row 0 at the top: where the photograph shows the skin; elsewhere the colours
        are those of the fit
    kept_fraction : share of the texels on the face that the photograph shows
    """

    mesh: Mesh
    mask: BoolArray
    kept_fraction: float

    @property
    def texture(self) -> ImageArray:
        """(H, W, 3) float32 sRGB, filled everywhere."""
        return np.asarray(self.mesh.texture)


def bake_photograph(
    image: np.ndarray, fit: ImageFit, model: MorphableModel, size: int = 1024
) -> PhotographTexture:
    """Carry a photograph over to the texture of the face that was fitted to it.

    texel = srgb(linear(photograph) / (A Y(n) light)) where the photograph shows the skin. Elsewhere
    it is the colour of the fit: the model's own texture where it has one, with the gains of the
    fit, by which both agree along the seam.

    Parameters
    ----------
    image : the picture that was fitted
    fit : the result
    model : that was fitted; a template without uv is unwrapped
    size : texels along each side

    Raises
    ------
    MeshError : a fit of another model, or uv that no texture can be put on.

    Convention
    ----------
    Texel centres as in `sample_texels`. Colours are without light, as those of `fit.mesh`; what
    the light of the fit cannot explain, such as cast shadows, stays in them.

    Example
    -------
    >>> import geomface as gf
    >>> drawn = gf.FaceSampler(gf.FaceImageSettings(size=96, seed=1)).batch([(0, 0)])
    >>> image, face = drawn.images["rgb"][0], gf.load_builtin_face()
    >>> baked = gf.bake_photograph(image, gf.fit_image(image, drawn.landmarks[0], face), face, 64)
    >>> baked.texture.shape, bool(baked.mask.any())
    ((64, 64, 3), True)
    """
    picture = check_picture(image)
    if len(model.mesh.vertices) != len(fit.mesh.vertices) or picture.shape[:2] != fit.image_size:
        raise MeshError(
            f"bake_photograph: expected the picture and the model of the fit, got a picture of "
            f"{picture.shape[1]} x {picture.shape[0]} pixels for a fit of {fit.image_size[1]} x "
            f"{fit.image_size[0]}, and {len(model.mesh.vertices)} vertices for "
            f"{len(fit.mesh.vertices)}."
        )
    flat = model.mesh if model.mesh.uv is not None else unwrap(model.template).mesh
    sampling = sample_texels(flat, size)
    points = sampling.matrix @ fit.mesh.vertices
    normals = sampling.matrix @ VertexNormals(fit.mesh.vertices, fit.mesh.faces).normals
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    skin = _linear_skin(fit, model, flat, sampling)
    shading = (lambert_basis(normals) @ fit.light).clip(_DARKEST)
    pixels = fit.camera.project(points)
    shown = srgb_to_linear(_read(picture, pixels).clip(_DARKEST))
    expected = skin * shading
    if picture.shape[2] == 1:
        expected = (expected @ _GREY)[:, None]
    ratio = np.log(shown / expected.clip(1e-4))
    ratio = ratio.clip(np.log(_LEAST_RATIO), np.log(_LARGEST_RATIO))
    seen = _seen(fit, points, sampling)
    mask = np.zeros(sampling.mask.shape, bool)
    mask[sampling.mask] = seen > _SEEN
    # The border of the mask fades into the fit; that of the uv chart does not.
    distance = np.asarray(ndimage.distance_transform_edt(mask | ~sampling.mask))
    weight = np.clip(distance[sampling.mask] / (_FEATHER * size), 0.0, 1.0)
    weight *= mask[sampling.mask]
    colors = linear_to_srgb((skin * np.exp(weight[:, None] * ratio)).clip(0.0, 1.0))
    texture = np.zeros((*mask.shape, 3), np.float32)
    texture[sampling.mask] = colors
    mesh = fit.mesh.replace(
        uv=flat.uv, uv_faces=flat.uv_faces, texture=dilate(texture, sampling.mask), colors=None
    )
    return PhotographTexture(mesh, mask, float(mask[sampling.mask].mean()))


def _linear_skin(
    fit: ImageFit, model: MorphableModel, flat: Mesh, sampling: TexelSampling
) -> FloatArray:
    """Return (n, 3) linear light, the skin of the fit at the texels."""
    found = fit.model_colors if fit.mesh.colors is None else fit.mesh.colors
    if model.texture is None or not model.texture.is_image:
        return srgb_to_linear(sampling.matrix @ np.asarray(found, np.float64))
    gains = np.log(srgb_to_linear(found.clip(_DARKEST)))
    gains -= np.log(srgb_to_linear(fit.model_colors.clip(_DARKEST)))
    rows, columns = np.nonzero(sampling.mask)
    side = len(sampling.mask)
    uv = np.stack([(columns + 0.5) / side, 1 - (rows + 0.5) / side], axis=1)
    own = read_bilinear(model.texture.reconstruct(fit.albedo), uv)
    return srgb_to_linear(own) * np.exp(sampling.matrix @ gains)


def _seen(fit: ImageFit, points: FloatArray, sampling: TexelSampling) -> FloatArray:
    """Return (n,) in [0, 1], how far the photograph shows the skin at texels."""
    flat = fit.camera.project(fit.mesh.vertices)
    pixel = max(float(np.ptp(flat, axis=0).max()) / _FINEST_PX, 1.0)
    height, width = (max(1, int(side / pixel)) for side in fit.image_size)
    faces = fit.mesh.faces
    ids = triangle_picture(
        choose_backend(),
        fit.mesh.vertices,
        torch.tensor(faces),
        fit.camera,
        (height, width),
        pixel,
    )
    share = sampling.matrix @ np.asarray(fit.seen, np.float64)
    return share * not_hidden(points, fit.camera, ids, pixel, fit.mesh.vertices, faces)


def _read(picture: FloatArray, pixels: FloatArray) -> FloatArray:
    """Return (n, C) of a picture at pixels (n, 2), bilinear."""
    places = np.stack([pixels[:, 1], pixels[:, 0]]) - 0.5
    channels = [
        ndimage.map_coordinates(picture[..., c], places, order=1, mode="nearest")
        for c in range(picture.shape[2])
    ]
    return np.stack(channels, axis=1)
