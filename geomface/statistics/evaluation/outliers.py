"""Faces that lie far out in a model: reported with their probability, never dropped."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from geomface.arrays import BoolArray, FloatArray, frozen, require_finite, require_shape
from geomface.errors import SettingsError


@dataclasses.dataclass(frozen=True, eq=False)
class OutlierReport:
    """How far out each face lies, and which lie further out than chance explains.

    Nothing is removed: what to do with a rare face is for whoever knows where it comes from.

    Parameters
    ----------
    distances : (N,) float64 Mahalanobis distances, in standard deviations
    p_values : (N,) float64, probability that a face of the population lies as far out
    flagged : (N,) bool, p_values < level
    threshold : distance at which the flag is raised
    level : share of the population that is flagged by chance
    components : number K of coefficients judged
    reference : "chi-square" or "leave-one-out"
    names : N names
    """

    distances: FloatArray
    p_values: FloatArray
    flagged: BoolArray
    threshold: float
    level: float
    components: int
    reference: str
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, kind in (("distances", np.float64), ("p_values", np.float64), ("flagged", bool)):
            object.__setattr__(self, name, frozen(getattr(self, name), kind))

    def __len__(self) -> int:
        return len(self.distances)

    @property
    def flagged_names(self) -> tuple[str, ...]:
        """Names of the flagged faces, the furthest out first."""
        order = np.argsort(-self.distances, kind="stable")
        return tuple(self.names[n] for n in order if self.flagged[n])

    @property
    def expected_by_chance(self) -> float:
        """Number of faces that a population without outliers would have flagged."""
        return self.level * len(self)

    @property
    def summary(self) -> str:
        """One sentence: how many, how many by chance, and who."""
        found = self.flagged_names
        listed = f": {', '.join(found)}" if found else ""
        return (
            f"{len(found)} of {len(self)} faces lie beyond {self.threshold:.2f} standard "
            f"deviations in {self.components} coefficients ({self.reference}, level "
            f"{self.level:g}; {self.expected_by_chance:.1f} expected by chance){listed}."
        )


def mahalanobis_outliers(
    coefficients: FloatArray,
    *,
    level: float = 0.01,
    in_sample: bool = False,
    names: Sequence[str] | None = None,
) -> OutlierReport:
    """Report the faces whose coefficients lie too far out for the model.

    New faces: D^2 = |z|^2 against chi-square of K degrees of freedom.

    Faces that the model was fitted to (`in_sample`): each against the mean and covariance of the
    other n = N - 1. With d^2 = (z - m)^T C^-1 (z - m), m and C of all N,

        D^2 = (N / (N - 1))^2 (N - 2) / (N - 1) d^2 / (1 - N d^2 / (N - 1)^2),
        D^2 n (n - K) / (K (n^2 - 1)) ~ F(K, n - K)

    Parameters
    ----------
    coefficients : (N, K) float64, in standard deviations (`LinearModel.coefficients`); the leading
        K of a model are `z[:, :K]`
    level : share in (0, 1) of a population without outliers that is flagged nevertheless
    in_sample : True for the faces of the fit
    names : N names for the report, default "0", "1", ...

    Raises
    ------
    SettingsError : a level outside (0, 1), a count of names that differs, NaN or infinity; in
        sample, K > N - 2 or coefficients that depend on each other.

    Notes
    -----
    Why not chi-square in sample: a face pulls the covariance towards itself, so that
    N d^2 / (N - 1)^2 follows Beta(K / 2, (N - 1 - K) / 2) and never exceeds 1; with all K = N - 1
    modes every face has the same d^2 = (N - 1)^2 / N, outlier or not. The leave-one-out distance is
    a rising function of d^2, so both give the same p-values.
    The modes themselves are those of all faces: a far outlier has a mode of its own, which is
    where it shows. What lies outside the modes shows in the errors per mesh of `generalization`.

    Source
    ------
    Mahalanobis 1936; the Beta and F laws: Gnanadesikan and Kettenring 1972; the update of the
    inverse: Sherman and Morrison 1950.
    """
    z = np.asarray(coefficients, np.float64)
    require_shape(z, (None, None), "coefficients", SettingsError)
    require_finite(z, "coefficients", SettingsError)
    count, size = z.shape
    if not size:
        raise SettingsError("outliers: expected at least one coefficient a face, got none.")
    if not 0 < level < 1:
        raise SettingsError(f"outlier level: expected a share in (0, 1), got {level}.")
    labels = tuple(map(str, range(count))) if names is None else tuple(map(str, names))
    if len(labels) != count:
        raise SettingsError(f"names: expected {count}, one a face, got {len(labels)}.")
    squared, p_values, threshold = _left_out(z, level) if in_sample else _known(z, level)
    return OutlierReport(
        distances=np.sqrt(squared),
        p_values=p_values,
        flagged=p_values < level,
        threshold=float(np.sqrt(threshold)),
        level=level,
        components=size,
        reference="leave-one-out" if in_sample else "chi-square",
        names=labels,
    )


def _known(z: FloatArray, level: float) -> tuple[FloatArray, FloatArray, float]:
    """Return squared distances, p-values and the squared threshold under a known Gaussian."""
    from scipy.special import chdtrc, chdtri

    squared = np.einsum("nk,nk->n", z, z)
    return squared, chdtrc(z.shape[1], squared), float(chdtri(z.shape[1], level))


def _left_out(z: FloatArray, level: float) -> tuple[FloatArray, FloatArray, float]:
    """Return the same with each face judged by the mean and covariance of the others."""
    from scipy.special import fdtrc, fdtri

    count, size = z.shape
    others = count - 1
    if size > count - 2:
        raise SettingsError(
            f"outliers in sample: expected at most N - 2 = {max(count - 2, 0)} coefficients for "
            f"{count} faces, got {size}. With more, every face lies equally far out. Keep the "
            "leading ones."
        )
    centred = z - z.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    if singular[-1] <= 1e-10 * singular[0]:
        raise SettingsError(
            "outliers in sample: the coefficients depend on each other or do not vary. Drop the "
            "empty ones."
        )
    # N d^2 / (N - 1)^2 of the text; 1 only for a face that alone has one of the modes.
    leverage = np.einsum("nk,nk->n", left, left) * count / others
    rest = np.maximum(1.0 - leverage, 1e-15)
    squared = (others - 1) * leverage * count / (others * rest)
    scale = others * (others - size) / (size * (others**2 - 1.0))
    p_values = fdtrc(size, others - size, squared * scale)
    return squared, p_values, float(fdtri(size, others - size, 1.0 - level) / scale)
