"""The default on the CPU: a compiled fixed-point z-buffer, one image a thread."""

import numpy as np
import torch
from torch import Tensor

from geomface.rendering.per_image import map_images
from geomface.rendering.rasterize import nearest_faces
from geomface.rendering.visibility.backend import (
    VisibilityBackend,
    linear_depth,
    subpixel_bits,
)


class NumbaVisibility(VisibilityBackend):
    """Fixed point (2^-16 pixel), top-left rule, compiled once and cached on disk.

    Images are drawn by plain threads (the kernel releases the interpreter), as many as
    `torch.get_num_threads()`. numba's own threading layers are not used: they end the process when
    two threads enter them at once or after a fork.
    """

    name = "numba"
    devices = ("cpu",)

    def _draw(self, xyz: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool) -> Tensor:
        height, width = size
        depths = linear_depth(xyz[..., 2], perspective).numpy()
        xy = xyz[..., :2].double().contiguous().numpy()
        triangles = np.ascontiguousarray(faces.numpy(), np.int64)
        bits = subpixel_bits(height, width)

        def draw(image: int) -> np.ndarray:
            return nearest_faces(xy[image], depths[image], triangles, height, width, False, bits)

        images = map_images(draw, len(xy))
        return torch.from_numpy(images[0][None] if len(xy) == 1 else np.stack(images))
