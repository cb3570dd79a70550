"""The default on the CPU: a compiled fixed-point z-buffer, one image a thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from geomface.rendering.rasterize import nearest_faces
from geomface.rendering.visibility.protocol import (
    check_visibility_input,
    linear_depth,
    subpixel_bits,
)


class NumbaVisibility:
    """Fixed point (2^-16 pixel), top-left rule, compiled once and cached on disk.

    Images are drawn by plain threads (the kernel releases the interpreter), as many as
    `torch.get_num_threads()`. numba's own threading layers are not used: they end the process when
    two threads enter them at once or after a fork.
    """

    name = "numba"

    def missing(self) -> str | None:
        """numba is always installed with geomface."""
        return None

    def supports(self, device: torch.device) -> bool:
        """Only the CPU."""
        return device.type == "cpu"

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
        """Return (B, height, width) int32 face ids; see `VisibilityBackend.face_ids`."""
        check_visibility_input(xyz_pixels, faces, height, width)
        depths = linear_depth(xyz_pixels[..., 2], perspective).numpy()
        xy = xyz_pixels[..., :2].double().contiguous().numpy()
        triangles = np.ascontiguousarray(faces.numpy(), np.int64)
        bits = subpixel_bits(height, width)

        def draw(image: int) -> np.ndarray:
            return nearest_faces(xy[image], depths[image], triangles, height, width, False, bits)

        count = len(xy)
        workers = min(count, torch.get_num_threads())
        if workers == 1:
            images = [draw(image) for image in range(count)]
        else:
            with ThreadPoolExecutor(workers) as pool:
                images = list(pool.map(draw, range(count)))
        return torch.from_numpy(images[0][None] if count == 1 else np.stack(images))
