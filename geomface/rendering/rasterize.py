"""Which triangle is seen at each pixel: integer face ids, exact up to the stated snapping."""

from typing import Any

import numba
import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_indices, require_shape
from geomface.errors import MeshError

LARGEST_COORDINATE = 2**29
"""Fixed-point coordinates stay below this, so that an edge function fits 64 bits."""


def rasterize(
    xy: FloatArray,
    depth: FloatArray | None,
    faces: IndexArray,
    height: int,
    width: int,
    *,
    cull: bool = False,
    subpixel_bits: int = 8,
) -> np.ndarray:
    """Return the id of the nearest triangle at every pixel centre, -1 for background.

    A pixel centre p belongs to a triangle when all three edge functions
    E_ab(p) = (b - a) x (p - a) are positive, or zero on a top or left edge. They are computed in
    64-bit integers on vertices rounded to 1 / 2^subpixel_bits pixel, so triangles that share an
    edge never both own a pixel and never leave one out.

    Parameters
    ----------
    xy : (V, 2) float64, pixels
    depth : (V,) float64, smaller is nearer, interpolated linearly over the picture (for a
        perspective camera give -1 / z, which is linear there); None when nothing overlaps
    faces : (F, 3) int64
    height, width : size of the picture
    cull : leave out triangles that face away (clockwise on the picture as one looks at it)
    subpixel_bits : vertices are rounded to 1 / 2^subpixel_bits pixel, 1 to 24

    Returns
    -------
    (height, width) int32 face ids

    Raises
    ------
    MeshError : wrong shapes, indices out of range, a size or a precision out of range.

    Convention
    ----------
    x to the right, y down, the centre of pixel (row, column) at (column + 0.5, row + 0.5). At
    equal depth the lower face id wins. Both sides of a triangle are drawn unless `cull`. A
    triangle with a NaN or infinite corner (behind the camera, say), with a corner farther than
    2^29 / 2^subpixel_bits pixels from the origin, or without area after rounding, is not drawn.

    Source
    ------
    Pineda 1988, "A parallel algorithm for polygon rasterization", with the usual top-left rule.
    """
    xy = require_shape(xy, (None, 2), "rasterize: xy")
    faces = require_shape(faces, (None, 3), "rasterize: faces")
    require_indices(faces, len(xy), "rasterize: faces")
    if depth is None:
        depth = np.zeros(len(xy))
    depth = require_shape(depth, (len(xy),), "rasterize: depth")
    if height < 1 or width < 1:
        raise MeshError(
            f"rasterize: expected a picture of at least one pixel, got {height} x {width}."
        )
    if not 1 <= subpixel_bits <= 24 or max(height, width) << subpixel_bits >= LARGEST_COORDINATE:
        raise MeshError(
            f"rasterize: {subpixel_bits} subpixel bits on a picture of {height} x {width} do not "
            "fit 64-bit arithmetic. Use fewer bits."
        )
    return nearest_faces(
        np.ascontiguousarray(xy, np.float64),
        np.ascontiguousarray(depth, np.float64),
        np.ascontiguousarray(faces, np.int64),
        height,
        width,
        cull,
        subpixel_bits,
    )


def barycentrics(xy: FloatArray, faces: IndexArray, face_ids: np.ndarray) -> FloatArray:
    """Return the weights of the three corners at every covered pixel centre.

    Parameters
    ----------
    xy : (V, 2) float64, pixels, as given to `rasterize`
    faces : (F, 3) int64
    face_ids : (H, W) int32, from `rasterize`

    Returns
    -------
    (n, 3) float64 for the pixels with face_ids >= 0 in row-major order. Computed from the
    unrounded vertices: they reproduce linear functions of x and y and sum to 1. Where rounding
    gave the pixel to a triangle that it misses by a hair, one weight is slightly negative; a
    triangle without area gives 1/3 each.

    Convention
    ----------
    Affine on the picture. For a perspective camera divide by the corner depths and renormalise.
    """
    xy = require_shape(xy, (None, 2), "barycentrics: xy")
    faces = require_shape(faces, (None, 3), "barycentrics: faces")
    require_shape(face_ids, (None, None), "barycentrics: face_ids")
    rows, columns = np.nonzero(face_ids >= 0)
    return _barycentrics(
        np.ascontiguousarray(xy, np.float64),
        np.ascontiguousarray(faces, np.int64),
        face_ids[rows, columns].astype(np.int64),
        columns + 0.5,
        rows + 0.5,
    )


