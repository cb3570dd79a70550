"""Rasterizer and studio pictures. Nothing here needs a GPU or torch.

The differentiable renderer and its visibility backends load torch: import them from
`geomface.rendering.differentiable` and `geomface.rendering.visibility`.
"""

from geomface.rendering.camera import Frame, frame_of, view_rotation
from geomface.rendering.color_maps import color_bar, heat_colors
from geomface.rendering.picture import render_mesh
from geomface.rendering.rasterize import barycentrics, rasterize
from geomface.rendering.shading import Studio
from geomface.rendering.sheets import contact_sheet, turntable

__all__ = [
    "Frame",
    "Studio",
    "barycentrics",
    "color_bar",
    "contact_sheet",
    "frame_of",
    "heat_colors",
    "rasterize",
    "render_mesh",
    "turntable",
    "view_rotation",
]
