"""Distributions as data: constant, uniform, Gaussian, empirical, learned, and mixtures of them."""

import dataclasses
import math
from collections.abc import Sequence
from numbers import Real

from geomface.errors import SettingsError

WEIGHT_TOLERANCE = 1e-6
"""How far the weights of a mixture may be from summing to 1: what rounding in a text leaves."""


class DistributionError(SettingsError):
    """A distribution that cannot exist: negative sigma, weights that do not sum to 1, no values."""


@dataclasses.dataclass(frozen=True)
class Constant:
    """Always the same number."""

    value: float

    def __post_init__(self) -> None:
        _require_numbers(self, "constant", self.value)


@dataclasses.dataclass(frozen=True)
class Uniform:
    """Any number from `low` to `high`, all alike."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _require_numbers(self, "uniform", self.low, self.high)
        if self.low > self.high:
            raise DistributionError(
                f"uniform({self.low:g}, {self.high:g}): expected the lower bound first. Swap them."
            )


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """The normal distribution with this mean and standard deviation.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> from geomface.synthesis import draw
    >>> bool(draw(gf.Gaussian(10.0, 2.0), np.random.default_rng(1), 1000).mean() > 9.5)
    True
    """

    mean: float = 0.0
    sigma: float = 1.0

    def __post_init__(self) -> None:
        _require_numbers(self, "gaussian", self.mean, self.sigma)
        if self.sigma < 0:
            raise DistributionError(
                f"gaussian({self.mean:g}, {self.sigma:g}): expected a sigma of 0 or more, got "
                f"{self.sigma:g}. It is the standard deviation, the second number."
            )


@dataclasses.dataclass(frozen=True)
class Empirical:
    """One of the given values, all alike: numbers, or rows that are drawn whole.

    Parameters
    ----------
    values : numbers; or rows of one length, such as the coefficients of measured people
    """

    values: tuple[float, ...] | tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        import numpy as np  # only here: the command line's help reads distributions without it

        array = np.asarray(self.values, np.float64) if _regular(self.values) else None
        if array is None or array.ndim not in (1, 2) or array.size == 0:
            raise DistributionError(
                "empirical: expected at least one number, or rows of one length, got "
                f"{len(self.values)} values of differing shape or none."
            )
        if not np.isfinite(array).all():
            raise DistributionError("empirical: the values hold NaN or infinity. Remove them.")
        rows = array.tolist()
        plain = tuple(tuple(row) for row in rows) if array.ndim == 2 else tuple(rows)
        object.__setattr__(self, "values", plain)

    @property
    def width(self) -> int | None:
        """Length of the rows, None for single numbers."""
        first = self.values[0]
        return len(first) if isinstance(first, tuple) else None


@dataclasses.dataclass(frozen=True)
class Vae:
    """All coefficients of a factor, drawn by the VAE that a file of `geomface synth vae` has of it.

    The factor is that of the setting: identity, weights of the expression, light or pose.

    Parameters
    ----------
    file : its path
    digest : hash of the file, see `vae_digest`
    """

    file: str
    digest: str

    def __post_init__(self) -> None:
        if not self.file or not self.digest:
            raise DistributionError("vae: expected a file and its hash.")


@dataclasses.dataclass(frozen=True)
class Mixture:
    """One of several distributions, chosen with these weights for every draw as a whole.

    Parameters
    ----------
    parts : the distributions
    weights : one probability each, summing to 1
    """

    parts: tuple["Distribution", ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        object.__setattr__(self, "weights", tuple(float(weight) for weight in self.weights))
        if not self.parts or len(self.parts) != len(self.weights):
            raise DistributionError(
                f"mixture: expected one weight for each part and at least one part, got "
                f"{len(self.parts)} parts and {len(self.weights)} weights."
            )
        if not all(weight >= 0 for weight in self.weights):
            raise DistributionError(
                f"mixture: expected weights of 0 or more, got {_list(self.weights)}."
            )
        total = math.fsum(self.weights)
        if not abs(total - 1.0) <= WEIGHT_TOLERANCE:
            raise DistributionError(
                f"mixture: expected weights that sum to 1, got {_list(self.weights)}, which sum to "
                f"{total:g}. Divide each by {total:g}."
            )


Distribution = Constant | Uniform | Gaussian | Empirical | Vae | Mixture
"""Any of the six."""


def gives_rows(distribution: Distribution) -> bool:
    """Say whether a distribution draws several numbers that belong together."""
    if isinstance(distribution, Mixture):
        return any(gives_rows(part) for part in distribution.parts)
    if isinstance(distribution, Empirical):
        return distribution.width is not None
    return isinstance(distribution, Vae)


def _require_numbers(distribution: object, name: str, *values: float) -> None:
    for field, value in zip(dataclasses.fields(distribution), values, strict=True):  # type: ignore[arg-type]
        if isinstance(value, bool) or not isinstance(value, Real):
            raise DistributionError(f"{name}: expected a number for {field.name}, got {value!r}.")
        if not math.isfinite(value):
            raise DistributionError(f"{name}: expected a finite {field.name}, got {value}.")


def _regular(values: Sequence) -> bool:
    """Say whether the values are all numbers, or all rows of one length."""
    lengths = {len(row) if hasattr(row, "__len__") else -1 for row in values}
    return len(lengths) == 1


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
