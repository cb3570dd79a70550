"""The 68 landmarks of a scan, found without help."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geomface.landmarks.detect import (
        DetectionResult,
        DetectionSettings,
        LandmarkDetector,
    )
    from geomface.landmarks.view_detectors import NetworkDetector, PictureDetector

# Lazy (PEP 562): the command line's help must not load torch.
_HOMES = {
    "DetectionResult": "detect",
    "DetectionSettings": "detect",
    "LandmarkDetector": "detect",
    "NetworkDetector": "view_detectors",
    "PictureDetector": "view_detectors",
}

__all__ = [
    "DetectionResult",
    "DetectionSettings",
    "LandmarkDetector",
    "NetworkDetector",
    "PictureDetector",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
