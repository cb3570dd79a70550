"""A measure of a model by its number of components, with a confidence interval."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray, frozen
from geomface.errors import SettingsError
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.morphable import MorphableModel, require_model


@dataclasses.dataclass(frozen=True)
class Interval:
    """How the confidence interval of a mean over meshes is found."""

    kind: str = "t"
    """"t": mean -+ t s / sqrt(M), for means near normal; "bootstrap": percentiles of the means of
    meshes drawn with replacement, which needs a generator."""
    level: float = 0.95
    """Probability that the interval holds the mean of the population."""
    resamples: int = 2000
    """Number of bootstrap draws."""

    def __post_init__(self) -> None:
        if self.kind not in ("t", "bootstrap"):
            raise SettingsError(f"interval: expected 't' or 'bootstrap', got {self.kind!r}.")
        if not 0 < self.level < 1:
            raise SettingsError(f"interval level: expected a share in (0, 1), got {self.level}.")
        if self.resamples < 100:
            raise SettingsError(
                f"interval resamples: expected at least 100, got {self.resamples}. Percentiles of "
                "fewer draws are noise."
            )

    def bounds(
        self, values: FloatArray, rng: np.random.Generator | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the interval (n,), (n,) of the means over the columns of values (n, M).

        NaN for a single column, which says nothing about the spread. The bootstrap draws the same
        meshes for all rows.
        """
        from scipy.special import stdtrit

        count = values.shape[1]
        mean = values.mean(axis=1)
        if count < 2:
            return np.full_like(mean, np.nan), np.full_like(mean, np.nan)
        if self.kind == "t":
            spread = values.std(axis=1, ddof=1) / np.sqrt(count)
            reach = spread * float(stdtrit(count - 1, 0.5 * (1.0 + self.level)))
            return mean - reach, mean + reach
        if rng is None:
            raise SettingsError(
                "interval: the bootstrap draws meshes at random. Give rng, a "
                "numpy.random.Generator, or ask for kind='t'."
            )
        weights = rng.multinomial(count, np.full(count, 1.0 / count), size=self.resamples) / count
        tails = [0.5 * (1.0 - self.level), 0.5 * (1.0 + self.level)]
        low, high = np.quantile(weights @ values.T, tails, axis=0)
        return low, high


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
    """A measure by the number k of components.

    Parameters
    ----------
    components : (n,) int64, rising
    mean : (n,) float64, the measure with the first k components
    low, high : (n,) float64, its confidence interval, NaN where none could be found
    per_mesh : (n, M) float64, the values that the mean and the interval come from: a column a mesh
        (a sample in `specificity`), in the order they were given; M = 0 where there are none
    distance : "vertex", "surface", or "" for what is no distance
    unit : unit of the values, "" for a share
    interval : how low and high were found
    """

    components: IndexArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    per_mesh: FloatArray
    distance: str
    unit: str
    interval: Interval

    def __post_init__(self) -> None:
        object.__setattr__(self, "components", frozen(self.components, np.int64))
        for name in ("mean", "low", "high", "per_mesh"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))

    def __len__(self) -> int:
        return len(self.components)


def mean_curve(
    components: IndexArray,
    per_mesh: FloatArray,
    distance: str,
    unit: str,
    interval: Interval,
    rng: np.random.Generator | None,
) -> Curve:
    """Return the curve of the means over the columns of per_mesh (n, M)."""
    low, high = interval.bounds(per_mesh, rng)
    return Curve(components, per_mesh.mean(axis=1), low, high, per_mesh, distance, unit, interval)


def chosen_components(components: object, largest: int) -> IndexArray:
    """Return the rising numbers of components to judge: 1 .. largest for None.

    Raises
    ------
    SettingsError : a number outside 0 .. largest, or none.
    """
    if components is None:
        return np.arange(1, largest + 1)
    chosen = np.atleast_1d(np.asarray(components))
    good = chosen.ndim == 1 and len(chosen) > 0 and chosen.dtype.kind in "iu"
    if not good or chosen.min() < 0 or chosen.max() > largest:
        raise SettingsError(
            f"components: expected whole numbers in 0 .. {largest}, got {components}."
        )
    return np.unique(chosen.astype(np.int64))


def shape_part(
    model: LinearModel | MorphableModel, faces: IndexArray | None
) -> tuple[LinearModel, IndexArray | None]:
    """Return the shape of a model and the triangles to measure on: those given, else its own."""
    if isinstance(model, LinearModel):
        return model, faces
    model = require_model(model, "evaluation")
    return model.shape, model.mesh.faces if faces is None else faces
