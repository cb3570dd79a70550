"""Fit a morphable model to one picture by rendering it: pose, shape, expression, albedo, light."""

from geomface.fitting.rendering.fit_image import fit_image
from geomface.fitting.rendering.fitter import PictureFitter
from geomface.fitting.rendering.result import ImageFit, PictureFitStep
from geomface.fitting.rendering.settings import PictureFitSettings

__all__ = ["ImageFit", "PictureFitSettings", "PictureFitStep", "PictureFitter", "fit_image"]
