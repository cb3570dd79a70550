"""The scan as the detector sees it: one surface of usual size, drawn and met by rays."""

from functools import cached_property

import numpy as np

from geomface.arrays import FloatArray
from geomface.landmarks.views import View, render_geometry
from geomface.mesh import Mesh
from geomface.mesh.normals import face_areas, face_normals
from geomface.registration.prepare import prepare_scan
from geomface.registration.scan_target import ScanTarget

SIZE = 300.0
"""Diagonal of the box around the surface: about that of a head in millimetres."""
SAMPLES = 4000


class ScanSurface(ScanTarget):
    """A scan of usual size, without degenerate triangles and unused vertices, outside out.

    Nothing here asks for the unit: a face is known by its shape, and its size follows.

    Parameters
    ----------
    mesh : the scan in any unit; multiplied by `factor`

    Raises
    ------
    RegistrationError : no triangle of positive area.
    """

    def __init__(self, mesh: Mesh) -> None:
        given = prepare_scan(mesh)
        extent = np.ptp(given.vertices[given.faces].reshape(-1, 3), axis=0)
        factor = SIZE / float(np.linalg.norm(extent)) if extent.any() else 1.0
        self.factor = factor * given.unit_factor
        super().__init__(given.vertices * factor, given.faces)
        # What the size says of the unit is worth little here: the landmarks will tell.
        self.notes = tuple(note for note in given.notes if note not in given.unit_notes)

    @cached_property
    def samples(self) -> FloatArray:
        """(n, 3) points evenly on the surface, the same ones each time."""
        rng = np.random.default_rng(0)
        areas = face_areas(self.vertices, self.faces)
        chosen = rng.choice(len(self.faces), SAMPLES, p=areas / areas.sum())
        weights = rng.dirichlet(np.ones(3), SAMPLES)
        return np.einsum("nk,nkc->nc", weights, self.vertices[self.faces[chosen]])

    def render(self, view: View) -> np.ndarray:
        """Return the network's picture of a view."""
        return render_geometry(self.vertices, self.faces, self.normals, view)[0]

    def cast(self, view: View, pixels: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return where rays through pixels (n, 2) meet the scan first, and how squarely.

        Returns
        -------
        points : (n, 3) mm, NaN where the ray meets nothing, or an inside
        cosines : (n,) of the angle between the surface and the view, 0 where nothing is met
        """
        toward = view.rotation[2]
        reach = 2.0 * float(np.linalg.norm(np.ptp(self.vertices, axis=0))) + view.extent
        origins = view.ray_origins(pixels) + reach * toward
        rays = np.tile(-toward, (len(pixels), 1))
        faces, along = self.surface.first_hit(origins, rays)
        # Through the gap between lid and eye, or a hole, a ray meets the inside of the skull.
        cosines = face_normals(self.vertices, self.faces[np.maximum(faces, 0)]) @ toward
        met = (faces >= 0) & (cosines > 0.0)
        points = np.where(met[:, None], origins + along[:, None] * rays, np.nan)
        return points, np.where(met, cosines, 0.0)
