"""What a registration returns."""

import dataclasses

from geomface.arrays import FloatArray
from geomface.mesh import Mesh, Similarity


@dataclasses.dataclass(frozen=True)
class RegistrationStep:
    """One re-matching: level, bending stiffness, robust scale (mm), kept share, motion (mm)."""

    level: int
    stiffness: float
    scale_mm: float
    kept_fraction: float
    motion_mm: float


@dataclasses.dataclass(frozen=True, eq=False)
class RegistrationResult:
    """A registered mesh and how it went.

    Parameters
    ----------
    mesh : the template's topology in the scan's pose, scale and unit
    confidence : (V,) float64 in [0, 1]; 0 where no scan surface supports the vertex
    similarity : template frame to scan frame, the rigid part of the fit
    converged : the last level stopped by small motion, not by the cap
    iterations : number of re-matchings
    kept_fraction : share of the visible template area that found a match
    residual_mm : {"median", "p95"} distance from matched vertices to the scan surface
    landmark_mm : {"median", "max"} distance of template landmarks to the given ones, if any
    flips : triangles turned against their neighbourhood, not so in the template
    rim_crossings : lip or lid rim vertices that lie beyond the opposite rim
    history : one `RegistrationStep` a re-matching
    notes : what was accepted and what was done about it, one sentence each

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> face = gf.load_builtin_face()
    >>> scan = gf.simulate_scan(face, rng=np.random.default_rng(1))
    >>> fit: gf.RegistrationResult = gf.register(face.template, scan.mesh, scan.landmarks)
    >>> fit.mesh.topology_id == face.mesh.topology_id, sorted(fit.residual_mm)
    (True, ['median', 'p95'])
    """

    mesh: Mesh
    confidence: FloatArray
    similarity: Similarity
    converged: bool
    iterations: int
    kept_fraction: float
    residual_mm: dict[str, float]
    landmark_mm: dict[str, float]
    flips: int
    rim_crossings: int
    history: tuple[RegistrationStep, ...]
    notes: tuple[str, ...]
    seconds: float
