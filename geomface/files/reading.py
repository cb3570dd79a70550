"""Reading bytes and numbers with errors that name the file."""

import contextlib
import logging
import os
import re
import stat
import struct
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from geomface.errors import (
    FileFormatError,
    GeomfaceError,
    MeshError,
    MissingBackendError,
    OutOfMemoryError,
    printable,
)

log = logging.getLogger("geomface")


def _make_printable(record: logging.LogRecord) -> bool:
    record.msg, record.args = printable(record.getMessage()), None
    return True


log.addFilter(_make_printable)


_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
_MOST_UNPACKED = 2**28
_MOST_TIMES = 100


def require_file(path: str | Path, expected: str) -> None:
    """Raise `FileFormatError` unless `path` is a regular file; nothing is opened.

    A pipe or a device may block for ever, or never end.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        raise FileFormatError(
            f"{path}: expected {expected}, but there is no such file. Check the name and folder."
        ) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, expected, error) from error
    if stat.S_ISDIR(mode):
        raise FileFormatError(f"{path}: expected {expected}, got a folder.")
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "a device")
        raise FileFormatError(
            f"{path}: expected {expected}, got {kind}. Write its content to a file first."
        )


def _unreadable(path: str | Path, expected: str, error: Exception) -> FileFormatError:
    reason = getattr(error, "strerror", None) or error
    return FileFormatError(f"{path}: expected {expected}, but it cannot be read ({reason}).")


def require_plausible(unpacked: int, stored: int, name: str | Path) -> None:
    """Refuse content that announces far more bytes than the file holds, before any is allocated.

    Parameters
    ----------
    unpacked : bytes that the content would take
    stored : bytes of the file that hold it, packed

    Raises
    ------
    FileFormatError : more than 2^28 bytes, and more than a hundred for each byte of the file
    """
    if unpacked > max(_MOST_UNPACKED, _MOST_TIMES * stored):
        raise FileFormatError(
            f"{name}: announces {unpacked:.3g} bytes of content and holds {stored:.3g}. It is "
            "damaged, or made to exhaust the memory: export or copy it again."
        )


@contextlib.contextmanager
def reading(path: str | Path, expected: str) -> Iterator[None]:
    """Turn what damaged or boundless content does to any reader into a sentence.

    Raises
    ------
    FileFormatError : nested too deeply, numbers beyond what arrays can hold, a broken inner format
    OutOfMemoryError : the content does not fit into the memory of this machine
    """
    try:
        yield
    except MemoryError as error:
        raise OutOfMemoryError(
            f"{path}: expected {expected} that fits into the memory of this machine, got one that "
            "does not. Reduce it, or close other programs."
        ) from error
    except RecursionError as error:
        raise FileFormatError(
            f"{path}: expected {expected}, but it is nested too deeply to be one. Export it again."
        ) from error
    except (OverflowError, struct.error, tokenize.TokenError, EOFError) as error:
        raise FileFormatError(
            f"{path}: expected {expected}, but it is damaged ({error}). Export or copy it again."
        ) from error


_DAMAGE = (KeyError, IndexError, TypeError, ValueError, AttributeError, ZeroDivisionError)


@contextlib.contextmanager
def taking_apart(
    path: object, expected: str, way_out: str = "Write or copy it again."
) -> Iterator[None]:
    """Turn what code that takes a record or arrays apart makes of damaged ones into a sentence.

    For what was read already: entries that lack, values of another type, parts that do not fit.
    An error of ours that does not name the file becomes one that does.

    Raises
    ------
    FileFormatError : any of these
    OutOfMemoryError : as `reading`
    """
    try:
        with reading(str(path), expected):
            yield
    except (FileFormatError, MissingBackendError, OutOfMemoryError):
        raise
    except GeomfaceError as error:
        raise FileFormatError(
            f"{path}: expected {expected}, but its parts do not fit: {error}"
        ) from error
    except _DAMAGE as error:
        lacks = isinstance(error, KeyError)
        reason = f"lacks {error}" if lacks else f"is damaged ({type(error).__name__}: {error})"
        raise FileFormatError(f"{path}: expected {expected}, but it {reason}. {way_out}") from error


def read_bytes(path: str | Path, expected: str, limit: int = -1, start: int = 0) -> bytes:
    """Return the content of a file that is not empty, or `limit` bytes of it from `start`.

    Parameters
    ----------
    path : the file
    expected : what it should hold, for the message ("an OBJ mesh")

    Raises
    ------
    FileFormatError : missing, a folder, a pipe, a device, unreadable or empty
    OutOfMemoryError : it does not fit into memory
    """
    require_file(path, expected)
    try:
        with reading(path, expected), open(path, "rb") as file:
            file.seek(start)
            data = file.read(limit)
    except (OSError, ValueError) as error:
        raise _unreadable(path, expected, error) from error
    if not data:
        raise FileFormatError(
            f"{path}: expected {expected}, but the file is empty. Export or copy it again."
        )
    return data


def read_text(path: str | Path, expected: str) -> str:
    """Return the content of a text file as UTF-8; FileFormatError when it is not text."""
    try:
        text = read_bytes(path, expected).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{path}: expected {expected} as text, got binary data at byte {error.start}. "
            "If it is text in another encoding, save it as UTF-8."
        ) from error
    if not text.strip():
        raise FileFormatError(f"{path}: expected {expected}, but the file is blank.")
    return text


def parse_numbers(text: bytes, count: int | None, name: str, what: str) -> np.ndarray:
    """Return the blank-separated numbers in `text` as float64, each correctly rounded.

    Parameters
    ----------
    text : bytes
    count : how many numbers there must be, None for any
    name, what : file and content, for the message

    Raises
    ------
    FileFormatError : something that is not a number, or another count
    """
    numbers = _parse(text, np.float64, name, what)
    if count is not None and len(numbers) != count:
        raise FileFormatError(
            f"{name}: expected {count} numbers as {what}, got {len(numbers)}. The file may be "
            "truncated: export or copy it again."
        )
    return numbers


def parse_integers(text: bytes, count: int, name: str, what: str) -> np.ndarray:
    """Return the blank-separated integers in `text` as int64; as `parse_numbers`."""
    numbers = _parse(text, np.int64, name, what)
    if len(numbers) != count:
        raise FileFormatError(
            f"{name}: expected {count} whole numbers as {what}, got {len(numbers)}. The file may "
            "be truncated: export or copy it again."
        )
    return numbers


def _parse(text: bytes, dtype: type, name: str, what: str) -> np.ndarray:
    # numpy answers -1 to a text of blanks only.
    if not text or text.isspace():
        return np.empty(0, dtype)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # older numpy only warns about trailing rubbish
            return np.fromstring(text, dtype=dtype, sep=" ")
    except (ValueError, DeprecationWarning, OverflowError) as error:
        raise FileFormatError(
            f"{name}: expected numbers as {what}, found something else ({_culprit(text, dtype)}). "
            "The file is damaged or of another format."
        ) from error


def _culprit(text: bytes, dtype: type) -> str:
    convert = float if dtype is np.float64 else int
    for token in text.split():
        try:
            convert(token)
        except ValueError:
            return repr(token[:40].decode("latin-1"))
    return "unreadable text"


_UNIT = re.compile(rb"\bunit (um|mm|cm|m|inch|[0-9][0-9.e+-]*mm)\b")


def choose_unit(comments: bytes, asked: str | None, name: str) -> str | None:
    """Return the unit of a file: what the caller says, else what its comments say, else None."""
    match = _UNIT.search(comments)
    written = match.group(1).decode() if match else None
    if asked is not None and written not in (None, asked):
        log.warning("%s: says unit %s, read as %s as asked.", name, written, asked)
    return asked or written


def as_singles(values: np.ndarray, name: str) -> np.ndarray:
    """Return float32, which some formats are limited to.

    Raises
    ------
    MeshError : a coordinate beyond its range, which would become infinite in the file
    """
    with np.errstate(over="ignore"):
        singles = values.astype(np.float32)
    if not np.isfinite(singles).all():
        raise MeshError(
            f"{name}: coordinates up to {np.abs(values).max():.3g} do not fit the 32-bit floats of "
            "this format. Save as OBJ or PLY, or scale the mesh."
        )
    return singles


HEAD, TAIL = "# geomface", "# end"
"""First and last line of the text formats that announce no length, when we write them."""


def require_tail(data: bytes, name: str) -> None:
    """Refuse a text of ours that has the first line but no longer the last."""
    if data.startswith(HEAD.encode()) and not data[-64:].rstrip().endswith(TAIL.encode()):
        raise FileFormatError(
            f"{name}: truncated, its last line should be '{TAIL}'. Copy or write it again."
        )


def as_doubles(values: np.ndarray) -> np.ndarray:
    """Return float64; damaged floats become NaN without a warning and are refused by Mesh."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def named(path: str | Path) -> str:
    """Return what messages call the file."""
    return Path(path).name or str(path)
