"""Cross-validation of a PCA through the products of its meshes, with no further decomposition."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import SettingsError
from geomface.statistics.evaluation.distance import Measure

SMALLEST_VARIANCE = 1e-12
ROUNDING = 1e-15


def fold_members(count: int, folds: str | int, rng: np.random.Generator | None) -> list[IndexArray]:
    """Return the meshes left out in each fold: every mesh in exactly one.

    Fold sizes differ by at most one, so nothing is left over when the count is not divisible.

    Raises
    ------
    SettingsError : no such number of folds, or none to draw them with.
    """
    if folds == "leave-one-out":
        return list(np.arange(count)[:, None])
    if not isinstance(folds, int) or not 2 <= folds <= count:
        raise SettingsError(
            f"folds: expected 'leave-one-out' or a number in 2 .. {count} (the meshes), got "
            f"{folds!r}."
        )
    if rng is None:
        raise SettingsError("folds: they are drawn at random. Give rng, a numpy.random.Generator.")
    return [np.sort(part) for part in np.array_split(rng.permutation(count), folds)]


@dataclasses.dataclass(frozen=True, eq=False)
class Projection:
    """Meshes seen by a PCA: residual - amplitudes[:, :k] @ directions[:k] after k modes.

    Parameters
    ----------
    residual : (M, D) float64, the meshes minus the mean
    directions : (K, D) float64, orthonormal
    amplitudes : (M, K) float64, directions @ residual
    """

    residual: FloatArray
    directions: FloatArray
    amplitudes: FloatArray

    def errors(self, components: IndexArray, measure: Measure) -> FloatArray:
        """Return (n, M) distances of the meshes to their projections, by number of components.

        More components than the model has modes change nothing.
        """
        residual = self.residual.copy()
        shapes = residual.reshape(len(residual), -1, 3)
        out = np.empty((len(components), len(residual)))
        used = 0
        for row, wanted in enumerate(np.minimum(components, len(self.directions))):
            if wanted > used:
                residual -= self.amplitudes[:, used:wanted] @ self.directions[used:wanted]
                used = int(wanted)
            out[row] = measure(shapes)
        return out


def project_left_out(
    rows: FloatArray, gram: FloatArray, test: IndexArray, components: int
) -> Projection:
    """Project some meshes on the PCA of all others, from the products of the meshes.

    With rows centred on the mean of all N, G = X X^T, T the left out, S the other n = N - |T|, and
    g_ij = G_ij + (s_i + s_j) / n + t / n^2, s_i = sum of G_i. over T, t = sum of s over T, the
    products around the mean of S, -sum_T x / n:

        g_SS u_k = lambda_k u_k,   d_k = X_S^T u_k / sqrt(lambda_k),
        d_k . (x_t - mean_S) = u_k . g_St / sqrt(lambda_k)

    Every u_k of a positive lambda_k sums to 0, so neither the mean nor the last terms of g_St need
    to be taken from the rows. One fold costs an eigenproblem of n x n and one product K x N x D.
    Squaring costs digits in the last modes: one of 1e-3 of the first deviation is good to 1e-10,
    those below 1e-6 are left out.

    Parameters
    ----------
    rows : (N, D) float64 X, columns of mean 0
    gram : (N, N) float64 G
    test : (M,) int64 T
    components : at most so many modes
    """
    count = len(rows) - len(test)
    train = np.ones(len(rows), bool)
    train[test] = False
    members = np.flatnonzero(train)
    sums = gram[:, test].sum(axis=1)
    offset = (sums[members, None] + sums[members]) / count + sums[test].sum() / count**2
    inner = gram[np.ix_(members, members)]
    # What rounding alone can leave where the meshes do not differ.
    noise = ROUNDING * count * float(np.diag(inner).max(initial=0.0))
    values, vectors = np.linalg.eigh(inner + offset)
    wanted = min(components, count - 1)
    values, vectors = values[::-1][:wanted], vectors[:, ::-1][:, :wanted]
    kept = values > max(SMALLEST_VARIANCE * values.max(initial=0.0), noise)
    values, vectors = values[kept], vectors[:, kept]
    weights = np.zeros((len(rows), len(values)))
    # Rounding gives each u a trace of the constant; the formulas hold without it.
    weights[members] = (vectors - vectors.mean(axis=0)) / np.sqrt(values)
    across = gram[:, test] + sums[:, None] / count
    mean = -rows[test].sum(axis=0) / count
    return Projection(rows[test] - mean, weights.T @ rows, across.T @ weights)
