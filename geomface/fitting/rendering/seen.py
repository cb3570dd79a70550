"""What of a fitted face its picture shows: not turned away, not hidden, nothing in front."""

from typing import cast

import numpy as np
from scipy import ndimage

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.fitting.rendering.pixels import pixels_on_triangles
from geomface.fitting.rendering.shading import VertexNormals
from geomface.rendering.camera import Camera

_BEHIND_MM = 3.0
_SKIN = 0.5
_SMALL_MM2, _PIECE = 250.0, 0.25
_FACING = (0.25, 0.5)
"""Cosines to the eye between which skin goes from not shown to shown."""


def painted_shares(
    shares: FloatArray, places: IndexArray, size: tuple[int, int], pixels_per_mm: float
) -> FloatArray:
    """Return (h, w) float32, how far each pixel shows the skin's own colour; 0 beyond the places.

    What lies in front of a face reaches in from outside it, as hair and hands do: a patch that is
    unlike the model but has the face all around it, or is smaller than 250 mm^2, is a mark on the
    skin, and counts. Pieces of skin below a quarter of the largest, cut off by what is in front, do
    not.

    Parameters
    ----------
    shares : (S,) in [0, 1], from `skin_shares`
    places : (S,) int64 on the flattened grid
    size : (height, width) of the grid
    pixels_per_mm : of the grid
    """
    share = np.zeros(size[0] * size[1], np.float32)
    share[places] = shares
    share = share.reshape(size)
    known = np.zeros(size[0] * size[1], bool)
    known[places] = True
    known = known.reshape(size)
    # Nostrils, eyes and mouth are no way in.
    inside = np.asarray(ndimage.binary_fill_holes(known), bool)
    found = ndimage.label(inside & (share < _SKIN), np.ones((3, 3)))
    patches, count = cast(tuple[np.ndarray, int], found)
    rim = inside & ~np.asarray(ndimage.binary_erosion(inside, np.ones((3, 3))), bool)
    area = np.bincount(patches.ravel(), minlength=count + 1)
    contact = np.bincount(patches[rim], minlength=count + 1)
    mark = (contact == 0) | (area < _SMALL_MM2 * pixels_per_mm**2)
    mark[0] = False
    share = np.where(known & mark[patches], np.float32(1.0), share)
    # What shows between strands of hair is not the face: it is cut off from it.
    found = ndimage.label(share >= _SKIN, np.ones((3, 3)))
    pieces, count = cast(tuple[np.ndarray, int], found)
    area = np.bincount(pieces.ravel(), minlength=count + 1)
    area[0] = 0
    area[0] = area.max()  # what lies below is left as it is
    return np.where((area < _PIECE * area.max())[pieces], np.float32(0.0), share)


def seen_vertices(
    shares: FloatArray,
    vertices: FloatArray,
    faces: IndexArray,
    camera: Camera,
    ids: IndexArray,
    pixel: float,
) -> FloatArray:
    """Return (V,) float32 in [0, 1], how far a picture shows the skin of each vertex.

    Parameters
    ----------
    shares : (h, w) from `painted_shares`
    ids, pixel : see `not_hidden`
    """
    normals = VertexNormals(vertices, faces).normals
    facing = (normals * camera.towards_eye(vertices)).sum(axis=1)
    low, high = _FACING
    seen = np.clip((facing - low) / (high - low), 0.0, 1.0)
    flat = camera.project(vertices)
    places = np.stack([flat[:, 1], flat[:, 0]]) / pixel - 0.5
    seen *= ndimage.map_coordinates(shares, places, order=1, mode="constant")
    return (seen * not_hidden(vertices, camera, ids, pixel, vertices, faces)).astype(np.float32)


def not_hidden(
    points: FloatArray,
    camera: Camera,
    ids: IndexArray,
    pixel: float,
    vertices: FloatArray,
    faces: IndexArray,
) -> BoolArray:
    """Return (n,) whether the surface that a point's pixel sees is not in front of the point.

    Parameters
    ----------
    points : (n, 3) float64, on the surface
    ids : (h, w) triangles that pixels see, -1 for none
    pixel : width of a pixel of `ids` in pixels of the picture
    vertices, faces : of the surface
    """
    flat = camera.project(points)
    column, row = np.floor(flat / pixel).astype(np.int64).T
    inside = (row >= 0) & (row < ids.shape[0]) & (column >= 0) & (column < ids.shape[1])
    triangle = np.full(len(points), -1)
    triangle[inside] = ids[row[inside], column[inside]]
    found = np.flatnonzero(triangle >= 0)
    hit = pixels_on_triangles(flat[found], faces[triangle[found]], vertices, camera)
    gap = camera.depth(points[found]) - camera.depth(hit.mix(vertices))
    seen = np.zeros(len(points), bool)
    seen[found] = gap < _BEHIND_MM
    return seen
