"""Which pixels see the face, and where on it."""

import dataclasses

import numpy as np
import torch
from scipy import ndimage

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.normals import face_cross_products
from geomface.rendering.camera import Camera
from geomface.rendering.visibility import BackendChoice

_LEAST_FACING = 0.15


@dataclasses.dataclass(frozen=True, eq=False)
class VisiblePixels:
    """Pixel centres and the points of the surface that they see.

    Parameters
    ----------
    centres : (S, 2) float64, pixels of the picture
    corners : (S, 3) int64, vertices of the triangle
    weights : (S, 3) float64, barycentric on the surface
    """

    centres: FloatArray
    corners: IndexArray
    weights: FloatArray

    def __len__(self) -> int:
        return len(self.centres)

    def mix(self, values: FloatArray) -> FloatArray:
        """Return (S, ...): values at vertices (V, ...) at the seen points."""
        first, second, third = (
            self.weights[:, k].reshape(-1, *[1] * (values.ndim - 1)) * values[self.corners[:, k]]
            for k in range(3)
        )
        return first + second + third


@dataclasses.dataclass(frozen=True, eq=False)
class Fragments:
    """What a grid of pixels sees.

    Parameters
    ----------
    ids : (height, width) int32, triangles, -1 for none
    usable : (n,) int64, places on the flattened grid that see the outside of the face well, and
        are not overexposed
    """

    ids: IndexArray
    usable: IndexArray

    def selection(self, most: int) -> IndexArray:
        """Return all usable places, or evenly `most` of them."""
        if len(self.usable) <= most:
            return self.usable
        # By place, so that most pixels stay chosen while the face moves; the golden ratio leaves
        # no pattern of rows and columns.
        turn = (self.usable * 0.6180339887498949) % 1.0
        return self.usable[turn < most / len(self.usable)]


def triangle_picture(
    backend: BackendChoice,
    vertices: FloatArray,
    faces: torch.Tensor,
    camera: Camera,
    size: tuple[int, int],
    pixel: float,
) -> IndexArray:
    """Return the triangle at each pixel centre, (height, width) int32, -1 for none.

    Parameters
    ----------
    size : (height, width) of the grid
    pixel : width of a grid pixel in pixels of the picture
    """
    flat = camera.project(vertices) / pixel
    xyz = np.column_stack([flat, camera.depth(vertices)])
    ids = backend.backend.face_ids(
        torch.from_numpy(xyz[None]), faces, *size, perspective=camera.perspective
    )
    return ids[0].numpy()


def usable_pixels(
    ids: IndexArray, vertices: FloatArray, faces: IndexArray, camera: Camera
) -> BoolArray:
    """Say which pixels see the outside of the face, not edge on and not beside its outline."""
    covered = ids >= 0
    inner = np.asarray(ndimage.binary_erosion(covered, np.ones((5, 5))), bool)
    seen = faces[ids[inner]]
    normals = face_cross_products(vertices, seen)
    to_eye = camera.towards_eye(vertices[seen].mean(axis=1))
    length = np.maximum(np.linalg.norm(normals, axis=1), 1e-12)
    usable = np.zeros(ids.shape, bool)
    usable[inner] = (normals * to_eye).sum(axis=1) > _LEAST_FACING * length
    return usable


def pixels_on_triangles(
    centres: FloatArray, corners: IndexArray, vertices: FloatArray, camera: Camera
) -> VisiblePixels:
    """Return where pixel centres meet the planes of given triangles.

    b_k ~ beta_k / z_k, beta the barycentrics in the picture and z the depth (1 for parallel rays).

    Parameters
    ----------
    centres : (S, 2) float64, pixels
    corners : (S, 3) int64
    """
    flat = camera.project(vertices)
    a, b, c = (flat[corners[:, k]] - centres for k in range(3))

    def area(p: FloatArray, q: FloatArray) -> FloatArray:
        return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]

    weights = np.stack([area(b, c), area(c, a), area(a, b)], axis=1)
    if camera.perspective:
        weights = weights / camera.depth(vertices)[corners]
    return VisiblePixels(centres, corners, weights / weights.sum(axis=1, keepdims=True))
