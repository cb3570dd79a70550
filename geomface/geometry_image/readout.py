"""The bilinear read-out of geometry images, and of any image on a uv map."""

import numpy as np

from geomface.arrays import FloatArray, require_shape
from geomface.errors import MeshError
from geomface.geometry_image.encode import reference_vertices
from geomface.geometry_image.image import GeometryImage
from geomface.geometry_image.sampling import vertex_uv
from geomface.mesh.mesh import Mesh, require_same_topology


def read_bilinear(image: np.ndarray, uv: FloatArray) -> np.ndarray:
    """Read an image at uv, bilinear between texel centres and constant beyond the outermost.

    Parameters
    ----------
    image : (..., H, W, C); fill the gutter first (`dilate`), or the rims mix with the background
    uv : (n, 2) float64 in [0, 1], origin bottom-left

    Returns
    -------
    (..., n, C) float64

    Convention
    ----------
    Texel centres at u = (column + 0.5) / W, v = 1 - (row + 0.5) / H, which is `grid_sample` with
    align_corners=False and border padding.
    """
    image = np.asarray(image)
    uv = require_shape(uv, (None, 2), "read_bilinear: uv")
    if image.ndim < 3:
        raise MeshError(f"read_bilinear: expected an image (..., H, W, C), got {image.shape}.")
    height, width = image.shape[-3:-1]
    x = np.clip(uv[:, 0] * width - 0.5, 0, width - 1)
    y = np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    s, t = (x - left)[:, None], (y - top)[:, None]
    upper = image[..., top, left, :] * (1 - s) + image[..., top, right, :] * s
    lower = image[..., below, left, :] * (1 - s) + image[..., below, right, :] * s
    return upper * (1 - t) + lower * t


def read_vertices(
    image: GeometryImage, mesh: Mesh, reference: FloatArray | None = None
) -> FloatArray:
    """Return the vertices (..., V, 3) by reading the image at each vertex's uv.

    The plain alternative to `GeometryImageDecoder`: no solve, but detail finer than a texel is
    lost, and so are vertices on the rims.
    """
    require_same_topology(
        image.topology_id, mesh, {"first": "the geometry image", "second": mesh.name}
    )
    values = read_bilinear(image.values, np.nan_to_num(vertex_uv(mesh), nan=0.5))
    if image.mode == "displacement":
        values = values + reference_vertices(mesh, reference)
    return values
