"""Visibility by PyTorch3D's rasterizer, where it is importable."""

import torch
from torch import Tensor

from geomface.rendering.visibility.backend import VisibilityBackend


class Pytorch3dVisibility(VisibilityBackend):
    """`rasterize_meshes` with one face a pixel and no blur; only its face ids are used.

    Its inside test is strict, so a pixel centre exactly on a shared edge stays background, and on
    a CPU it tests every pixel against every triangle: `auto` never picks it there.
    """

    name = package = "pytorch3d"
    how = (
        "the instructions of https://github.com/facebookresearch/pytorch3d/blob/main/INSTALL.md "
        "(it publishes no wheel for this Python: build it from source)"
    )

    def _draw(self, xyz: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool) -> Tensor:
        height, width = size
        rasterize_meshes = self._load("pytorch3d.renderer.mesh").rasterize_meshes
        meshes_of = self._load("pytorch3d.structures").Meshes
        batch = len(xyz)
        scale = 2.0 / min(height, width)
        z = xyz[..., 2]
        if not perspective:
            # Only the order matters; its rasterizer leaves out what is not in front of it.
            z = z - z.amin(dim=1, keepdim=True) + 1.0
        # Its picture plane has x to the left and y up, from -1 to 1 along the shorter side.
        ndc = torch.stack(
            [
                (width / 2 - xyz[..., 0]) * scale,
                (height / 2 - xyz[..., 1]) * scale,
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
