"""Geometry images: encode, decode, files; texture bake from scans."""

from geomface.geometry_image.bake import BakeResult, BakeSettings, bake_texture
from geomface.geometry_image.decode import PAPER_ALPHA, GeometryImageDecoder, alpha_for_noise
from geomface.geometry_image.encode import GeometryImageEncoder
from geomface.geometry_image.files import load_geometry_image, save_geometry_image
from geomface.geometry_image.frame import GeometryFrame, fit_frame
from geomface.geometry_image.image import GeometryImage
from geomface.geometry_image.quantize import ValueRange, dequantize, quantize, value_range
from geomface.geometry_image.readout import read_bilinear, read_vertices
from geomface.geometry_image.sampling import TexelSampling, dilate, sample_texels

__all__ = [
    "PAPER_ALPHA",
    "BakeResult",
    "BakeSettings",
    "GeometryFrame",
    "GeometryImage",
    "GeometryImageDecoder",
    "GeometryImageEncoder",
    "TexelSampling",
    "ValueRange",
    "alpha_for_noise",
    "bake_texture",
    "dequantize",
    "dilate",
    "fit_frame",
    "load_geometry_image",
    "quantize",
    "read_bilinear",
    "read_vertices",
    "sample_texels",
    "save_geometry_image",
    "value_range",
]
