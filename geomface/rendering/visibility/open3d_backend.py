"""Visibility by Embree rays through Open3D: an independent answer to compare with."""

import numpy as np
import torch
from torch import Tensor

from geomface.rendering.visibility.backend import VisibilityBackend


class Open3DVisibility(VisibilityBackend):
    """One ray a pixel centre through a scene that is rebuilt for every image; float32."""

    name = package = "open3d"
    devices = ("cpu",)
    how = (
        "pip install 'geomface[open3d]' (on a bare system also libusb-1.0 and libGL, Debian "
        "packages libusb-1.0-0 and libgl1)"
    )

    def _draw(self, xyz: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool) -> Tensor:
        height, width = size
        open3d = self._load("open3d")
        points = xyz.double().numpy()
        rays = _rays(height, width, perspective)
        triangles = faces.numpy()
        images = []
        for image in points:
            scene = open3d.t.geometry.RaycastingScene()
            seen, drawn = _in_space(image, triangles, height, width, perspective)
            scene.add_triangles(seen, np.ascontiguousarray(triangles[drawn], np.uint32))
            hit = scene.cast_rays(rays)["primitive_ids"].numpy()
            missed = hit == scene.INVALID_ID
            ids = np.flatnonzero(drawn)[np.where(missed, 0, hit)] if drawn.any() else 0
            images.append(np.where(missed, -1, ids).astype(np.int32))
        return torch.from_numpy(np.stack(images))


def _rays(height: int, width: int, perspective: bool) -> np.ndarray:
    """Return (height, width, 6) float32 origins and directions, in the space of `_in_space`."""
    rows, columns = np.indices((height, width)) + 0.5
    place = _centred(np.stack([columns, rows], axis=-1), height, width)
    rays = np.zeros((height, width, 6), np.float32)
    first = 3 if perspective else 0
    rays[..., first : first + 2] = place
    rays[..., 5] = 1.0
    return rays


def _centred(xy: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pixels relative to the middle of the picture, in units of its longer side."""
    return (xy - np.array([width / 2, height / 2])) / max(height, width)


def _in_space(
    xyz: np.ndarray, faces: np.ndarray, height: int, width: int, perspective: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (V, 3) float32 whose rays are those of `_rays`, and what is drawn (F,)."""
    xy, z = _centred(xyz[:, :2], height, width), xyz[:, 2]
    good = np.asarray(np.isfinite(xyz).all(axis=1))
    # Depths near 1 and in front of the origin of the rays; scaling keeps what hides what.
    if perspective:
        good = good & (z > 0)
        depth = z / np.median(z[good]) if good.any() else z
        xy = xy * depth[:, None]
    else:
        low, high = (z[good].min(), z[good].max()) if good.any() else (0.0, 1.0)
        depth = 1.0 + (z - low) / max(high - low, 1e-30)
    seen = np.where(good[:, None], np.concatenate([xy, depth[:, None]], axis=1), 0.0)
    drawn = np.asarray(good[faces].all(axis=1))
    return seen.astype(np.float32), drawn
