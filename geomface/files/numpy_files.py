"""Arrays of numpy's own files, npy and npz; what a header announces is checked first."""

import dataclasses
import io
import math
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.reading import read_bytes, reading, require_file, require_plausible

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
ZIP_DAMAGE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, OverflowError),
    *(NotImplementedError, RuntimeError, SyntaxError, zlib.error, zipfile.BadZipFile),
)
"""What numpy and zipfile make of a damaged npz."""


def read_array(data: bytes, name: str) -> np.ndarray:
    """Return the array of a npy file held in memory; arrays of objects are refused.

    Raises
    ------
    FileFormatError : damaged, truncated, of objects; `name` is for the message
    """
    try:
        with reading(name, "an array saved by numpy"):
            return _array(io.BytesIO(data), len(data))
    except ZIP_DAMAGE as error:
        raise FileFormatError(
            f"{name}: expected an array saved by numpy, could not read it ({error})."
        ) from error


@dataclasses.dataclass(frozen=True)
class ArrayHead:
    """What a npy file says of its array, of which nothing is read.

    Parameters
    ----------
    shape, dtype : of the array
    rows_first : the last index runs quickest
    start : byte of the file at which the numbers begin
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    rows_first: bool
    start: int


def array_head(path: Path | str, expected: str) -> ArrayHead:
    """Return the head of a npy file that holds as many bytes as it announces.

    Raises
    ------
    FileFormatError : missing, damaged, of objects, or announced larger than it is
    """
    require_file(path, expected)
    try:
        with reading(path, expected), open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            shape, columns_first, dtype = _head(stream, size)
            return ArrayHead(shape, dtype, not columns_first, stream.tell())
    except ZIP_DAMAGE as error:
        raise FileFormatError(
            f"{path}: expected {expected}, it cannot be read ({error}). Write or copy it again."
        ) from error


def read_archive(
    path: Path | str, expected: str, only: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Return the arrays of an npz, all or `only` those named; arrays of objects are refused.

    Raises
    ------
    FileFormatError : missing, empty, no npz, damaged.
    """
    data = read_bytes(path, expected)
    arrays: dict[str, np.ndarray] = {}
    try:
        with reading(path, expected), zipfile.ZipFile(io.BytesIO(data)) as archive:
            for item in archive.infolist():
                key = item.filename.removesuffix(".npy")
                if only is None or key in only:
                    require_plausible(item.file_size, item.compress_size, path)
                    with archive.open(item) as stream:
                        arrays[key] = _array(stream, item.file_size)
    except ZIP_DAMAGE as error:
        raise FileFormatError(
            f"{path}: expected {expected}, it cannot be read ({error}). Copy it again."
        ) from error
    return arrays


def _array(stream: IO[bytes], size: int) -> np.ndarray:
    """Return the array of a npy stream of `size` bytes.

    Raises
    ------
    ValueError : not of this format, of objects, or announced larger than it is
    """
    shape, columns_first, dtype = _head(stream, size)
    announced = math.prod(shape) * dtype.itemsize
    raw = np.empty(announced, np.uint8)
    filled = 0
    while filled < announced:
        part = stream.read(min(announced - filled, 2**24))
        if not part:
            raise ValueError(f"it announces {announced} bytes and has {filled}")
        raw[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
        filled += len(part)
    return raw.view(dtype).reshape(shape, order="F" if columns_first else "C")


def _head(stream: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, whether columns come first, and type that a npy stream announces.

    Raises
    ------
    ValueError : as `_array`
    """
    read_header = _HEADERS.get(np.lib.format.read_magic(stream))
    if read_header is None:
        raise ValueError("an unknown version of the format")
    shape, columns_first, dtype = read_header(stream)
    if dtype.hasobject:
        raise ValueError("it holds objects of Python")
    announced = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or announced > size:
        raise ValueError(f"it announces {announced} bytes and has at most {size}")
    return shape, columns_first, dtype
