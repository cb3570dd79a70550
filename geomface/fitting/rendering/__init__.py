"""Fit a morphable model to one picture by rendering it: pose, shape, expression, albedo, light."""

from geomface.fitting.rendering.fit_image import fit_image, fit_images
from geomface.fitting.rendering.picture_fitter import PictureFitter
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.results import ImageFit, PersonFit, PictureFitStep

__all__ = [
    "ImageFit",
    "PersonFit",
    "PictureFitSettings",
    "PictureFitStep",
    "PictureFitter",
    "fit_image",
    "fit_images",
]
