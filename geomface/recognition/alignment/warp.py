"""Faces brought into their aligned pictures, without aliasing."""

import math

import numba
import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.landmarks.photographs.picture import color_picture
from geomface.recognition.alignment.five_points import five_points
from geomface.recognition.alignment.reference import Alignment


def align_face(
    image: np.ndarray, landmarks: FloatArray, alignment: Alignment | None = None
) -> ImageArray:
    """Return the aligned picture of a face.

    The five points are brought to their places as well as a shift, a turn and one scale can. What
    lies outside of the picture shows its rim, as the landmark detector sees it too: black would be
    an edge that no face has.

    Parameters
    ----------
    image : (H, W), (H, W, 1) or (H, W, 3), floats in [0, 1], uint8 or uint16; grey becomes three
        equal channels
    landmarks : (68, 2) pixels, scheme multi-pie-68, or (5, 2) as `five_points` has them
    alignment : default 112 x 96

    Returns
    -------
    (height, width, 3) float32 in [0, 1]

    Raises
    ------
    LandmarkError : no picture, or points that a face cannot be aligned by

    Example
    -------
    >>> import geomface as gf
    >>> settings = gf.FaceImageSettings(size=160, preset="photo")
    >>> batch = gf.FaceSampler(settings).batch([(0, 0)])
    >>> gf.align_face(batch.images["rgb"][0], batch.landmarks[0]).shape
    (112, 96, 3)
    """
    alignment = alignment or Alignment()
    picture = color_picture(image)
    to_picture = similarity_2d(alignment.points, five_points(landmarks))
    return warp_picture(picture, to_picture, alignment.height, alignment.width)


def align_landmarks(landmarks: FloatArray, alignment: Alignment) -> FloatArray:
    """Return where landmarks lie in the picture that `align_face` makes by them.

    Parameters
    ----------
    landmarks : (68, 2) pixels of the photograph, scheme multi-pie-68
    alignment : of the picture

    Returns
    -------
    (68, 2) float64 pixels of the aligned picture

    Raises
    ------
    LandmarkError : points that a face cannot be aligned by
    """
    to_picture = similarity_2d(alignment.points, five_points(landmarks))
    return (landmarks - to_picture[:, 2]) @ np.linalg.inv(to_picture[:, :2]).T


def align_camera(
    camera: CameraNumbers, landmarks: FloatArray, alignment: Alignment
) -> CameraNumbers:
    """Return the camera that sees in the picture of `align_face` what another sees in the whole.

    With q = s R(t) p + d the way from the one to the other: focal s f, principal s R(t) c + d, and
    the world turned by t about the line of sight.

    Parameters
    ----------
    camera : of the photograph
    landmarks : (68, 2) pixels of the photograph, scheme multi-pie-68
    alignment : of the picture

    Raises
    ------
    LandmarkError : points that a face cannot be aligned by
    """
    to_picture = similarity_2d(alignment.points, five_points(landmarks))
    back = np.linalg.inv(to_picture[:, :2])
    scale = math.hypot(*back[:, 0])
    turn = np.eye(3)
    turn[:2, :2] = back / scale
    return CameraNumbers(
        camera.weak,
        scale * camera.focal,
        back @ (camera.principal - to_picture[:, 2]),
        turn @ camera.rotation,
        turn @ camera.translation,
    )


def similarity_2d(source: FloatArray, target: FloatArray) -> FloatArray:
    """Return the similarity (2, 3) that takes points (n, 2) to others in least squares.

    With points as complex numbers less their means, a = sum conj(z) w / sum |z|^2: a product with
    a scales and turns, and never mirrors.
    """
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    middle, goal = z.mean(), w.mean()
    a = np.vdot(z - middle, w - goal) / np.vdot(z - middle, z - middle).real
    shift = goal - a * middle
    return np.array([[a.real, -a.imag, shift.real], [a.imag, a.real, shift.imag]])


def warp_picture(
    picture: ImageArray, to_picture: FloatArray, height: int, width: int
) -> ImageArray:
    """Return what a similarity shows of a picture.

    Each new pixel is the mean of the picture under a tent that reaches to the next new pixels, or
    to the next old ones where those lie further apart: bilinear interpolation, made wide enough
    where pictures shrink.

    Parameters
    ----------
    picture : (H, W, 3) float32; outside of it, its rim goes on
    to_picture : (2, 3), pixels of the result to those of the picture
    height, width : of the result

    Returns
    -------
    (height, width, 3) float32
    """
    shown = np.empty((height, width, 3), np.float32)
    _warp(np.ascontiguousarray(picture), np.asarray(to_picture, np.float64), shown)
    return shown


@numba.njit(cache=True, nogil=True)
def _warp(picture: np.ndarray, to_picture: np.ndarray, shown: np.ndarray) -> None:
    height, width = picture.shape[:2]
    a, b = to_picture[0, 0], to_picture[1, 0]
    scale = math.sqrt(a * a + b * b)
    reach = max(scale, 1.0)
    across, down = a / scale / reach, b / scale / reach
    box = reach * (abs(a) + abs(b)) / scale  # half of the upright square around the turned tent
    for row in range(shown.shape[0]):
        for column in range(shown.shape[1]):
            x = a * (column + 0.5) - b * (row + 0.5) + to_picture[0, 2] - 0.5
            y = b * (column + 0.5) + a * (row + 0.5) + to_picture[1, 2] - 0.5
            red = green = blue = weights = 0.0
            for v in range(math.ceil(y - box), math.floor(y + box) + 1):
                inside_v = min(max(v, 0), height - 1)
                first, second = down * (v - y), across * (v - y)
                for u in range(math.ceil(x - box), math.floor(x + box) + 1):
                    along = 1.0 - abs(first + across * (u - x))
                    aside = 1.0 - abs(second - down * (u - x))
                    weight = max(along, 0.0) * max(aside, 0.0)
                    inside_u = min(max(u, 0), width - 1)
                    weights += weight
                    red += weight * picture[inside_v, inside_u, 0]
                    green += weight * picture[inside_v, inside_u, 1]
                    blue += weight * picture[inside_v, inside_u, 2]
            shown[row, column, 0] = red / weights
            shown[row, column, 1] = green / weights
            shown[row, column, 2] = blue / weights
