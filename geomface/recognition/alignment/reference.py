"""Alignments: a size of pictures, and where the five points of a face lie in them."""

import dataclasses
import re

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.learning.errors import DatasetError
from geomface.ranges import require_numbers

_HEIGHT, _WIDTH = 112, 96
_POINTS = (
    (30.2946, 51.6963),
    (65.5318, 51.5014),
    (48.0252, 71.7366),
    (33.5493, 92.3655),
    (62.7299, 92.2041),
)
_SCHEME = "five-points"


@dataclasses.dataclass(frozen=True)
class Alignment:
    """How a face lies in the pictures that a network sees; the same for training and use.

    The picture is that of 112 x 96 pixels, as large as fits, in the middle: at 112 x 112 there is
    more at both sides, at 56 x 48 all is half as large.

    Parameters
    ----------
    height, width : pixels

    Convention
    ----------
    x right, y down, pixel centres at + 0.5.

    Source
    ------
    The places of the five points are those of SphereFace (Liu et al. 2017), which SynFace and
    InsightFace (112 x 112, 8 pixels to the right) took over.

    Example
    -------
    >>> from geomface.recognition import Alignment
    >>> Alignment(112, 96).id, Alignment(56, 48).points[2].round(2).tolist()
    ('five-points-112x96', [24.01, 35.87])
    """

    height: int = _HEIGHT
    width: int = _WIDTH

    def __post_init__(self) -> None:
        require_numbers(self, height="[16, 1024]", width="[16, 1024]")

    @property
    def id(self) -> str:
        """What sets and embedders are marked with."""
        return f"{_SCHEME}-{self.size}"

    @property
    def size(self) -> str:
        """HEIGHTxWIDTH."""
        return f"{self.height}x{self.width}"

    @property
    def points(self) -> FloatArray:
        """Where the five points lie, (5, 2) float64 pixels, in the order of `five_points`."""
        scale = min(self.height / _HEIGHT, self.width / _WIDTH)
        middle = np.array([_WIDTH, _HEIGHT]) / 2
        return scale * (np.array(_POINTS) - middle) + np.array([self.width, self.height]) / 2


ALIGNMENTS = {item.size: item for item in (Alignment(), Alignment(112, 112), Alignment(56, 48))}
"""The usual sizes: SynFace's, the one that most embedders are made for, and a small one."""


def alignment_of(name: str) -> Alignment:
    """Return the alignment of an id or of a size, such as "five-points-112x96" or "112x96".

    Raises
    ------
    SettingsError : neither

    Example
    -------
    >>> from geomface.recognition import alignment_of
    >>> alignment_of("56x48").id
    'five-points-56x48'
    """
    match = re.fullmatch(rf"(?:{_SCHEME}-)?(\d{{1,6}})x(\d{{1,6}})", name)
    if match is None:
        raise SettingsError(
            f"alignment: expected HEIGHTxWIDTH in pixels, such as {', '.join(ALIGNMENTS)}, got "
            f"{name!r}."
        )
    return Alignment(int(match[1]), int(match[2]))


def require_alignment(what: str, has: Alignment, wanted: Alignment) -> None:
    """Refuse pictures that are aligned another way than a network wants them.

    Parameters
    ----------
    what : what has the first alignment, for the message

    Raises
    ------
    DatasetError : they differ
    """
    if has != wanted:
        raise DatasetError(
            f"{what}: expected faces aligned as {wanted.id}, got {has.id}. Figures of pictures "
            f"that are aligned another way mean nothing: align them again with --size "
            f"{wanted.size}."
        )
