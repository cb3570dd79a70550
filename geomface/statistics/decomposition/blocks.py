"""Principal components of rows that do not fit in memory, from blocks of them."""

import operator
from collections.abc import Iterator

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import MeshError, SettingsError
from geomface.statistics.decomposition.centring import gram, sum_of_squares
from geomface.statistics.decomposition.exact import GRAM_FLOOR, orthonormalize
from geomface.statistics.decomposition.krylov import extend_basis
from geomface.statistics.decomposition.result import (
    Decomposition,
    Divisor,
    assemble,
    require_choice,
    require_possible,
    require_rows,
    rounding_level,
)
from geomface.statistics.decomposition.stream import BlockSource, BlockStream

OVERSAMPLING = 0.5
SMALLEST_OVERSAMPLING = 10
SAME_ROWS = 1e-4


def _sketch(
    stream: BlockStream, components: int, rng: np.random.Generator
) -> tuple[np.ndarray, FloatArray, int, float]:
    """Return (C G, mean, N, trace of C) of one pass, C = X^T X of centred rows, G random (D, b).

    Rows are shifted by c, near the mean m, which is known at the end only:
    X^T X G = sum_n (x_n - c) (x_n - c)^T G - N (m - c) (m - c)^T G.
    """
    start = image = sums = np.zeros(0)
    count, squares = 0, 0.0
    for piece in stream.pieces():
        if not count:
            size = piece.shape[1]
            extra = max(SMALLEST_OVERSAMPLING, int(np.ceil(OVERSAMPLING * components)))
            width = min(size, components + extra)
            start = rng.standard_normal((size, width), dtype=np.float64).astype(stream.dtype)
            image, sums = np.zeros_like(start), np.zeros(size)
        image += piece.T @ (piece @ start)
        sums += piece.sum(axis=0, dtype=np.float64)
        squares += sum_of_squares(piece)
        count += len(piece)
    offset = sums / count
    image -= np.outer((count * offset).astype(stream.dtype), (offset @ start).astype(stream.dtype))
    return image, stream.shift + offset, count, max(squares - count * float(offset @ offset), 0.0)


def _scored(
    stream: BlockStream, basis: np.ndarray, count: int, total: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (piece, scores) of one pass, scores = piece V of columns V (D, b).

    Raises
    ------
    MeshError : the rows are not those of the first pass, whose scores would add up to zero.
    """
    sums, seen = np.zeros(basis.shape[1]), 0
    for piece in stream.pieces():
        scores = piece @ basis
        sums += scores.sum(axis=0, dtype=np.float64)
        seen += len(piece)
        yield piece, scores
    if seen != count or not sums @ sums <= SAME_ROWS * count * total:
        raise MeshError(
            f"blocks: expected the same {count} rows at each call, got others in a later pass "
            f"({seen} rows). Seed anew inside the function, or store the rows."
        )


def decompose_blocks(
    blocks: BlockSource,
    *,
    components: int,
    passes: int = 4,
    divisor: Divisor | str = "n-1",
    rng: np.random.Generator | None = None,
) -> Decomposition:
    """Return the leading principal components of rows that are read in blocks, several times.

    With C = X^T X of the centred rows, the first pass finds the mean, the total variance and
    V_1 = orth(C G) of a random G (D, b), b = 1.5 components; each further pass finds
    V_j+1 = orth(C V_j) orthogonal to what there is; the last one projects the rows on all of
    V = (V_1 ... V_passes-1) and takes the leading eigenvectors of V^T C V (Rayleigh and Ritz).
    Memory: D b (passes + 2) numbers and one block; nothing grows with the number of rows.

    Parameters
    ----------
    blocks : function without arguments that returns an iterable of (n, D) arrays, float32 or
        float64, the same rows at each call; blocks may differ in length
    components : keep so many modes, at most min(N - 1, D); fewer when the rows have fewer, as
        long passes are not thrown away. For a share of the variance ask for enough of them and
        compare the sums of `variances` with `total_variance`
    passes : 2 or more; each one makes the later modes more accurate
    divisor, rng : as in `decompose_rows`

    Returns
    -------
    Decomposition; mean and total variance are exact, modes under 1e-5 of the largest standard
    deviation are dropped.

    Raises
    ------
    MeshError : no rows or one, blocks of differing width, NaN or infinity (the message names the
        block), other rows in a later pass.
    SettingsError : `blocks` is no function, more components than possible, fewer than 2 passes.

    Source
    ------
    Halko, Martinsson, Shkolnisky and Tygert 2011, An algorithm for the principal component
    analysis of large data sets; the blocks of all passes are kept, as in Musco and Musco 2015.
    """
    require_choice(components, None, divisor)
    try:
        few = operator.index(passes) < 2
    except TypeError:
        few = True
    if few:
        raise SettingsError(f"passes: expected a count of at least 2, got {passes}.")
    stream = BlockStream(blocks)
    rng = np.random.default_rng(0) if rng is None else rng
    image, mean, count, total = _sketch(stream, components, rng)
    size = len(mean)
    require_rows(count)
    require_possible(components, count, size)
    stream.shift = mean
    level = float(np.finfo(stream.dtype).eps)
    basis = np.empty((size, min(size, image.shape[1] * (passes - 1))), stream.dtype, order="F")
    filled, fresh = 0, image
    for step in range(passes - 1):
        if step:
            image = np.zeros_like(fresh)
            for piece, scores in _scored(stream, fresh, count, total):
                image += piece.T @ scores
        fresh = extend_basis(basis[:, :filled], image, level)[:, : basis.shape[1] - filled]
        if not fresh.shape[1]:
            break
        basis[:, filled : filled + fresh.shape[1]] = fresh
        filled += fresh.shape[1]
    basis = basis[:, :filled]
    matrix, exact_total = np.zeros((filled, filled)), 0.0
    for piece, scores in _scored(stream, basis, count, total):
        matrix += gram(scores)
        exact_total += sum_of_squares(piece)
    values, mixing = np.linalg.eigh(matrix)
    values, mixing = values[::-1][:components], mixing[:, ::-1]
    largest = float(values[0]) if len(values) else 0.0
    level = rounding_level(stream.dtype, count, mean, exact_total, np.sqrt(max(largest, 0.0)))
    resolved = int(np.count_nonzero(values > max(level**2, GRAM_FLOOR * largest)))
    kept = min(resolved, count - 1)
    directions = mixing[:, :kept].T.astype(stream.dtype) @ basis.T
    if kept:
        orthonormalize(directions)
    return assemble(
        mean,
        directions,
        values[:kept].copy(),
        exact_total,
        count=count,
        divisor=divisor,
        method="streamed",
    )
