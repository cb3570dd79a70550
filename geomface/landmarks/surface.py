"""The scan as the detector sees it: one surface in millimetres, drawn and met by rays."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.landmarks.views import View, render_geometry
from geomface.mesh import Mesh
from geomface.mesh.normals import face_normals
from geomface.registration.prepare import prepare_scan
from geomface.registration.scan_target import ScanTarget


class ScanSurface(ScanTarget):
    """A scan in millimetres, without degenerate triangles and unused vertices.

    Parameters
    ----------
    mesh : the scan in any unit; its unit is found by its size as everywhere

    Raises
    ------
    RegistrationError : no triangle of positive area.
    """

    def __init__(self, mesh: Mesh) -> None:
        given = prepare_scan(mesh)
        super().__init__(given.vertices * given.to_mm, given.faces)
        self.notes, self.to_mm = given.notes, given.to_mm

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
        origins = view.ray_origins(pixels) + reach * toward
        rays = np.tile(-toward, (len(pixels), 1))
        faces, along = self.surface.first_hit(origins, rays)
        met = faces >= 0
        points = np.where(met[:, None], origins + along[:, None] * rays, np.nan)
        normals = face_normals(self.vertices, self.faces[np.where(met, faces, 0)])
        return points, np.where(met, np.abs(normals @ toward), 0.0)
