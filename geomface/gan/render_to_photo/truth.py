"""Aligned renders of a set with what they were drawn with: the truth that is read back."""

import dataclasses
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.datasets.photographs import Photograph, load_photographs
from geomface.errors import FileFormatError
from geomface.learning.errors import DatasetError
from geomface.recognition.aligned.read_face import read_face
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.alignment.warp import align_camera, align_landmarks


@dataclasses.dataclass(frozen=True, eq=False)
class KnownRenders:
    """Aligned renders of which all is known.

    Parameters
    ----------
    alignment : of the pictures
    names : of the pictures in their set
    pictures : (N, h, w, 3) float32 in [0, 1]
    points : (N, 68, 2) landmarks, pixels of the aligned pictures
    cameras : of the aligned pictures
    lights : (N, 9, 3) spherical harmonics in the axes of the face
    """

    alignment: Alignment
    names: tuple[str, ...]
    pictures: ImageArray
    points: FloatArray
    cameras: tuple[CameraNumbers, ...]
    lights: FloatArray

    def __len__(self) -> int:
        return len(self.names)


def known_renders(folder: Path | str, alignment: Alignment, most: int) -> KnownRenders:
    """Read pictures from all over a set of `geomface synth faces`.

    Parameters
    ----------
    folder : of the set
    alignment : that the pictures are brought to
    most : how many, at most

    Raises
    ------
    DatasetError : pictures whose pose and light are not known
    FileFormatError : no set, or a damaged one
    """
    photographs = load_photographs(folder)
    count = min(most, len(photographs))
    chosen = np.linspace(0, len(photographs) - 1, count).round().astype(int)
    some = [photographs[number] for number in chosen]
    marks = [photograph.landmarks for photograph in some]
    if not all(photograph.drawn for photograph in some):
        raise DatasetError(
            f"{folder}: expected a set of 'geomface synth faces', whose poses and lights are known "
            "and can be read back, got other pictures. Draw one."
        )
    return KnownRenders(
        alignment,
        tuple(photograph.name for photograph in some),
        np.stack([read_face(photograph, alignment).picture for photograph in some]),
        np.stack([align_landmarks(points, alignment) for points in marks if points is not None]),
        tuple(
            align_camera(photograph.drawn["camera"], points, alignment)
            for photograph, points in zip(some, marks, strict=True)
            if points is not None
        ),
        np.stack([_light(folder, photograph) for photograph in some]),
    )


def _light(folder: Path | str, photograph: Photograph) -> FloatArray:
    """Return the light (9, 3) that a picture was drawn with."""
    try:
        light = np.array(photograph.drawn["parameters"]["light"], float)
    except (KeyError, TypeError, ValueError):
        light = np.empty(0)
    if light.shape != (9, 3) or not np.isfinite(light).all():
        raise FileFormatError(
            f"{folder}: expected 9 x 3 finite numbers as the light of {photograph.name}, got other "
            "ones or none. Run 'geomface synth faces' again to write its manifest anew."
        )
    return light
