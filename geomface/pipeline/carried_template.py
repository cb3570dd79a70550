"""What the built-in face tells of another mesh of a face: landmarks, regions, unit and pose."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import (
    FailedRegistrationError,
    LandmarkError,
    TooFewMatchesError,
)
from geomface.landmarks.unaided import register
from geomface.mesh import Landmarks, Mesh, Template
from geomface.mesh.closest import ClosestPointIndex
from geomface.mesh.normals import vertex_normals
from geomface.mesh.topology import boundary_loops, loop_length
from geomface.registration import RegistrationResult

RIMS = {"inner_mouth_rim": "mouth", "eye_rims": "eyes"}
"""Regions that are rims of openings, and in which region these openings lie."""
OUTLINE = "outer_rim"
_NEAR_MM = 8.0
_FACING = 0.3
_PICK = (
    "Pick the 68 landmarks on the mesh (MeshLab: Pick Points; 3D Slicer: Markups) and give them "
    "with --landmarks."
)


def register_builtin(
    builtin: Template, mesh: Mesh, landmarks: Landmarks | None
) -> RegistrationResult:
    """Fit the built-in face to a mesh; the result tells what lies where on it.

    Parameters
    ----------
    landmarks : of multi-pie-68 in the mesh's numbers, missing ones NaN; None has them found

    Raises
    ------
    LandmarkError : no face was found, or the fit is no likely face.
    """
    try:
        return register(builtin, mesh, landmarks)
    except (FailedRegistrationError, TooFewMatchesError) as error:
        raise LandmarkError(
            f"the built-in face could not be carried over to this mesh: {error} {_PICK}"
        ) from error
    except LandmarkError as error:
        if landmarks is not None:
            raise
        raise LandmarkError(f"{error} {_PICK}") from error


def carried_regions(builtin: Template, fitted: FloatArray, mesh: Mesh) -> dict[str, IndexArray]:
    """Return the regions of the built-in face on another mesh, {name: (n,) int64}.

    A vertex is in the regions of the built-in vertex that is nearest on the fitted face, if that
    lies within a few millimetres and faces the same way. Rims are rims of the mesh itself.

    Parameters
    ----------
    fitted : (V, 3) the built-in face fitted to the mesh
    mesh : in millimetres, where `fitted` lies
    """
    faces = builtin.mesh.faces
    found = ClosestPointIndex((fitted, faces)).query(mesh.vertices)
    corners = faces[found.faces]
    nearest = np.take_along_axis(corners, found.barycentric.argmax(axis=1)[:, None], 1)[:, 0]
    there = vertex_normals(fitted, faces)[nearest]
    here = vertex_normals(mesh.vertices, mesh.faces)
    near = (found.distances < _NEAR_MM) & (np.einsum("vc,vc->v", there, here) > _FACING)
    regions = {}
    for name, ids in builtin.regions.items():
        inside = np.zeros(len(fitted), bool)
        inside[ids] = True
        if name != OUTLINE and name not in RIMS:
            regions[name] = np.flatnonzero(near & inside[nearest])
    loops = sorted(boundary_loops(mesh.faces), key=lambda loop: -loop_length(mesh.vertices, loop))
    regions[OUTLINE] = np.sort(loops[0])
    for name, around in RIMS.items():
        inside = np.zeros(len(fitted), bool)
        inside[builtin.regions[around]] = True
        rims = [loop for loop in loops[1:] if inside[nearest[loop]].mean() > 0.5]
        regions[name] = np.sort(np.concatenate([np.zeros(0, np.int64), *rims]))
    return {name: ids for name, ids in regions.items() if len(ids)}


@dataclasses.dataclass(frozen=True, eq=False)
class CarriedLandmarks:
    """Landmarks of a template: picked where they were, carried over where not.

    Parameters
    ----------
    points : (68, 3) in millimetres, where the fitted face lies
    picked : (68,) bool
    """

    points: FloatArray
    picked: np.ndarray


def carried_landmarks(
    builtin: Template, fitted: FloatArray, picked: FloatArray | None
) -> CarriedLandmarks:
    """Return the picked points, and those of the fitted built-in face for the missing ones.

    Parameters
    ----------
    picked : (68, 3) millimetres, NaN rows are missing; None when none was picked
    """
    if builtin.landmarks is None:
        raise LandmarkError("the built-in face has no landmarks. Reinstall geomface.")
    own = builtin.landmarks.positions(fitted)
    if picked is None:
        return CarriedLandmarks(own, np.zeros(len(own), bool))
    there = np.asarray(np.isfinite(picked).all(axis=1))
    return CarriedLandmarks(np.where(there[:, None], picked, own), there)
