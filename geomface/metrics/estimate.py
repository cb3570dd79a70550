"""A measured figure together with how sure it is and how it was measured."""

import dataclasses
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What a measure returns.

    Parameters
    ----------
    value : the figure
    low, high : its confidence interval, NaN where nothing could be said
    n : samples (or pairs) that it is the figure of
    unit : "mm", or "" for shares and numbers without one
    deviation : standard deviation of what `value` is the mean of, NaN where it is no mean
    error : standard error of `value`, NaN where the interval comes without one
    level : probability that the interval holds the figure of infinitely many samples
    seed : of everything drawn on the way, None where nothing was
    settings : everything else that the figure depends on
    """

    value: float
    low: float
    high: float
    n: int
    unit: str = ""
    deviation: float = np.nan
    error: float = np.nan
    level: float = 0.95
    seed: int | None = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.value:.4g}{unit} [{self.low:.4g}, {self.high:.4g}], n = {self.n}"


def mean_estimate(
    values: FloatArray,
    *,
    unit: str = "",
    level: float = 0.95,
    seed: int | None = None,
    settings: dict[str, Any] | None = None,
) -> Estimate:
    """Return the mean of independent values with its t interval: mean -+ t s / sqrt(n).

    Parameters
    ----------
    values : (n,), n >= 1; one value has no interval
    unit, level, seed, settings : as in `Estimate`

    Raises
    ------
    SettingsError : no values, NaN, a level outside (0, 1)
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise SettingsError(
            f"mean: expected one or more finite values (n,), got shape {values.shape} with "
            f"{int((~np.isfinite(values)).sum())} not finite."
        )
    spread = float(values.std(ddof=1)) if len(values) > 1 else np.nan
    mean = float(values.mean())
    error = spread / float(np.sqrt(len(values)))
    reach = reach_of(error, len(values) - 1, level)
    bounds = mean - reach, mean + reach
    return Estimate(mean, *bounds, len(values), unit, spread, error, level, seed, settings or {})


def reach_of(error: float, freedom: float, level: float) -> float:
    """Return how far the interval of a figure with this standard error reaches: t error.

    Parameters
    ----------
    error : standard error
    freedom : degrees of freedom of the error, infinity for a normal interval
    level : in (0, 1)

    Raises
    ------
    SettingsError : a level outside (0, 1)
    """
    from scipy.special import ndtri, stdtrit

    if not 0 < level < 1:
        raise SettingsError(f"confidence level: expected a share in (0, 1), got {level}.")
    if freedom < 1:
        return np.nan
    upper = 0.5 * (1.0 + level)
    return error * float(ndtri(upper) if np.isinf(freedom) else stdtrit(freedom, upper))


def share_interval(share: float, effective: float, level: float) -> tuple[float, float]:
    """Return the interval of a share of so many independent trials, never a single point.

    low, high: the shares at which `share` or more (less) has probability (1 - level) / 2
    (Clopper and Pearson), for numbers of trials that need not be whole

    Parameters
    ----------
    share : in [0, 1]
    effective : number of independent trials that know as much as those seen
    level : in (0, 1)

    Raises
    ------
    SettingsError : a level outside (0, 1)

    Source
    ------
    Clopper and Pearson 1934; with effective numbers: Korn and Graubard 1998.
    """
    from scipy.special import betaincinv

    if not 0 < level < 1:
        raise SettingsError(f"confidence level: expected a share in (0, 1), got {level}.")
    tail = 0.5 * (1.0 - level)
    hits, misses = share * effective, (1.0 - share) * effective
    low = float(betaincinv(hits, misses + 1.0, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1.0, misses, 1.0 - tail)) if misses > 0 else 1.0
    return low, high
