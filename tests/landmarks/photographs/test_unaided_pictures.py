"""A fit to a picture without landmarks is the fit to those that are found."""

import numpy as np
import pytest

import geomface as gf
from geomface.errors import LandmarkError
from geomface.fitting.rendering import PictureFitSettings

QUICK = PictureFitSettings(
    face_sizes_px=(60.0,), steps=(1,), landmark_weights=(1.0,), most_pixels=300, albedo_modes=4,
    extract_albedo=False,
)  # fmt: skip


def test_found_landmarks_are_fitted() -> None:
    drawn = gf.FaceSampler(gf.FaceImageSettings(size=96, seed=1)).batch([(0, 0)])
    image, points = drawn.images["rgb"][0], drawn.landmarks[0].astype(np.float64)
    small = 48.0 + 0.3 * (points - 48.0)  # the largest face is the one that is fitted
    found = gf.fit_image(image, settings=QUICK, detector=lambda _: np.stack([small, points]))
    model = gf.load_builtin_face()
    given = gf.fit_image(image, points, model, QUICK)
    np.testing.assert_array_equal(found.shape, given.shape)
    with pytest.raises(LandmarkError, match="no face was found"):
        gf.fit_image(image, settings=QUICK, detector=lambda _: None)
