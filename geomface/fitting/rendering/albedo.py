"""The colours of a face without light: a model's, and those that a picture shows."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.errors import SettingsError
from geomface.faces.albedo import albedo_model
from geomface.faces.albedo_code import ALBEDO_SIZE
from geomface.files.color import linear_to_srgb, srgb_to_linear
from geomface.fitting.rendering.pixels import VisiblePixels
from geomface.fitting.rendering.residuals import Skin
from geomface.fitting.rendering.shading import lambert_basis
from geomface.fitting.rendering.unknowns import Unknowns
from geomface.geometry_image.readout import read_bilinear
from geomface.geometry_image.sampling import vertex_uv
from geomface.mesh import Template
from geomface.mesh.laplacian import graph_laplacian, laplacian_from_weights
from geomface.mesh.multi_pie import SCHEME
from geomface.statistics import MorphableModel, TextureModel, fit_texture_pca

GREY_FROM_RGB = np.array([[0.299, 0.587, 0.114]])
"""One channel of three."""
_SKIN_SEED, _SKINS = 1999, 600
_DARKEST = 0.02
_LEAST_GAIN, _LARGEST_GAIN = 0.125, 4.0
_SMOOTH, _MIRROR, _STAY = 0.3, 0.05, 0.003


def skin_of(texture: TextureModel, channels: int) -> Skin:
    """Return a texture model for a picture of 1 or 3 channels."""
    mix = np.eye(3) if channels == 3 else GREY_FROM_RGB
    return Skin(np.asarray(texture.mean, np.float64), np.asarray(texture.basis, np.float64), mix)


def procedural_texture(template: Template, modes: int) -> TextureModel:
    """Return a linear model of the procedural skin at the vertices of a template.

    Parameters
    ----------
    template : with the 68 landmarks
    modes : number of modes kept
    """
    skin, rng = albedo_model(template), np.random.default_rng(_SKIN_SEED)
    colors = np.stack([skin.colors(rng.standard_normal(ALBEDO_SIZE)) for _ in range(_SKINS)])
    return fit_texture_pca(colors, components=modes)


def vertex_texture(model: MorphableModel, modes: int) -> tuple[TextureModel, str]:
    """Return the colours of a model, one a vertex, and a sentence on what stands in, or "".

    Its own vertex colours; its texture image, read at the vertices; or the procedural skin.

    Raises
    ------
    SettingsError : a model without colours and without the 68 landmarks that place the skin.
    """
    texture = model.texture
    if texture is None:
        landmarks = model.template.landmarks
        if landmarks is None or landmarks.scheme != SCHEME:
            raise SettingsError(
                f"{model.name}: this model has no colours, and without the landmarks {SCHEME} the "
                "procedural skin cannot stand in. Give it a texture or those landmarks."
            )
        return procedural_texture(model.template, modes), (
            f"{model.name} has no colours: the procedural skin stands in."
        )
    if not texture.is_image:
        return texture, ""
    uv = np.nan_to_num(vertex_uv(model.mesh), nan=0.5)
    images = np.moveaxis(np.asarray(texture.basis), -1, 0)
    read = TextureModel(
        read_bilinear(texture.mean, uv), np.moveaxis(read_bilinear(images, uv), 0, -1)
    )
    return read, f"{model.name}: its texture was read at the vertices."


def extract_colors(
    skin: Skin,
    at: Unknowns,
    normals: FloatArray,
    faces: IndexArray,
    mirror: IndexArray | None,
    pixels: VisiblePixels,
    picture: FloatArray,
    shares: FloatArray | None = None,
) -> ImageArray:
    """Return (V, 3) float32 sRGB colours that show the picture under the fitted light.

    albedo_v = albedo of the model x exp(g_v),
    min over g of sum_s p_s |g(x_s) - log(picture_s / rendering_s)|^2
        + smooth sum_edges |g_v - g_w|^2 + mirror sum_v |g_v - g_v'|^2 + stay |g|^2,

    in linear light, so that what the picture does not show is that of the other half of the face,
    or the model.

    Parameters
    ----------
    normals : (V, 3) float64, unit
    faces : (F, 3) int64
    mirror : (V,) int64 or None
    pixels : what each pixel sees
    picture : (S, C) float64 sRGB
    shares : (S,) in [0, 1], p, how far a pixel shows the skin; None: all do
    """
    colors = skin.colors(at.albedo).clip(_DARKEST, 1.0)
    seen = pixels.mix(normals)
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    shading = (lambert_basis(seen) @ at.light).clip(_DARKEST)
    rendered = (srgb_to_linear(pixels.mix(colors)) @ skin.mix.T) * shading
    wanted = np.log(srgb_to_linear(picture.clip(_DARKEST)) / rendered.clip(1e-4))
    wanted = wanted.clip(np.log(_LEAST_GAIN), np.log(_LARGEST_GAIN))
    count = len(colors)
    rows = np.repeat(np.arange(len(pixels)), 3)
    reading = sparse.csr_matrix(
        (pixels.weights.ravel(), (rows, pixels.corners.ravel())), shape=(len(pixels), count)
    )
    believed = sparse.diags(np.ones(len(pixels)) if shares is None else shares)
    matrix = reading.T @ believed @ reading + _STAY * sparse.identity(count)
    matrix = matrix + _SMOOTH * graph_laplacian(faces, count)
    if mirror is not None:
        pairs = np.column_stack([np.arange(count), mirror])[mirror != np.arange(count)]
        weights = np.full(len(pairs), 0.5 * _MIRROR)
        matrix = matrix + laplacian_from_weights(pairs, weights, count)
    right = reading.T @ believed @ wanted
    diagonal = sparse.diags(1.0 / matrix.diagonal())
    gains = [cg(matrix.tocsr(), column, rtol=1e-5, M=diagonal)[0] for column in right.T]
    linear = srgb_to_linear(colors) * np.exp(np.stack(gains, axis=1))
    return linear_to_srgb(linear).clip(0.0, 1.0).astype(np.float32)
