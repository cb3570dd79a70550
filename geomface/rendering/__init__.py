"""Rasterizer and studio pictures. Nothing here needs a GPU or torch.

The differentiable renderer and its visibility backends load torch: import them from
`geomface.rendering.differentiable` and `geomface.rendering.visibility`.
"""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.rendering.camera import Frame as Frame
    from geomface.rendering.camera import frame_of as frame_of
    from geomface.rendering.camera import view_rotation as view_rotation
    from geomface.rendering.color_maps import color_bar as color_bar
    from geomface.rendering.color_maps import heat_colors as heat_colors
    from geomface.rendering.picture import render_mesh as render_mesh
    from geomface.rendering.shading import Studio as Studio
    from geomface.rendering.sheets import contact_sheet as contact_sheet
    from geomface.rendering.sheets import turntable as turntable
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
