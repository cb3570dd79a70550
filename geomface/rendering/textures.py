"""Texture images in step with the pixels that read them."""

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.mesh.mesh import Mesh
from geomface.mesh.normals import face_areas


def shrink_texture(
    mesh: Mesh, texture: np.ndarray, vertices: FloatArray, pixels_per_unit: float
) -> ImageArray:
    """Halve a texture until a pixel covers about one texel, so that bilinear reads do not alias.

    Parameters
    ----------
    mesh : the surface with uv that carries the texture
    texture : (H, W, 3) float32
    vertices : (V, 3) float64, where its vertices are
    pixels_per_unit : pixels that will read one unit of length on the surface
    """
    if mesh.uv is None or mesh.uv_faces is None:
        return texture
    flat = np.concatenate([mesh.uv, np.zeros((len(mesh.uv), 1))], axis=1)
    uv_area = float(face_areas(flat, mesh.uv_faces).sum())
    pixels = float(face_areas(vertices, mesh.faces).sum()) * pixels_per_unit**2
    density = uv_area * texture.shape[0] * texture.shape[1] / max(pixels, 1e-300)
    while density > 4.0 and min(texture.shape[:2]) >= 4:
        height, width = texture.shape[0] // 2 * 2, texture.shape[1] // 2 * 2
        blocks = texture[:height, :width].reshape(height // 2, 2, width // 2, 2, 3)
        texture = blocks.mean(axis=(1, 3), dtype=np.float32)
        density /= 4.0
    return np.ascontiguousarray(texture, np.float32)
