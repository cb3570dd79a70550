"""A fit to a picture without landmarks is the fit to those that are found."""

import numpy as np
import pytest

import geomface as gf
from geomface.errors import LandmarkError
from geomface.fitting.rendering import PictureFitSettings
from geomface.landmarks.photographs.detect import PhotographFace, PhotographResult

QUICK = PictureFitSettings(
    face_sizes_px=(60.0,), steps=(1,), landmark_weights=(1.0,), most_pixels=300, albedo_modes=4,
    extract_albedo=False,
)  # fmt: skip


class Detector:
    """Finds what it was told."""

    def __init__(self, faces: tuple[PhotographFace, ...]) -> None:
        self.faces = faces

    def detect(self, image: np.ndarray) -> PhotographResult:
        return PhotographResult(self.faces, image.shape[:2], (), 0.0)


def test_found_landmarks_are_fitted() -> None:
    drawn = gf.FaceSampler(gf.FaceImageSettings(size=96, seed=1)).batch([(0, 0)])
    image, points = drawn.images["rgb"][0], drawn.landmarks[0].astype(np.float64)
    confidence = np.linspace(0.3, 0.9, 68)
    face = PhotographFace(points, confidence, np.ones(68), 1.0, np.array([48.0, 48.0, 30.0, 0.0]))
    found = gf.fit_image(image, settings=QUICK, detector=Detector((face,)))
    model = gf.load_builtin_face()
    given = gf.fit_image(image, points, model, QUICK, confidence=confidence)
    np.testing.assert_array_equal(found.shape, given.shape)
    with pytest.raises(LandmarkError, match="no face was found"):
        gf.fit_image(image, settings=QUICK, detector=Detector(()))
