"""A face cut out of its picture by its landmarks, and stretched to a square."""

import dataclasses
import math

import numpy as np

from geomface.arrays import FloatArray, require_shape
from geomface.errors import LandmarkError
from geomface.landmarks.photographs.picture import color_picture
from geomface.ranges import NOT_NEGATIVE, require_number

MARGIN = 0.16
"""Around the landmarks' box, a share of the mean of its sides; about the paper's 10 pixels."""
_SMALL_SIDE, _SMALL_MARGIN = 20.0, 8.0
"""A box whose mean side is below the first has the second around it, pixels."""
_FAR = 1e5
"""Pixels; landmarks further out belong to no picture, and a crop of them would fill the memory."""


@dataclasses.dataclass(frozen=True, eq=False)
class FaceCrop:
    """Where a crop lies in its picture.

    Parameters
    ----------
    matrix : (2, 3) float64, pixels of the picture to pixels of the crop

    Convention
    ----------
    Pictures have the first pixel's centre at (0.5, 0.5), as everywhere; crops have it at (0, 0), as
    the networks of this system and their mirror take it.
    """

    matrix: FloatArray

    def to_crop(self, points: FloatArray) -> FloatArray:
        """Return where points (..., 2) of the picture lie in the crop."""
        return points @ self.matrix[:, :2].T + self.matrix[:, 2]

    def to_picture(self, points: FloatArray) -> FloatArray:
        """Return where points (..., 2) of the crop lie in the picture."""
        return (points - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T


def crop_box(points: FloatArray, margin: float = MARGIN) -> FloatArray:
    """Return the box (4,) float64 of a face: left, top, right, bottom, in pixels of the picture.

    Parameters
    ----------
    points : (P, 2) landmarks; those that are not known (NaN) are left out
    margin : on each side, a share of the mean of the box' sides; a box below 20 pixels has 8

    Raises
    ------
    LandmarkError : landmarks that span no box

    Source
    ------
    Sanchez & Valstar 2018, Sec. 5, have 10 pixels, their code 16 % of the mean side.
    """
    require_number("margin", margin, NOT_NEGATIVE)
    marks = require_shape(points, (None, 2), "landmarks", LandmarkError)
    known = marks[np.isfinite(marks).all(axis=1)]
    if len(known) < 2 or not (np.ptp(known, axis=0) > 0).all():
        raise LandmarkError(
            f"landmarks: expected points that span a box to crop, got {len(known)} known ones on a "
            "line or a point."
        )
    low, high = known.min(axis=0), known.max(axis=0)
    if max(-low.min(), high.max()) > _FAR:
        raise LandmarkError(
            f"landmarks: expected pixels of a picture, got {known.min():.3g} to "
            f"{known.max():.3g}. Check their unit."
        )
    side = float((high - low).mean())
    around = margin * side if side >= _SMALL_SIDE else _SMALL_MARGIN
    return np.concatenate([low - around, high + around]).astype(np.float64)


def face_crop(box: FloatArray, size: int) -> FaceCrop:
    """Return the crop that stretches a box (left, top, right, bottom) to `size` pixels a side."""
    left, top, right, bottom = map(float, box)
    across, down = size / (right - left), size / (bottom - top)
    return FaceCrop(np.array([[across, 0.0, -across * left - 0.5], [0.0, down, -down * top - 0.5]]))


def crop_face(
    image: np.ndarray, points: FloatArray, size: int, margin: float = MARGIN
) -> tuple[np.ndarray, FloatArray, FaceCrop]:
    """Cut a face out of its picture by its landmarks and stretch it to a square.

    Parameters
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4), floats in [0, 1], uint8 or uint16
    points : (P, 2) landmarks, first pixel's centre at (0.5, 0.5)
    size : of the crop, pixels
    margin : see `crop_box`

    Returns
    -------
    crop : (size, size, 3) uint8; outside of the picture its rim goes on
    points : (P, 2) float64 in the crop, first pixel's centre at (0, 0)
    where : the crop's place

    Raises
    ------
    LandmarkError : no picture, or landmarks that span no box
    """
    where = face_crop(crop_box(points, margin), size)
    shown = view_crop(image, where, size)
    return shown, where.to_crop(np.asarray(points, np.float64)), where


def view_crop(image: np.ndarray, where: FaceCrop, size: int) -> np.ndarray:
    """Return what a crop shows of a picture: (size, size, 3) uint8."""
    picture = color_picture(image)
    (across, _, left), (_, down, top) = where.matrix
    steps = np.arange(size)
    columns, x = _tents((steps - left) / across - 0.5, 1.0 / across, picture.shape[1])
    rows, y = _tents((steps - top) / down - 0.5, 1.0 / down, picture.shape[0])
    part = picture[y][:, x]
    shown = np.einsum("iy,yxc->ixc", rows, part, optimize=True)
    shown = np.einsum("jx,ixc->ijc", columns, shown, optimize=True)
    return (255.0 * shown.clip(0.0, 1.0) + 0.5).astype(np.uint8)


def _tents(centres: FloatArray, step: float, length: int) -> tuple[np.ndarray, slice]:
    """Return weights (S, n) of n neighbouring samples for each centre, and which these are.

    Tents reach to the next centre or the next sample, whichever is further; what would lie outside
    of the samples is the first or last one.
    """
    reach = max(step, 1.0)
    first, last = math.ceil(centres[0] - reach), math.floor(centres[-1] + reach)
    places = np.arange(first, last + 1)
    tents = np.maximum(1.0 - np.abs(places - centres[:, None]) / reach, 0.0)
    tents /= tents.sum(axis=1, keepdims=True)
    seen = places.clip(0, length - 1)
    weights = np.zeros((len(centres), seen[-1] - seen[0] + 1), np.float32)
    np.add.at(weights.T, seen - seen[0], tents.T.astype(np.float32))
    return weights, slice(int(seen[0]), int(seen[-1]) + 1)
