"""What the detection asks of a detector in views, ours or a user's."""

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from geomface.arrays import FloatArray, ImageArray
from geomface.landmarks.surface import ScanSurface
from geomface.landmarks.views import View
from geomface.statistics import LinearModel

PointDetector = Callable[[ImageArray], FloatArray | None]
"""A user's own 2D detector: RGB picture (H, W, 3) in [0, 1] to (68, 2) pixels, or None."""

ViewAnswer = tuple[View, FloatArray, FloatArray]
"""A view, the pixels (68, 2) of the landmarks in it, and their sigma (68,), of `VIEW_SIZE`."""


class ViewDetector(Protocol):
    """Finds landmark pixels in views of a surface; see `view_detectors`."""

    shape_model: LinearModel

    def detect(self, surface: ScanSurface, views: list[View]) -> Iterable[ViewAnswer]:
        """Yield an answer for each view where a face is."""
        ...


@runtime_checkable
class MirroredViewDetector(Protocol):
    """A view detector that can also be asked about the mirror images of views."""

    def detect_mirrored(self, surface: ScanSurface, views: list[View]) -> Iterable[ViewAnswer]:
        """Yield answers like `detect`, in the pixels of the views themselves."""
        ...
