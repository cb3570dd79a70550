"""The 68 landmarks of a scan or of a photograph, found without help."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.landmarks.detect import DetectionResult as DetectionResult
    from geomface.landmarks.detect import LandmarkDetector as LandmarkDetector
    from geomface.landmarks.detect import detect_landmarks as detect_landmarks
    from geomface.landmarks.photographs.detect import PhotographLandmarks as PhotographLandmarks
    from geomface.landmarks.photographs.detect import (
        detect_photograph_landmarks as detect_photograph_landmarks,
    )
    from geomface.landmarks.photographs.result import PhotographFace as PhotographFace
    from geomface.landmarks.photographs.result import PhotographResult as PhotographResult
    from geomface.landmarks.photographs.result import PhotographSettings as PhotographSettings
    from geomface.landmarks.pose_search import DetectionSettings as DetectionSettings
    from geomface.landmarks.view_detectors import NetworkDetector as NetworkDetector
    from geomface.landmarks.view_detectors import PictureDetector as PictureDetector
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
