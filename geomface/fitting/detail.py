"""What is left between a fitted face and a scan, as a random field along the normals."""

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from geomface.arrays import FloatArray, IndexArray
from geomface.mesh.factor import SymmetricFactor, elimination_order
from geomface.mesh.laplacian import cotangent_laplacian, lumped_mass
from geomface.mesh.robust import robust_scale


class DetailField:
    """A Matern field h on a surface, h ~ N(0, sigma^2 Q^-1), as a sparse precision.

    Q = (k^2 M + L) M^-1 (k^2 M + L) / (4 pi k^2),   k = sqrt(8) / range

    with the cotangent Laplacian L and the vertex areas M: standard deviation sigma, correlation
    about 0.1 at a distance of `range`, whatever the triangulation.

    Parameters
    ----------
    vertices : (V, 3) float64, mm
    faces : (F, 3) int64
    length : range, mm

    Source
    ------
    Lindgren, Rue and Lindstroem 2011, smoothness 1 in two dimensions.
    """

    def __init__(self, vertices: FloatArray, faces: IndexArray, *, length: float) -> None:
        mass = lumped_mass(vertices, faces)
        # A floor keeps slivers from ruining the conditioning.
        self.mass = np.maximum(mass, 0.02 * float(np.median(mass)))
        wave = np.sqrt(8.0) / length
        operator = wave**2 * sparse.diags_array(self.mass) + cotangent_laplacian(vertices, faces)
        inverse = sparse.diags_array(1.0 / (4.0 * np.pi * wave**2 * self.mass))
        self.precision = sparse.csc_array(operator.T @ (inverse @ operator))
        self._order = elimination_order(self.precision)

    def energy(
        self,
        values: FloatArray,
        slopes: FloatArray,
        gaps: FloatArray,
        weights: FloatArray,
        sigma: float,
    ) -> float:
        """Return h^T Q h / (2 sigma^2) + sum_v w_v (a_v h_v - b_v)^2 / 2 of values h (V,)."""
        misfit = slopes * values - gaps
        prior = float(values @ (self.precision @ values)) / sigma**2
        return 0.5 * (prior + float(weights @ misfit**2))

    def posterior_mean(
        self, slopes: FloatArray, gaps: FloatArray, weights: FloatArray, sigma: float
    ) -> FloatArray:
        """Return the h (V,) of least `energy`.

        Parameters
        ----------
        slopes : (V,) a, how far the measured gap closes for a unit of h
        gaps : (V,) b, mm
        weights : (V,) w, 1 / mm^2; 0 where nothing was measured
        sigma : standard deviation of the field, mm
        """
        matrix = self.precision / sigma**2 + sparse.diags_array(weights * slopes**2)
        right = (weights * slopes * gaps)[:, None]
        return SymmetricFactor(matrix, self._order).solve(np.tile(right, 3))[:, 0]


def split_variance(
    points: FloatArray, residuals: FloatArray, spacing: float, *, neighbours: int = 24
) -> tuple[float, float]:
    """Split residuals on a surface into white noise and a field that neighbours share.

    noise^2 = E (r_i - r_j)^2 / 2 over pairs somewhat farther apart than `spacing`,
    field^2 = E r^2 - noise^2; both from medians, so that outliers do not count.

    Parameters
    ----------
    points : (n, 3) float64
    residuals : (n,) float64
    spacing : distance beyond which two measurements share no noise

    Returns
    -------
    standard deviations of the noise and of the field

    Source
    ------
    The nugget of a variogram (Matheron 1963).
    """
    count = min(neighbours, len(points))
    distances, index = KDTree(points).query(points, k=count)
    far = distances > spacing
    has = far.any(axis=1)
    if not has.any():
        return robust_scale(residuals), 0.0
    partner = np.asarray(index)[np.arange(len(points)), far.argmax(axis=1)][has]
    difference = robust_scale(residuals[has] - residuals[partner])
    total = robust_scale(residuals)
    noise = min(difference / np.sqrt(2.0), total)
    return noise, float(np.sqrt(total**2 - noise**2))
