"""What the landmark network sees of a scan: normals and depth from a direction, no colour."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.rendering.rasterize import barycentrics, rasterize

VIEW_SIZE = 128
"""Pixels of a view, each way."""
VIEW_EXTENT_MM = 250.0
"""Width of a view at adult size."""
DEPTH_RANGE = 0.5
"""Depth reaches from -1 to 1 over this share of the extent, before and behind the middle."""


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """An orthographic camera: R turns the scan so that the camera looks along -z, y is up.

    Parameters
    ----------
    rotation : (3, 3) float64
    centre : (3,) float64, scan point in the middle of the picture
    extent : width of the picture, unit of the scan
    """

    rotation: FloatArray
    centre: FloatArray
    extent: float

    def project(self, points: FloatArray, size: int = VIEW_SIZE) -> tuple[FloatArray, FloatArray]:
        """Return pixels (n, 2), x right, y down, and heights (n,), larger is nearer."""
        seen = (points - self.centre) @ self.rotation.T
        scale = size / self.extent
        xy = np.stack([size / 2 + scale * seen[:, 0], size / 2 - scale * seen[:, 1]], axis=1)
        return xy, seen[:, 2]

    def ray_origins(self, xy: FloatArray, size: int = VIEW_SIZE) -> FloatArray:
        """Return (n, 3) scan points that project to pixels (n, 2), in the plane of the centre."""
        step = self.extent / size
        flat = np.stack(
            [(xy[:, 0] - size / 2) * step, (size / 2 - xy[:, 1]) * step, np.zeros(len(xy))], axis=1
        )
        return self.centre + flat @ self.rotation


def render_geometry(
    vertices: FloatArray,
    faces: IndexArray,
    normals: FloatArray,
    view: View,
    *,
    size: int = VIEW_SIZE,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture of a surface and the triangle at each pixel.

    Parameters
    ----------
    vertices, normals : (V, 3) float64
    faces : (F, 3) int64

    Returns
    -------
    picture : (4, size, size) float32: the normal in camera axes, then depth in [-1, 1]; all 0
        where nothing is
    face_ids : (size, size) int32, -1 where nothing is
    """
    xy, height = view.project(vertices, size)
    face_ids = rasterize(xy, -height, faces, size, size, cull=True)
    picture = np.zeros((4, size, size), np.float32)
    covered = face_ids >= 0
    if not covered.any():
        return picture, face_ids
    weights = barycentrics(xy, faces, face_ids)
    corners = faces[face_ids[covered]]
    turned = np.einsum("nk,nkc->nc", weights, normals[corners]) @ view.rotation.T
    turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)
    depth = np.einsum("nk,nk->n", weights, height[corners])
    picture[:3, covered] = turned.T
    picture[3, covered] = np.clip(depth / (DEPTH_RANGE * view.extent), -1.0, 1.0)
    return picture, face_ids