@numba.njit(cache=True, nogil=True)
def nearest_faces(
    xy: Any, depth: Any, faces: Any, height: int, width: int, cull: bool, bits: int
) -> Any:
    """The kernel of `rasterize`, for callers that have checked and converted its arguments.

    It holds no lock of the interpreter, so several pictures can be drawn by as many threads.
    """
    one = np.int64(1) << bits
    half = one >> 1
    face_ids = np.full((height, width), -1, np.int32)
    nearest = np.full((height, width), np.inf)
    fixed = np.empty((len(xy), 2), np.int64)
    drawable = np.empty(len(xy), np.bool_)
    for v in range(len(xy)):
        x = np.floor(xy[v, 0] * one + 0.5)
        y = np.floor(xy[v, 1] * one + 0.5)
        drawable[v] = (
            abs(x) < LARGEST_COORDINATE and abs(y) < LARGEST_COORDINATE and np.isfinite(depth[v])
        )
        if drawable[v]:
            fixed[v, 0] = np.int64(x)
            fixed[v, 1] = np.int64(y)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if not (drawable[a] and drawable[b] and drawable[c]):
            continue
        xa, ya = fixed[a, 0], fixed[a, 1]
        xb, yb = fixed[b, 0], fixed[b, 1]
        xc, yc = fixed[c, 0], fixed[c, 1]
        # First and last pixel whose centre lies within the bounding box: ceil and floor.
        left = max((min(xa, xb, xc) - half + one - 1) >> bits, 0)
        right = min((max(xa, xb, xc) - half) >> bits, width - 1)
        if left > right:
            continue
        top = max((min(ya, yb, yc) - half + one - 1) >> bits, 0)
        bottom = min((max(ya, yb, yc) - half) >> bits, height - 1)
        if top > bottom:
            continue
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if area == 0 or (cull and area > 0):
            # y points down: a triangle that is counter-clockwise to the eye has negative area.
            continue
        if area < 0:
            area = -area
            b, c = c, b
            xb, yb, xc, yc = xc, yc, xb, yb
        dxa, dya = xc - xb, yc - yb  # edge opposite a, and so on
        dxb, dyb = xa - xc, ya - yc
        dxc, dyc = xb - xa, yb - ya
        # Top edges run to the right, left edges run up; all others lose the pixels on them.
        lossa = 0 if dya < 0 or (dya == 0 and dxa > 0) else 1
        lossb = 0 if dyb < 0 or (dyb == 0 and dxb > 0) else 1
        lossc = 0 if dyc < 0 or (dyc == 0 and dxc > 0) else 1
        px, py = left * one + half, top * one + half
        rowa = dxa * (py - yb) - dya * (px - xb)
        rowb = dxb * (py - yc) - dyb * (px - xc)
        rowc = dxc * (py - ya) - dyc * (px - xa)
        za, zb, zc = depth[a], depth[b], depth[c]
        scale = 1.0 / area
        for row in range(top, bottom + 1):
            ea, eb, ec = rowa, rowb, rowc
            for column in range(left, right + 1):
                if ea >= lossa and eb >= lossb and ec >= lossc:
                    z = (ea * za + eb * zb + ec * zc) * scale
                    if z < nearest[row, column]:
                        nearest[row, column] = z
                        face_ids[row, column] = f
                ea -= dya * one
                eb -= dyb * one
                ec -= dyc * one
            rowa += dxa * one
            rowb += dxb * one
            rowc += dxc * one
    return face_ids


@numba.njit(cache=True)
def _barycentrics(xy: Any, faces: Any, face_ids: Any, x: Any, y: Any) -> Any:
    weights = np.empty((len(face_ids), 3))
    for i in range(len(face_ids)):
        a, b, c = faces[face_ids[i]]
        # Relative to a corner, so that nearby points lose no digits.
        ux, uy = xy[b, 0] - xy[a, 0], xy[b, 1] - xy[a, 1]
        vx, vy = xy[c, 0] - xy[a, 0], xy[c, 1] - xy[a, 1]
        px, py = x[i] - xy[a, 0], y[i] - xy[a, 1]
        area = ux * vy - uy * vx
        if area == 0.0:
            weights[i] = 1.0 / 3.0
            continue
        weights[i, 1] = (px * vy - py * vx) / area
        weights[i, 2] = (ux * py - uy * px) / area
        weights[i, 0] = 1.0 - weights[i, 1] - weights[i, 2]
    return weights
