"""Checked arrays out of foreign files: what is missing, damaged or misshapen is said."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError
from geomface.files.reading import as_doubles, taking_apart

# Columns of length 1 are shorter once vertices are cut away.
_UNIT_LENGTH = (0.1, 1.1)


@contextlib.contextmanager
def refusals(path: Path | str) -> Iterator[None]:
    """Turn what a damaged file makes of our checks into a FileFormatError that names the file.

    Numbers beyond reason overflow without a warning; what is not finite is refused in the end.
    """
    with taking_apart(path, "a face model"), np.errstate(all="ignore"):
        yield


def require_fields(path: Path | str, have: Mapping, wanted: Sequence[str], what: str) -> None:
    """Raise FileFormatError naming the fields that a file of this kind must have and has not."""
    missing = [name for name in wanted if name not in have]
    if missing:
        raise FileFormatError(
            f"{path}: expected {what} with {', '.join(wanted)}; {', '.join(missing)} missing. "
            "Check that the file is what its name says."
        )


def require_unit_columns(path: Path | str, matrix: object, label: str, deviations: str) -> None:
    """Raise FileFormatError unless the columns have length 1, as the format says."""
    table = numbers(path, matrix, label)
    lengths = np.linalg.norm(table.astype(np.float64), axis=0) if table.ndim == 2 else np.ones(1)
    if not ((_UNIT_LENGTH[0] < lengths) & (lengths < _UNIT_LENGTH[1])).all():
        worst = float(lengths[np.abs(np.log(np.maximum(lengths, 1e-300))).argmax()])
        raise FileFormatError(
            f"{path}: {label}: expected columns of length 1, got {worst:.4g}. They seem to be "
            f"multiplied already, by {deviations} perhaps: divide each column by its length."
        )


def numbers(path: Path | str, values: object, label: str) -> np.ndarray:
    """Return an array of real numbers, or say what came instead."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise FileFormatError(f"{path}: {label}: expected numbers, got {array.dtype}.")
    return array


def points(path: Path | str, values: object, label: str) -> FloatArray:
    """Return (V, 3) float64 of a vector x1 y1 z1 x2 ..., in any of the shapes that files use."""
    array = numbers(path, values, label)
    if array.size == 0 or array.size % 3:
        raise FileFormatError(
            f"{path}: {label}: expected 3 numbers a vertex, got an array of shape {array.shape}."
        )
    found = as_doubles(array).reshape(-1, 3)
    if not np.isfinite(found).all():
        raise FileFormatError(f"{path}: {label}: expected numbers, got NaN or infinity.")
    return found


def columns(
    path: Path | str, values: object, sigma: object, vertices: int, label: str
) -> np.ndarray:
    """Return (V, 3, K), one standard deviation a column, of a matrix (3 V, K) times sigma (K,).

    The type of floating numbers is kept, so that a large model needs no more memory here.
    """
    matrix = numbers(path, values, label)
    deviation = as_doubles(numbers(path, sigma, f"{label}: deviations")).ravel()
    if matrix.ndim != 2 or matrix.shape[0] != 3 * vertices or matrix.shape[1] != len(deviation):
        raise FileFormatError(
            f"{path}: {label}: expected a matrix of shape ({3 * vertices}, {len(deviation)}) for "
            f"{vertices} vertices and {len(deviation)} deviations, got {matrix.shape}."
        )
    if not (np.isfinite(deviation).all() and (deviation >= 0).all()):
        raise FileFormatError(f"{path}: {label}: a variance is negative or not a number.")
    dtype = np.float32 if matrix.dtype == np.float32 else np.float64
    scaled = (matrix * deviation.astype(dtype)).astype(dtype, copy=False)
    return scaled.reshape(vertices, 3, len(deviation))


def triangles(
    path: Path | str, values: object, vertices: int, *, base: int, label: str = "triangles"
) -> IndexArray:
    """Return (F, 3) int64, 0-based, of indices (F, 3) that count from `base`."""
    array = numbers(path, values, label)
    if array.ndim != 2 or array.shape[1] != 3 or not len(array):
        raise FileFormatError(
            f"{path}: {label}: expected an array of shape (F, 3), got {array.shape}."
        )
    if not np.isfinite(array).all() or np.abs(as_doubles(array)).max() >= 2**53:
        raise FileFormatError(f"{path}: {label}: expected indices, got numbers beyond reason.")
    faces = array.astype(np.int64)
    if (faces != array).any():
        raise FileFormatError(f"{path}: {label}: expected whole numbers.")
    faces = faces - base
    if faces.min() < 0 or faces.max() >= vertices:
        raise FileFormatError(
            f"{path}: {label}: expected indices {base}..{vertices - 1 + base} for {vertices} "
            f"vertices, got {int(array.min())}..{int(array.max())}."
        )
    return faces
