"""What a linear model says once some of it was observed."""

import dataclasses
from functools import cached_property

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_indices, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.statistics.linear_model import LinearModel, flat_columns, gram_matrix


@dataclasses.dataclass(frozen=True, eq=False)
class Posterior:
    """A Gaussian of the coefficients given observations, and the model that it makes.

    Parameters
    ----------
    prior : the model before
    coefficients : (K,) float64, posterior mean of z
    covariance : (K, K) float64, posterior covariance of z
    """

    prior: LinearModel
    coefficients: FloatArray
    covariance: FloatArray

    @cached_property
    def mean(self) -> np.ndarray:
        """The most probable whole, shaped as the prior's mean."""
        return self.prior.reconstruct(self.coefficients)

    @cached_property
    def _root(self) -> FloatArray:
        """(K, K) R with R R^T = covariance, columns of falling length."""
        values, vectors = np.linalg.eigh(self.covariance)
        return vectors[:, ::-1] * np.sqrt(np.clip(values[::-1], 0.0, None))

    @cached_property
    def sigma(self) -> np.ndarray:
        """Standard deviation of every coordinate, the prior's noise included; as the mean."""
        columns = flat_columns(self.prior.basis)
        spread = columns @ self._root.astype(columns.dtype)
        variance = np.einsum("dk,dk->d", spread, spread, dtype=np.float64)
        return np.sqrt(variance + self.prior.noise_sigma**2).reshape(self.prior.mean.shape)

    @cached_property
    def model(self) -> LinearModel:
        """The posterior as a model of its own, in PCA form."""
        columns = flat_columns(self.prior.basis)
        basis = columns @ self._root.astype(columns.dtype)
        lengths = np.einsum("dk,dk->k", basis, basis, dtype=np.float64)
        basis = basis[:, lengths > 1e-18 * max(float(lengths.max(initial=0.0)), 1e-300)]
        return LinearModel(
            self.mean, basis.reshape(*self.prior.mean.shape, -1), self.prior.noise_sigma
        ).canonical()

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one whole that agrees with the observations."""
        drawn = self.coefficients + self._root @ rng.standard_normal(len(self.coefficients))
        return self.prior.reconstruct(drawn)


def condition(
    prior: LinearModel, columns: np.ndarray, residual: FloatArray, precision: FloatArray
) -> Posterior:
    """Return the posterior of z given columns z = residual + noise of a precision per row.

    covariance = (I + A^T W A)^-1,   coefficients = covariance A^T W r

    Parameters
    ----------
    columns : (n, K) A, what the observations see of the basis
    residual : (n,) r, observation minus what the mean predicts
    precision : (n,) diagonal of W, 1 / variance of each row; 0 leaves a row out
    """
    from scipy.linalg import cho_factor, cho_solve

    uniform = len(precision) == 0 or bool((precision == precision[0]).all())
    if uniform:
        # One precision for all needs no weighted copy of the columns.
        weight = float(precision[0]) if len(precision) else 0.0
        gram = weight * gram_matrix(columns)
        right = weight * (residual.astype(columns.dtype) @ columns).astype(np.float64)
    else:
        root = np.sqrt(precision).astype(columns.dtype)[:, None]
        gram = gram_matrix(columns * root)
        weighted = (precision * residual).astype(columns.dtype)
        right = (weighted @ columns).astype(np.float64)
    factor = cho_factor(gram + np.eye(len(gram)), lower=True)
    covariance = cho_solve(factor, np.eye(len(gram)))
    return Posterior(prior, cho_solve(factor, right), 0.5 * (covariance + covariance.T))


def posterior(
    model: LinearModel, rows: IndexArray, values: np.ndarray, sigma: float | FloatArray
) -> Posterior:
    """Return what a model says when some entries of its first axis (vertices) were measured.

    Parameters
    ----------
    model : the prior
    rows : (n,) int64, observed vertices
    values : (n, ...) their measured values, in the model's frame
    sigma : standard deviation of each measurement, one for all or (n,); the model's own noise is
        added to it

    Raises
    ------
    MeshError : indices out of range, shapes that do not fit, NaN or infinity.
    SettingsError : sigma that is not positive (0 is allowed where the model has noise).

    Source
    ------
    Gaussian conditioning; Albrecht et al. 2013, posterior shape models.
    """
    rows = np.asarray(rows)
    if rows.ndim != 1 or (len(rows) and rows.dtype.kind not in "iu"):
        raise MeshError(
            f"posterior: expected a row of vertex indices, got {rows.dtype} of shape {rows.shape}."
        )
    require_indices(rows, len(model.mean), "posterior: vertices")
    values = require_shape(values, (len(rows), *model.mean.shape[1:]), "posterior: values")
    if not np.isfinite(values).all():
        raise MeshError("posterior: expected measured values, got NaN or infinity. Leave them out.")
    deviation = np.asarray(sigma, dtype=np.float64)
    if deviation.shape not in ((), (len(rows),)):
        raise SettingsError(
            f"sigma: expected one number or one a vertex ({len(rows)}), got shape "
            f"{deviation.shape}."
        )
    variance = np.broadcast_to(deviation**2 + model.noise_sigma**2, (len(rows),))
    if not (np.isfinite(variance).all() and (deviation >= 0).all() and (variance > 0).all()):
        raise SettingsError("sigma: expected positive standard deviations.")
    residual = np.asarray(values - model.mean[rows], np.float64).reshape(-1)
    columns = flat_columns(model.basis[rows])
    each = len(residual) // max(len(rows), 1)
    return condition(model, columns, residual, np.repeat(1.0 / variance, each))
