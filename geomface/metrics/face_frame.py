"""Faces brought to one size and place, so that what is measured of them can be compared."""

import dataclasses

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, require_shape
from geomface.errors import LandmarkError, SettingsError

HEIGHT, WIDTH = 112, 92
"""Pixels of the frame."""
_EYES_NOSE_MOUTH = np.array([[28.5, 51.0], [63.5, 51.0], [46.0, 69.0], [35.0, 83.0], [57.0, 83.0]])
"""Where a frame shows the middles of both eyes, the nose tip and the corners of the mouth."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_TURNED = 0.35
"""Nose tip off the middle of the eyes, as a share of their distance: a head turned by about 30
degrees. Beyond it half of the face is hidden, and frames show different things."""

_INSIDE = 0.6
"""Of the frame that has to lie in the photograph."""
LEAST_SCALE = 0.18
"""Pixels of the photograph for one of the frame. Below it one covers 5.6 of the frame, the widest
blur by which contrast is measured: what the frame shows then is the interpolation."""


@dataclasses.dataclass(frozen=True, eq=False)
class FramedFace:
    """A face in the frame.

    Parameters
    ----------
    picture : (112, 92) float32 grey
    scale : pixels of the photograph for one of the frame; below 1 the finest contrast is missing
    """

    picture: ImageArray
    scale: float


def frame_face(image: ImageArray, landmarks: FloatArray | None = None) -> FramedFace | None:
    """Return the face of a photograph in grey, at one size and place.

    The frame is moved and scaled, not turned, until the eyes, the nose and the mouth lie nearest
    to where it has them (least squares). Without landmarks it is the largest part of its shape
    from the middle of the photograph, which is right for portraits that were cropped alike.

    Parameters
    ----------
    image : (H, W), (H, W, 1) or (H, W, 3) float32 in [0, 1]
    landmarks : (68, 2) pixels, x right, y down, pixel centres at +0.5; None: the central part

    Returns
    -------
    FramedFace, or None when the five landmarks are not all known, the head is turned by more than
    about 30 degrees, much of the frame lies outside the photograph, or it has less than 0.18 pixels
    for one of the frame

    Raises
    ------
    SettingsError, LandmarkError : arrays of other shapes

    Convention
    ----------
    Pixels of the frame are means over those that they cover; where the frame reaches beyond the
    photograph its border is repeated. Grey is 0.299 R + 0.587 G + 0.114 B.
    """
    grey = _grey(image)
    if landmarks is None:
        height, width = grey.shape
        scale = min(height / HEIGHT, width / WIDTH)
        if scale < LEAST_SCALE:
            return None
        corner = np.array([width - scale * WIDTH, height - scale * HEIGHT]) / 2
        return FramedFace(_cut(grey, corner, scale), scale)
    points = _five(require_shape(landmarks, (68, 2), "landmarks of a face", LandmarkError))
    if not np.isfinite(points).all() or _is_turned(points):
        return None
    wanted = _EYES_NOSE_MOUTH - _EYES_NOSE_MOUTH.mean(axis=0)
    found = points - points.mean(axis=0)
    scale = float(np.sqrt((found**2).sum() / (wanted**2).sum()))
    if scale < LEAST_SCALE:
        return None
    corner = points.mean(axis=0) - scale * _EYES_NOSE_MOUTH.mean(axis=0)
    size = scale * np.array([WIDTH, HEIGHT])
    inside = np.minimum(corner + size, grey.shape[::-1]) - np.maximum(corner, 0)
    if inside.min() <= 0 or inside.prod() < _INSIDE * size.prod():
        return None
    return FramedFace(_cut(grey, corner, scale), scale)


def ellipse_of_frame(x: float, y: float, half_width: float, half_height: float) -> BoolArray:
    """Return the (112, 92) mask of an ellipse with this middle, in pixels of the frame."""
    return ellipse_distance(x, y, half_width, half_height) < 1.0


def ellipse_distance(x: float, y: float, half_width: float, half_height: float) -> FloatArray:
    """Return (112, 92) distances from a middle, 1 on the ellipse around it."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.hypot((columns - x) / half_width, (rows - y) / half_height)


def _grey(image: ImageArray) -> ImageArray:
    image = np.asarray(image, np.float32)
    if image.ndim == 3 and image.shape[2] == 3:
        return image @ _LUMA
    if image.ndim == 3 and image.shape[2] == 1:
        return image[:, :, 0]
    if image.ndim != 2 or 0 in image.shape:
        raise SettingsError(
            f"photograph: expected pixels (H, W) or (H, W, 1 or 3), got shape {image.shape}."
        )
    return image


def _five(landmarks: FloatArray) -> FloatArray:
    """Return middles of the eyes, tip of the nose, corners of the mouth, from left to right."""
    eyes = [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)]
    return np.stack([*eyes, landmarks[30], landmarks[48], landmarks[54]])


def _is_turned(points: FloatArray) -> bool:
    across = points[1] - points[0]
    length = np.hypot(*across)
    off = (points[2] - points[:2].mean(axis=0)) @ across
    return bool(abs(off) > _TURNED * length**2) or length == 0


def _cut(grey: ImageArray, corner: FloatArray, scale: float) -> ImageArray:
    from PIL import Image

    far = corner + scale * np.array([WIDTH, HEIGHT])
    first = np.floor(np.minimum(corner, 0)).astype(int)
    last = np.ceil(np.maximum(far - grey.shape[::-1], 0)).astype(int)
    grey = np.pad(grey, ((-first[1], last[1]), (-first[0], last[0])), mode="edge")
    box = (*(corner - first), *np.minimum(far - first, grey.shape[::-1]))
    kind = Image.Resampling.BOX if scale >= 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(grey).resize((WIDTH, HEIGHT), kind, box=box), np.float32)
