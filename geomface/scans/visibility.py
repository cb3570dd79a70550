"""What a scanner's pods see of a surface."""

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.normals import vertex_normals
from geomface.rendering.rasterize import rasterize


def pod_directions(yaw: FloatArray, pitch: FloatArray) -> FloatArray:
    """Return (P, 3) unit vectors from the head to pods at these angles, degrees.

    Convention
    ----------
    Yaw 0, pitch 0 is straight in front (+z); yaw > 0 is on the subject's left (+x), pitch > 0
    above (+y).
    """
    yaw, pitch = np.radians(yaw), np.radians(pitch)
    return np.stack(
        [np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=1
    )


def pod_view(
    vertices: FloatArray,
    faces: IndexArray,
    direction: FloatArray,
    *,
    pixel: float = 0.6,
    tolerance: float = 0.8,
) -> tuple[BoolArray, BoolArray]:
    """Return which vertices nothing hides from a pod, and which triangles own a pixel of its image.

    A vertex is hidden when the plane of the triangle seen at its pixel lies nearer to the pod by
    more than `tolerance`, measured at the vertex. Both sides of a surface hide what is behind.

    Parameters
    ----------
    direction : (3,) unit vector from the surface to the pod (parallel projection)
    pixel : size of a pixel, unit of `vertices`
    tolerance : unit of `vertices`

    Returns
    -------
    (V,) bool and (F,) bool
    """
    right = np.cross([0.0, 1.0, 0.0], direction)
    right /= np.linalg.norm(right)
    up = np.cross(direction, right)
    xy = np.stack([vertices @ right, -(vertices @ up)], axis=1) / pixel
    xy -= xy.min(axis=0) - 1
    depth = -(vertices @ direction)
    width, height = (int(size) + 2 for size in xy.max(axis=0))
    ids = rasterize(xy, depth, faces, height, width)
    owns = np.zeros(len(faces), bool)
    owns[ids[ids >= 0]] = True
    front = ids[xy[:, 1].astype(np.int64), xy[:, 0].astype(np.int64)]
    visible = np.ones(len(vertices), bool)
    tested = np.flatnonzero(front >= 0)
    corners = faces[front[tested]]
    origin = xy[corners[:, 0]]
    first, second = xy[corners[:, 1]] - origin, xy[corners[:, 2]] - origin
    offset = xy[tested] - origin
    area = _cross(first, second)
    one, two = _cross(offset, second) / area, _cross(first, offset) / area
    a, b, c = depth[corners].T
    plane = a + one * (b - a) + two * (c - a)
    visible[tested] = depth[tested] <= plane + tolerance
    return visible, owns


def _cross(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the third component of the cross product of plane vectors."""
    product = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return np.where(product == 0, np.finfo(np.float64).tiny, product)


def seen_vertices(vertices: FloatArray, faces: IndexArray, directions: FloatArray) -> FloatArray:
    """Return, for every vertex, the best cosine of incidence under which any pod sees it.

    Parameters
    ----------
    directions : (P, 3) unit vectors from the surface to the pods

    Returns
    -------
    (V,) float64 in [0, 1], 0 where no pod sees anything
    """
    normals = vertex_normals(vertices, faces)
    best = np.zeros(len(vertices))
    for direction in directions:
        visible, _ = pod_view(vertices, faces, direction)
        np.maximum(best, np.where(visible, normals @ direction, 0.0), out=best)
    return np.minimum(best, 1.0)


def front_faces(vertices: FloatArray, faces: IndexArray, directions: FloatArray) -> BoolArray:
    """Return the triangles of which any pod may see something: no other one hides anything.

    Parameters
    ----------
    directions : (P, 3) unit vectors from the surface to the pods
    """
    front = np.zeros(len(faces), bool)
    for direction in directions:
        visible, owns = pod_view(vertices, faces, direction)
        front |= owns | visible[faces].any(axis=1)
    return front
