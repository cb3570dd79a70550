"""The same camera in the numbers of OpenCV, OpenGL and PyTorch3D, there and back, and of a fit."""

import dataclasses

import numpy as np
import torch

from geomface.errors import SettingsError
from geomface.rendering.camera import Camera as FittedCamera
from geomface.rendering.camera import Perspective
from geomface.rendering.differentiable.cameras import (
    Camera,
    PerspectiveCamera,
    WeakPerspectiveCamera,
)

CONVENTIONS = ("opencv", "opengl", "pytorch3d")
_FLIP = np.diag([1.0, -1.0, -1.0])


@dataclasses.dataclass(frozen=True, eq=False)
class OpenCVCamera:
    """x = K (R p + t), up to scale: axes x right, y down, z forward; pixel centres at integers.

    Parameters
    ----------
    rotation : (B, 3, 3)
    translation : (B, 3)
    intrinsics : (B, 3, 3), K; for a parallel camera its upper two rows act on (X, Y, 1)
    parallel : True for a weak-perspective camera
    """

    rotation: torch.Tensor
    translation: torch.Tensor
    intrinsics: torch.Tensor
    parallel: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class OpenGLCamera:
    """clip = projection view (p, 1): axes x right, y up, z backward; rows counted from the bottom.

    Parameters
    ----------
    view : (B, 4, 4), column vectors
    projection : (B, 4, 4); its last row is (0, 0, -1, 0), or (0, 0, 0, 1) for parallel rays
    """

    view: torch.Tensor
    projection: torch.Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class Pytorch3dCamera:
    """The arguments of its PerspectiveCameras, or OrthographicCameras, with in_ndc=True.

    Row vectors, p R + T; axes x left, y up, z forward; the shorter side runs from -1 to 1.

    Parameters
    ----------
    R : (B, 3, 3)
    T : (B, 3)
    focal_length : (B, 2)
    principal_point : (B, 2)
    parallel : True for OrthographicCameras
    """

    R: torch.Tensor
    T: torch.Tensor
    focal_length: torch.Tensor
    principal_point: torch.Tensor
    parallel: bool = False


def from_fit(camera: FittedCamera, *, pixel: float = 1.0) -> Camera:
    """Return the renderer's camera, float64, that sees what a camera of a fit sees.

    Parameters
    ----------
    pixel : width of a rendered pixel in pixels of the fitted picture

    Convention
    ----------
    A fit's camera frame has y up and z towards the camera, the renderer's y down and z along the
    view.
    """

    def tensor(values: object) -> torch.Tensor:
        return torch.tensor(np.asarray(values, np.float64)[None])

    rotation = _FLIP @ camera.rotation
    ahead = -rotation @ camera.centre
    if isinstance(camera, Perspective):
        return PerspectiveCamera(
            tensor(np.full(2, camera.focal / pixel)),
            tensor(camera.middle / pixel),
            tensor(rotation),
            tensor(_FLIP @ camera.translation + ahead),
        )
    return WeakPerspectiveCamera(
        tensor(camera.scale / pixel), tensor(camera.shift / pixel), tensor(rotation), tensor(ahead)
    )


ForeignCamera = OpenCVCamera | OpenGLCamera | Pytorch3dCamera


def to_convention(
    camera: Camera,
    convention: str,
    height: int,
    width: int,
    *,
    near: float = 1.0,
    far: float = 10000.0,
) -> ForeignCamera:
    """Return a camera in the numbers of another library.

    Parameters
    ----------
    camera : either camera
    convention : "opencv", "opengl" or "pytorch3d"
    height, width : pixels of the picture that the camera was made for
    near, far : depths of OpenGL's clip planes

    Raises
    ------
    SettingsError : an unknown convention.
    """
    _require_known(convention)
    batch = camera.batch
    rotation = camera.rotation.expand(batch, 3, 3)
    translation = camera.translation.expand(batch, 3)
    focal = _focal(camera).expand(batch, 2)
    principal = camera.principal.expand(batch, 2)
    if convention == "opencv":
        intrinsics = _embed(focal, principal - 0.5)
        return OpenCVCamera(rotation, translation, intrinsics, not camera.perspective)
    size = torch.tensor([width, height], dtype=focal.dtype, device=focal.device)
    if convention == "pytorch3d":
        flip = torch.tensor([-1.0, -1.0, 1.0], dtype=focal.dtype, device=focal.device)
        scale = 2.0 / min(height, width)
        return Pytorch3dCamera(
            (flip[:, None] * rotation).transpose(1, 2),
            flip * translation,
            focal * scale,
            (size / 2 - principal) * scale,
            not camera.perspective,
        )
    flip = torch.tensor([1.0, -1.0, -1.0], dtype=focal.dtype, device=focal.device)
    view = torch.eye(4, dtype=focal.dtype, device=focal.device).repeat(batch, 1, 1)
    view[:, :3, :3] = flip[:, None] * rotation
    view[:, :3, 3] = flip * translation
    projection = torch.zeros_like(view)
    projection[:, 0, 0] = 2 * focal[:, 0] / width
    projection[:, 1, 1] = 2 * focal[:, 1] / height
    shift = (2 * principal / size - 1) * flip[:2]
    if camera.perspective:
        projection[:, :2, 2] = -shift
        projection[:, 2, 2] = -(far + near) / (far - near)
        projection[:, 2, 3] = -2 * far * near / (far - near)
        projection[:, 3, 2] = -1.0
    else:
        projection[:, :2, 3] = shift
        projection[:, 2, 2] = -2 / (far - near)
        projection[:, 2, 3] = -(far + near) / (far - near)
        projection[:, 3, 3] = 1.0
    return OpenGLCamera(view, projection)


