"""Landmarks in a patient's system (LPS or RAS) that is not the one of their scan."""

import dataclasses

import numpy as np
from scipy.spatial import KDTree

from geomface.mesh.landmarks import Landmarks
from geomface.mesh.mesh import Mesh

# Half a turn about z is what LPS and RAS differ by.
_HALF_TURN = np.array([-1.0, -1.0, 1.0])
# Faces are alike after half a turn to a sixth of how far landmarks are then off, or less.
_CLEARLY_NEARER = 1 / 3


def landmarks_in_frame(landmarks: Landmarks, scan: Mesh) -> tuple[Landmarks, tuple[str, ...]]:
    """Turn landmarks by half a turn about z if they lie on their scan only then.

    3D Slicer writes points and meshes as LPS or as RAS, each as it is told; other programs do not
    know of it. Which of the two a scan is in, only the landmarks on it can tell.

    Parameters
    ----------
    landmarks : in the numbers of the scan
    scan : the mesh on which they were marked

    Returns
    -------
    landmarks : turned, or as they were
    notes : one sentence, or none
    """
    points = landmarks.points[landmarks.present]
    if len(points) == 0:
        return landmarks, ()
    tree = KDTree(scan.vertices)
    given, turned = (np.median(tree.query(points * signs)[0]) for signs in (1.0, _HALF_TURN))
    if turned >= _CLEARLY_NEARER * given:
        return landmarks, ()
    note = (
        f"{landmarks.name}: its points lie on the scan once x and y change their signs, as between "
        "the systems LPS and RAS of 3D Slicer: turned."
    )
    return dataclasses.replace(landmarks, points=landmarks.points * _HALF_TURN), (note,)
