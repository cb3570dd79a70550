"""Parametrization: the template on the unit square, one uv a vertex, no triangle flipped."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.parametrization.boundary import BoundaryPlacement as BoundaryPlacement
    from geomface.parametrization.boundary import place_boundary as place_boundary
    from geomface.parametrization.distortion import DistortionReport as DistortionReport
    from geomface.parametrization.distortion import measure_distortion as measure_distortion
    from geomface.parametrization.settings import UnwrapSettings as UnwrapSettings
    from geomface.parametrization.solve import TutteSolver as TutteSolver
    from geomface.parametrization.unwrapping import UnwrapResult as UnwrapResult
    from geomface.parametrization.unwrapping import unwrap as unwrap
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