def from_convention(foreign: ForeignCamera, height: int, width: int) -> Camera:
    """Return the camera of another library's numbers, for a picture of height x width pixels.

    Raises
    ------
    SettingsError : not one of the three classes, or numbers that this camera cannot hold (skewed
        pixels; unequal scales of a parallel camera).
    """
    if isinstance(foreign, OpenCVCamera):
        k = foreign.intrinsics
        if bool((k[:, 0, 1] != 0).any()):
            raise SettingsError("camera: expected square-cornered pixels, K has a skew.")
        focal = torch.stack([k[:, 0, 0], k[:, 1, 1]], dim=1)
        return _build(
            focal, k[:, :2, 2] + 0.5, foreign.rotation, foreign.translation, foreign.parallel
        )
    if isinstance(foreign, Pytorch3dCamera):
        like = foreign.focal_length
        size = torch.tensor([width, height], dtype=like.dtype, device=like.device)
        flip = torch.tensor([-1.0, -1.0, 1.0], dtype=like.dtype, device=like.device)
        half = min(height, width) / 2
        return _build(
            like * half,
            size / 2 - foreign.principal_point * half,
            flip[:, None] * foreign.R.transpose(1, 2),
            flip * foreign.T,
            foreign.parallel,
        )
    if isinstance(foreign, OpenGLCamera):
        projection = foreign.projection
        size = torch.tensor([width, height], dtype=projection.dtype, device=projection.device)
        flip = torch.tensor([1.0, -1.0, -1.0], dtype=projection.dtype, device=projection.device)
        parallel = bool((projection[:, 3, 2] == 0).all())
        shift = projection[:, :2, 3] if parallel else -projection[:, :2, 2]
        focal = torch.stack([projection[:, 0, 0], projection[:, 1, 1]], dim=1) * size / 2
        return _build(
            focal,
            (shift * flip[:2] + 1) * size / 2,
            flip[:, None] * foreign.view[:, :3, :3],
            flip * foreign.view[:, :3, 3],
            parallel,
        )
    raise SettingsError(
        f"camera: expected an OpenCVCamera, OpenGLCamera or Pytorch3dCamera, got a "
        f"{type(foreign).__name__}."
    )


def _require_known(convention: str) -> None:
    if convention not in CONVENTIONS:
        raise SettingsError(
            f"camera: expected the convention {', '.join(CONVENTIONS)}, got {convention!r}."
        )


def _focal(camera: Camera) -> torch.Tensor:
    if isinstance(camera, PerspectiveCamera):
        return camera.focal
    return camera.scale[:, None].expand(-1, 2)


def _embed(focal: torch.Tensor, principal: torch.Tensor) -> torch.Tensor:
    k = torch.eye(3, dtype=focal.dtype, device=focal.device).repeat(len(focal), 1, 1)
    k[:, 0, 0], k[:, 1, 1] = focal[:, 0], focal[:, 1]
    k[:, :2, 2] = principal
    return k


def _build(
    focal: torch.Tensor,
    principal: torch.Tensor,
    rotation: torch.Tensor,
    translation: torch.Tensor,
    parallel: bool,
) -> Camera:
    if not parallel:
        return PerspectiveCamera(focal, principal, rotation, translation)
    if not torch.allclose(focal[:, 0], focal[:, 1]):
        raise SettingsError("camera: a weak-perspective camera has one scale, got two that differ.")
    return WeakPerspectiveCamera(focal[:, 0], principal, rotation, translation)
