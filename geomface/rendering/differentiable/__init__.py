"""The differentiable renderer: torch stages on top of an interchangeable visibility pass."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.rendering.differentiable.camera_conventions import CONVENTIONS as CONVENTIONS
    from geomface.rendering.differentiable.camera_conventions import OpenCVCamera as OpenCVCamera
    from geomface.rendering.differentiable.camera_conventions import OpenGLCamera as OpenGLCamera
    from geomface.rendering.differentiable.camera_conventions import (
        Pytorch3dCamera as Pytorch3dCamera,
    )
    from geomface.rendering.differentiable.camera_conventions import (
        from_convention as from_convention,
    )
    from geomface.rendering.differentiable.camera_conventions import to_convention as to_convention
    from geomface.rendering.differentiable.cameras import Camera as Camera
    from geomface.rendering.differentiable.cameras import PerspectiveCamera as PerspectiveCamera
    from geomface.rendering.differentiable.cameras import (
        WeakPerspectiveCamera as WeakPerspectiveCamera,
    )
    from geomface.rendering.differentiable.cameras import look_at_face as look_at_face
    from geomface.rendering.differentiable.cameras import look_rotation as look_rotation
    from geomface.rendering.differentiable.lights import DirectionalLight as DirectionalLight
    from geomface.rendering.differentiable.lights import Light as Light
    from geomface.rendering.differentiable.lights import PointLight as PointLight
    from geomface.rendering.differentiable.renderer import Renderer as Renderer
    from geomface.rendering.differentiable.renderer import render as render
    from geomface.rendering.differentiable.result import RenderResult as RenderResult
    from geomface.rendering.differentiable.settings import OUTPUTS as OUTPUTS
    from geomface.rendering.differentiable.settings import RenderSettings as RenderSettings
    from geomface.rendering.differentiable.spherical_harmonics import (
        SphericalHarmonicsLight as SphericalHarmonicsLight,
    )
    from geomface.rendering.differentiable.spherical_harmonics import sh_basis as sh_basis
    from geomface.rendering.differentiable.spherical_harmonics import (
        sh_from_convention as sh_from_convention,
    )
    from geomface.rendering.differentiable.spherical_harmonics import sh_from_deca as sh_from_deca
    from geomface.rendering.differentiable.spherical_harmonics import (
        sh_from_kaolin as sh_from_kaolin,
    )
    from geomface.rendering.differentiable.spherical_harmonics import sh_to_deca as sh_to_deca
    from geomface.rendering.differentiable.spherical_harmonics import sh_to_kaolin as sh_to_kaolin
    from geomface.rendering.differentiable.topology import RenderTopology as RenderTopology
    from geomface.rendering.differentiable.topology import render_topology as render_topology
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
