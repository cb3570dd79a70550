"""A picture and its landmarks, checked."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import LandmarkError, SettingsError

_FACE_INSIDE = 0.8
_SMALLEST_FACE = 16.0


def check_picture(image: np.ndarray, name: str = "image") -> FloatArray:
    """Return a picture as (H, W, C) float64, C = 3 or 1; equal channels become one.

    Parameters
    ----------
    image : (H, W), (H, W, 1) or (H, W, 3), floats in [0, 1] or uint8

    Raises
    ------
    SettingsError : another shape, values that are not finite or outside [0, 1], no contrast.
    """
    picture = np.asarray(image)
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.ndim != 3 or picture.shape[2] not in (1, 3) or min(picture.shape[:2]) < 1:
        raise SettingsError(
            f"{name}: expected a picture (H, W), (H, W, 1) or (H, W, 3), got shape "
            f"{np.shape(image)}. Leave out alpha, and put channels last."
        )
    if picture.dtype == np.uint8:
        picture = picture / 255.0
    if not np.issubdtype(picture.dtype, np.floating):
        raise SettingsError(
            f"{name}: expected floats in [0, 1] or uint8, got {picture.dtype}. Divide by its "
            "largest value."
        )
    picture = picture.astype(np.float64)
    if not np.isfinite(picture).all():
        bad = int((~np.isfinite(picture)).sum())
        raise SettingsError(f"{name}: expected finite values, got {bad} that are NaN or infinite.")
    if picture.min() < 0 or picture.max() > 1:
        raise SettingsError(
            f"{name}: expected values in [0, 1], got {picture.min():g} to {picture.max():g}. "
            "Divide by 255, or clip."
        )
    if np.ptp(picture) < 1e-3:
        raise SettingsError(f"{name}: expected a picture of a face, got one flat colour.")
    if picture.shape[2] == 3 and np.ptp(picture, axis=2).max() < 1.5 / 255:
        picture = picture[..., :1]
    return picture


def check_face_inside(points: FloatArray, image_size: tuple[int, int], name: str) -> float:
    """Return the size of the face: the longer side of the landmarks' box, pixels.

    Parameters
    ----------
    points : (L, 2) pixels, NaN where missing

    Raises
    ------
    LandmarkError : many landmarks outside the picture, or a face too small to look at.
    """
    present = points[np.isfinite(points).all(axis=1)]
    extent = np.array([image_size[1], image_size[0]], np.float64)
    inside = ((present >= 0) & (present <= extent)).all(axis=1)
    if inside.mean() < _FACE_INSIDE:
        raise LandmarkError(
            f"{name}: {int((~inside).sum())} of {len(present)} landmarks lie outside the image of "
            f"{image_size[1]} x {image_size[0]} pixels. Expected pixels of this image, x first."
        )
    size = float(np.ptp(present, axis=0).max())
    if size < _SMALLEST_FACE:
        raise LandmarkError(
            f"{name}: expected a face of at least {_SMALLEST_FACE:g} pixels, the landmarks span "
            f"{size:.1f}. Enlarge the picture, or check the landmarks."
        )
    return size
