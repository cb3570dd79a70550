"""Visibility by PyTorch3D's rasterizer, where it is importable."""

import importlib
import importlib.util

import torch

from geomface.errors import MissingBackendError
from geomface.rendering.visibility.protocol import check_visibility_input

_HOW = (
    "the instructions of https://github.com/facebookresearch/pytorch3d/blob/main/INSTALL.md (it "
    "publishes no wheel for this Python: build it from source)"
)


class Pytorch3dVisibility:
    """`rasterize_meshes` with one face a pixel and no blur; only its face ids are used.

    Its inside test is strict, so a pixel centre exactly on a shared edge stays background, and on
    a CPU it tests every pixel against every triangle: `auto` never picks it there.
    """

    name = "pytorch3d"

    def missing(self) -> str | None:
        """Return how to install PyTorch3D when it is not there."""
        return None if importlib.util.find_spec("pytorch3d") else _HOW

    def supports(self, device: torch.device) -> bool:
        """The CPU and CUDA."""
        return device.type in ("cpu", "cuda")

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
        """Return (B, height, width) int32 face ids; see `VisibilityBackend.face_ids`.

        Raises
        ------
        MissingBackendError : PyTorch3D is installed but does not load.
        """
        check_visibility_input(xyz_pixels, faces, height, width)
        try:
            rasterize_meshes = importlib.import_module("pytorch3d.renderer.mesh").rasterize_meshes
            meshes_of = importlib.import_module("pytorch3d.structures").Meshes
        except ImportError as error:
            raise MissingBackendError(
                f"visibility: PyTorch3D could not be loaded ({error}). Follow {_HOW}."
            ) from error
        batch = len(xyz_pixels)
        scale = 2.0 / min(height, width)
        z = xyz_pixels[..., 2]
        if not perspective:
            # Only the order matters; its rasterizer leaves out what is not in front of it.
            z = z - z.amin(dim=1, keepdim=True) + 1.0
        # Its picture plane has x to the left and y up, from -1 to 1 along the shorter side.
        ndc = torch.stack(
            [
                (width / 2 - xyz_pixels[..., 0]) * scale,
                (height / 2 - xyz_pixels[..., 1]) * scale,
                z,
            ],
            dim=-1,
        ).float()
        meshes = meshes_of(verts=list(ndc), faces=[faces] * batch)
        packed, *_ = rasterize_meshes(
            meshes,
            image_size=(height, width),
            blur_radius=0.0,
            faces_per_pixel=1,
            perspective_correct=perspective,
            cull_backfaces=False,
        )
        packed = packed[..., 0]
        first = len(faces) * torch.arange(batch, device=packed.device)[:, None, None]
        return torch.where(packed >= 0, packed - first, -1).to(torch.int32)
