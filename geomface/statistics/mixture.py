"""Mixtures of Gaussians over model coefficients: sampling where one Gaussian is too simple."""

import dataclasses
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from geomface.arrays import FloatArray, frozen, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.statistics.expectation_maximisation import (
    Climb,
    CollapseError,
    log_parts,
    start_shares,
)


@dataclasses.dataclass(frozen=True, eq=False)
class CoefficientMixture:
    """A mixture of Gaussians of coefficients: z ~ sum_m weights_m N(means_m, covariances_m).

    Parameters
    ----------
    weights : (M,) float64, positive, sum 1, falling when fitted
    means : (M, K) float64
    covariances : (M, K, K) float64, symmetric positive definite
    history : objective of the fit after each round, never falling: the log likelihood of all faces
        plus the log prior of the covariances
    converged : False when the rounds ran out
    criteria : {number of components tried: BIC}, the smallest was kept

    Raises
    ------
    SettingsError : arrays that do not fit each other, weights that are no distribution,
        covariances that are not positive definite.
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    history: tuple[float, ...] = ()
    converged: bool = True
    criteria: dict[int, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        means = require_shape(self.means, (None, None), "mixture means", SettingsError)
        count, size = means.shape
        shapes = {"weights": (count,), "means": (count, size), "covariances": (count, size, size)}
        for name, shape in shapes.items():
            array = require_shape(getattr(self, name), shape, f"mixture {name}", SettingsError)
            require_finite(array, f"mixture {name}", SettingsError)
            object.__setattr__(self, name, frozen(array, np.float64))
        if not count or (self.weights <= 0).any() or abs(self.weights.sum() - 1.0) > 1e-9:
            raise SettingsError("mixture weights: expected positive numbers that sum to 1.")
        try:
            self._roots  # noqa: B018
        except np.linalg.LinAlgError as error:
            raise SettingsError(
                "mixture covariances: expected positive definite matrices."
            ) from error

    def __len__(self) -> int:
        return len(self.weights)

    @cached_property
    def _roots(self) -> FloatArray:
        return np.asarray(np.linalg.cholesky(self.covariances), np.float64)

    @property
    def mean(self) -> FloatArray:
        """(K,) mean of the whole."""
        return self.weights @ self.means

    @property
    def covariance(self) -> FloatArray:
        """(K, K) covariance of the whole: within the components and between them."""
        between = self.means - self.mean
        within = np.einsum("m,mij->ij", self.weights, self.covariances)
        return within + np.einsum("m,mi,mj->ij", self.weights, between, between)

    def log_density(self, coefficients: FloatArray) -> FloatArray:
        """Return (N,) natural logarithms of the density at coefficients (N, K)."""
        z = np.asarray(coefficients, np.float64)
        require_shape(z, (None, self.means.shape[1]), "coefficients", SettingsError)
        parts = log_parts(z, self.weights, self.means, self._roots)
        return np.logaddexp.reduce(parts, axis=1)

    def sample(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw (count, K) coefficients."""
        which = rng.choice(len(self), size=count, p=self.weights)
        noise = rng.standard_normal((count, self.means.shape[1]))
        return self.means[which] + np.einsum("nij,nj->ni", self._roots[which], noise)


def fit_mixture(
    coefficients: FloatArray,
    components: int | Sequence[int],
    rng: np.random.Generator,
    *,
    covariance: str = "full",
    shrinkage: float | None = None,
    restarts: int = 5,
    limit: int = 500,
    tolerance: float = 1e-7,
) -> CoefficientMixture:
    """Fit a mixture of Gaussians to coefficients by expectation maximisation.

    max sum_n log sum_m w_m N(z_n; m_m, C_m) - s / 2 sum_m (log |C_m| + tr(C_m^-1 P))

    with P = diag(variances of all faces) / M^(2 / K): the prior acts as s faces of covariance P in
    every component, C_m = (sum_n r_nm (z_n - m_m)(z_n - m_m)^T + s P) / (sum_n r_nm + s), so each
    round is an exact ascent step of the whole objective.

    Parameters
    ----------
    coefficients : (N, K) float64, such as `model.coefficients(meshes)`
    components : number M of Gaussians, or several to choose from by the BIC
    rng : draws the starts (k-means++); equal states give equal mixtures
    covariance : "full" or "diagonal"
    shrinkage : s >= 0, default K + 2; 0 is maximum likelihood, which has no maximum where a
        component can shrink to a few faces
    restarts : starts per number of components, the best is kept
    limit, tolerance : at most so many rounds; stop when a round gains less than this per face

    Raises
    ------
    SettingsError : settings outside their range, fewer faces than components, NaN or infinity,
        every start collapsed.

    Notes
    -----
    The BIC, -2 log likelihood + (number of parameters) log N, wants many faces a parameter: keep
    leading coefficients, or diagonal covariances, when N is near K.

    Source
    ------
    Dempster, Laird and Rubin 1977; the prior: Fraley and Raftery 2007; starts: Arthur and
    Vassilvitskii 2007; BIC: Schwarz 1978.
    """
    z = np.asarray(coefficients, np.float64)
    require_shape(z, (None, None), "coefficients", SettingsError)
    require_finite(z, "coefficients", SettingsError)
    counts = np.atleast_1d(np.asarray(components))
    size = z.shape[1]
    if not len(counts) or counts.dtype.kind not in "iu" or counts.min() < 1 or not size:
        raise SettingsError(
            f"mixture components: expected whole numbers of at least 1, got {components}."
        )
    if counts.max() > len(z) or len(z) < 2:
        raise SettingsError(
            f"mixture: expected at least 2 faces and one a component, got {len(z)} faces for "
            f"{counts.max()} components."
        )
    if covariance not in ("full", "diagonal"):
        raise SettingsError(f"covariance: expected 'full' or 'diagonal', got {covariance!r}.")
    prior = size + 2.0 if shrinkage is None else float(shrinkage)
    if not (np.isfinite(prior) and prior >= 0):
        raise SettingsError(f"shrinkage: expected 0 or more, got {shrinkage}.")
    if restarts < 1 or limit < 1:
        raise SettingsError(f"restarts and limit: expected at least 1, got {restarts} and {limit}.")
    variances = z.var(axis=0)
    if prior > 0 and not (variances > 0).all():
        raise SettingsError("mixture: a coefficient is the same for all faces. Drop it.")
    best: dict[int, CoefficientMixture] = {}
    for count in map(int, np.unique(counts)):
        climb = Climb(z, covariance == "diagonal", prior, variances / count ** (2.0 / size))
        for _ in range(restarts):
            try:
                found = climb.run(start_shares(z, count, rng), limit, tolerance)
            except CollapseError:
                continue
            if count not in best or found.history[-1] > best[count].history[-1]:
                best[count] = CoefficientMixture(**vars(found))
    if not best:
        raise SettingsError(
            "mixture: a component collapsed onto too few faces from every start. Raise shrinkage, "
            "or ask for fewer components or diagonal covariances."
        )
    free = size if covariance == "diagonal" else size * (size + 1) // 2
    criteria = {
        count: -2.0 * float(found.log_density(z).sum())
        + (count - 1 + count * (size + free)) * float(np.log(len(z)))
        for count, found in best.items()
    }
    chosen = best[min(criteria, key=lambda count: criteria[count])]
    return dataclasses.replace(chosen, criteria=criteria)
