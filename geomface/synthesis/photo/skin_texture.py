"""The skin of a photograph as a texture of one's own, finer than the vertices of the face."""

import dataclasses
import functools
import hashlib
from typing import Any

import numba
import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.albedo_texture import AlbedoTexture
from geomface.files.color import srgb_to_linear
from geomface.geometry_image.sampling import vertex_uv
from geomface.mesh import Template
from geomface.parametrization import unwrap

SMALLEST, LARGEST = 128, 1024
LINEAR = srgb_to_linear(np.arange(256) / 255.0).astype(np.float32)
"""Linear light of a byte of sRGB."""


@dataclasses.dataclass(frozen=True, eq=False)
class SkinPainter:
    """Paints the skins of a template.

    Parameters
    ----------
    texture : its painter
    places : (V, 2) float32 uv of the vertices
    """

    texture: AlbedoTexture
    places: np.ndarray

    def image(self, code: FloatArray) -> np.ndarray:
        """Return the (size, size, 3) uint8 sRGB texture of an albedo code."""
        return np.round(255.0 * self.texture.image(code)).astype(np.uint8)


def skin_painter(template: Template, picture_size: int) -> SkinPainter:
    """Return the painter for pictures of so many pixels a side, the same one for equal templates.

    A template without one uv a vertex is unwrapped.

    Raises
    ------
    MeshError, ParametrizationError : a template that cannot be unwrapped.
    """
    size = SMALLEST
    while size < min(picture_size, LARGEST):
        size *= 2
    digest = hashlib.sha256(template.mesh.topology_id.encode())
    digest.update(np.ascontiguousarray(template.mesh.vertices).tobytes())
    return _painter(_Wanted(digest.hexdigest(), size, template))


@dataclasses.dataclass(frozen=True)
class _Wanted:
    digest: str
    size: int
    template: Template = dataclasses.field(compare=False)


@functools.lru_cache(maxsize=4)
def _painter(wanted: _Wanted) -> SkinPainter:
    template = wanted.template
    if template.mesh.uv is None or not _one_a_vertex(template):
        template = dataclasses.replace(template, mesh=unwrap(template).mesh)
    places = vertex_uv(template.mesh)
    return SkinPainter(AlbedoTexture(template, wanted.size), places.astype(np.float32))


def _one_a_vertex(template: Template) -> bool:
    """Say whether a mesh has no seams: every vertex has one place in the texture."""
    mesh = template.mesh
    if mesh.uv is None or mesh.uv_faces is None:
        return False
    pairs = np.unique(np.stack([mesh.faces.ravel(), mesh.uv_faces.ravel()], axis=1), axis=0)
    return len(pairs) == len(np.unique(mesh.faces))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def read_skin(texels: Any, curve: Any, u: Any, v: Any, rgb: Any) -> None:
    """Write the linear colour of a texture (S, S, 3) uint8 at uv, bilinear; `curve` is LINEAR."""
    size = len(texels)
    side = np.float32(size)
    x = min(max(u * side - np.float32(0.5), np.float32(0.0)), side - np.float32(1.0))
    y = (np.float32(1.0) - v) * side - np.float32(0.5)
    y = min(max(y, np.float32(0.0)), side - np.float32(1.0))
    column, row = min(int(x), size - 2), min(int(y), size - 2)
    s, t = x - np.float32(column), y - np.float32(row)
    for c in range(3):
        a, b = curve[texels[row, column, c]], curve[texels[row, column + 1, c]]
        d, e = curve[texels[row + 1, column, c]], curve[texels[row + 1, column + 1, c]]
        upper, lower = a + s * (b - a), d + s * (e - d)
        rgb[c] = upper + t * (lower - upper)
