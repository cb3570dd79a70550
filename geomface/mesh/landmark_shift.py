"""Landmarks of another pose of the scan: all of them lie beside it, and on it after one motion."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.landmark_order import extent
from geomface.mesh.landmarks import Landmarks
from geomface.mesh.normals import face_normals
from geomface.mesh.rotation import rotation_matrix

# In shares of the landmark cloud: marks of a careful hand lie within 0.004 of the surface (median).
_BESIDE = 0.006
# A motion has six unknowns: of errors that have nothing in common it takes away a tenth.
_EXPLAINS = 0.5
_ENOUGH = 24
# The nearest surface shows the way from nearby only.
_FARTHEST = 0.25
_STEPS = 60
_ROBUST = 3.0


def settle_landmarks(
    landmarks: Landmarks, vertices: FloatArray, faces: IndexArray
) -> tuple[Landmarks, tuple[str, ...]]:
    """Move landmarks onto their scan by one rigid motion, when that explains why they lie off it.

    Landmarks are marked on the surface, so the distance to it (median over the landmarks) tells
    whether they belong to this scan as it lies here. Where it is large, and a rigid motion leaves
    less than half of it, they were marked before the scan was moved. Otherwise they stay: they are
    rough, or of somebody else.

    Parameters
    ----------
    landmarks : missing ones NaN, in mm
    vertices : (V, 3) float64, mm
    faces : (F, 3) int64, of positive area

    Returns
    -------
    landmarks : moved, or as they were
    notes : a sentence when they lie beside the surface

    Source
    ------
    Point-to-plane steps of iterated closest points: Chen and Medioni 1992.
    """
    points = landmarks.points[landmarks.present]
    surface = ClosestPointIndex((vertices, faces))
    before = float(np.median(surface.query(points).distances))
    if before <= _BESIDE * extent(points):
        return landmarks, ()
    moved = _onto(surface, points) if len(points) >= _ENOUGH else points
    after = float(np.median(surface.query(moved).distances))
    off = f"{landmarks.name}: its landmarks lie {before:.1f} mm beside the scan's surface (median)"
    way = float(np.linalg.norm(moved - points, axis=1).mean())
    if after >= _EXPLAINS * before or way > _FARTHEST * extent(points):
        return landmarks, (
            f"{off}: they are rough, or of another scan. The fit follows them: check it.",
        )
    settled = landmarks.points.copy()
    settled[landmarks.present] = moved
    return dataclasses.replace(landmarks, points=settled), (
        f"{off}, and {after:.1f} mm after a rigid motion by {way:.0f} mm: they were marked before "
        "the scan was moved, and were moved after it. Check the fit.",
    )


def _onto(surface: ClosestPointIndex, points: FloatArray) -> FloatArray:
    """Return points after the rigid motion that brings them onto a surface nearby."""
    normals = face_normals(surface.vertices, surface.faces)
    nearest = 1e-5 * extent(points)
    for _ in range(_STEPS):
        hit = surface.query(points)
        normal, centre = normals[hit.faces], points.mean(axis=0)
        arms = points - centre
        gaps = np.einsum("ni,ni->n", hit.points - points, normal)
        # Least distances, not squares: a few landmarks over holes decide nothing.
        least = _ROBUST * np.median(hit.distances) + nearest
        weights = 1.0 / np.sqrt(np.maximum(hit.distances, least))
        rows = np.hstack([np.cross(arms, normal), normal]) * weights[:, None]
        step = np.asarray(np.linalg.lstsq(rows, gaps * weights, rcond=1e-6)[0], np.float64)
        placed = arms @ rotation_matrix(step[:3]).T + centre + step[3:]
        still = np.abs(placed - points).max() < nearest
        points = placed
        if still:
            break
    return points
