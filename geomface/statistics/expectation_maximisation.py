"""Expectation maximisation of a mixture of Gaussians, with a prior on the covariances."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray

FEWEST_FACES = 1e-6
FLATTEST = 1e-7
_LOG_2_PI = float(np.log(2.0 * np.pi))


class CollapseError(Exception):
    """A component lost its faces or its volume: this start leads nowhere."""


@dataclasses.dataclass(frozen=True, eq=False)
class Summit:
    """Where a climb ended: the heaviest component first; see `CoefficientMixture`."""

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    history: tuple[float, ...]
    converged: bool


def log_parts(
    z: FloatArray, weights: FloatArray, means: FloatArray, roots: FloatArray
) -> FloatArray:
    """Return (N, M) log(w_m N(z_n; m_m, L_m L_m^T)), L_m the Cholesky factors (M, K, K)."""
    from scipy.linalg import solve_triangular

    out = np.empty((len(z), len(weights)))
    for m, (mean, root) in enumerate(zip(means, roots, strict=True)):
        scaled = solve_triangular(root, (z - mean).T, lower=True)
        volume = 2.0 * np.log(np.diag(root)).sum() + z.shape[1] * _LOG_2_PI
        out[:, m] = np.log(weights[m]) - 0.5 * (volume + np.einsum("kn,kn->n", scaled, scaled))
    return out


def start_shares(z: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Return (N, M), each face given to the nearest of M spread faces (k-means++).

    Raises
    ------
    CollapseError : fewer different faces than components.
    """
    spread = z.std(axis=0)
    scaled = z / np.where(spread > 0, spread, 1.0)
    squared = np.empty((len(z), count))
    face = int(rng.integers(len(z)))
    for m in range(count):
        squared[:, m] = ((scaled - scaled[face]) ** 2).sum(axis=1)
        far = squared[:, : m + 1].min(axis=1)
        if m + 1 < count:
            if not far.sum() > 0:
                raise CollapseError
            face = int(rng.choice(len(z), p=far / far.sum()))
    return np.eye(count)[squared.argmin(axis=1)]


@dataclasses.dataclass(frozen=True, eq=False)
class Climb:
    """Ascent of one objective, from any start.

    Parameters
    ----------
    z : (N, K) float64 coefficients
    diagonal : keep the covariances diagonal
    prior : number of faces that the prior stands for
    target : (K,) float64, the variances of these faces
    """

    z: FloatArray
    diagonal: bool
    prior: float
    target: FloatArray

    def run(self, shares: FloatArray, limit: int, tolerance: float) -> Summit:
        """Alternate from shares (N, M) until a round gains less than the tolerance a face.

        Raises
        ------
        CollapseError : a component is left with no face, or with faces that span no volume.
        """
        history: list[float] = []
        converged = False
        while True:
            weights, means, covariances, roots = self._maximise(shares)
            parts = log_parts(self.z, weights, means, roots)
            whole = np.logaddexp.reduce(parts, axis=1)
            history.append(float(whole.sum()) + self._log_prior(roots))
            if len(history) > 1:
                converged = history[-1] - history[-2] < tolerance * len(self.z)
            if converged or len(history) >= limit:
                break
            shares = np.exp(parts - whole[:, None])
        order = np.argsort(-weights, kind="stable")
        weights = weights[order] / weights.sum()
        return Summit(weights, means[order], covariances[order], tuple(history), converged)

    def _maximise(
        self, shares: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return weights, means, covariances and their Cholesky factors."""
        held = shares.sum(axis=0)
        if (held < FEWEST_FACES).any():
            raise CollapseError
        means = (shares.T @ self.z) / held[:, None]
        covariances = np.empty((len(held), self.z.shape[1], self.z.shape[1]))
        for m, mean in enumerate(means):
            centred = self.z - mean
            if self.diagonal:
                scatter = np.diag(shares[:, m] @ centred**2)
            else:
                scatter = (centred * shares[:, m, None]).T @ centred
            scatter = scatter + self.prior * np.diag(self.target)
            covariances[m] = 0.5 * (scatter + scatter.T) / (held[m] + self.prior)
        try:
            roots = np.asarray(np.linalg.cholesky(covariances), np.float64)
        except np.linalg.LinAlgError as error:
            raise CollapseError from error
        # Rounding may let a flat component pass; its thinnest axis tells.
        axes = np.diagonal(roots, axis1=1, axis2=2)
        if (axes.min(axis=1) < FLATTEST * axes.max(axis=1)).any():
            raise CollapseError
        return held / len(self.z), means, covariances, roots

    def _log_prior(self, roots: FloatArray) -> float:
        """Return -s / 2 sum_m (log |C_m| + tr(C_m^-1 P))."""
        from scipy.linalg import solve_triangular

        if self.prior == 0:
            return 0.0
        total = 0.0
        for root in roots:
            inside = solve_triangular(root, np.diag(np.sqrt(self.target)), lower=True)
            total += 2.0 * float(np.log(np.diag(root)).sum()) + float((inside**2).sum())
        return -0.5 * self.prior * total
