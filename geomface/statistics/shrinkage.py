"""A covariance of coefficients that can be trusted when faces are few."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, frozen, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.statistics.mixture import CoefficientMixture


@dataclasses.dataclass(frozen=True, eq=False)
class ShrunkCovariance:
    """A covariance drawn towards a multiple of the identity.

    Parameters
    ----------
    mean : (K,) float64
    covariance : (K, K) float64, positive definite unless nothing varies
    shrinkage : share of the identity in it, in [0, 1]
    """

    mean: FloatArray
    covariance: FloatArray
    shrinkage: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", frozen(self.mean, np.float64))
        object.__setattr__(self, "covariance", frozen(self.covariance, np.float64))

    @property
    def gaussian(self) -> CoefficientMixture:
        """The Gaussian of this mean and covariance, to sample from."""
        return CoefficientMixture(np.ones(1), self.mean[None], self.covariance[None])


def shrink_covariance(coefficients: FloatArray) -> ShrunkCovariance:
    """Estimate a covariance from few faces by Ledoit and Wolf's closed form.

    Sigma = (1 - a) S + a mu I,   S = sum_n (z_n - m)(z_n - m)^T / N,   mu = tr S / K,
    a = min(1, b^2 / d^2),   d^2 = |S - mu I|^2,   b^2 = sum_n |(z_n - m)(z_n - m)^T - S|^2 / N^2

    which minimises the expected squared error among all a in the limit of many coefficients.

    Parameters
    ----------
    coefficients : (N, K) float64, N >= 2, faces by coefficients; K may exceed N

    Raises
    ------
    SettingsError : fewer than two faces, wrong shape, NaN or infinity.

    Notes
    -----
    For coefficients of a group of faces, or in a basis from elsewhere. The coefficients of the very
    faces that a PCA was fitted to have the covariance I by construction: nothing to shrink.

    Source
    ------
    Ledoit and Wolf 2004, A well-conditioned estimator for large-dimensional covariance matrices,
    with the mean estimated and the divisor N.
    """
    z = np.asarray(coefficients, np.float64)
    require_shape(z, (None, None), "coefficients", SettingsError)
    count, size = z.shape
    if count < 2 or not size:
        raise SettingsError(
            f"shrink_covariance: expected at least 2 faces of 1 coefficient, got {z.shape}."
        )
    require_finite(z, "coefficients", SettingsError)
    mean = z.mean(axis=0)
    centred = z - mean
    sample = centred.T @ centred / count
    average = float(np.trace(sample)) / size
    spread = float(((sample - average * np.eye(size)) ** 2).sum())
    lengths = np.einsum("nk,nk->n", centred, centred)
    noise = (float((lengths**2).mean()) - float((sample**2).sum())) / count
    # Where S is a multiple of I up to rounding, every share gives the same matrix.
    alike = spread <= 1e-24 * size * average**2
    share = 1.0 if alike else min(max(noise, 0.0) / spread, 1.0)
    return ShrunkCovariance(mean, (1 - share) * sample + share * average * np.eye(size), share)
