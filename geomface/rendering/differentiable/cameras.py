"""Cameras in torch: world points to pixels and view depth, differentiable in everything."""

import dataclasses
import math
from collections.abc import Callable
from typing import ClassVar

import torch

from geomface.errors import SettingsError
from geomface.rendering.differentiable.checks import TensorFields, per_pixel


@dataclasses.dataclass(frozen=True, eq=False)
class PerspectiveCamera(TensorFields):
    """A pinhole: x = f_x X / Z + c_x, y = f_y Y / Z + c_y with (X, Y, Z) = R p + t.

    Parameters
    ----------
    focal : (B, 2) pixels
    principal : (B, 2) pixels, where the optical axis meets the picture
    rotation : (B, 3, 3), world to camera
    translation : (B, 3), unit of the world (millimetres)

    Convention
    ----------
    World: x to the subject's left, y up, z out of the face. Camera axes: X to the right of the
    picture, Y down, Z along the view, so Z is the depth, positive in front. Pixels: x to the right,
    y down, pixel centres at +0.5. Any field may have batch 1.
    """

    focal: torch.Tensor
    principal: torch.Tensor
    rotation: torch.Tensor
    translation: torch.Tensor
    perspective: ClassVar[bool] = True

    def __post_init__(self) -> None:
        pose = {"rotation": (None, 3, 3), "translation": (None, 3)}
        self.require("perspective camera", focal=(None, 2), principal=(None, 2), **pose)

    def project(self, points: torch.Tensor) -> torch.Tensor:
        """Return (B, V, 3): pixel x, pixel y and depth of the points (B, V, 3)."""
        x, y, z = _to_view(points, self.rotation, self.translation)
        return torch.stack(
            [
                self.focal[:, None, 0] * x / z + self.principal[:, None, 0],
                self.focal[:, None, 1] * y / z + self.principal[:, None, 1],
                z.expand(torch.broadcast_shapes(z.shape, self.focal[:, :1].shape)),
            ],
            dim=-1,
        )

    def towards_eye(self, points: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """Return (3, N) vectors, not normalised, from world points (3, N) of the images (N,)."""
        r, t = self.rotation, self.translation
        centre = -(r[:, 0] * t[:, :1] + r[:, 1] * t[:, 1:2] + r[:, 2] * t[:, 2:])
        return per_pixel(centre, image) - points


@dataclasses.dataclass(frozen=True, eq=False)
class WeakPerspectiveCamera(TensorFields):
    """Parallel rays and one scale: x = s X + c_x, y = s Y + c_y with (X, Y, Z) = R p + t.

    Parameters
    ----------
    scale : (B,) pixels a unit of the world
    principal : (B, 2) pixels, where the camera's axis meets the picture (the 2-D shift)
    rotation : (B, 3, 3), world to camera
    translation : (B, 3), unit of the world; its third number only shifts the depth

    Convention
    ----------
    As for `PerspectiveCamera`: X right, Y down, Z the depth; pixel centres at +0.5.
    """

    scale: torch.Tensor
    principal: torch.Tensor
    rotation: torch.Tensor
    translation: torch.Tensor
    perspective: ClassVar[bool] = False

    def __post_init__(self) -> None:
        pose = {"rotation": (None, 3, 3), "translation": (None, 3)}
        self.require("weak-perspective camera", scale=(None,), principal=(None, 2), **pose)

    def project(self, points: torch.Tensor) -> torch.Tensor:
        """Return (B, V, 3): pixel x, pixel y and depth of the points (B, V, 3)."""
        x, y, z = _to_view(points, self.rotation, self.translation)
        return torch.stack(
            [
                self.scale[:, None] * x + self.principal[:, None, 0],
                self.scale[:, None] * y + self.principal[:, None, 1],
                z.expand(torch.broadcast_shapes(z.shape, self.scale[:, None].shape)),
            ],
            dim=-1,
        )

    def towards_eye(self, points: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """Return (3, N) vectors from world points (3, N) of the images (N,): against the view."""
        return per_pixel(-self.rotation[:, 2], image).expand_as(points)


Camera = PerspectiveCamera | WeakPerspectiveCamera
"""Either camera."""


def look_rotation(yaw: torch.Tensor, pitch: torch.Tensor, roll: torch.Tensor) -> torch.Tensor:
    """Return (B, 3, 3), world to camera, of a subject turned in front of the camera.

    R = diag(1, -1, -1) R_z(roll) R_x(-pitch) R_y(yaw), angles (B,) in degrees.

    Convention
    ----------
    As `geomface.rendering.view_rotation`: positive yaw turns the face to the subject's left (the
    right of the picture), positive pitch lifts the chin, positive roll turns the picture of the
    face counter-clockwise.
    """
    angles = (torch.deg2rad(yaw), -torch.deg2rad(pitch), torch.deg2rad(roll))
    (ca, cb, cc), (sa, sb, sc) = (
        [_one_by_one(function, angle) for angle in angles] for function in (torch.cos, torch.sin)
    )
    zero, one = torch.zeros_like(ca), torch.ones_like(ca)

    def matrix(*entries: torch.Tensor) -> torch.Tensor:
        return torch.stack(entries, dim=-1).reshape(*zero.shape, 3, 3)

    around_y = matrix(ca, zero, sa, zero, one, zero, -sa, zero, ca)
    around_x = matrix(one, zero, zero, zero, cb, -sb, zero, sb, cb)
    around_z = matrix(cc, -sc, zero, sc, cc, zero, zero, zero, one)
    flip = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=ca.dtype, device=ca.device))
    return flip @ around_z @ around_x @ around_y


