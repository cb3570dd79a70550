"""Cameras in numpy: how points of a face come to pixels, with the derivatives that fits need."""

import dataclasses
from collections.abc import Iterable
from typing import ClassVar, Self

import numpy as np

from geomface.arrays import FloatArray, frozen, require_finite, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.mesh.mesh import Mesh
from geomface.mesh.rotation import around_x, around_y, rotation_matrix

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
    perspective: ClassVar[bool] = False

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

    def depth(self, points: FloatArray) -> FloatArray:
        """Return (n,) distances along the view, mm; larger is farther, 0 at the centre."""
        return -((points - self.centre) @ self.rotation[2])

    def towards_eye(self, points: FloatArray) -> FloatArray:
        """Return (3,) or (n, 3) unit vectors from points (n, 3) to the eye."""
        return self.rotation[2]

    def log_scale(self) -> float:
        """Return the logarithm of the pixels a millimetre at the centre."""
        return float(np.log(self.scale))

    def log_scale_columns(self) -> FloatArray:
        """Return (6,), the derivative of `log_scale` by a `moved` step."""
        return np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])

    def shifted(self, pixels: FloatArray) -> Self:
        """Return the camera whose picture is moved by (2,) pixels."""
        return dataclasses.replace(self, shift=self.shift + pixels)

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
    perspective: ClassVar[bool] = True

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

    def depth(self, points: FloatArray) -> FloatArray:
        """Return (n,) distances along the view, mm; larger is farther, 0 at the camera."""
        return -((points - self.centre) @ self.rotation[2]) - self.translation[2]

    def towards_eye(self, points: FloatArray) -> FloatArray:
        """Return (n, 3) unit vectors from points (n, 3) to the eye."""
        eye = self.centre - self.rotation.T @ self.translation
        return (eye - points) / np.linalg.norm(eye - points, axis=1, keepdims=True)

    def log_scale(self) -> float:
        """Return the logarithm of the pixels a millimetre at the centre."""
        return float(np.log(self.focal) - np.log(-self.translation[2]))

    def log_scale_columns(self) -> FloatArray:
        """Return (6,), the derivative of `log_scale` by a `moved` step."""
        return np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1.0 / self.translation[2]])

    def shifted(self, pixels: FloatArray) -> Self:
        """Return the camera whose picture is moved by (2,) pixels."""
        return dataclasses.replace(self, middle=self.middle + pixels)

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


def view_rotation(yaw: float, pitch: float) -> FloatArray:
    """Return the (3, 3) rotation that turns the subject in front of the camera.

    R = R_x(-pitch) R_y(yaw), in degrees.

    Convention
    ----------
    The camera looks along -z, x to the right, y up, so at yaw 0 it sees the face from the front
    with the subject's left on the right of the picture. A positive yaw turns the face to the
    subject's left (the right of the picture), a positive pitch lifts the chin.
    """
    return around_x(-pitch) @ around_y(yaw)


def pose_angles(rotation: FloatArray) -> tuple[float, float, float]:
    """Return (yaw, pitch, roll) in degrees of R = R_z(roll) R_x(-pitch) R_y(yaw).

    Convention
    ----------
    As `view_rotation`: a positive yaw turns the face to the right of the image, a
    positive pitch lifts the chin, a positive roll turns the image of the face counter-clockwise.
    """
    yaw = np.arctan2(-rotation[2, 0], rotation[2, 2])
    pitch = -np.arcsin(np.clip(rotation[2, 1], -1.0, 1.0))
    yaw, pitch = float(np.degrees(yaw)), float(np.degrees(pitch))
    turn = rotation @ view_rotation(yaw, pitch).T
    return yaw, pitch, float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0])))


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """What part of space a picture shows; share one to compare several meshes.

    Parameters
    ----------
    centre : (3,) float64, the point in the middle of the picture and the pivot of yaw and pitch
    extent : height and width of the shown square, unit of `centre`
    """

    centre: FloatArray
    extent: float

    def __post_init__(self) -> None:
        centre = require_shape(self.centre, (3,), "frame: centre")
        require_finite(centre, "frame: centre")
        if not self.extent > 0 or not np.isfinite(self.extent):
            raise SettingsError(f"frame: expected a positive extent, got {self.extent}.")
        object.__setattr__(self, "centre", frozen(centre, np.float64))

    def camera(self, rotation: FloatArray, size: int) -> WeakPerspective:
        """Return the camera of a picture of `size` pixels a side, the subject turned."""
        middle = np.full(2, size / 2)
        return WeakPerspective(rotation, size / self.extent, middle, self.centre)


def frame_of(shapes: Iterable[Mesh | FloatArray], *, margin: float = 0.06) -> Frame:
    """Return the frame that holds all shapes at any yaw.

    Parameters
    ----------
    shapes : meshes or (V, 3) vertices
    margin : free border on each side, as a share of the extent
    """
    points = [shape.vertices if isinstance(shape, Mesh) else np.asarray(shape) for shape in shapes]
    if not points:
        raise MeshError("frame_of: expected at least one mesh, got none.")
    low = np.min([p.min(axis=0) for p in points], axis=0)
    high = np.max([p.max(axis=0) for p in points], axis=0)
    centre = (low + high) / 2
    around = max(float(np.hypot(*(p - centre)[:, [0, 2]].T).max()) for p in points)
    half = max(around, float(high[1] - low[1]) / 2, 1e-12)
    return Frame(centre, 2 * half / (1 - 2 * margin))
