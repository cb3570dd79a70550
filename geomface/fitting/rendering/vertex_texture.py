"""The colours of a model at its vertices, as a fit to a picture needs them."""

import numpy as np

from geomface.errors import SettingsError
from geomface.faces.albedo import ALBEDO_SIZE, albedo_model
from geomface.fitting.rendering.energy import Skin
from geomface.fitting.rendering.shading import GREY_FROM_RGB
from geomface.geometry_image.readout import read_bilinear
from geomface.geometry_image.sampling import vertex_uv
from geomface.mesh import Template
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
    uv = np.nan_to_num(vertex_uv(model.mesh), nan=0.5)
    images = np.moveaxis(np.asarray(texture.basis), -1, 0)
    read = TextureModel(
        read_bilinear(texture.mean, uv), np.moveaxis(read_bilinear(images, uv), 0, -1)
    )
    return read, f"{model.name}: its texture was read at the vertices."


def skin_of(texture: TextureModel, channels: int) -> Skin:
    """Return a texture model for a picture of 1 or 3 channels."""
    mix = np.eye(3) if channels == 3 else GREY_FROM_RGB
    return Skin(np.asarray(texture.mean, np.float64), np.asarray(texture.basis, np.float64), mix)
