"""What a template alone brings to its registrations: computed once, used for every scan."""

import numpy as np
from scipy import sparse

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh import Similarity, Template
from geomface.mesh.factor import elimination_order
from geomface.mesh.normals import vertex_normals
from geomface.mesh.topology import require_disk_with_holes
from geomface.registration.integrity import rim_pairs
from geomface.registration.settings import RegistrationSettings
from geomface.registration.smoothness import (
    BendingOperator,
    exposure,
    feature_strength,
    near_inner_rims,
)

# Data weight per square millimetre of template, 1 / mm^2: one independent measurement of 0.6 mm
# standard deviation every 4.3 mm^2.
_DATA_DENSITY = 3.0 / 4.3


class TemplateTerms:
    """The template in the fitting frame (its own pose, adult size) with its operators.

    Parameters
    ----------
    template : one disk with holes
    settings : see `RegistrationSettings`

    Raises
    ------
    MeshError : the template is not one disk with holes.
    """

    def __init__(self, template: Template, settings: RegistrationSettings | None = None) -> None:
        self.template = template
        self.settings = settings or RegistrationSettings()
        mesh = template.mesh
        self.loops: list[IndexArray] = require_disk_with_holes(mesh)
        self.scale = self.settings.size_mm / mesh.diagonal
        self.centre = mesh.vertices.mean(axis=0)
        self.rest = (mesh.vertices - self.centre) * self.scale
        self.faces = mesh.faces
        count = len(self.rest)
        self.rest_normals = vertex_normals(self.rest, self.faces, weighting="area")
        self.bending = BendingOperator(self.rest, self.faces)
        self.area_weight = _DATA_DENSITY * self.bending.mass
        self.feature = feature_strength(self.rest, self.faces)
        self.exposed = exposure(self.rest, self.faces, self.rest_normals)
        self.near_rim = near_inner_rims(self.rest, self.loops, self.settings.rim_width_mm)
        self.pairs = rim_pairs(self.rest, self.loops[1:])
        self.landmark_rows = None
        if template.landmarks is not None:
            embedding = template.landmarks
            rows = np.repeat(np.arange(len(embedding)), 3)
            self.landmark_rows = sparse.csr_array(
                (embedding.weights.ravel(), (rows, embedding.vertices.ravel())),
                shape=(len(embedding), count),
            )
        # The order depends on the pattern alone: found once, used for every scan and level.
        pattern = self.bending.matrix() + sparse.eye_array(count, format="csc")
        if self.landmark_rows is not None:
            pattern = pattern + self.landmark_rows.T @ self.landmark_rows
        self.order = elimination_order(pattern.tocsc())

    def to_frame(self, points: FloatArray, similarity: Similarity) -> FloatArray:
        """Bring scan points into the fitting frame (template pose, adult size)."""
        framed = (similarity.inverse().apply(points) - self.centre) * self.scale
        # To the nanometre: the same scan in another unit or pose then makes the same matches,
        # instead of rounding errors growing from match to match.
        return np.round(framed, 6)

    def from_frame(self, points: FloatArray, similarity: Similarity) -> FloatArray:
        """Bring fitted points back to the scan's pose and unit."""
        return similarity.apply(points / self.scale + self.centre)
