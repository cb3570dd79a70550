"""Pictures of a mesh's normals, thousands a second: the raster is that of the mean face."""

import dataclasses

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, IndexArray, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.mesh import Mesh
from geomface.rendering.rasterize import barycentrics, rasterize

_MARGIN = 0.04
_SMALLEST = 8


@dataclasses.dataclass(frozen=True, eq=False)
class NormalRaster:
    """Which surface point each pixel shows, and how fast it moves from pixel to pixel.

    n_p = (G_x v x G_y v) / |...|, G_x and G_y the differences of surface points between the pixels
    left and right, below and above, of the mean face as it is seen from the front

    Parameters
    ----------
    size : pixels a side
    pixels : (n,) int64, flat indices of the pixels that the mean face covers
    rows : (m,) int64, the vertices that they show
    across, up : (n, m) sparse, G_x and G_y on those vertices

    Convention
    ----------
    An orthographic normal map but for one thing: a pixel shows the same point of every mesh, so
    that outlines stay where the mean face has them. 30 times as fast as drawing each mesh.
    """

    size: int
    pixels: IndexArray
    rows: IndexArray
    across: sparse.csr_array
    up: sparse.csr_array

    def pictures(self, vertices: np.ndarray) -> np.ndarray:
        """Return (N, 3, S, S) float32 unit normals, 0 outside, of the `rows` (N, m, 3) of meshes.

        Raises
        ------
        MeshError : another number of vertices
        """
        vertices = require_shape(vertices, (None, len(self.rows), 3), "normal pictures: vertices")
        flat = np.moveaxis(np.asarray(vertices, np.float32), 0, 1).reshape(len(self.rows), -1)
        across, up = (
            np.asarray(matrix @ flat).reshape(len(self.pixels), -1, 3)
            for matrix in (self.across, self.up)
        )
        normals = np.cross(across, up)
        lengths = np.linalg.norm(normals, axis=2, keepdims=True)
        normals /= np.maximum(lengths, 1e-12)
        found = np.zeros((len(vertices), 3, self.size**2), np.float32)
        found[:, :, self.pixels] = normals.transpose(1, 2, 0)
        return found.reshape(-1, 3, self.size, self.size)


def make_raster(mean: Mesh, size: int) -> NormalRaster:
    """Return the raster of a face seen from the front, as large as fits.

    Parameters
    ----------
    mean : the mean face: x to the subject's left, y up, z to the viewer
    size : pixels a side

    Raises
    ------
    SettingsError : fewer than 8 pixels a side
    MeshError : nothing to be seen
    """
    if size < _SMALLEST:
        raise SettingsError(f"normal pictures: expected {_SMALLEST} pixels a side, got {size}.")
    place = mean.vertices
    low, high = place[:, :2].min(axis=0), place[:, :2].max(axis=0)
    scale = size * (1.0 - 2.0 * _MARGIN) / max(float((high - low).max()), 1e-12)
    centred = scale * (place[:, :2] - 0.5 * (low + high))
    xy = np.stack([0.5 * size + centred[:, 0], 0.5 * size - centred[:, 1]], axis=1)
    ids = rasterize(xy, -place[:, 2], mean.faces, size, size)
    pixels = np.flatnonzero(ids >= 0)
    if not len(pixels):
        raise MeshError(f"{mean.name}: no pixel of {size} x {size} shows it from the front.")
    corners = mean.faces[ids.ravel()[pixels]]
    weights = barycentrics(xy, mean.faces, ids)
    rows, index = np.unique(corners, return_inverse=True)
    starts = np.arange(0, corners.size + 1, 3)
    points = sparse.csr_array(
        (weights.ravel(), index.ravel(), starts), shape=(len(pixels), len(rows))
    )
    order = np.full(size * size, -1)
    order[pixels] = np.arange(len(pixels))
    grid = order.reshape(size, size)
    across = _differences(grid, pixels, 1) @ points
    up = _differences(grid[::-1], (size - 1 - pixels // size) * size + pixels % size, 0) @ points
    sides = [sparse.csr_array(side, dtype=np.float32) for side in (across, up)]
    return NormalRaster(size, pixels, rows, *sides)


def _differences(grid: IndexArray, pixels: IndexArray, axis: int) -> sparse.csr_array:
    """Return (n, n): the next pixel along an axis minus the one before, where the face has them."""
    count, size = len(pixels), grid.shape[0]
    padded = np.pad(grid, 1, constant_values=-1)
    row, column = pixels // size + 1, pixels % size + 1
    step = np.array([1, 0]) if axis == 0 else np.array([0, 1])
    own = np.asarray(padded[row, column])
    matrix = sparse.csr_array((count, count))
    for sign in (1, -1):
        beside = padded[row + sign * step[0], column + sign * step[1]]
        beside = np.where(beside >= 0, beside, own)
        ones = np.full(count, float(sign))
        matrix = matrix + sparse.csr_array((ones, (own, beside)), shape=(count, count))
    return sparse.csr_array(matrix)


def normals_of(raster: NormalRaster, meshes: np.ndarray, block: int = 512) -> FloatArray:
    """Return the pictures (N, 3, S, S) of whole meshes (N, V, 3), a block at a time."""
    parts = [
        raster.pictures(meshes[start : start + block][:, raster.rows])
        for start in range(0, len(meshes), block)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 3, raster.size, raster.size))
