"""Any mesh as the viewer wants it: one uv a vertex and a texture, whatever the mesh has."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.geometry_image.readout import read_bilinear
from geomface.mesh import Mesh, require_same_topology
from geomface.rendering.picture import GREY
from geomface.report.images import resize

LARGEST_TEXTURE = 1024
"""Textures are shrunk to this many pixels on their longer side."""
PLANE_PIXELS = 64
"""Side of the picture that holds the colours of vertices."""


@dataclasses.dataclass(frozen=True, eq=False)
class FlatMesh:
    """A mesh with one uv a vertex, and the textures of its shapes.

    Parameters
    ----------
    mesh : vertices on a seam of the uv are there once a side
    source : (W,) int64, the vertex of the given mesh that each vertex comes from
    textures : one a shape
    has_map : the uv is that of the mesh, not a palette
    """

    mesh: Mesh
    source: IndexArray
    textures: tuple[ImageArray, ...]
    has_map: bool

    def place_of(self, vertices: IndexArray) -> IndexArray:
        """Return where vertices of the given mesh are now, (n,) int64."""
        place = np.zeros(int(self.source.max(initial=0)) + 1, np.int64)
        place[self.source[::-1]] = np.arange(len(self.source))[::-1]
        return place[np.asarray(vertices, np.int64)]


def one_uv_a_vertex(shapes: Sequence[Mesh]) -> FlatMesh:
    """Return shapes of one topology with one uv a vertex and a texture each.

    With textures the uv is the mesh's own; with colours at vertices, or nothing, see `color_plane`.

    Parameters
    ----------
    shapes : at least one; the first one's uv counts for all

    Raises
    ------
    TopologyMismatchError : shapes of different topologies.
    """
    first = shapes[0]
    for shape in shapes[1:]:
        require_same_topology(first, shape)
    images = [shape.texture for shape in shapes if shape.texture is not None]
    colored = any(shape.colors is not None for shape in shapes)
    everywhere = np.arange(len(first.vertices))
    if first.uv is None or first.uv_faces is None or (colored and len(images) < len(shapes)):
        uv, textures = color_plane([_colors(shape) for shape in shapes])
        mesh = Mesh(first.vertices, first.faces, uv=uv, uv_faces=first.faces, name=first.name)
        return FlatMesh(mesh, everywhere, textures, False)
    pairs = np.stack([first.faces.ravel(), first.uv_faces.ravel()], axis=1)
    unique, corner = np.unique(pairs, axis=0, return_inverse=True)
    faces, source = corner.reshape(-1, 3), unique[:, 0]
    mesh = Mesh(
        first.vertices[source], faces, uv=first.uv[unique[:, 1]], uv_faces=faces, name=first.name
    )
    grey = np.broadcast_to(np.array(GREY, np.float32), (8, 8, 3))
    textures = tuple(grey if s.texture is None else _shrunk(s.texture) for s in shapes)
    return FlatMesh(mesh, source, textures, True)


def color_plane(
    colors: Sequence[np.ndarray],
) -> tuple[FloatArray, tuple[ImageArray, ...]]:
    """Return a uv (V, 2) and one small picture a shape that show the colours of vertices.

    The uv of a vertex is the place of its colours in the plane of their two first principal
    components, over all shapes together; a shape's picture is the affine function of this place
    that comes nearest to its colours. Between vertices colours are interpolated, as they should be.

    Parameters
    ----------
    colors : (V, 3) in [0, 1] of each shape

    Convention
    ----------
    What does not lie in the plane is lost: on skin of one face 0.02 at most, on `heat_colors` 0.07.
    """
    stack = np.concatenate([np.asarray(color, np.float64) for color in colors], axis=1)
    centred = stack - stack.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    scores = np.zeros((len(stack), 2))
    rank = min(2, len(values))
    scores[:, :rank] = left[:, :rank] * values[:rank]
    low, span = scores.min(axis=0), np.ptp(scores, axis=0)
    place = (scores - low) / np.where(span > 1e-6, span, 1.0)
    design = np.column_stack([np.ones(len(place)), place])
    steps = np.arange(PLANE_PIXELS) / (PLANE_PIXELS - 1)
    across, up = np.meshgrid(steps, 1 - steps)
    grid = np.stack([np.ones_like(across), across, up], axis=-1)
    textures = tuple(
        np.clip(grid @ np.linalg.lstsq(design, color, rcond=None)[0], 0, 1).astype(np.float32)
        for color in np.split(stack, len(colors), axis=1)
    )
    # Places 0 and 1 are the centres of the outer texels.
    return (0.5 + place * (PLANE_PIXELS - 1)) / PLANE_PIXELS, textures


def _colors(shape: Mesh) -> np.ndarray:
    if shape.colors is not None:
        return shape.colors
    return np.tile(np.array(GREY, np.float32), (len(shape.vertices), 1))


def _shrunk(texture: ImageArray) -> ImageArray:
    height, width = texture.shape[:2]
    factor = LARGEST_TEXTURE / max(height, width)
    if factor >= 1:
        return texture
    return resize(texture, max(round(height * factor), 1), max(round(width * factor), 1))


def vertex_colors_from(mesh: Mesh, texture: ImageArray) -> ImageArray:
    """Return the colour (V, 3) of a texture at each vertex; needs one uv a vertex.

    Convention
    ----------
    uv origin bottom-left, row 0 at the top; bilinear between texel centres.
    """
    uv = mesh.uv if mesh.uv is not None else np.zeros((len(mesh.vertices), 2))
    return read_bilinear(texture, uv).astype(np.float32)
