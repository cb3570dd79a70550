"""Faces and their landmarks in photographs: find, look closely twice, say how sure."""

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import torch

from geomface.arrays import FloatArray, ImageArray
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
from geomface.landmarks.photographs.weights import PhotographWeights, load_weights
from geomface.mesh.multi_pie import mirror_order
from geomface.ranges import COUNT, SHARE, require_numbers

PhotographDetector = Callable[[ImageArray], "FloatArray | None"]
"""A user's own detector: RGB picture (H, W, 3) in [0, 1] to (68, 2) or (F, 68, 2) pixels, or None
where it sees no face."""

_WITHIN = 0.1
"""A confidence is the probability of an error below this share of the eye distance."""
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_WIDTH = 2.8
"""Width of a face in radii."""
_SUSPECT, _SUSPECTS = 0.1, 40
"""Least answer of the finder that is looked at, and how many are at most."""
_BATCH = 8
"""Windows that the landmark network looks at together."""
_SURE = 0.8
"""Score from which a face surely stands upright."""
_LEAST_SIDE = 16
"""Pixels a side below which nothing is looked for."""
_TURNS = (
    (2, "is upside down"),
    (1, "lies, its top to the right"),
    (3, "lies, its top to the left"),
)
"""Quarter turns, counter-clockwise, that bring a face upright, and how it was."""


@dataclasses.dataclass(frozen=True)
class PhotographSettings:
    """How faces are looked for.

    Parameters
    ----------
    smallest : width of the smallest face, as a share of the picture's longer side; smaller ones
        take longer
    score : least score of a face, see `PhotographFace`
    faces : how many are returned at most
    mirrored : also look at the mirror image of each face, and take the mean
    turned : where no face stands upright, look for one that lies or is upside down
    """

    smallest: float = 0.05
    score: float = 0.45
    faces: int = 50
    mirrored: bool = True
    turned: bool = True

    def __post_init__(self) -> None:
        require_numbers(self, smallest="[0.005, 1]", score=SHARE, faces=COUNT)


@dataclasses.dataclass(frozen=True, eq=False)
class PhotographFace:
    """A face in a picture.

    Parameters
    ----------
    points : (68, 2) float64 pixels, scheme multi-pie-68, hidden points where they would be
    confidence : (68,) probability in [0, 1] that a point is off by less than a tenth of the
        distance of the eyes, as it would be from the front
    sigma_px : (68,) scale of the error's Laplace law, pixels
    score : probability in [0, 1] that this is a face, times the mean confidence; what is no face,
        or stands on its head, may look like one, but not surely
    frame : (4,) centre, radius (pixels) and roll (radians), see `frames_of`

    Convention
    ----------
    x right, y down, origin in the top left corner, pixel centres at + 0.5.
    """

    points: FloatArray
    confidence: FloatArray
    sigma_px: FloatArray
    score: float
    frame: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class PhotographResult:
    """What was found in a picture.

    Parameters
    ----------
    faces : largest first
    image_size : (height, width)
    notes : what was noticed
    seconds : wall time
    """

    faces: tuple[PhotographFace, ...]
    image_size: tuple[int, int]
    notes: tuple[str, ...]
    seconds: float


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
            frames = np.concatenate([candidates.frames, _portraits(grey.shape)])
            # Again, at where the landmarks say that the face is; each face once.
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


def grey_picture(image: ImageArray) -> np.ndarray:
    """Return a picture as grey (H, W) float32 in [0, 1].

    Parameters
    ----------
    image : (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); floats in [0, 1], or uint8

    Raises
    ------
    LandmarkError : another shape, numbers that are not finite, or fewer than 16 pixels a side
    """
    values = np.asarray(image)
    channels = values.shape[2] if values.ndim == 3 else 1
    if values.ndim not in (2, 3) or channels not in (1, 3, 4) or values.dtype.kind not in "fui":
        raise LandmarkError(
            f"picture: expected (H, W), (H, W, 3) or (H, W, 4) numbers, got {values.dtype} of "
            f"shape {values.shape}."
        )
    if min(values.shape[:2]) < _LEAST_SIDE:
        raise LandmarkError(
            f"picture: expected at least {_LEAST_SIDE} pixels a side to look for a face in, got "
            f"{values.shape[1]} x {values.shape[0]}."
        )
    most = np.iinfo(values.dtype.str).max if values.dtype.kind in "ui" else 1
    if values.ndim == 3:
        values = values[..., :3] @ _GREY if channels > 1 else values[..., 0]
    grey = np.ascontiguousarray(values, np.float32)
    if most > 1:
        grey = grey / np.float32(most)
    if not np.isfinite(grey).all():
        raise LandmarkError("picture: expected finite numbers, got NaN or infinity.")
    return grey


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
    image : (H, W) or (H, W, 3), in [0, 1] or uint8; any size from 64 pixels
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
        result = _own_detector(image, detector)
    else:
        result = PhotographLandmarks(settings).detect(image)
    return require_face(result)


def require_face(result: PhotographResult) -> PhotographResult:
    """Return a result that holds a face.

    Raises
    ------
    LandmarkError : it holds none
    """
    if not result.faces:
        raise LandmarkError(
            "no face was found in the picture. Faces narrower than a twentieth of its longer side, "
            "turned away by more than about 70 degrees or mostly covered are not seen: cut the "
            "picture around the face, or mark its landmarks by hand."
        )
    return result


def _own_detector(image: ImageArray, detector: PhotographDetector) -> PhotographResult:
    """Ask a user's detector; its points are taken as they are, each with full confidence."""
    began = time.perf_counter()
    grey = grey_picture(image)
    values = np.asarray(image)
    colored = values.ndim == 3 and values.shape[2] > 1
    rgb = values[..., :3] if colored else np.dstack([grey] * 3)
    if rgb.dtype.kind in "ui":
        rgb = rgb / np.float32(np.iinfo(rgb.dtype.str).max)
    rgb = np.asarray(rgb, np.float32)
    found = detector(rgb)
    points = np.zeros((0, 68, 2)) if found is None else np.asarray(found, np.float64)
    points = points[None] if points.ndim == 2 else points
    if points.shape[1:] != (68, 2) or not np.isfinite(points).all():
        raise LandmarkError(
            f"2D detector: expected (68, 2) or (F, 68, 2) finite pixels or None, got shape "
            f"{points.shape}."
        )
    ones = np.ones(68)
    faces = [PhotographFace(item, ones, 0.0 * ones, 1.0, frames_of(item)) for item in points]
    faces.sort(key=lambda face: -face.frame[2])
    size = (grey.shape[0], grey.shape[1])
    return PhotographResult(tuple(faces), size, (), time.perf_counter() - began)
