"""Which surface point every texel shows: barycentric rows, validity mask, gutter."""

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geomface.arrays import BoolArray, FloatArray, IndexArray, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.mesh.mesh import Mesh
from geomface.rendering.rasterize import barycentrics, rasterize

if TYPE_CHECKING:
    from scipy import sparse

LARGEST_SIZE = 8192


@dataclasses.dataclass(frozen=True, eq=False)
class TexelSampling:
    """The surface points at the centres of the texels that the uv map covers.

    Parameters
    ----------
    mask : (H, W) bool, True where a texel centre lies on the surface
    faces : (n,) int64, the triangle at each covered texel, row-major
    corners : (n, 3) int64, its vertices
    weights : (n, 3) float64, barycentric weights, rows sum to 1
    vertex_count : V
    """

    mask: BoolArray
    faces: IndexArray
    corners: IndexArray
    weights: FloatArray
    vertex_count: int

    @cached_property
    def matrix(self) -> "sparse.csr_array":
        """S, (n, V): texel values are S @ vertex values."""
        from scipy import sparse

        rows = np.arange(0, self.corners.size + 1, 3)
        return sparse.csr_array(
            (self.weights.ravel(), self.corners.ravel(), rows),
            shape=(len(self.corners), self.vertex_count),
        )

    @cached_property
    def texels(self) -> IndexArray:
        """(n,) flat indices of the covered texels."""
        return np.flatnonzero(self.mask)


def sample_texels(mesh: Mesh, size: int) -> TexelSampling:
    """Find the triangle and the barycentric weights at every texel centre.

    The uv triangles are rasterized with the top-left rule, so each texel centre belongs to exactly
    one triangle, also where it lies on an edge or a vertex. The weights solve
    sum_k w_k uv_k = centre in float64 on the uv as given; only the choice of triangle works on uv
    rounded to 2^-28 of the square's side.

    Parameters
    ----------
    mesh : a mesh with uv in [0, 1]
    size : texels along each side of the image

    Raises
    ------
    MeshError : no uv, uv outside the unit square, or no texel centre on the surface.
    SettingsError : size out of range.

    Convention
    ----------
    uv origin bottom-left, row 0 at the top: the centre of texel (row, column) is
    u = (column + 0.5) / size, v = 1 - (row + 0.5) / size. Where a folded map covers a texel twice,
    the lower face id wins.
    """
    if not 2 <= size <= LARGEST_SIZE:
        raise SettingsError(
            f"{mesh.name}: expected a geometry image of 2 to {LARGEST_SIZE} texels a side, "
            f"got {size}."
        )
    uv, uv_faces = require_uv(mesh)
    xy = np.stack([uv[:, 0] * size, (1.0 - uv[:, 1]) * size], axis=1)
    bits = min(24, 28 - int(np.ceil(np.log2(size))))
    face_ids = rasterize(xy, None, uv_faces, size, size, subpixel_bits=bits)
    mask = face_ids >= 0
    if not mask.any():
        raise MeshError(
            f"{mesh.name}: no texel centre of a {size} x {size} image lies on the surface. Use a "
            "larger image, or a uv map that fills the square."
        )
    faces = face_ids[mask].astype(np.int64)
    weights = _at_home(barycentrics(xy, uv_faces, face_ids))
    return TexelSampling(mask, faces, mesh.faces[faces], weights, len(mesh.vertices))


def _at_home(weights: FloatArray) -> FloatArray:
    """Pull weights back into a sliver that rounding missed by a hair.

    A slightly negative weight still gives a point within the rounding of the triangle, so those
    stay exact; only slivers hardly thicker than the rounding, whose weights mean little, are
    clamped.
    """
    lost = (weights < -0.01).any(axis=1)
    if lost.any():
        weights = weights.copy()
        clamped = np.maximum(weights[lost], 0.0)
        weights[lost] = clamped / clamped.sum(axis=1, keepdims=True)
    return weights


def require_uv(mesh: Mesh) -> tuple[FloatArray, IndexArray]:
    """Return uv and uv_faces, or raise `MeshError` when there are none or they leave [0, 1]."""
    if mesh.uv is None or mesh.uv_faces is None:
        raise MeshError(
            f"{mesh.name}: expected a mesh with uv coordinates, this one has none. Unwrap the "
            "template first."
        )
    if mesh.uv.min() < -1e-6 or mesh.uv.max() > 1 + 1e-6:
        raise MeshError(
            f"{mesh.name}: expected uv in [0, 1], got {mesh.uv.min():.4g} to {mesh.uv.max():.4g}. "
            "Unwrap the template to the unit square."
        )
    return mesh.uv, mesh.uv_faces


def vertex_uv(mesh: Mesh) -> FloatArray:
    """Return one uv per vertex, (V, 2); on a seam that of the last face, NaN for unused ones."""
    uv, uv_faces = require_uv(mesh)
    result = np.full((len(mesh.vertices), 2), np.nan)
    result[mesh.faces.ravel()] = uv[uv_faces.ravel()]
    return result


def nearest_valid(mask: BoolArray, steps: int | None = None) -> tuple[IndexArray, IndexArray]:
    """Return which texels the gutter fills and where each takes its value, flat indices.

    Parameters
    ----------
    mask : (H, W) bool
    steps : fill only texels within this Euclidean distance in texels; None fills all
    """
    from scipy.ndimage import distance_transform_edt

    mask = require_shape(mask, (None, None), "gutter: mask", MeshError).astype(bool)
    if not mask.any():
        raise MeshError("gutter: expected at least one valid texel, the mask has none.")
    if steps is not None and steps < 0:
        raise SettingsError(f"gutter: expected a number of steps of 0 or more, got {steps}.")
    distances, (rows, columns) = distance_transform_edt(~mask, return_indices=True)  # type: ignore[misc]
    empty = ~mask if steps is None else ~mask & (distances <= steps)
    sources = rows[empty].astype(np.int64) * mask.shape[1] + columns[empty]
    return np.flatnonzero(empty), sources


def dilate(image: np.ndarray, mask: BoolArray, steps: int | None = None) -> np.ndarray:
    """Fill the gutter: texels outside `mask` take the value of the nearest texel inside.

    Parameters
    ----------
    image : (..., H, W, C), any type
    mask : (H, W) bool, which texels hold values
    steps : width of the gutter in texels, None fills everything

    Returns
    -------
    A filled copy. Bilinear reads need a gutter of 2, mip level k one of 2^k.
    """
    image = np.asarray(image)
    if image.ndim < 3 or image.shape[-3:-1] != np.shape(mask):
        raise MeshError(
            f"gutter: expected an image of shape (..., {np.shape(mask)[0]}, {np.shape(mask)[-1]}, "
            f"channels) as the mask has, got {image.shape}."
        )
    empty, sources = nearest_valid(mask, steps)
    flat = image.reshape(*image.shape[:-3], -1, image.shape[-1]).copy()
    flat[..., empty, :] = flat[..., sources, :]
    return flat.reshape(image.shape)
