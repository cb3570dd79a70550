"""HDF5 through h5py, with errors that name the file and the field."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError, MissingBackendError
from geomface.files.reading import read_bytes


def require_h5py() -> Any:
    """Return the module h5py, or say how to install it."""
    try:
        import h5py
    except ImportError as error:
        raise MissingBackendError(
            "statismo and BFM 2017 files need h5py, which is not installed: pip install h5py"
        ) from error
    return h5py


@contextlib.contextmanager
def open_hdf5(path: Path | str, expected: str) -> Iterator[Any]:
    """Yield the root group of an HDF5 file, open for reading.

    Raises
    ------
    FileFormatError : missing, empty, no HDF5, truncated.
    MissingBackendError : h5py is not installed.
    """
    h5py = require_h5py()
    if read_bytes(path, expected, 256)[:4] != b"\x89HDF":
        raise FileFormatError(
            f"{path}: expected {expected}, it is no HDF5 file. Check that it is what its name says."
        )
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise FileFormatError(
            f"{path}: expected {expected}, it is damaged or truncated ({error}). Copy it again."
        ) from error


def field(group: Any, name: str, path: Path | str) -> np.ndarray:
    """Return a dataset of a group as an array; FileFormatError when it is not there."""
    h5py = require_h5py()
    item = group.get(name)
    if not isinstance(item, h5py.Dataset):
        where = f"{group.name.rstrip('/')}/{name}"
        raise FileFormatError(
            f"{path}: expected the field {where}, which is missing. Check that the file is what "
            "its name says."
        )
    return np.asarray(item[()])


def text(value: Any) -> str:
    """Return a text of HDF5, fixed or variable, one or an array of one, without its zero byte."""
    single = np.asarray(value, dtype=object).ravel()
    first = single[0] if len(single) else ""
    decoded = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    return decoded.rstrip("\0")


def attribute(group: Any, name: str) -> str:
    """Return a text attribute, "" when there is none."""
    return text(group.attrs[name]) if name in group.attrs else ""
