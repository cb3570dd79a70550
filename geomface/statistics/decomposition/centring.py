"""Rows minus their mean, a part at a time, so that the data are never copied as a whole."""

from collections.abc import Iterator

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import MeshError

CHUNK_ENTRIES = 1 << 20
BLOCK_ENTRIES = 1 << 22
"""Entries of a block for products: smaller ones fit the cache, but threads wait for each other."""
SEGMENT = 512


def floats(rows: np.ndarray, name: str) -> np.ndarray:
    """Return rows (N, D) as float32 or float64, float32 only when they are; copies only to cast.

    Raises
    ------
    MeshError : not a matrix of numbers, or no columns.
    """
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.dtype.kind not in "fiub" or not rows.shape[1]:
        raise MeshError(
            f"{name}: expected a matrix (N, D) of numbers, one row a face, got {rows.dtype} of "
            f"shape {rows.shape}."
        )
    return rows if rows.dtype == np.float32 else rows.astype(np.float64, copy=False)


def chunks(length: int, step: int) -> Iterator[slice]:
    """Yield slices of at most `step` that cover 0 .. length."""
    for start in range(0, length, max(step, 1)):
        yield slice(start, min(start + max(step, 1), length))


def first_bad_row(rows: np.ndarray) -> int | None:
    """Return the first row with NaN or infinity, or None."""
    for part in chunks(len(rows), CHUNK_ENTRIES // rows.shape[1]):
        bad = ~np.isfinite(rows[part]).all(axis=1)
        if bad.any():
            return part.start + int(bad.argmax())
    return None


def column_means(rows: np.ndarray) -> FloatArray:
    """Return the mean (D,) of rows (N, D): x_0 + sum_n (x_n - x_0) / N, summed in float64.

    The shift by the first row keeps what float32 has of a spread that is small beside the mean,
    and makes the mean of equal rows that row.

    Raises
    ------
    MeshError : NaN or infinity; the message names the first such row.
    """
    total = np.zeros(rows.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):
        for part in chunks(len(rows), CHUNK_ENTRIES // rows.shape[1]):
            total += np.sum(rows[part] - rows[0], axis=0, dtype=np.float64)
        mean = rows[0] + total / len(rows)
    if not np.isfinite(mean).all():
        bad = first_bad_row(rows)
        what = "numbers too large to add" if bad is None else f"NaN or infinity (first: row {bad})"
        raise MeshError(f"rows hold {what}. Repair or remove such rows first.")
    return mean


class Centring:
    """Subtraction of a float64 mean from data of any dtype, exact to the rounding of the result.

    A mean rounded to float32 leaves up to 4e-6 mm at 100 mm in every row alike, which adds up over
    the rows; what the rounding left out is therefore subtracted too.
    """

    def __init__(self, mean: FloatArray, dtype: np.dtype) -> None:
        self.rounded = mean.astype(dtype)
        self.rest = (mean - self.rounded).astype(dtype)

    def subtract(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Write rows - mean to `out`."""
        np.subtract(rows, self.rounded, out=out)
        if out.dtype == np.float32:
            out -= self.rest


def centred_rows(
    rows: np.ndarray, mean: FloatArray, dtype: np.dtype
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (slice, centred part (h, D)); the part is valid until the next one."""
    centring = Centring(mean, dtype)
    height = min(len(rows), max(16, BLOCK_ENTRIES // rows.shape[1]))
    buffer = np.empty((height, rows.shape[1]), dtype)
    for part in chunks(len(rows), height):
        block = buffer[: part.stop - part.start]
        centring.subtract(rows[part], block)
        yield part, block


def centred_columns(
    rows: np.ndarray, mean: FloatArray, dtype: np.dtype
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (slice, transpose (w, N) of some columns less their mean), valid until the next one.

    In float32 the mean is rounded: callers weight the rows by numbers that add up to zero.
    """
    rounded = mean.astype(dtype)
    width = min(rows.shape[1], max(64, BLOCK_ENTRIES // len(rows)))
    buffer = np.empty(len(rows) * width, dtype)
    for part in chunks(rows.shape[1], width):
        size = part.stop - part.start
        block = buffer[: len(rows) * size].reshape(len(rows), size)
        np.subtract(rows[:, part], rounded[part], out=block)
        yield part, block.T


def sum_of_squares(block: np.ndarray) -> float:
    """Return the sum of squares of a contiguous block: short sums in its dtype, then float64."""
    flat = block.ravel(order="K")
    even = len(flat) - len(flat) % SEGMENT
    short = flat[:even].reshape(-1, SEGMENT)
    rest = flat[even:].astype(np.float64)
    return float(np.vecdot(short, short).sum(dtype=np.float64) + rest @ rest)


def gram(columns: np.ndarray) -> FloatArray:
    """Return C^T C (m, m) of columns C (n, m), summed in float64 whatever their dtype."""
    result = np.zeros((columns.shape[1], columns.shape[1]))
    for part in chunks(len(columns), CHUNK_ENTRIES // max(columns.shape[1], 1)):
        block = columns[part].astype(np.float64, copy=False)
        result += block.T @ block
    return result


def combine(columns: np.ndarray, weights: FloatArray) -> np.ndarray:
    """Return C W (n, k) in the dtype of the columns C (n, m), summed in float64."""
    result = np.empty((len(columns), weights.shape[1]), columns.dtype)
    for part in chunks(len(columns), CHUNK_ENTRIES // max(columns.shape[1], 1)):
        result[part] = columns[part].astype(np.float64, copy=False) @ weights
    return result
