"""HDF5 through h5py, with errors that name the file and the field."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError, MissingBackendError
from geomface.files.reading import read_bytes, reading, require_plausible


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
        with reading(path, expected), h5py.File(path, "r") as file:
            _require_own_content(h5py, file, path)
            yield file
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise FileFormatError(
            f"{path}: expected {expected}, it is damaged or truncated ({error}). Copy it again."
        ) from error


def _require_own_content(h5py: Any, file: Any, path: Path | str) -> None:
    """Refuse a file whose groups or numbers lie in other files, which it would have us read."""

    names: list[bytes] = []
    file.id.links.visit(names.append)  # an error in a callback would end in one of h5py's own
    for name in names:
        link = file.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise _elsewhere(path, name)
        item: Any = file[name] if isinstance(link, h5py.HardLink) else None
        if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
            raise _elsewhere(path, name)


def _elsewhere(path: Path | str, name: bytes) -> FileFormatError:
    return FileFormatError(
        f"{path}: its field {name.decode('utf-8', 'replace')} lies in another file, which is not "
        "read. Copy the model into one file (h5repack, or h5copy -f ext)."
    )


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
    if item.dtype.kind != "O":  # texts of variable length announce nothing
        numbers = max(item.size, math.prod(item.chunks or ()))
        require_plausible(numbers * item.dtype.itemsize, item.id.get_storage_size(), path)
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
