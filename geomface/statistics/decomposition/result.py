"""What a principal component analysis returns, and the choices that all its methods share."""

import dataclasses
import operator
from typing import Literal

import numpy as np

from geomface.arrays import FloatArray, frozen
from geomface.errors import MeshError, SettingsError

Divisor = Literal["n-1", "n"]
DIVISORS = ("n-1", "n")
RELATIVE_LEVEL = 1e-12


@dataclasses.dataclass(frozen=True, eq=False)
class Decomposition:
    """The principal components of rows: x = mean + sum_k sqrt(variance_k) z_k direction_k + e.

    Parameters
    ----------
    mean : (D,) float64
    directions : (K, D) orthonormal, float32 or float64 as the data
    variances : (K,) float64 > 0, falling; the unit of the data, squared
    total_variance : trace of the covariance, all modes, kept or not
    noise_variance : the maximum-likelihood noise of probabilistic PCA,
        (total_variance - sum variances) / (D - K): what is left out, shared by the D - K
        directions left out. Zero eigenvalues beyond the rank count too, so that it is the mean
        squared residual per left-out direction; 0 when K = D.
    count : N, number of rows
    method : the one that was used: thin, dual, randomized or streamed

    Convention
    ----------
    The largest entry of a direction by size is positive. Constant data have no modes: K = 0.

    Source
    ------
    Tipping and Bishop 1999, Probabilistic principal component analysis, equation 8.
    """

    mean: FloatArray
    directions: np.ndarray
    variances: FloatArray
    total_variance: float
    noise_variance: float
    count: int
    method: str

    def __post_init__(self) -> None:
        for name in ("mean", "directions", "variances"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.variances)


def require_choice(components: int | None, variance: float | None, divisor: str) -> None:
    """Raise SettingsError for settings that no data can satisfy."""
    if divisor not in DIVISORS:
        raise SettingsError(f'divisor: expected one of {", ".join(DIVISORS)}, got "{divisor}".')
    if components is not None and variance is not None:
        raise SettingsError("components and variance contradict each other: give one of them.")
    if components is not None:
        try:
            wrong = operator.index(components) < 1
        except TypeError:
            wrong = True
        if wrong:
            raise SettingsError(f"components: expected a count of at least 1, got {components}.")
    if variance is not None and not 0 < variance <= 1:
        raise SettingsError(f"variance: expected a share in (0, 1], got {variance}.")


def require_possible(components: int | None, count: int, size: int) -> None:
    """Raise SettingsError when N = count rows of D = size entries cannot have so many modes."""
    possible = min(count - 1, size)
    if components is not None and components > possible:
        raise SettingsError(
            f"components: expected at most {possible}, as {count} rows of {size} entries have no "
            f"more, got {components}. Ask for fewer or add rows."
        )


def require_found(components: int | None, found: int) -> None:
    """Raise SettingsError when rows that vary have fewer modes than were asked for."""
    if components is not None and 0 < found < components:
        raise SettingsError(
            f"components: expected at most {found}, as the rows have no more modes above "
            f"rounding, got {components}. Ask for fewer or add rows that differ."
        )


def require_rows(count: int) -> None:
    """Raise MeshError for fewer than two rows: they have no variance."""
    if count < 2:
        raise MeshError(f"principal components need at least 2 rows, got {count}. Add rows.")


def rounding_level(
    dtype: np.dtype, count: int, mean: FloatArray, squares: float, largest: float
) -> float:
    """Return the singular value under which a mode is rounding error.

    Rounding the N D entries to `dtype` adds a matrix of random entries eps |x|, whose norm is
    below eps rms(x) (sqrt N + sqrt D); a factorisation adds eps sqrt(min(N, D)) s_1; and rows are
    the result of arithmetic themselves, which leaves RELATIVE_LEVEL s_1 at least.
    """
    size = len(mean)
    rms = np.sqrt(mean @ mean / size + squares / (count * size))
    entries = rms * (np.sqrt(count) + np.sqrt(size))
    eps = np.finfo(dtype).eps
    relative = max(eps * np.sqrt(min(count, size)), RELATIVE_LEVEL)
    return float(eps * entries + relative * largest)


def choose_modes(
    squares: FloatArray, total: float, components: int | None, variance: float | None
) -> int:
    """Return how many of the modes with squared singular values (M,) to keep.

    A count keeps so many or all there are; a share keeps the fewest that reach it; neither, all.
    """
    if components is not None:
        return min(int(components), len(squares))
    if variance is None or variance == 1 or not len(squares):
        return len(squares)
    reached = np.cumsum(squares) / total
    return min(int(np.searchsorted(reached, variance)) + 1, len(squares))


def assemble(
    mean: FloatArray,
    directions: np.ndarray,
    squares: FloatArray,
    total: float,
    *,
    count: int,
    divisor: str,
    method: str,
) -> Decomposition:
    """Return the result of K directions (changed in place) and squared singular values (K,)."""
    # Not by the sizes of all entries: that would be a copy of the directions.
    flip = -directions.min(axis=1, initial=0) > directions.max(axis=1, initial=0)
    for index in np.flatnonzero(flip):
        np.negative(directions[index], out=directions[index])
    kept, size = directions.shape
    share = count if divisor == "n" else count - 1
    left_out = max(total - float(squares.sum()), 0.0) / share
    variances = squares / share
    for array in (mean, directions, variances):
        array.flags.writeable = False  # ours alone: no copy is needed to freeze them
    return Decomposition(
        mean=mean,
        directions=directions,
        variances=variances,
        total_variance=float(variances.sum()) + left_out,
        noise_variance=left_out / (size - kept) if size > kept else 0.0,
        count=count,
        method=method,
    )
