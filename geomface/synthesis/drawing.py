"""Numbers drawn from distributions, and their mean and variance."""

import math

import numpy as np

from geomface.arrays import FloatArray
from geomface.synthesis.distributions import (
    Constant,
    Distribution,
    DistributionError,
    Empirical,
    Gaussian,
    Mixture,
    Uniform,
    Vae,
)


def draw(
    distribution: Distribution, rng: np.random.Generator, size: int, factor: str = ""
) -> FloatArray:
    """Draw (size,) numbers: independent ones, or one row that belongs together.

    A mixture chooses its part once for all of them, so a vector is never half of one part and half
    of another; for independent choices draw one number at a time, or use `draw_many`.

    Parameters
    ----------
    rng : the only source of randomness
    size : how many numbers, such as the number of identity modes
    factor : what they are of, for a VAE: identity, expression, light or pose

    Raises
    ------
    DistributionError : rows of another length, or a VAE for what is no factor.
    FileFormatError : the file of a VAE that is gone, damaged or another one.
    """
    if isinstance(distribution, Constant):
        return np.full(size, float(distribution.value))
    if isinstance(distribution, Uniform):
        return rng.uniform(distribution.low, distribution.high, size)
    if isinstance(distribution, Gaussian):
        return distribution.mean + distribution.sigma * rng.standard_normal(size)
    if isinstance(distribution, Mixture):
        return draw(distribution.parts[int(choose(distribution, rng, 1)[0])], rng, size, factor)
    if isinstance(distribution, Vae):
        return _drawn_by_vae(distribution, rng, size, factor)
    values = np.asarray(distribution.values)
    if values.ndim == 1:
        return values[rng.integers(len(values), size=size)]
    if values.shape[1] != size:
        raise DistributionError(
            f"empirical: expected rows of {size} numbers here, got rows of {values.shape[1]}."
        )
    return values[int(rng.integers(len(values)))].copy()


def _drawn_by_vae(
    distribution: Vae, rng: np.random.Generator, size: int, factor: str
) -> FloatArray:
    from geomface.synthesis.factor_vae.factor_vae import kept_factor_vaes

    if not factor:
        raise DistributionError(
            f"vae({distribution.file}): draws identity, expression, light or pose as a whole, not "
            "single numbers. Give another distribution."
        )
    drawn = kept_factor_vaes(distribution.file, distribution.digest).draw(factor, rng)
    if len(drawn) != size:
        raise DistributionError(
            f"vae({distribution.file}): expected {size} numbers of the {factor} here, it draws "
            f"{len(drawn)}. Fit it to a population of this face model."
        )
    return drawn


def draw_one(distribution: Distribution, rng: np.random.Generator) -> float:
    """Draw one number."""
    return float(draw(distribution, rng, 1)[0])


def draw_many(distribution: Distribution, rng: np.random.Generator, count: int) -> FloatArray:
    """Draw (count,) independent numbers; a mixture chooses its part for each."""
    if not isinstance(distribution, Mixture):
        return draw(distribution, rng, count)
    chosen = choose(distribution, rng, count)
    values = np.empty(count)
    for index, part in enumerate(distribution.parts):
        taken = chosen == index
        values[taken] = draw_many(part, rng, int(taken.sum()))
    return values


def choose(mixture: Mixture, rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw (count,) int64 places of parts, each with the probability of its weight."""
    edges = np.cumsum(mixture.weights)
    # The last edge is 1 up to rounding: nothing may fall beyond it, nor into a part of weight 0.
    last = int(np.flatnonzero(mixture.weights)[-1])
    return np.minimum(np.searchsorted(edges, rng.random(count), side="right"), last)


def mean_of(distribution: Distribution) -> float:
    """Return the mean of one number drawn; of rows, the mean of all their numbers."""
    if isinstance(distribution, Constant):
        return float(distribution.value)
    if isinstance(distribution, Uniform):
        return 0.5 * (distribution.low + distribution.high)
    if isinstance(distribution, Gaussian):
        return float(distribution.mean)
    if isinstance(distribution, Empirical):
        return float(np.mean(distribution.values))
    if isinstance(distribution, Vae):
        raise DistributionError("vae: its mean is that of no single number.")
    parts = zip(distribution.weights, distribution.parts, strict=True)
    return math.fsum(weight * mean_of(part) for weight, part in parts)


def variance_of(distribution: Distribution) -> float:
    """Return the variance of one number drawn."""
    if isinstance(distribution, Constant):
        return 0.0
    if isinstance(distribution, Uniform):
        return (distribution.high - distribution.low) ** 2 / 12.0
    if isinstance(distribution, Gaussian):
        return float(distribution.sigma) ** 2
    if isinstance(distribution, Empirical):
        return float(np.var(distribution.values))
    middle = mean_of(distribution)
    if isinstance(distribution, Vae):
        raise DistributionError("vae: its variance is that of no single number.")
    parts = zip(distribution.weights, distribution.parts, strict=True)
    return math.fsum(
        weight * (variance_of(part) + (mean_of(part) - middle) ** 2) for weight, part in parts
    )
