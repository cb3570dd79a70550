"""The landmarks of one face in picture after picture."""

import math
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import LandmarkError
from geomface.landmarks.photographs.detect import PhotographLandmarks
from geomface.landmarks.photographs.own_detector import PhotographDetector, ask_own_detector
from geomface.landmarks.photographs.result import PhotographFace


class FaceFinder:
    """Finds one face in picture after picture: the largest, then the one nearest to the last.

    Parameters
    ----------
    detector : a detector of the user's own; default the one that ships
    """

    def __init__(self, detector: PhotographDetector | None = None) -> None:
        self._own = detector
        self._ours: PhotographLandmarks | None = None
        self._last: PhotographFace | None = None

    def find(self, picture: np.ndarray, *, follow: bool = False) -> FloatArray | None:
        """Return landmarks (68, 2), None where no face is seen.

        Parameters
        ----------
        follow : the picture comes after the last one of a video
        """
        near = self._last if follow else None
        faces = self._faces(picture, near)
        if not faces:
            return None
        if near is not None:
            away = [float(np.linalg.norm(face.frame[:2] - near.frame[:2])) for face in faces]
            faces = [faces[int(np.argmin(away))]]
        self._last = faces[0]
        return self._last.points

    def _faces(
        self, picture: np.ndarray, near: PhotographFace | None
    ) -> tuple[PhotographFace, ...]:
        """Return the faces near the last one, or all of the picture."""
        if self._own is not None:
            return ask_own_detector(picture, self._own).faces
        self._ours = self._ours or PhotographLandmarks()
        if near is not None:
            faces = self._ours.detect_near(picture, near.frame[None]).faces
            if faces:
                return faces
        return self._ours.detect(picture).faces


def require_inside(points: FloatArray, shape: Sequence[int], name: str) -> None:
    """Refuse landmarks (P, 2) most of which lie outside of a picture (H, W, ...).

    Raises
    ------
    LandmarkError : they are probably of another picture, or of another size of it
    """
    known = points[np.isfinite(points).all(axis=1)]
    inside = ((known >= 0) & (known <= (shape[1], shape[0]))).all(axis=1)
    if not len(known) or inside.mean() < 0.5:
        share = 0 if not len(known) else math.floor(100 * inside.mean())
        raise LandmarkError(
            f"{name}: expected landmarks in the picture of {shape[1]} x {shape[0]} pixels, but "
            f"{share} % of them are. Give those of this picture, in pixels."
        )
