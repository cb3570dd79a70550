"""From the numbers of a foreign model file to ours: layout, unit, scaling, index base, winding."""

import contextlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError, GeomfaceError, MissingBackendError
from geomface.files.reading import as_doubles, log, read_bytes
from geomface.mesh.normals import face_cross_products

MILLIMETRES = {"um": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1000.0}
"""Millimetres a unit; "um" is the micrometre."""
_NAMES = {"um": "micrometres", "mm": "millimetres", "cm": "centimetres", "m": "metres"}
_FACE_MM = (80.0, 700.0)
"""Between these lies the longest side of a face or head."""
_FRONT_SHARE = 0.3
_UNDECIDED = 0.05

Card = dict[str, str]
ZIP_DAMAGE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, OverflowError),
    *(NotImplementedError, RuntimeError, MemoryError, zlib.error, zipfile.BadZipFile),
)
"""What numpy and zipfile make of a damaged npz."""


@contextlib.contextmanager
def refusals(path: Path | str) -> Iterator[None]:
    """Turn what a damaged file makes of our checks into a FileFormatError that names the file.

    Numbers beyond reason overflow without a warning; what is not finite is refused in the end.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except (FileFormatError, MissingBackendError):
        raise
    except GeomfaceError as error:
        raise FileFormatError(f"{path}: the parts of this model do not fit: {error}") from error


def first_bytes(path: Path | str, expected: str, count: int = 256) -> bytes:
    """Return the beginning of a file that is not empty; errors as `read_bytes`."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(count)
    except (OSError, ValueError):
        head = b""
    return head or read_bytes(path, expected)[:count]


def read_archive(
    path: Path | str, expected: str, only: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Return the arrays of an npz, all or `only` those named; arrays of objects are refused.

    Raises
    ------
    FileFormatError : missing, empty, no npz, damaged.
    """
    data = read_bytes(path, expected)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files if only is None or key in only}
    except ZIP_DAMAGE as error:
        raise FileFormatError(
            f"{path}: expected {expected}, it cannot be read ({error}). Copy it again."
        ) from error


def require_fields(path: Path | str, have: Mapping, wanted: Sequence[str], what: str) -> None:
    """Raise FileFormatError naming the fields that a file of this kind must have and has not."""
    missing = [name for name in wanted if name not in have]
    if missing:
        raise FileFormatError(
            f"{path}: expected {what} with {', '.join(wanted)}; {', '.join(missing)} missing. "
            "Check that the file is what its name says."
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


def _extent(vertices: FloatArray) -> float:
    return float(np.ptp(vertices, axis=0).max())


def unit_by_size(vertices: FloatArray) -> str | None:
    """Return the unit in which these vertices are as large as a face or head, None if in none."""
    extent = _extent(vertices)
    low, high = _FACE_MM
    for unit, factor in MILLIMETRES.items():
        if low <= extent * factor <= high:
            return unit
    return None


def unit_factor(
    path: Path | str,
    vertices: FloatArray,
    unit: str | None,
    documented: str | None = None,
) -> tuple[float, str]:
    """Return the factor to millimetres and what to say about it.

    Parameters
    ----------
    vertices : (V, 3), the mean in the unit of the file
    unit : what the caller says, or None
    documented : the unit of this format; None when it has none, and then the size tells
    """
    if unit is not None and unit not in MILLIMETRES:
        raise FileFormatError(
            f"{path}: unit: expected one of {', '.join(MILLIMETRES)}, got {unit!r}."
        )
    found = unit or documented
    why = "as asked" if unit else "as the format says"
    if found is None:
        found = unit_by_size(vertices)
        extent = _extent(vertices)
        why = f"by its size, {extent:.4g} across"
    if found is None:
        return 1.0, f"millimetres assumed: no unit is written and the size, {why}, fits none"
    by_size = unit_by_size(vertices)
    if unit is None and documented is not None and by_size not in (None, documented):
        why += f", although its size fits {_NAMES[by_size]}; reading it with this unit is possible"
        log.warning("%s: the unit is %s, %s.", path, _NAMES[found], why)
    if found == "mm":
        return 1.0, f"millimetres in the file ({why})"
    return MILLIMETRES[found], f"{_NAMES[found]} in the file ({why}), converted to millimetres"


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


def looks_reversed(vertices: FloatArray, faces: IndexArray) -> bool | None:
    """Say whether the front of a face shows the inside of its triangles; None: it cannot tell.

    The triangles in the front of a face (the 30 % of largest z) look at the viewer, whatever the
    rest of the head does: the sum of their area normals must point along +z.
    """
    cross = face_cross_products(vertices, faces)[:, 2]
    depth = vertices[faces].mean(axis=1)[:, 2]
    front = depth >= np.quantile(depth, 1.0 - _FRONT_SHARE)
    total, size = cross[front].sum(), np.abs(cross[front]).sum()
    return bool(total < 0) if abs(total) > _UNDECIDED * size else None


def facing_out(vertices: FloatArray, faces: IndexArray) -> tuple[IndexArray, str]:
    """Return triangles counter-clockwise from outside, and what was done."""
    answer = looks_reversed(vertices, faces)
    if answer is None:
        return faces, "as in the file: the front of this surface does not tell inside from outside"
    if answer:
        return faces[:, [0, 2, 1]], "reversed: the file's triangles were clockwise from outside"
    return faces, "counter-clockwise from outside, as in the file"


def colours(mean: FloatArray, largest: float | None = None) -> tuple[float, str]:
    """Return the factor to [0, 1] of vertex colours and what to say; `largest` is documented."""
    if largest is None:
        largest = 255.0 if mean.max(initial=0.0) > 2.0 else 1.0
    if largest == 1.0:
        return 1.0, "0 to 1, as in the file"
    return 1.0 / largest, f"0 to {largest:g} in the file, divided by {largest:g}"


AXES = "as in the file: x to the subject's left, y up, z out of the face"
