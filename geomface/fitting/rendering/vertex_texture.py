"""The colours of a model at its vertices, as a fit to a picture needs them."""

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.errors import SettingsError
from geomface.faces.albedo import ALBEDO_SIZE, albedo_model
from geomface.fitting.rendering.energy import Skin
from geomface.fitting.rendering.shading import GREY_FROM_RGB
from geomface.mesh import Mesh, Template
from geomface.mesh.multi_pie import SCHEME
from geomface.statistics import MorphableModel, TextureModel, fit_texture_pca

_SKIN_SEED, _SKINS = 1999, 400


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
    mean = at_vertices(model.mesh, texture.mean)
    basis = np.stack(
        [at_vertices(model.mesh, mode) for mode in np.moveaxis(np.asarray(texture.basis), -1, 0)],
        axis=-1,
    )
    return TextureModel(mean, basis), f"{model.name}: its texture was read at the vertices."


def at_vertices(mesh: Mesh, image: FloatArray | ImageArray) -> FloatArray:
    """Return (V, C) values of an image (H, W, C) at each vertex's first uv, bilinear."""
    if mesh.uv is None or mesh.uv_faces is None:
        raise SettingsError(f"{mesh.name}: expected uv to read a texture, got a mesh without.")
    place = np.zeros(len(mesh.vertices), np.int64)
    place[mesh.faces.ravel()[::-1]] = mesh.uv_faces.ravel()[::-1]
    height, width = image.shape[:2]
    u, v = mesh.uv[place].T
    x, y = np.clip(u * width - 0.5, 0, width - 1), np.clip((1 - v) * height - 0.5, 0, height - 1)
    left = np.minimum(x.astype(np.int64), max(width - 2, 0))
    top = np.minimum(y.astype(np.int64), max(height - 2, 0))
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    dx, dy = (x - left)[:, None], (y - top)[:, None]
    upper = (1 - dx) * image[top, left] + dx * image[top, right]
    lower = (1 - dx) * image[below, left] + dx * image[below, right]
    return ((1 - dy) * upper + dy * lower).astype(np.float64)


def skin_of(texture: TextureModel, channels: int) -> Skin:
    """Return a texture model for a picture of 1 or 3 channels."""
    mix = np.eye(3) if channels == 3 else GREY_FROM_RGB
    return Skin(np.asarray(texture.mean, np.float64), np.asarray(texture.basis, np.float64), mix)
