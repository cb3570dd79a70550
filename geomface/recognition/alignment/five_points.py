"""The five points that faces are aligned by."""

import numpy as np

from geomface.arrays import FloatArray, require_reals
from geomface.errors import LandmarkError
from geomface.mesh.multi_pie import LEFT_EYE, RIGHT_EYE

_NOSE_TIP, _MOUTH_CORNERS = 30, (48, 54)
MIRRORED = (1, 0, 2, 4, 3)
"""The point that each of the five becomes in the mirror."""


def five_points(landmarks: FloatArray) -> FloatArray:
    """Return the five points of a face.

    The middle of an eye is the mean of the six points of its lids, which a blink leaves in place.

    Parameters
    ----------
    landmarks : (68, 2) pixels, scheme multi-pie-68; or the five points, which are returned

    Returns
    -------
    (5, 2) float64 pixels: the subject's right eye (to the left in a picture), left eye, tip of the
    nose, right and left corner of the mouth

    Raises
    ------
    LandmarkError : another shape, one that is needed is missing, or all in one place

    Example
    -------
    >>> import numpy as np
    >>> from geomface.recognition import five_points
    >>> five_points(np.arange(136.0).reshape(68, 2))[:, 0].tolist()
    [77.0, 89.0, 60.0, 96.0, 108.0]
    """
    if np.shape(landmarks) != (5, 2):
        points = require_reals(landmarks, (68, 2), "landmarks of a face", LandmarkError)
        eyes = [points[eye].mean(axis=0) for eye in (RIGHT_EYE, LEFT_EYE)]
        found = np.stack([*eyes, points[_NOSE_TIP], *(points[corner] for corner in _MOUTH_CORNERS)])
    else:
        found = require_reals(landmarks, (5, 2), "five points of a face", LandmarkError)
    if not np.isfinite(found).all():
        raise LandmarkError(
            "landmarks of a face: expected all points of the lids, the tip of the nose and the "
            "corners of the mouth, some are missing. Mark them, or let them be found."
        )
    if np.ptp(found, axis=0).max() < 1.0:
        raise LandmarkError(
            "landmarks of a face: expected points in pixels, all lie within one pixel."
        )
    return found
