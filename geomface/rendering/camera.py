"""The camera of the pictures: orthographic, turned by yaw and pitch around the subject."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from geomface.arrays import FloatArray, frozen, require_finite, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.mesh.mesh import Mesh


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


def view_rotation(yaw: float, pitch: float) -> FloatArray:
    """Return the (3, 3) rotation that turns the subject in front of the camera.

    R = R_x(-pitch) R_y(yaw), in degrees.

    Convention
    ----------
    The camera looks along -z, x to the right, y up, so at yaw 0 it sees the face from the front
    with the subject's left on the right of the picture. A positive yaw turns the face to the
    subject's left (the right of the picture), a positive pitch lifts the chin.
    """
    a, b = np.deg2rad(yaw), -np.deg2rad(pitch)
    around_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return around_x @ around_y


def project(
    vertices: FloatArray, rotation: FloatArray, frame: Frame, size: int
) -> tuple[FloatArray, FloatArray]:
    """Return pixel positions (V, 2), x right and y down, and depths (V,), smaller is nearer."""
    seen = (vertices - frame.centre) @ rotation.T
    scale = size / frame.extent
    xy = np.stack([size / 2 + scale * seen[:, 0], size / 2 - scale * seen[:, 1]], axis=1)
    return xy, -seen[:, 2]
