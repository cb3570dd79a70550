"""Two descriptions of the same faces, as rows of numbers."""

import numpy as np

from geomface.arrays import require_finite
from geomface.errors import MeshError


def flat_rows(arrays: np.ndarray, name: str) -> np.ndarray:
    """Return (N, D) numbers of arrays (N, ...), float32 where they are so, else float64.

    Raises
    ------
    MeshError : no rows of real numbers, NaN or infinity.
    """
    arrays = np.asarray(arrays)
    if arrays.ndim < 2 or arrays.dtype.kind not in "fiub" or arrays[:1].size == 0:
        raise MeshError(
            f"{name}: expected real numbers of shape (N, ...), one array a face, got "
            f"{arrays.dtype} of shape {arrays.shape}."
        )
    rows = arrays.reshape(len(arrays), -1)
    if rows.dtype != np.float32:
        rows = rows.astype(np.float64, copy=False)
    require_finite(rows, name)
    return rows


def paired_rows(
    first: np.ndarray, second: np.ndarray, task: str, names: tuple[str, str] = ("first", "second")
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows (N, P) and (N, Q) of two descriptions of the same N >= 3 faces.

    Parameters
    ----------
    task, names : for the messages

    Raises
    ------
    MeshError : as `flat_rows`; different numbers of faces, fewer than 3.
    """
    one, two = (
        flat_rows(side, f"{task}, {name}")
        for side, name in zip((first, second), names, strict=True)
    )
    if len(one) != len(two):
        raise MeshError(
            f"{task}: expected the same faces on both sides, got {len(one)} rows of {names[0]} and "
            f"{len(two)} of {names[1]}."
        )
    if len(one) < 3:
        raise MeshError(f"{task} needs at least 3 faces, got {len(one)}.")
    return one, two
