"""The scan as the detector sees it: one surface in millimetres with a tree for rays."""

from functools import cached_property
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import RegistrationError
from geomface.landmarks.views import View, render_geometry
from geomface.mesh import Mesh
from geomface.mesh.diagnose import diagnose_scan
from geomface.mesh.normals import face_areas, vertex_normals


class ScanSurface:
    """A scan in millimetres, without degenerate triangles.

    Parameters
    ----------
    mesh : the scan in any unit; its unit is found by its size as everywhere

    Raises
    ------
    RegistrationError : no triangle of positive area.
    """

    def __init__(self, mesh: Mesh) -> None:
        diagnosis = diagnose_scan(mesh)
        self.notes = diagnosis.notes
        self.to_mm = diagnosis.unit_factor
        self.vertices = np.ascontiguousarray(mesh.vertices * self.to_mm)
        faces = diagnosis.weld[mesh.faces][~diagnosis.degenerate_faces]
        faces = faces[face_areas(self.vertices, faces) > 1e-9]
        if len(faces) == 0:
            raise RegistrationError(
                f"{mesh.name}: no triangle of positive area; expected a scanned surface."
            )
        self.faces = np.ascontiguousarray(faces)
        self.normals = vertex_normals(self.vertices, self.faces, weighting="area")
        self.used = np.unique(self.faces)

    @cached_property
    def _tree(self) -> Any:
        import igl

        tree = igl.AABB()
        tree.init(self.vertices, self.faces)
        return tree

    def render(self, view: View) -> np.ndarray:
        """Return the network's picture of a view."""
        return render_geometry(self.vertices, self.faces, self.normals, view)[0]

    def cast(self, view: View, pixels: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return where rays through pixels (n, 2) meet the scan first, and how squarely.

        Returns
        -------
        points : (n, 3) mm, NaN where the ray meets nothing
        cosines : (n,) of the angle between the surface and the view, 0 where nothing is met
        """
        toward = view.rotation[2]
        reach = 2.0 * float(np.linalg.norm(np.ptp(self.vertices, axis=0))) + view.extent
        origins = np.ascontiguousarray(view.ray_origins(pixels) + reach * toward)
        rays = np.tile(-toward, (len(pixels), 1))
        faces, along, _ = self._tree.intersect_ray_first(self.vertices, self.faces, origins, rays)
        faces, along = np.asarray(faces), np.asarray(along, np.float64)
        met = faces >= 0
        points = np.where(met[:, None], origins + along[:, None] * rays, np.nan)
        corners = self.vertices[self.faces[np.where(met, faces, 0)]]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        return points, np.where(met, np.abs(normal @ toward), 0.0)
