"""Which triangle each pixel sees: interchangeable backends that return integers only."""

from geomface.rendering.visibility.backend import VisibilityBackend
from geomface.rendering.visibility.choose import (
    BACKENDS,
    BackendChoice,
    choose_backend,
    resolve_device,
)

__all__ = ["BACKENDS", "BackendChoice", "VisibilityBackend", "choose_backend", "resolve_device"]
