"""Faces and their landmarks in photographs: find, look closely twice, say how sure."""

import dataclasses
import time

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray, require_shape
from geomface.errors import LandmarkError
from geomface.landmarks.photographs.finder import distinct, find_candidates
from geomface.landmarks.photographs.frames import (
    EYE_DISTANCE,
    SPAN,
    WINDOW,
    cut_window,
    frames_of,
    from_window,
)
from geomface.landmarks.photographs.own_detector import PhotographDetector, ask_own_detector
from geomface.landmarks.photographs.picture import grey_picture
from geomface.landmarks.photographs.result import (
    PhotographFace,
    PhotographResult,
    PhotographSettings,
    require_face,
)
from geomface.landmarks.photographs.weights import PhotographWeights, load_weights
from geomface.mesh.multi_pie import mirror_order

_WITHIN = 0.1
"""A confidence is the probability of an error below this share of the eye distance."""
_WIDTH = 2.8
"""Width of a face in radii."""
_SUSPECT, _SUSPECTS = 0.1, 40
"""Least answer of the finder that is looked at, and how many are at most."""
_BATCH = 8
"""Windows that the landmark network looks at together."""
_SURE = 0.8
"""Score from which a face surely stands upright."""
_TURNS = (
    (2, "is upside down"),
    (1, "lies, its top to the right"),
    (3, "lies, its top to the left"),
)
"""Quarter turns, counter-clockwise, that bring a face upright, and how it was."""


class PhotographLandmarks:
    """Finds the 68 landmarks of the faces in photographs; keeps the networks between them.

    Parameters
    ----------
    settings : see `PhotographSettings`
    weights : default those that ship
    """

    def __init__(
        self,
        settings: PhotographSettings | None = None,
        weights: PhotographWeights | None = None,
    ) -> None:
        self.settings = settings or PhotographSettings()
        self.weights = weights or load_weights()

    def detect(self, image: ImageArray) -> PhotographResult:
        """Find the faces in a picture; none is an empty result.

        Raises
        ------
        LandmarkError : no picture, or too small a one.
        """
        began = time.perf_counter()
        grey = grey_picture(image)
        size = (grey.shape[0], grey.shape[1])
        faces, notes = self._upright(grey), []
        if self.settings.turned and _surest(faces) < _SURE:
            for turns, how in _TURNS:
                turned = self._upright(np.ascontiguousarray(np.rot90(grey, turns)))
                if _surest(turned) > _surest(faces):
                    faces = [_turned_back(face, turns, size) for face in turned]
                    notes = [f"The face {how}."]
        faces = sorted(faces, key=lambda face: -face.frame[2])[: self.settings.faces]
        if len(faces) > 1:
            notes.append(f"{len(faces)} faces were found; the largest is the first.")
        return PhotographResult(tuple(faces), size, tuple(notes), time.perf_counter() - began)

    def detect_near(self, image: ImageArray, frames: FloatArray) -> PhotographResult:
        """Look only where faces are nearly known to be, as in a video by the picture before.

        A tenth of the work of `detect`; the landmarks of a face that is found there are the same
        within the network's doubt. None is an empty result: look everywhere then.

        Parameters
        ----------
        image : (H, W) or (H, W, 3), in [0, 1], uint8 or uint16
        frames : (F, 4) x, y, radius in pixels and roll in radians, as `PhotographFace.frame`; off
            by less than a third of the radius

        Raises
        ------
        LandmarkError : no picture, too small a one, or frames of another shape.
        """
        began = time.perf_counter()
        grey = grey_picture(image)
        near = require_shape(frames, (None, 4), "frames", LandmarkError)
        with torch.inference_mode():
            faces = self._settle(torch.from_numpy(grey), near)
        took = time.perf_counter() - began
        return PhotographResult(tuple(faces), (grey.shape[0], grey.shape[1]), (), took)

    def _upright(self, grey: np.ndarray) -> list[PhotographFace]:
        """Return the faces that stand upright, surest first."""
        picture = torch.from_numpy(grey)
        smallest = max(self.settings.smallest * max(grey.shape) / _WIDTH, 3.0)
        with torch.inference_mode():
            candidates = find_candidates(
                self.weights.finder,
                picture,
                smallest=smallest,
                threshold=_SUSPECT,
                most=_SUSPECTS,
            )
            return self._settle(
                picture, np.concatenate([candidates.frames, _portraits(grey.shape)])
            )

    def _settle(self, picture: torch.Tensor, frames: FloatArray) -> list[PhotographFace]:
        """Return the faces at frames (F, 4), looked at again where their landmarks say they are."""
        for least in (0.1, 0.5):
            looks = self._look(picture, frames)
            looks = [look for look in looks if look.score >= least * self.settings.score]
            if not looks:
                return []
            looks = _each_once(looks)
            frames = np.stack([look.frame for look in looks])
        looks = self._look(picture, frames, mirrored=self.settings.mirrored)
        return _each_once([look for look in looks if look.score >= self.settings.score])

    def _look(
        self, picture: torch.Tensor, frames: FloatArray, *, mirrored: bool = False
    ) -> list[PhotographFace]:
        """Return what the landmark network sees in the windows of frames (F, 4)."""
        faces: list[PhotographFace] = []
        for start in range(0, len(frames), _BATCH):
            some = frames[start : start + _BATCH]
            windows = torch.cat([cut_window(picture, frame) for frame in some])
            places, sigmas, scores = self.weights.landmarks(windows)
            if mirrored:
                order = mirror_order()
                back, doubt, again = self.weights.landmarks(windows.flip(3))
                back = back[:, order] * torch.tensor([-1.0, 1.0]) + torch.tensor([WINDOW, 0.0])
                places, sigmas = (places + back) / 2, (sigmas + doubt[:, order]) / 2
                scores = (scores + again) / 2
            points = from_window(places, torch.from_numpy(some).to(places.dtype)).numpy()
            steps = SPAN * some[:, 2] / WINDOW * self.weights.sigma_factor
            sigmas = steps[:, None] * sigmas.numpy()
            for item in zip(points, sigmas, scores.sigmoid().numpy(), strict=True):
                faces.append(_face(*item))
        return faces


