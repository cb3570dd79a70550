"""The leading singular vectors of a large matrix from a few products: block Krylov iteration."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.statistics.decomposition.centring import (
    CHUNK_ENTRIES,
    centred_columns,
    centred_rows,
    chunks,
    combine,
    gram,
    sum_of_squares,
)
from geomface.statistics.decomposition.exact import GRAM_FLOOR, Factors, orthonormalize

STEPS = 8
"""Blocks of the basis."""
BLOCK_SHARE = 0.4
"""Columns of a block, in modes asked for. Smaller blocks and more steps find the subspace with
fewer products, but read the data more often (tests/benchmarks/pca.py)."""
SMALLEST_BLOCK = 16
RESOLVED = 1e-13
"""Eigenvalues of a Gram matrix in float64 under this share of the largest are rounding error."""


def extend_basis(basis: np.ndarray, fresh: np.ndarray, level: float) -> np.ndarray:
    """Return the part of `fresh` (n, b) that orthonormal columns (n, m) lack, orthonormal (n, b').

    Gram-Schmidt, twice, and F <- F S W^-1/2 of F^T F = S W S^T each time. Combinations whose
    remainder is below `level` of the longest column, or vanishes in the second round, say nothing
    new and are dropped.

    Source
    ------
    Stathopoulos and Wu 2002, A block orthogonalization procedure with constant synchronization
    requirements: products of matrices alone, where a QR factorisation with pivots goes column by
    column.
    """
    scale = float(np.einsum("nb,nb->b", fresh, fresh, dtype=np.float64).max(initial=0))
    for least in (level**2 * scale, 0.25):
        fresh = fresh - basis @ (basis.T @ fresh)
        values, vectors = np.linalg.eigh(gram(fresh))
        keep = values > max(least, RESOLVED * values[-1])
        if not keep.any():
            return fresh[:, :0]
        fresh = combine(fresh, vectors[:, keep][:, ::-1] / np.sqrt(values[keep][::-1]))
    return fresh


def block_krylov(
    rows: np.ndarray, mean: FloatArray, most: int, rng: np.random.Generator
) -> Factors:
    """Return the leading `most` factors of X = rows - mean, approximately.

    With M the matrix whose columns are the shorter side (X^T when N <= D, else X), an orthonormal
    basis Q of the Krylov space span(G, M^T M G, ..., (M^T M)^(STEPS-1) G) of a random block G is
    grown, and M Q = P S W^T gives the factors (Rayleigh and Ritz). Every part of the data is
    centred once a step and used for M Q_j and M^T M Q_j alike.

    Source
    ------
    Musco and Musco 2015, Randomized block Krylov methods, algorithm 2, with full
    orthogonalisation and blocks smaller than `most`: more steps of fewer columns give a smaller
    error for the same work than the power iterations of Halko, Martinsson and Tropp 2011.
    """
    wide = rows.shape[0] <= rows.shape[1]
    parts = centred_columns if wide else centred_rows
    short, long = sorted(rows.shape)
    width = min(short, max(SMALLEST_BLOCK, int(np.ceil(BLOCK_SHARE * most))))
    capacity = min(short, max(STEPS * width, most))
    level = float(np.finfo(rows.dtype).eps)
    basis = np.empty((short, capacity))
    products = np.empty((long, capacity), rows.dtype)
    image = rng.standard_normal((short, width))
    filled, total = 0, 0.0
    while filled < capacity:
        if wide:  # weights of the rows that add up to zero see no mean, not even its rounding
            image -= image.mean(axis=0)
        fresh = extend_basis(basis[:, :filled], image, level)[:, : capacity - filled]
        if not fresh.shape[1]:
            break
        stop = filled + fresh.shape[1]
        basis[:, filled:stop] = fresh
        vectors = fresh.astype(rows.dtype)
        image = np.zeros_like(fresh)
        for part, block in parts(rows, mean, rows.dtype):
            products[part, filled:stop] = product = block @ vectors
            if stop < capacity:
                image += block.T @ product
            if not filled:
                total += sum_of_squares(block)
        filled = stop
    products = products[:, :filled]
    values, mixing = np.linalg.eigh(gram(products))
    values, mixing = values[::-1][:most], mixing[:, ::-1][:, :most]
    squares = values[values > GRAM_FLOOR * max(values[0], 0.0)]

    def directions(kept: int) -> np.ndarray:
        if not wide:
            return np.ascontiguousarray((basis[:, :filled] @ mixing[:, :kept]).T, rows.dtype)
        weights = (mixing[:, :kept] / np.sqrt(squares[:kept])).astype(rows.dtype)
        result = np.empty((kept, long), rows.dtype)
        for part in chunks(long, CHUNK_ENTRIES // filled):
            result[:, part] = (products[part] @ weights).T
        if kept:
            orthonormalize(result)
        return result

    return squares, total, directions
