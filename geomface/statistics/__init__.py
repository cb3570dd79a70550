"""Statistics of registered faces: alignment, point models, texture models."""

from geomface.statistics.alignment import AlignmentResult, align_meshes
from geomface.statistics.pca import PointModel, fit_pca, load_point_model, save_point_model
from geomface.statistics.texture import (
    TextureModel,
    fit_texture_pca,
    load_texture_model,
    save_texture_model,
)

__all__ = [
    "AlignmentResult",
    "PointModel",
    "TextureModel",
    "align_meshes",
    "fit_pca",
    "fit_texture_pca",
    "load_point_model",
    "load_texture_model",
    "save_point_model",
    "save_texture_model",
]
