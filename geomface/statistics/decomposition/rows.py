"""Principal components of rows that fit in memory."""

from typing import Literal

import numpy as np

from geomface.errors import SettingsError
from geomface.statistics.decomposition.centring import column_means, floats
from geomface.statistics.decomposition.exact import dual, thin
from geomface.statistics.decomposition.krylov import block_krylov
from geomface.statistics.decomposition.result import (
    Decomposition,
    Divisor,
    assemble,
    choose_modes,
    require_choice,
    require_found,
    require_possible,
    require_rows,
    rounding_level,
)

Method = Literal["auto", "thin", "dual", "randomized"]
METHODS = ("auto", "thin", "dual", "randomized")

THIN_WORK = 2e10
"""Largest min(N, D)^2 max(N, D) for a thin SVD: about a second."""
RANDOMIZED_SHARE = 0.2
"""Largest share of the modes for which random blocks are faster than all of them."""
DUAL_SIDE = 10_000
"""Largest Gram matrix: 0.8 GB."""
FIRST_GUESS = 32


def choose_method(count: int, size: int, components: int | None) -> str:
    """Return what "auto" means for N = count rows of D = size entries.

    Exact while it takes about a second (thin); random blocks for a count of modes that is small
    beside what there is; otherwise the Gram matrix while it fits in memory (dual).
    """
    short, long = sorted((count, size))
    if float(short) ** 2 * long <= THIN_WORK:
        return "thin"
    if components is not None and components <= RANDOMIZED_SHARE * short:
        return "randomized"
    return "dual" if short <= DUAL_SIDE else "randomized"


def decompose_rows(
    rows: np.ndarray,
    *,
    components: int | None = None,
    variance: float | None = None,
    method: Method | str = "auto",
    divisor: Divisor | str = "n-1",
    rng: np.random.Generator | None = None,
) -> Decomposition:
    """Return the principal components of rows: X - mean = U S V^T, variance_k = s_k^2 / (N - 1).

    Parameters
    ----------
    rows : (N, D) float32 or float64, N >= 2, one example a row; other numbers become float64.
        They are neither changed nor, but for the thin SVD, copied.
    components : keep so many modes; the rows must have them, at most min(N - 1, D)
    variance : keep the fewest modes that hold this share of the total variance, in (0, 1].
        The randomized method doubles its count until the share is reached
    method : "thin", exact, in the dtype of the data, with one copy of them;
        "dual", exact but for modes under 1e-5 of the largest standard deviation, because the Gram
        matrix of the shorter side squares the condition number (float64, whatever the data);
        "randomized", approximate, see `block_krylov`, fastest for few of many modes;
        "auto", by the shape and `components`, see `choose_method`
    divisor : "n-1", the unbiased variance, or "n", as in Blanz and Vetter 1999 and in the
        maximum-likelihood estimate of probabilistic PCA; the directions are the same
    rng : start of the randomized method, default `numpy.random.default_rng(0)`: equal data give
        equal results

    Returns
    -------
    Decomposition; modes that are rounding error of the data are dropped. Rows that are all equal
    have none, whatever was asked for.

    Raises
    ------
    MeshError : not a matrix of numbers, fewer than two rows, NaN or infinity.
    SettingsError : more components than the rows have, components and variance together, or an
        unknown method or divisor.

    Source
    ------
    Dual: Turk and Pentland 1991. Randomized: Halko, Martinsson and Tropp 2011; Musco and Musco
    2015.
    """
    if method not in METHODS:
        raise SettingsError(f'method: expected one of {", ".join(METHODS)}, got "{method}".')
    require_choice(components, variance, divisor)
    rows = floats(rows, "rows")
    count, size = rows.shape
    require_rows(count)
    if method == "auto":
        method = choose_method(count, size, components)
    if method != "thin":  # refused before work that may be long
        require_possible(components, count, size)
    mean = column_means(rows)
    if method == "thin":
        squares, total, directions = thin(rows, mean)
    elif method == "dual":
        squares, total, directions = dual(rows, mean, components)
    else:
        rng = np.random.default_rng(0) if rng is None else rng
        possible = min(count - 1, size)
        most = min(components or (possible if variance is None else FIRST_GUESS), possible)
        squares, total, directions = block_krylov(rows, mean, most, rng)
        while variance is not None and squares.sum() < variance * total and most < possible:
            most = min(2 * most, possible)
            squares, total, directions = block_krylov(rows, mean, most, rng)
    largest = np.sqrt(squares[0]) if len(squares) else 0.0
    level = rounding_level(rows.dtype, count, mean, total, largest)
    squares = squares[: min(count - 1, int(np.count_nonzero(squares > level**2)))]
    require_found(components, len(squares))
    kept = choose_modes(squares, total, components, variance)
    return assemble(
        mean,
        directions(kept),
        squares[:kept].copy(),
        total,
        count=count,
        divisor=divisor,
        method=method,
    )
