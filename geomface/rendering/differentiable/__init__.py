"""The differentiable renderer: torch stages on top of an interchangeable visibility pass."""

from geomface.rendering.differentiable.camera_conventions import (
    CONVENTIONS,
    OpenCVCamera,
    OpenGLCamera,
    Pytorch3dCamera,
    from_convention,
    to_convention,
)
from geomface.rendering.differentiable.cameras import (
    Camera,
    PerspectiveCamera,
    WeakPerspectiveCamera,
    look_at_face,
    look_rotation,
)
from geomface.rendering.differentiable.lights import DirectionalLight, Light, PointLight
from geomface.rendering.differentiable.render import Renderer, render
from geomface.rendering.differentiable.result import RenderResult
from geomface.rendering.differentiable.settings import OUTPUTS, RenderSettings
from geomface.rendering.differentiable.spherical_harmonics import (
    SphericalHarmonicsLight,
    sh_basis,
    sh_from_convention,
    sh_from_deca,
    sh_from_kaolin,
    sh_to_deca,
    sh_to_kaolin,
)
from geomface.rendering.differentiable.topology import RenderTopology, render_topology

__all__ = [
    "CONVENTIONS",
    "OUTPUTS",
    "Camera",
    "DirectionalLight",
    "Light",
    "OpenCVCamera",
    "OpenGLCamera",
    "PerspectiveCamera",
    "PointLight",
    "Pytorch3dCamera",
    "RenderResult",
    "RenderSettings",
    "RenderTopology",
    "Renderer",
    "SphericalHarmonicsLight",
    "WeakPerspectiveCamera",
    "from_convention",
    "look_at_face",
    "look_rotation",
    "render",
    "render_topology",
    "sh_basis",
    "sh_from_convention",
    "sh_from_deca",
    "sh_from_kaolin",
    "sh_to_deca",
    "sh_to_kaolin",
    "to_convention",
]
