"""Fit a morphable model to one picture by rendering it: pose, shape, expression, albedo, light."""

from geomface.fitting.rendering.fit_image import PictureFitter, fit_image
from geomface.fitting.rendering.settings import PictureFitSettings
from geomface.fitting.results import ImageFit, PictureFitStep

__all__ = ["ImageFit", "PictureFitSettings", "PictureFitStep", "PictureFitter", "fit_image"]
