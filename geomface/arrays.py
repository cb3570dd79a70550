"""Axis names, array aliases and the checks that turn bad arrays into sentences.

Axis letters, the same everywhere: V vertices, F triangles, Q quads, T uv points, E edges,
L landmarks, K model components, N samples, H W C an image.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geomface.errors import GeomfaceError, MeshError, SettingsError

FloatArray = NDArray[np.float64]
"""Geometry: float64."""
ImageArray = NDArray[np.float32]
"""Images: float32 in [0, 1], row 0 at the top, channels last."""
IndexArray = NDArray[np.int64]
"""Indices: int64, 0-based."""
BoolArray = NDArray[np.bool_]

_ROUNDING = 1e-3


def require_shape(
    array: Any, shape: tuple[int | None, ...], name: str, error: type[GeomfaceError] = MeshError
) -> np.ndarray:
    """Return `array` as an ndarray of the given shape, None meaning any length.

    Raises `error` with the name, the expected and the actual shape.
    """
    wanted = "(" + ", ".join("any" if want is None else str(want) for want in shape) + ")"
    try:
        array = np.asarray(array)
    except ValueError:
        raise error(
            f"{name}: expected an array of shape {wanted}, got rows of different lengths."
        ) from None
    fits = array.ndim == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise error(f"{name}: expected an array of shape {wanted}, got {array.shape}.")
    return array


def require_reals(
    array: Any, shape: tuple[int | None, ...], name: str, error: type[GeomfaceError] = MeshError
) -> FloatArray:
    """Return a float64 copy of `array`, as `require_shape`, or raise `error` for other things."""
    array = require_shape(array, shape, name, error)
    if array.dtype.kind not in "biuf":
        raise error(f"{name}: expected numbers, got an array of {array.dtype}.")
    return array.astype(np.float64)


def require_kind(value: object, kind: type | tuple[type, ...], verb: str, *, where: str) -> None:
    """Raise MeshError when `verb` got something else than a `kind`; says `where` models have it."""
    way_out = f"load_mesh and load_template read files; a face model holds its own as {where}."
    require_type(value, kind, verb, way_out=way_out)


def require_type(
    value: object,
    kind: type | tuple[type, ...],
    verb: str,
    *,
    way_out: str,
    error: type[GeomfaceError] = MeshError,
) -> None:
    """Raise `error` when `verb` got something else than a `kind`; ends with the way out."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise error(
            f"{verb}: expected a {' or '.join(item.__name__ for item in kinds)}, got a "
            f"{type(value).__name__}. {way_out}"
        )


def require_generator(rng: object, verb: str) -> None:
    """Raise SettingsError when `verb` got something else than a numpy.random.Generator."""
    way_out = "numpy.random.default_rng(seed) makes one."
    require_type(rng, np.random.Generator, verb, way_out=way_out, error=SettingsError)


def require_finite(array: np.ndarray, name: str, error: type[GeomfaceError] = MeshError) -> None:
    """Raise `error` when `array` holds NaN or infinity; the message counts the bad rows."""
    good = np.isfinite(array)
    if not good.all():
        rows = np.flatnonzero(~good.reshape(len(array), -1).all(axis=1))
        raise error(
            f"{name}: {len(rows)} of {len(array)} rows hold NaN or infinity (first: row {rows[0]})."
            " Repair or remove them before loading."
        )


def require_within(
    array: np.ndarray,
    low: float,
    high: float,
    name: str,
    error: type[GeomfaceError] = MeshError,
    *,
    missing: bool = False,
    advice: str = "",
) -> None:
    """Raise `error` unless all numbers lie in [low, high], but for rounding.

    `missing` lets NaN stand for what is not known; the message ends with the `advice`.
    """
    known = array[~np.isnan(array)] if missing else array
    ends = (float(known.min()), float(known.max())) if known.size else (low, high)
    if not (low - _ROUNDING <= ends[0] and ends[1] <= high + _ROUNDING):
        raise error(
            f"{name}: expected values in [{low:g}, {high:g}], got {ends[0]:g} to {ends[1]:g}."
            f"{advice and ' '}{advice}"
        )


def require_whole(array: np.ndarray, name: str, error: type[GeomfaceError] = MeshError) -> None:
    """Raise `error` unless all numbers are whole: fractions would be cut off."""
    whole = array.dtype.kind in "iu"
    if array.dtype.kind == "f":
        whole = bool((np.isfinite(array) & (array == np.rint(array))).all())
    if not whole:
        raise error(f"{name}: expected whole numbers, got fractions, NaN or other things.")


def require_indices(
    indices: np.ndarray, count: int, name: str, error: type[GeomfaceError] = MeshError
) -> None:
    """Raise `error` unless all are whole numbers in 0 .. count - 1."""
    require_whole(indices, name, error)
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        bad = indices.min() if indices.min() < 0 else indices.max()
        raise error(
            f"{name}: index {int(bad)} is outside 0..{count - 1}. Indices are 0-based here."
        )


def frozen(array: np.ndarray, dtype: Any = None) -> np.ndarray:
    """Return a contiguous read-only array of `dtype`, copied unless it is already both."""
    array = np.asarray(array, dtype=dtype)
    if array.flags.writeable or not array.flags.c_contiguous:
        array = np.array(array, order="C", copy=True)
        array.flags.writeable = False
    return array
