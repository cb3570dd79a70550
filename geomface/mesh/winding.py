"""Which way triangles face: those that lie twice, those at odds with their neighbours, inward."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import KDTree

from geomface.arrays import BoolArray, FloatArray, IndexArray
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.normals import face_cross_products, unit
from geomface.mesh.topology import edge_faces

_INWARD = -0.2
"""An open part looks against outward by more than this share of its area when it is turned."""
_WALL = 0.05
"""A sheet that lies this near under another, as a share of the surface's size, is its inside."""
_RAYS = 200
_BESIDE = 0.1


def repeated_faces(faces: IndexArray) -> BoolArray:
    """Return (F,) True for triangles of the same three vertices as an earlier one.

    Parameters
    ----------
    faces : (F, 3) int64
    """
    corners = np.sort(faces, axis=1)
    order = np.lexsort(corners.T)
    same = (corners[order][1:] == corners[order][:-1]).all(axis=1)
    repeated = np.zeros(len(faces), bool)
    # Stable sorting keeps the earliest of equal triangles first.
    repeated[order[1:][same]] = True
    return repeated


def winding_parts(faces: IndexArray) -> tuple[IndexArray, BoolArray]:
    """Split triangles into parts joined by edges, and say which to turn so that each part agrees.

    Two triangles agree when they run along their common edge in opposite directions. A part with
    one side only (a Moebius strip) is left as it is.

    Parameters
    ----------
    faces : (F, 3) int64, vertices at one place joined

    Returns
    -------
    part : (F,) int64
    turn : (F,) bool, at most half of the triangles of a part
    """
    count = len(faces)
    edges, (left, right) = (array.T for array in edge_faces(faces))
    along = [_runs_along(faces[side], edges) for side in (left, right)]
    agree = along[0] != along[1]
    part = _joined(left, right, count)
    if agree.all():
        return part, np.zeros(count, bool)
    # Every triangle twice, as it is (f) and turned (f + count): what agrees hangs together.
    other = right + np.where(agree, 0, count)
    sides = _joined(
        np.append(left, left + count), np.append(other, (other + count) % (2 * count)), 2 * count
    )
    as_is, turned = sides[:count], sides[count:]
    _, leader = np.unique(part, return_index=True)
    turn = (as_is != as_is[leader[part]]) & (as_is != turned)
    most = np.bincount(part, turn) > 0.5 * np.bincount(part)
    return part, (turn != most[part]) & (as_is != turned)


def _runs_along(faces: IndexArray, edges: IndexArray) -> BoolArray:
    """Return whether each triangle runs through its edge from the first to the second end."""
    step = (faces == edges[0][:, None]) & (np.roll(faces, -1, axis=1) == edges[1][:, None])
    return np.asarray(step.any(axis=1))


def _joined(left: IndexArray, right: IndexArray, count: int) -> IndexArray:
    graph = sparse.coo_array((np.ones(len(left), np.int8), (left, right)), shape=(count, count))
    return csgraph.connected_components(graph, directed=False)[1].astype(np.int64)


def turned_triangles(vertices: FloatArray, faces: IndexArray, outward: FloatArray) -> BoolArray:
    """Return (F,) True for triangles to turn, so that the surface faces outward part by part.

    Neighbours are made to agree first. Then a closed part is turned when its volume is negative,
    an open one when its triangles look against `outward`; a part that lies close under another
    sheet is the inside of a wall and stays.

    Parameters
    ----------
    vertices : (V, 3) float64
    faces : (F, 3) int64, vertices at one place joined, none twice
    outward : (F, 3) unit vectors out of the body at each triangle, 0 where nothing is known
    """
    part, turn = winding_parts(faces)
    cross = face_cross_products(vertices, faces) * np.where(turn, -1.0, 1.0)[:, None]
    size = np.linalg.norm(cross, axis=1)
    looks = np.bincount(part, np.einsum("fc,fc->f", cross, outward))
    inward = looks < _INWARD * np.bincount(part, size * (outward**2).sum(axis=1))
    centres = vertices[faces].mean(axis=1)
    volume = np.bincount(part, np.einsum("fc,fc->f", cross, centres - centres.mean(axis=0)))
    inward = np.where(_closed(faces, part), volume < 0, inward)
    if not inward.any():
        return turn
    surface = ClosestPointIndex((vertices, faces))
    reach = _WALL * float(np.linalg.norm(np.ptp(vertices, axis=0)))
    for index in np.flatnonzero(inward):
        own = np.flatnonzero(part == index)
        own = own[:: max(1, len(own) // _RAYS)]
        out = -cross[own] / np.maximum(size[own], 1e-300)[:, None]
        hit, along = surface.first_hit(centres[own] + 1e-3 * reach * out, out)
        inward[index] = ((hit >= 0) & (along < reach) & (part[hit] != index)).mean() < 0.5
    return turn ^ inward[part]


def _closed(faces: IndexArray, part: IndexArray) -> BoolArray:
    """Return for each part whether every edge has two triangles."""
    sides = np.bincount(part[edge_faces(faces)[1].ravel()], minlength=int(part.max(initial=-1)) + 1)
    return np.asarray(sides == 3 * np.bincount(part))


def away_from_centre(vertices: FloatArray, faces: IndexArray) -> FloatArray:
    """Return (F, 3) unit vectors from the centre of the surface to each triangle."""
    centres = vertices[faces].mean(axis=1)
    sizes = np.linalg.norm(face_cross_products(vertices, faces), axis=1)
    return unit(centres - sizes @ centres / max(float(sizes.sum()), 1e-300))


def outward_beside(
    vertices: FloatArray, faces: IndexArray, body: FloatArray, normals: FloatArray
) -> FloatArray:
    """Return (F, 3) the normal of the nearest point of a body; 0 farther than a tenth of its size.

    Parameters
    ----------
    body, normals : (n, 3) points of the body's surface and their unit normals
    """
    reach = _BESIDE * float(np.linalg.norm(np.ptp(body, axis=0)))
    centres = vertices[faces].mean(axis=1)
    gaps, nearest = KDTree(body).query(centres, distance_upper_bound=reach)
    return np.where(np.isfinite(gaps)[:, None], normals[np.minimum(nearest, len(body) - 1)], 0.0)
