"""Cameras that look at a face, with the derivatives that fitting needs."""

import dataclasses
from typing import Self

import numpy as np

from geomface.arrays import FloatArray, frozen
from geomface.fitting.pose import rotation_matrix

CAMERA_COUNT = 6
"""Three of rotation, two or three of translation, the logarithm of a weak perspective's scale."""
_FLIP = np.array([1.0, -1.0])


@dataclasses.dataclass(frozen=True, eq=False)
class WeakPerspective:
    """Parallel projection and scale: (u, v) = shift + scale ((R (x - c))_x, -(R (x - c))_y).

    Parameters
    ----------
    rotation : (3, 3) float64, model frame to camera frame
    scale : pixels per millimetre, positive
    shift : (2,) float64, pixel position of the centre c
    centre : (3,) float64, mm in the model's frame

    Convention
    ----------
    Pixel x right, y down, origin in the top left corner, pixel centres at +0.5. Camera frame: x
    right, y up, z towards the camera, so a face with R = I looks straight into it, the subject's
    left on the right of the image.
    """

    rotation: FloatArray
    scale: float
    shift: FloatArray
    centre: FloatArray

    def __post_init__(self) -> None:
        for name in ("rotation", "shift", "centre"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))

    def project(self, points: FloatArray) -> FloatArray:
        """Return pixel positions (n, 2) of points (n, 3), mm in the model's frame."""
        turned = (points - self.centre) @ self.rotation.T
        return self.shift + self.scale * turned[:, :2] * _FLIP

    def pixels_per_mm(self, points: FloatArray) -> FloatArray:
        """Return (n,) how many pixels a millimetre square to the view takes."""
        return np.full(len(points), self.scale)

    def point_columns(self, points: FloatArray) -> FloatArray:
        """Return (n, 2, 3): derivative of the pixel position by the point."""
        matrix = self.scale * _FLIP[:, None] * self.rotation[:2]
        return np.broadcast_to(matrix, (len(points), 2, 3))

    def camera_columns(self, points: FloatArray) -> FloatArray:
        """Return (n, 2, 6): derivative of the pixel position by a `moved` step, at step 0."""
        turned = (points - self.centre) @ self.rotation.T
        x, y, z = self.scale * turned.T
        columns = np.zeros((len(points), 2, CAMERA_COUNT))
        columns[:, 0, 1], columns[:, 0, 2] = z, -y
        columns[:, 1, 0], columns[:, 1, 2] = z, -x
        columns[:, 0, 3] = columns[:, 1, 4] = 1.0
        columns[:, 0, 5], columns[:, 1, 5] = x, -y
        return columns

    def moved(self, step: FloatArray) -> Self:
        """Return the camera after a step (6,): rotation vector, shift (pixels), log scale."""
        return dataclasses.replace(
            self,
            rotation=rotation_matrix(step[:3]) @ self.rotation,
            shift=self.shift + step[3:5],
            scale=float(self.scale * np.exp(step[5])),
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Perspective:
    """A pinhole: X = R (x - c) + t, (u, v) = middle + focal (X_x, -X_y) / -X_z.

    Parameters
    ----------
    rotation : (3, 3) float64, model frame to camera frame
    translation : (3,) float64, mm, the centre c in the camera frame; its z is negative
    focal : focal length in pixels, positive
    middle : (2,) float64, pixel position of the optical axis
    centre : (3,) float64, mm in the model's frame

    Convention
    ----------
    As `WeakPerspective`; the camera sits in the origin of its frame and looks along -z.
    """

    rotation: FloatArray
    translation: FloatArray
    focal: float
    middle: FloatArray
    centre: FloatArray

    def __post_init__(self) -> None:
        for name in ("rotation", "translation", "middle", "centre"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))

    def _turned(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        turned = (points - self.centre) @ self.rotation.T
        return turned, turned + self.translation

    def project(self, points: FloatArray) -> FloatArray:
        """Return pixel positions (n, 2) of points (n, 3), mm in the model's frame."""
        _, seen = self._turned(points)
        return self.middle + self.focal * seen[:, :2] * _FLIP / -seen[:, 2:]

    def pixels_per_mm(self, points: FloatArray) -> FloatArray:
        """Return (n,) how many pixels a millimetre square to the view takes."""
        _, seen = self._turned(points)
        return self.focal / -seen[:, 2]

    def _camera_point_columns(self, seen: FloatArray) -> FloatArray:
        """Return (n, 2, 3): derivative of the pixel position by the point in the camera frame."""
        x, y, z = seen.T
        columns = np.zeros((len(seen), 2, 3))
        columns[:, 0, 0], columns[:, 1, 1] = -1.0 / z, 1.0 / z
        columns[:, 0, 2], columns[:, 1, 2] = x / z**2, -y / z**2
        return self.focal * columns

    def point_columns(self, points: FloatArray) -> FloatArray:
        """Return (n, 2, 3): derivative of the pixel position by the point."""
        _, seen = self._turned(points)
        return self._camera_point_columns(seen) @ self.rotation

    def camera_columns(self, points: FloatArray) -> FloatArray:
        """Return (n, 2, 6): derivative of the pixel position by a `moved` step, at step 0."""
        turned, seen = self._turned(points)
        motion = np.zeros((len(points), 3, CAMERA_COUNT))
        x, y, z = turned.T
        motion[:, 1, 0], motion[:, 2, 0] = -z, y
        motion[:, 0, 1], motion[:, 2, 1] = z, -x
        motion[:, 0, 2], motion[:, 1, 2] = -y, x
        motion[:, [0, 1, 2], [3, 4, 5]] = 1.0
        return self._camera_point_columns(seen) @ motion

    def moved(self, step: FloatArray) -> Self:
        """Return the camera after a step (6,): rotation vector, translation (mm)."""
        return dataclasses.replace(
            self,
            rotation=rotation_matrix(step[:3]) @ self.rotation,
            translation=self.translation + step[3:],
        )


Camera = WeakPerspective | Perspective


def pose_angles(rotation: FloatArray) -> tuple[float, float, float]:
    """Return (yaw, pitch, roll) in degrees of R = R_z(roll) R_x(-pitch) R_y(yaw).

    Convention
    ----------
    As `rendering.view_rotation`: a positive yaw turns the face to the right of the image, a
    positive pitch lifts the chin, a positive roll turns the image of the face counter-clockwise.
    """
    yaw = np.arctan2(-rotation[2, 0], rotation[2, 2])
    pitch = -np.arcsin(np.clip(rotation[2, 1], -1.0, 1.0))
    upright = rotation_matrix(np.array([-pitch, 0.0, 0.0])) @ rotation_matrix(
        np.array([0.0, yaw, 0.0])
    )
    turn = rotation @ upright.T
    roll = np.arctan2(turn[1, 0], turn[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def weak_perspective_from_points(
    points: FloatArray, pixels: FloatArray, weights: FloatArray, centre: FloatArray
) -> WeakPerspective:
    """Return the weak perspective nearest to the best affine camera.

    min over A, b of sum_i w_i |A x_i + b - y_i|^2, then the rotation and scale nearest to A.

    Parameters
    ----------
    points : (n, 3) float64, n >= 4, not in one plane
    pixels : (n, 2) float64
    weights : (n,) float64
    centre : (3,) float64

    Source
    ------
    Affine camera in closed form (gold standard algorithm: Hartley and Zisserman 2004, 14.2).
    """
    share = weights / weights.sum()
    middle, image_middle = share @ points, share @ pixels
    root = np.sqrt(share)[:, None]
    flipped = (pixels - image_middle) * _FLIP
    affine = np.linalg.lstsq(root * (points - middle), root * flipped, rcond=None)[0].T
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    two = left @ right
    rotation = np.vstack([two, np.cross(two[0], two[1])])
    scale = float(sizes.mean())
    shift = image_middle + scale * (rotation[:2] @ (centre - middle)) * _FLIP
    return WeakPerspective(rotation, scale, shift, centre)


def perspective_from_weak(camera: WeakPerspective, focal: float, middle: FloatArray) -> Perspective:
    """Return the pinhole that shows the centre where a weak perspective does, at its scale."""
    depth = focal / camera.scale
    beside = (camera.shift - middle) * _FLIP * depth / focal
    # Seen from the side of the optical axis, a face shows itself turned by that angle.
    around = np.array([np.arctan2(beside[1], depth), -np.arctan2(beside[0], depth), 0.0])
    rotation = rotation_matrix(around) @ camera.rotation
    return Perspective(rotation, np.array([*beside, -depth]), focal, middle, camera.centre)
