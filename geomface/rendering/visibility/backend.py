"""What a visibility backend is: it says which triangle is seen at each pixel, and nothing else.

Everything differentiable is shared code on top (`geomface.rendering.differentiable`), so gradients
do not depend on the backend and two backends are compared by comparing integers.
"""

import abc
import importlib
import importlib.util
from typing import Any, ClassVar

import torch
from torch import Tensor

from geomface.errors import MeshError, MissingBackendError, SettingsError

MOST_SUBPIXEL_BITS = 16
"""Vertices are rounded to 2^-16 pixel, far below what float32 pixels resolve."""


class VisibilityBackend(abc.ABC):
    """A way to find the nearest triangle at every pixel centre.

    Convention
    ----------
    Pixels: x to the right, y down, the centre of pixel (row, column) at (column + 0.5, row + 0.5).
    z is the depth along the view, positive in front of the camera. Both sides of a triangle are
    seen. A triangle with a corner that is NaN, infinite or (for a perspective camera) not in front
    of the camera is left out, and so is one without area.
    """

    name: ClassVar[str]
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    """Types of device whose tensors it takes."""
    package: ClassVar[str] = ""
    """What has to be installed beside geomface, if anything."""
    how: ClassVar[str] = ""
    """How to install it."""

    def missing(self) -> str | None:
        """Return what to install before this backend can be used, or None when it can."""
        return self.how if self.package and not importlib.util.find_spec(self.package) else None

    def supports(self, device: torch.device) -> bool:
        """Say whether the backend works on tensors of this device."""
        return device.type in self.devices

    @torch.no_grad()
    def face_ids(
        self,
        xyz_pixels: torch.Tensor,
        faces: torch.Tensor,
        height: int,
        width: int,
        *,
        perspective: bool = True,
    ) -> torch.Tensor:
        """Return the nearest triangle at every pixel centre, without a gradient.

        Parameters
        ----------
        xyz_pixels : (B, V, 3) float32 or float64, x and y in pixels, z the view depth
        faces : (F, 3) int64, one topology for all images
        height, width : pixels
        perspective : 1 / z is linear over the picture if True, else z is

        Returns
        -------
        (B, height, width) int32, -1 for background

        Raises
        ------
        MeshError, SettingsError : arguments that do not fit, see `check_visibility_input`.
        MissingBackendError : its package is installed but does not load.
        """
        check_visibility_input(xyz_pixels, faces, height, width)
        return self._draw(xyz_pixels, faces, (height, width), perspective)

    @abc.abstractmethod
    def _draw(self, xyz: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool) -> Tensor:
        """Return (B, height, width) int32 for arguments that were checked."""

    def _load(self, module: str) -> Any:
        """Return a module of the package.

        Raises
        ------
        MissingBackendError : it does not load; the message says how to install the package.
        """
        try:
            return importlib.import_module(module)
        except ImportError as error:
            raise MissingBackendError(
                f"visibility: {self.package} could not be loaded ({error}). Install it with "
                f"{self.how}."
            ) from error


def check_visibility_input(
    xyz_pixels: torch.Tensor, faces: torch.Tensor, height: int, width: int
) -> None:
    """Raise unless the arguments of `face_ids` have the stated shapes.

    Raises
    ------
    MeshError : an empty batch, wrong shapes, indices out of range.
    SettingsError : a picture below one pixel or above 8192.
    """
    if xyz_pixels.ndim != 3 or xyz_pixels.shape[2] != 3:
        raise MeshError(
            "visibility: expected pixel positions of shape (batch, vertices, 3), got "
            f"{tuple(xyz_pixels.shape)}."
        )
    if xyz_pixels.shape[0] == 0:
        raise MeshError("visibility: expected at least one image, got an empty batch.")
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise MeshError(f"visibility: expected faces of shape (F, 3), got {tuple(faces.shape)}.")
    if faces.numel() and not 0 <= int(faces.min()) <= int(faces.max()) < xyz_pixels.shape[1]:
        raise MeshError(
            f"visibility: faces use the vertices {int(faces.min())} to {int(faces.max())}, but "
            f"there are {xyz_pixels.shape[1]}. Indices are 0-based here."
        )
    if not (1 <= height <= 8192 and 1 <= width <= 8192):
        raise SettingsError(
            f"visibility: expected a picture of 1 to 8192 pixels a side, got {height} x {width}."
        )


def subpixel_bits(height: int, width: int) -> int:
    """Return how many bits after the point keep vertices 16 pictures away within 64-bit edges."""
    side = max(height, width)
    return min(MOST_SUBPIXEL_BITS, 24 - (side - 1).bit_length())


def linear_depth(z: torch.Tensor, perspective: bool) -> torch.Tensor:
    """Return a depth that is linear over the picture and smaller where nearer, NaN where unseen.

    -1 / z for a perspective camera (in front of it), z for a parallel one.
    """
    z = z.double()
    if not perspective:
        return z
    return torch.where(z > 0, -1.0 / z, torch.full_like(z, torch.nan))
