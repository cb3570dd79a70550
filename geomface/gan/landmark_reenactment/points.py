"""Landmarks of a picture: the 66 of 68 that are shown, and their mirror."""

from typing import Any, TypeVar, cast

import numpy as np
import torch

from geomface.arrays import IndexArray
from geomface.errors import LandmarkError
from geomface.mesh.multi_pie import mirror_order

Points = TypeVar("Points", np.ndarray, torch.Tensor)
"""(..., P, 2), P = 66 or 68: x right, y down."""
CORNERS = (60, 64)
"""The inner corners of the mouth, which 66 landmarks are without."""
_KEPT = np.delete(np.arange(68), CORNERS)
_OUTER = {60: (48, 61, 67), 64: (54, 63, 65)}
"""Inner corner: its outer corner, and the two inner landmarks beside it."""
_INWARDS = 0.09
"""How far an inner corner lies from the outer one towards the middle of those two, as a share; the
mean of the built-in face's people, whose deviation is 0.08."""


def to_66(points: Points) -> Points:
    """Return 66 landmarks of 68: all but the inner corners of the mouth.

    Parameters
    ----------
    points : (..., 68, 2); 66 are returned as they are

    Raises
    ------
    LandmarkError : another number of landmarks
    """
    if _count(points) == 66:
        return points
    return cast(Points, points[..., _KEPT, :])


def to_68(points: Points) -> Points:
    """Return 68 landmarks of 66: the inner corners of the mouth are put where they mostly lie.

    An inner corner lies 0.09 of the way from the outer corner to the middle of its neighbours on
    the inner lips.

    Parameters
    ----------
    points : (..., 66, 2); 68 are returned as they are

    Raises
    ------
    LandmarkError : another number of landmarks
    """
    if _count(points) == 68:
        return points
    place = np.zeros(68, np.int64)
    place[_KEPT] = np.arange(66)
    full: Any = points[..., place, :]  # a copy, of either kind
    for corner, (outer, above, below) in _OUTER.items():
        middle = (full[..., above, :] + full[..., below, :]) / 2
        start = full[..., outer, :]
        inner = start + _INWARDS * (middle - start)
        full[..., corner, :] = inner
    return full


def mirror_points(points: Points, width: int) -> Points:
    """Return where landmarks lie in the mirrored picture: x -> width - 1 - x, left for right.

    Mirrored twice they are what they were.

    Parameters
    ----------
    points : (..., P, 2), pixel centres at whole numbers
    width : of the picture, pixels

    Raises
    ------
    LandmarkError : neither 66 nor 68 landmarks

    Source
    ------
    The released code of Sanchez & Valstar 2018 has width - x, which is a pixel off.
    """
    mirrored: Any = points[..., mirror_of(_count(points)), :]  # a copy, of either kind
    mirrored[..., 0] = width - 1 - mirrored[..., 0]
    return mirrored


def mirror_of(count: int) -> IndexArray:
    """Return (66,) or (68,) int64: the landmark that each one becomes in the mirror."""
    order = mirror_order()
    if count == 68:
        return order
    place = np.zeros(68, np.int64)
    place[_KEPT] = np.arange(66)
    return place[order[_KEPT]]


def _count(points: np.ndarray | torch.Tensor) -> int:
    shape = tuple(points.shape)
    if len(shape) < 2 or shape[-2] not in (66, 68) or shape[-1] != 2:
        raise LandmarkError(
            f"landmarks: expected (..., 68, 2) or (..., 66, 2), the scheme multi-pie-68 with or "
            f"without the inner corners of the mouth, got {shape}."
        )
    return shape[-2]
