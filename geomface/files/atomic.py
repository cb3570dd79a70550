"""Outputs that are there whole or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from geomface.errors import OutputError

_MARK = ".part"


def is_temporary(path: str | Path) -> bool:
    """Say whether `path` is what a killed process left of an output (safe to delete)."""
    name = Path(path).name
    return name.startswith(".") and Path(name).stem.endswith(_MARK)


def _refusal(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"{path}: cannot be written ({reason}). Choose another place, or free space and "
        "permissions there; nothing was left behind."
    )


def _check_target(path: Path) -> None:
    try:
        if "\0" in str(path):
            raise ValueError("it holds a zero byte")
        if path.is_dir():
            raise OutputError(f"{path}: expected a file name to write to, got a folder.")
        if not path.parent.is_dir():
            raise OutputError(
                f"{path}: the folder {path.parent} does not exist or is not a folder. Create it "
                "first, or write elsewhere."
            )
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: not a usable file name ({error}).") from error


def _store(path: Path) -> None:
    """Wait until a file is on the disk: renamed before, it could be empty after a loss of power."""
    with open(path, "rb+") as stream:
        os.fsync(stream.fileno())


@contextlib.contextmanager
def atomic_path(path: str | Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` when the block succeeds.

    Parameters
    ----------
    path : the file to write; its folder must exist
    durable : wait for the disk, or the file could be empty after a loss of power; that takes
        milliseconds, so do without where an empty file counts as none

    Returns
    -------
    A context manager giving a hidden Path in the same folder with the same suffix. An error in the
    block removes the temporary file and leaves an older `path` untouched. Nested contexts are
    renamed inside out, so enter the file that names the others first.

    Raises
    ------
    OutputError : the folder is missing or not writable, or the disk is full
    """
    path = Path(path)
    _check_target(path)
    temporary = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}{_MARK}{path.suffix}")
    try:
        yield temporary
        if not temporary.exists():
            raise OutputError(f"{path}: nothing was written to it.")
        if durable:
            _store(temporary)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        # An error about another file (an input read inside the block) is not about this output.
        if isinstance(error, OSError) and error.filename in (None, str(temporary), temporary):
            raise _refusal(path, error) from error
        raise


def write_bytes(
    path: str | Path, data: bytes | bytearray | memoryview, *, durable: bool = True
) -> None:
    """Write `data` to `path` as `atomic_path` does; OutputError when that is impossible."""
    with atomic_path(path, durable=durable) as temporary:
        temporary.write_bytes(data)