def _portraits(shape: tuple[int, ...]) -> FloatArray:
    """Return frames (F, 4) as portraits have them: a face near the middle, of the usual sizes."""
    height, width = shape
    side = min(height, width)
    return np.array(
        [
            [0.5 * width, 0.5 * height + down * side, size * side, 0.0]
            for size in (0.2, 0.3)
            for down in (-0.15, 0.0, 0.15)
        ]
    )


def _face(points: np.ndarray, sigmas: np.ndarray, score: float) -> PhotographFace:
    frame = frames_of(points)
    reach = _WITHIN * EYE_DISTANCE * frame[2] / np.maximum(sigmas, 1e-6)
    confidence = 1.0 - (1.0 + reach) * np.exp(-reach)
    score *= float(confidence.mean())
    return PhotographFace(
        points.astype(np.float64), confidence, sigmas.astype(np.float64), float(score), frame
    )


def _surest(faces: list[PhotographFace]) -> float:
    return max((face.score for face in faces), default=0.0)


def _each_once(faces: list[PhotographFace]) -> list[PhotographFace]:
    """Return the faces that lie apart from surer ones, surest first."""
    faces = sorted(faces, key=lambda face: -face.score)
    if not faces:
        return []
    return [faces[k] for k in distinct(np.stack([face.frame for face in faces]), apart=1.0)]


def _turned_back(face: PhotographFace, turns: int, size: tuple[int, int]) -> PhotographFace:
    """Return a face that was found in a picture after `np.rot90(picture, turns)`."""
    height, width = size
    points = face.points
    for remaining in range(turns, 0, -1):
        # One quarter turn counter-clockwise took (x, y) to (y, w - x), w the width before it.
        before = width if remaining % 2 else height
        points = np.stack([before - points[:, 1], points[:, 0]], axis=1)
    return dataclasses.replace(face, points=points, frame=frames_of(points))


def detect_photograph_landmarks(
    image: ImageArray,
    settings: PhotographSettings | None = None,
    *,
    detector: PhotographDetector | None = None,
) -> PhotographResult:
    """Find the 68 landmarks of the faces in a photograph with the detector that ships.

    Whoever has many pictures keeps a `PhotographLandmarks`, which holds the networks between them.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), in [0, 1], uint8 or uint16; any size from 64 pixels
    settings : how faces are looked for
    detector : a detector of the user's own instead, see `PhotographDetector`

    Raises
    ------
    LandmarkError : there is no face in the picture, or it is no picture.

    Example
    -------
    >>> import geomface as gf
    >>> settings = gf.FaceImageSettings(size=128, preset="photo")
    >>> batch = gf.FaceSampler(settings).batch([(0, 0)])
    >>> found = gf.detect_photograph_landmarks(batch.images["rgb"][0])
    >>> found.faces[0].points.shape, found.faces[0].confidence.shape
    ((68, 2), (68,))
    """
    if detector is not None:
        return require_face(ask_own_detector(image, detector))
    return require_face(PhotographLandmarks(settings).detect(image))
