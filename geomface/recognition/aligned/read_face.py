"""The face of a photograph: where it is, and its aligned picture."""

import dataclasses
import functools
from typing import Literal

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.datasets.photographs import Photograph
from geomface.errors import LandmarkError, SettingsError
from geomface.landmarks.photographs.detect import PhotographLandmarks
from geomface.landmarks.photographs.result import (
    PhotographFace,
    PhotographResult,
    require_face,
)
from geomface.recognition.alignment.five_points import five_points
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.alignment.warp import align_face, similarity_2d, warp_picture

LandmarkSource = Literal["given", "found"]
"""given: those of the set or beside the photograph, found where there are none; found: always."""


@dataclasses.dataclass(frozen=True, eq=False)
class AlignedFace:
    """The face of a photograph.

    Parameters
    ----------
    picture : (h, w, 3) float32 in [0, 1]
    landmarks : where its points come from
    pixels : of the photograph a pixel of the aligned picture
    off : how far the five points are from their places, root mean square in aligned pixels
    mask : (h, w) float32 in [0, 1], how much of each pixel the face covers, where it was asked for
    """

    picture: ImageArray
    landmarks: LandmarkSource
    pixels: float
    off: float
    mask: ImageArray | None = None


def read_face(
    photograph: Photograph,
    alignment: Alignment,
    landmarks: LandmarkSource = "given",
    masked: bool = False,
) -> AlignedFace:
    """Read a photograph and return its face, aligned, and with its mask if that is asked for.

    Raises
    ------
    GeomfaceError : the photograph cannot be read, has no face, landmarks that do not do, or no
        mask that was asked for
    """
    points = photograph.given_landmarks() if landmarks == "given" else None
    image, source = photograph.read(), landmarks
    try:
        if points is None:
            points, source = main_face(detector().detect(image)).points, "found"
        points = five_points(points)
        picture = align_face(image, points, alignment)
    except LandmarkError as error:
        raise LandmarkError(f"{photograph.name}: {error}") from error
    to_picture = similarity_2d(alignment.points, points)
    pixels = float(np.hypot(*to_picture[:, 0]))
    mask = _mask(photograph, alignment, to_picture) if masked else None
    return AlignedFace(picture, source, pixels, _off(alignment.points, points, to_picture), mask)


def main_face(result: PhotographResult) -> PhotographFace:
    """Return the face that a picture is of: the largest, but for ones far from the middle.

    max r^2 - d^2 / 4, with the radius r of a face and its distance d from the middle.

    Raises
    ------
    LandmarkError : there is none

    Source
    ------
    The weights are about those with which facenet (Sandberg) picks the face of a picture of LFW.
    """
    middle = np.array(result.image_size[::-1]) / 2
    return max(
        require_face(result).faces,
        key=lambda face: face.frame[2] ** 2 - ((face.frame[:2] - middle) ** 2).sum() / 4,
    )


def _mask(photograph: Photograph, alignment: Alignment, to_picture: FloatArray) -> ImageArray:
    if photograph.alpha is None:
        raise SettingsError(
            f"{photograph.name}: expected the output alpha, which shows where the face is, got "
            "none. Make the set again with 'geomface synth faces --outputs rgb alpha'."
        )
    alpha = np.repeat(photograph.alpha()[..., None], 3, axis=2)
    return warp_picture(alpha, to_picture, alignment.height, alignment.width)[..., 0]


@functools.cache
def detector() -> PhotographLandmarks:
    """Return the landmark detector that ships, read once a process."""
    return PhotographLandmarks()


def _off(places: FloatArray, points: FloatArray, to_picture: FloatArray) -> float:
    miss = places @ to_picture[:, :2].T + to_picture[:, 2] - points
    return float(np.sqrt((miss**2).sum(axis=1).mean()) / np.hypot(*to_picture[:, 0]))