def look_at_face(
    height: int,
    width: int,
    *,
    yaw: float | torch.Tensor = 0.0,
    pitch: float | torch.Tensor = 0.0,
    roll: float | torch.Tensor = 0.0,
    distance: float | torch.Tensor = 1000.0,
    field_of_view: float | torch.Tensor = 18.0,
    centre: tuple[float, float, float] | torch.Tensor = (0.0, 0.0, 0.0),
    weak: bool = False,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> Camera:
    """Return a camera that sees a point from the front, at +z, in the middle of the picture.

    f = height / (2 tan(field_of_view / 2)); the weak-perspective camera has s = f / distance.

    Parameters
    ----------
    height, width : pixels
    yaw, pitch, roll : degrees, numbers or (B,), the subject's turn (`look_rotation`)
    distance : from the camera to `centre`, number or (B,), millimetres
    field_of_view : vertical, degrees, number or (B,)
    centre : (3,) or (B, 3), what the camera looks at and the subject turns about
    weak : True for a `WeakPerspectiveCamera`

    Raises
    ------
    SettingsError : a distance or field of view out of range.

    Example
    -------
    >>> import torch
    >>> import geomface as gf
    >>> camera = gf.look_at_face(64, 64, yaw=30.0, distance=600.0)
    >>> pixels = camera.project(torch.zeros(1, 1, 3))  # where the origin lies, and how deep
    >>> [round(float(number)) for number in pixels.flatten()]
    [32, 32, 600]
    """
    numbers = [
        torch.as_tensor(item, dtype=dtype, device=device).reshape(-1)
        for item in (yaw, pitch, roll, distance, field_of_view)
    ]
    turn, tilt, lean, away, opening = torch.broadcast_tensors(*numbers)
    if not bool(((away > 0) & (opening > 0) & (opening < 180)).all()):
        raise SettingsError(
            "look_at_face: expected a positive distance and a field of view between 0 and 180 "
            "degrees."
        )
    middle = torch.as_tensor(centre, dtype=dtype, device=device).reshape(-1, 3)
    rotation = look_rotation(turn, tilt, lean)
    ahead = torch.zeros_like(rotation[:, 0])
    ahead = torch.cat([ahead[:, :2], away[:, None]], dim=1)
    translation = ahead - (rotation * middle[:, None]).sum(dim=2)
    focal = 0.5 * height / _one_by_one(torch.tan, opening * (math.pi / 360.0))
    principal = torch.tensor([[width / 2, height / 2]], dtype=dtype, device=device)
    if weak:
        return WeakPerspectiveCamera(focal / away, principal, rotation, translation)
    return PerspectiveCamera(focal[:, None].expand(-1, 2), principal, rotation, translation)


def _one_by_one(
    function: Callable[[torch.Tensor], torch.Tensor], values: torch.Tensor
) -> torch.Tensor:
    """Apply a function to (B,) numbers singly: its last bits do not depend on the batch."""
    return torch.cat([function(value) for value in values.split(1)])


def _to_view(
    points: torch.Tensor, rotation: torch.Tensor, translation: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Return X, Y, Z (B, V) of R p + t, summed in one order whatever the batch size."""
    x, y, z = points.unbind(-1)
    r, t = rotation[:, :, :, None], translation[:, :, None]
    return tuple(r[:, k, 0] * x + r[:, k, 1] * y + r[:, k, 2] * z + t[:, k] for k in range(3))
