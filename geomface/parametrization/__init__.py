"""Parametrization: the template on the unit square, one uv a vertex, no triangle flipped."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geomface.parametrization.boundary import BoundaryPlacement, place_boundary
    from geomface.parametrization.distortion import DistortionReport, measure_distortion
    from geomface.parametrization.settings import UnwrapSettings
    from geomface.parametrization.solve import TutteSolver
    from geomface.parametrization.unwrapping import UnwrapResult, unwrap

# Lazy (PEP 562): the command line reads UnwrapSettings for its help and must not load scipy.
_HOMES = {
    "BoundaryPlacement": "boundary",
    "DistortionReport": "distortion",
    "TutteSolver": "solve",
    "UnwrapResult": "unwrapping",
    "UnwrapSettings": "settings",
    "measure_distortion": "distortion",
    "place_boundary": "boundary",
    "unwrap": "unwrapping",
}

__all__ = [
    "BoundaryPlacement",
    "DistortionReport",
    "TutteSolver",
    "UnwrapResult",
    "UnwrapSettings",
    "measure_distortion",
    "place_boundary",
    "unwrap",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
