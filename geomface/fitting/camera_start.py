"""Where a camera starts: from points of a face and their pixels, in closed form."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.mesh.rotation import rotation_matrix
from geomface.rendering.camera import Perspective, WeakPerspective

_FLIP = np.array([1.0, -1.0])


def weak_perspective_from_points(
    points: FloatArray, pixels: FloatArray, weights: FloatArray, centre: FloatArray
) -> WeakPerspective:
    """Return the weak perspective nearest to the best affine camera.

    min over A, b of sum_i w_i |A x_i + b - y_i|^2, then the rotation and scale nearest to A.

    Parameters
    ----------
    points : (n, 3) float64, n >= 4, not in one plane
    pixels : (n, 2) float64
    weights : (n,) float64
    centre : (3,) float64

    Source
    ------
    Affine camera in closed form (gold standard algorithm: Hartley and Zisserman 2004, 14.2).
    """
    share = weights / weights.sum()
    middle, image_middle = share @ points, share @ pixels
    root = np.sqrt(share)[:, None]
    flipped = (pixels - image_middle) * _FLIP
    affine = np.linalg.lstsq(root * (points - middle), root * flipped, rcond=None)[0].T
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    two = left @ right
    rotation = np.vstack([two, np.cross(two[0], two[1])])
    scale = float(sizes.mean())
    shift = image_middle + scale * (rotation[:2] @ (centre - middle)) * _FLIP
    return WeakPerspective(rotation, scale, shift, centre)


def perspective_from_weak(camera: WeakPerspective, focal: float, middle: FloatArray) -> Perspective:
    """Return the pinhole that shows the centre where a weak perspective does, at its scale."""
    depth = focal / camera.scale
    beside = (camera.shift - middle) * _FLIP * depth / focal
    # Seen from the side of the optical axis, a face shows itself turned by that angle.
    around = np.array([np.arctan2(beside[1], depth), -np.arctan2(beside[0], depth), 0.0])
    rotation = rotation_matrix(around) @ camera.rotation
    return Perspective(rotation, np.array([*beside, -depth]), focal, middle, camera.centre)
