"""MATLAB files of version 5 to 7: numbers and texts in, any model out.

Read here and not by scipy, whose compiled reader ends the program on a damaged file.
"""

import dataclasses
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError, OutputError
from geomface.files.atomic import write_bytes
from geomface.files.reading import read_bytes, reading, require_plausible

_HEADER = b"MATLAB 5.0 MAT-file, written by geomface"
_HEADER_SIZE = 128
_MATRIX, _COMPRESSED, _UTF8 = 14, 15, 16
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"} | {
    12: "i8",
    13: "u8",
    _UTF8: "u1",
    17: "u2",
    18: "u4",
}
_CHAR, _LOGICAL, _COMPLEX = 4, 0x0200, 0x0800
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4"} | {
    14: "i8",
    15: "u8",
}


class _Damaged(Exception):
    """What is wrong, put into a sentence with the path by `read_mat`."""


@dataclasses.dataclass(frozen=True)
class _Bytes:
    """Part of the file and the byte order of its numbers."""

    data: memoryview
    order: str

    def elements(self, start: int = 0) -> Iterator[tuple[int, "_Bytes"]]:
        """Yield (type, content) of the data elements that follow each other."""
        at = start
        while at + 8 <= len(self.data):
            kind, size = self.integers(at, "u4", 2)
            at += 8
            small = kind >> 16  # the size of a small element, which lies in the tag itself
            if small:
                kind, size, at, end = kind & 0xFFFF, small, at - 4, at
            else:
                end = at + size + (-size % 8 if kind != _COMPRESSED else 0)
            if at + size > len(self.data) or (small and size > 4):
                raise _Damaged("an element ends behind the end of the file")
            yield int(kind), _Bytes(self.data[at : at + size], self.order)
            at = end

    def integers(self, at: int, dtype: str, count: int) -> list[int]:
        """Return whole numbers at a place."""
        size = np.dtype(dtype).itemsize * count
        if at + size > len(self.data):
            raise _Damaged("it ends inside a tag")
        return np.frombuffer(self.data[at : at + size], self.order + dtype).tolist()


def read_mat(path: Path | str, expected: str) -> dict[str, Any]:
    """Return {name: array or text} of a MATLAB file; cells, structs and sparse arrays are left out.

    Raises
    ------
    FileFormatError : missing, empty, truncated, of version 7.3.

    Source
    ------
    MathWorks, MAT-File Format: level 5.
    """
    found: dict[str, Any] = {}
    try:
        with reading(path, expected):
            for element in _matrices(path, expected, None):
                name, value = _matrix(element)
                if value is not None:
                    found[name] = value
    except (_Damaged, zlib.error, ValueError, OverflowError) as error:
        raise _refusal(path, expected, error) from error
    return found


def variable_names(path: Path | str, expected: str) -> set[str]:
    """Return the names of the variables, without unpacking them; errors as `read_mat`."""
    try:
        return {_header(element)[1] for element in _matrices(path, expected, 4096)}
    except (_Damaged, zlib.error, ValueError, OverflowError) as error:
        raise _refusal(path, expected, error) from error


def _refusal(path: Path | str, expected: str, error: Exception) -> FileFormatError:
    return FileFormatError(
        f"{path}: expected {expected}, it is no MATLAB file or damaged ({error}). Copy it again."
    )


def _matrices(path: Path | str, expected: str, most: int | None) -> Iterator[_Bytes]:
    """Yield the content of each variable, or the first `most` bytes of compressed ones."""
    data = memoryview(read_bytes(path, expected))
    if bytes(data[:10]) == b"MATLAB 7.3":
        raise FileFormatError(
            f"{path}: expected {expected} of MATLAB version 5 to 7, got version 7.3 (HDF5). Save "
            "it with save(..., '-v7')."
        )
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:_HEADER_SIZE]))
    if order is None or bytes(data[:6]) != b"MATLAB":
        raise _Damaged("its header is another one")
    for kind, content in _Bytes(data, order).elements(_HEADER_SIZE):
        if kind == _COMPRESSED:
            unpacked = _unpacked(content.data, order, most, path)
            block = _Bytes(memoryview(unpacked), order)
            inner, size = block.integers(0, "u4", 2)
            if most is None and size > len(unpacked) - 8:
                raise _Damaged("a compressed variable is truncated")
            kind, content = inner, _Bytes(block.data[8 : 8 + size], order)
        if kind == _MATRIX and len(content.data):
            yield content


def _unpacked(packed: memoryview, order: str, most: int | None, path: Path | str) -> bytes:
    """Return the content of a compressed variable, or its first `most` bytes.

    Its tag says how many there are; what is not plausible is not unpacked.
    """
    if most is None:
        tag = _Bytes(memoryview(zlib.decompressobj().decompress(packed, 8)), order)
        most = 8 + tag.integers(4, "u4", 1)[0]
        require_plausible(most, len(packed), path)
    return zlib.decompressobj().decompress(packed, most)


def _header(element: _Bytes) -> tuple[int, str, list[int], list[_Bytes]]:
    """Return flags, name, sides and the elements behind them of a variable."""
    parts: list[tuple[int, _Bytes]] = []
    try:
        for part in element.elements():
            parts.append(part)
    except _Damaged:
        if len(parts) < 3:  # the beginning of a variable has its name; what follows may be cut
            raise
    if len(parts) < 3:
        raise _Damaged("a variable without a name")
    flags = parts[0][1].integers(0, "u4", 1)[0]
    sides = parts[1][1].integers(0, "i4", len(parts[1][1].data) // 4)
    name = bytes(parts[2][1].data).decode("latin-1")
    return flags, name, sides, [item for _, item in parts[3:]]


def _matrix(element: _Bytes) -> tuple[str, Any]:
    """Return the name and the value of a variable, None for what no model needs."""
    parts = list(element.elements())
    flags, name, sides, _ = _header(element)
    kind = flags & 0xFF
    if kind not in _CLASSES and kind != _CHAR or flags & _COMPLEX:
        return name, None
    stored, content = parts[3] if len(parts) > 3 else (2, _Bytes(memoryview(b""), element.order))
    if stored not in _STORED:
        raise _Damaged(f"variable {name} is stored as type {stored}")
    values = np.frombuffer(content.data, element.order + _STORED[stored])
    if kind == _CHAR:
        raw = bytes(content.data)
        text = raw.decode("utf-8", "replace") if stored == _UTF8 else "".join(map(chr, values))
        return name, text
    if min(sides, default=-1) < 0:
        raise _Damaged(f"variable {name} has no size")
    dtype = np.dtype(bool) if flags & _LOGICAL else np.dtype(_CLASSES[kind])
    with np.errstate(invalid="ignore"):
        return name, values.reshape(sides, order="F").astype(dtype)


def write_mat(path: Path | str, variables: dict[str, Any]) -> None:
    """Write variables as a MATLAB file of version 5, whole or not at all, without a date in it."""
    from scipy.io import savemat
    from scipy.io.matlab import MatWriteError

    buffer = io.BytesIO()
    try:
        savemat(buffer, variables, oned_as="column")
    except (MatWriteError, ValueError, OverflowError) as error:
        raise OutputError(f"{path}: MATLAB version 5 cannot hold it ({error}).") from error
    data = buffer.getbuffer()
    data[:116] = _HEADER.ljust(116)
    write_bytes(path, data)
