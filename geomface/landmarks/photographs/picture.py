"""Pictures as arrays: checked once, then grey for our networks or in colour for others."""

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import LandmarkError

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_WHITE = {"uint8": 255, "uint16": 65535}
_ROUNDING = 1e-5
_LEAST_SIDE = 16
"""Pixels a side below which nothing is looked for."""


def grey_picture(image: ImageArray) -> np.ndarray:
    """Return a picture as grey (H, W) float32 in [0, 1].

    Parameters
    ----------
    image : (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); floats in [0, 1], uint8 or uint16

    Raises
    ------
    LandmarkError : another shape or kind, numbers that are not finite or outside of [0, 1], or
        fewer than 16 pixels a side
    """
    values, white = _checked(image)
    if values.ndim == 3:
        values = values[..., :3] @ _GREY if values.shape[2] > 1 else values[..., 0]
    return _in_range(values, white)


def color_picture(image: ImageArray) -> np.ndarray:
    """Return a picture as (H, W, 3) float32 in [0, 1]; see `grey_picture`."""
    values, white = _checked(image)
    if values.ndim == 2:
        values = values[..., None]
    return _in_range(
        np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values[..., :3], white
    )


def _checked(image: ImageArray) -> tuple[np.ndarray, int]:
    """Return the values as they came, and what white is among them."""
    try:
        values = np.asarray(image)
    except ValueError as error:
        raise LandmarkError(f"picture: expected an array of numbers, got {error}.") from None
    channels = values.shape[2] if values.ndim == 3 else 1
    if values.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise LandmarkError(
            f"picture: expected (H, W), (H, W, 3) or (H, W, 4) numbers, got {values.dtype} of "
            f"shape {values.shape}."
        )
    if values.dtype.kind != "f" and values.dtype.name not in _WHITE:
        raise LandmarkError(
            f"picture: expected floats in [0, 1], uint8 or uint16, got {values.dtype}. Divide by "
            "the value of white."
        )
    if min(values.shape[:2]) < _LEAST_SIDE:
        raise LandmarkError(
            f"picture: expected at least {_LEAST_SIDE} pixels a side to look for a face in, got "
            f"{values.shape[1]} x {values.shape[0]}."
        )
    return values, _WHITE.get(values.dtype.name, 1)


def _in_range(values: np.ndarray, white: int) -> np.ndarray:
    values = np.ascontiguousarray(values, np.float32)
    if white > 1:
        return values / np.float32(white)
    if not np.isfinite(values).all():
        raise LandmarkError("picture: expected finite numbers, got NaN or infinity.")
    # The weights of the three colours add up to 1 but for the last bit.
    if values.min() < -_ROUNDING or values.max() > 1 + _ROUNDING:
        raise LandmarkError(
            f"picture: expected floats in [0, 1], got {values.min():g} to {values.max():g}. Divide "
            "by 255, or clip."
        )
    return values
