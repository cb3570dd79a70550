"""The procedural albedo as a texture image."""

import numpy as np
from scipy.ndimage import distance_transform_edt

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.errors import MeshError, SettingsError
from geomface.faces.albedo import AlbedoModel, landmark_places, template_of
from geomface.faces.albedo_fields import skin_fields
from geomface.mesh import Template
from geomface.statistics import MorphableModel

SIZES = (8, 8192)


class AlbedoTexture:
    """Paints albedo textures of one template: places of the texels once, then a code each.

    Parameters
    ----------
    source : a face model or template whose mesh has uv (unwrap it first) and the 68 landmarks
    size : edge of the square image, texels

    Raises
    ------
    MeshError : the mesh has no uv.
    SettingsError : a size out of range.
    LandmarkError : the template has no multi-pie-68 landmarks.

    Convention
    ----------
    Row 0 is the top, texel centres at (i + 0.5) / size. Texels outside the chart take the colour
    of the nearest one inside, so that filtering at the rim does not mix in a background.
    """

    def __init__(self, source: MorphableModel | Template, size: int) -> None:
        template = template_of(source, "albedo texture")
        if not SIZES[0] <= size <= SIZES[1]:
            raise SettingsError(
                f"albedo texture: expected a size of {SIZES[0]} to {SIZES[1]}, got {size}."
            )
        places, covered = _texel_places(template, size)
        self._model = AlbedoModel(skin_fields(places, landmark_places(template)))
        self._covered = covered
        nearest = distance_transform_edt(~covered, return_distances=False, return_indices=True)
        self._nearest = np.asarray(nearest)

    @property
    def covered(self) -> BoolArray:
        """(H, W) True where a texel lies on the chart."""
        return self._covered

    def image(self, code: FloatArray) -> ImageArray:
        """Return the (size, size, 3) float32 sRGB texture of one code."""
        image = np.zeros((*self._covered.shape, 3), np.float32)
        image[self._covered] = self._model.colors(code)
        rows, columns = self._nearest
        return image[rows, columns]


def albedo_texture(
    source: MorphableModel | Template, code: FloatArray, size: int = 512
) -> ImageArray:
    """Return the (size, size, 3) float32 sRGB texture of one code; see `AlbedoTexture`."""
    return AlbedoTexture(source, size).image(code)


def _texel_places(template: Template, size: int) -> tuple[FloatArray, BoolArray]:
    """Return the (n, 3) surface points of the covered texels in row order, and their mask."""
    from geomface.rendering.rasterize import barycentrics, rasterize

    mesh = template.mesh
    if mesh.uv is None or mesh.uv_faces is None:
        raise MeshError(
            f"{mesh.name}: a texture needs a mesh with uv, this one has none. Unwrap it first "
            "(geomface.unwrap, or `geomface unwrap`)."
        )
    xy = np.stack([mesh.uv[:, 0] * size, (1.0 - mesh.uv[:, 1]) * size], axis=1)
    ids = rasterize(xy, None, mesh.uv_faces, size, size)
    covered = ids >= 0
    weights = barycentrics(xy, mesh.uv_faces, ids)
    corners = mesh.vertices[mesh.faces[ids[covered]]]
    return np.einsum("nk,nkc->nc", weights, corners), covered
