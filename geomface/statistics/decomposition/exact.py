"""Exact principal components of rows in memory: a thin SVD, or the smaller Gram matrix."""

from collections.abc import Callable
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.statistics.decomposition.centring import (
    CHUNK_ENTRIES,
    Centring,
    centred_columns,
    centred_rows,
    chunks,
    gram,
)

Factors = tuple[FloatArray, float, Callable[[int], np.ndarray]]
"""Squared singular values (M,) falling, the sum of all of them, and k -> directions (k, D)."""

GRAM_FLOOR = 1e-10
"""Squared singular values under this share of the largest drown in a float64 Gram matrix."""
LOST_ORTHOGONALITY = 1e-9


def thin(rows: np.ndarray, mean: FloatArray) -> Factors:
    """Return the factors of X = rows - mean by QR of the longer side, then SVD of the factor R.

    N <= D: X^T = Q R, R = A S B^T, directions (Q A)^T. N > D: X = Q R, directions B^T. Backward
    stable in the dtype of the data; needs one copy of them, which becomes the directions.
    """
    # scipy's factorisations stay in float32; numpy's work in float64 copies.
    from scipy.linalg import qr, svd

    count, size = rows.shape
    # LAPACK factors in place what is ordered by columns: X itself or, ordered by rows, X^T.
    centred = np.empty((count, size), rows.dtype, order="F" if count > size else "C")
    centring = Centring(mean, rows.dtype)
    for part in chunks(count, CHUNK_ENTRIES // size):
        centring.subtract(rows[part], centred[part])
    if count > size:
        factors: Any = qr(centred, mode="raw", overwrite_a=True, check_finite=False)
        _, singular, right = svd(factors[1], overwrite_a=True, check_finite=False)
        del centred, factors
        return _squares(singular), float(_squares(singular).sum()), lambda k: right[:k].copy()
    factors = qr(centred.T, mode="economic", overwrite_a=True, check_finite=False)
    basis, factor = factors
    del centred, factors
    left, singular, _ = svd(factor, overwrite_a=True, check_finite=False)

    def directions(kept: int) -> np.ndarray:
        for part in chunks(size, CHUNK_ENTRIES // count):
            basis[part, :kept] = basis[part] @ left[:, :kept]
        # A view would keep all N columns alive for a few of them.
        return basis[:, :kept].T if 2 * kept > count else basis[:, :kept].T.copy()

    return _squares(singular), float(_squares(singular).sum()), directions


def _squares(singular: np.ndarray) -> FloatArray:
    return singular.astype(np.float64) ** 2


def dual(rows: np.ndarray, mean: FloatArray, most: int | None) -> Factors:
    """Return the factors of X = rows - mean from the Gram matrix of its shorter side.

    N <= D: X X^T = U S^2 U^T, directions S^-1 U^T X (the dual, after Turk and Pentland 1991).
    N > D: X^T X = V S^2 V^T, directions V^T. Summed in float64 part by part, so that the memory is
    min(N, D)^2 and no copy of the data.

    The Gram matrix squares the condition number: modes under 1e-5 of the largest standard
    deviation are lost, and are left out.
    """
    from scipy.linalg import eigh

    wide = rows.shape[0] <= rows.shape[1]
    parts = centred_columns if wide else centred_rows
    short = min(rows.shape)
    matrix = np.zeros((short, short))
    for _, block in parts(rows, mean, np.dtype(np.float64)):
        matrix += block.T @ block
    total = float(np.trace(matrix))
    subset = None if most is None or most >= short else (short - most, short - 1)
    values, vectors = eigh(matrix, subset_by_index=subset, overwrite_a=True, check_finite=False)
    values, vectors = values[::-1], vectors[:, ::-1]
    resolved = int(np.count_nonzero(values > GRAM_FLOOR * max(values[0], 0.0)))
    squares = values[:resolved]

    def directions(kept: int) -> np.ndarray:
        if not wide:
            return np.ascontiguousarray(vectors[:, :kept].T, dtype=rows.dtype)
        weights = vectors[:, :kept] / np.sqrt(squares[:kept])
        result = np.empty((kept, rows.shape[1]), rows.dtype)
        for part, block in centred_columns(rows, mean, np.dtype(np.float64)):
            result[:, part] = (block @ weights).T
        if kept and np.finfo(np.float64).eps * squares[0] > LOST_ORTHOGONALITY * squares[kept - 1]:
            orthonormalize(result)
        return result

    return squares, total, directions


def orthonormalize(directions: np.ndarray) -> None:
    """Make nearly orthonormal rows (K, D) orthonormal in place; the leading ones move least.

    Gram-Schmidt in the order of the rows, by the Cholesky factor of their products.
    """
    from scipy.linalg import solve_triangular

    factor = np.linalg.cholesky(gram(directions.T))
    inverse = solve_triangular(factor, np.eye(len(factor)), lower=True).astype(directions.dtype)
    for part in chunks(directions.shape[1], CHUNK_ENTRIES // len(directions)):
        directions[:, part] = inverse @ directions[:, part]
