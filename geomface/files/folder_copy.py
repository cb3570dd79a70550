"""A folder copied to another file system by its URL, and fetched from there."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files.atomic import is_temporary
from geomface.files.lock import NAME as LOCK

INDEX = ".geomface-copy.json"
"""In the copy: what it surely holds, with sizes and times."""
OnFile = Callable[[int, int, str], object]
"""Called with how many files are done, of how many, and the name of the last."""


def copy_folder(folder: Path, url: str, *, on_file: OnFile | None = None) -> int:
    """Make the copy of a folder at a URL what the folder is, and return how many files were sent.

    Only what changed since the last copy is sent, by size and time; what the folder no longer holds
    is removed. Unfinished files and the lock of a run are left out.

    Parameters
    ----------
    url : of fsspec: file://, memory://, s3://, gs://, sftp:// and others, as far as their packages
        are installed

    Raises
    ------
    SettingsError : a URL of a file system that is not there
    OutputError : the place refuses
    """
    with _remote(url, OutputError, "written") as (system, root):
        kept = _read_index(system, root)
        local = {name: _state(folder / name) for name in _names(folder)}
        changed = [name for name, state in local.items() if kept.get(name) != state]
        gone = sorted(set(kept) - set(local))
        if not changed and not gone:
            return 0
        # What the list says is there at every moment: a copy that was cut off is only not whole.
        held = {name: state for name, state in kept.items() if local.get(name) == state}
        system.makedirs(root, exist_ok=True)
        _write_index(system, root, held)
        try:
            for done, name in enumerate(changed, 1):
                place = f"{root}/{name}"
                system.makedirs(str(PurePosixPath(place).parent), exist_ok=True)
                system.put_file(str(folder / name), place)
                held[name] = local[name]
                if on_file is not None:
                    on_file(done, len(changed), name)
            for name in gone:
                with contextlib.suppress(FileNotFoundError):
                    system.rm_file(f"{root}/{name}")
        finally:
            _write_index(system, root, held)
    return len(changed)


def fetch_folder(url: str, folder: Path, *, on_file: OnFile | None = None) -> int:
    """Make an empty or new folder of the copy at a URL, and return how many files came.

    The folder is there whole or not at all; without a copy it is left alone. Files keep their
    times, so that `copy_folder` knows them.

    Raises
    ------
    SettingsError : a URL of a file system that is not there
    FileFormatError : the copy cannot be read, or lacks what it says it holds
    OutputError : the folder cannot be written
    """
    with _remote(url, FileFormatError, "read") as (system, root):
        kept = _read_index(system, root)
        if not kept:
            return 0
        with _whole_folder(folder) as arriving:
            for done, (name, (size, time)) in enumerate(kept.items(), 1):
                content = system.cat_file(f"{root}/{name}")
                if len(content) != size:
                    raise FileFormatError(
                        f"{url}/{name}: expected {size} bytes, got {len(content)}: the copy is "
                        "damaged. Copy the folder again, or delete this copy."
                    )
                place = arriving / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                os.utime(place, ns=(time, time))
                if on_file is not None:
                    on_file(done, len(kept), name)
    return len(kept)


@contextlib.contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that becomes `folder`, which is empty or missing, if all goes well."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        name = tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent)
    except OSError as problem:
        raise OutputError(f"{folder}: cannot be written ({problem.strerror}).") from problem
    arriving = Path(name)
    try:
        yield arriving
        arriving.chmod(0o755)
        arriving.replace(folder)
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


@contextlib.contextmanager
def _remote(
    url: str, error: type[OutputError] | type[FileFormatError], done: str
) -> Iterator[tuple[Any, str]]:
    """Yield the file system of a URL and the path in it; what either says becomes a sentence."""
    import fsspec

    if "://" not in url:
        raise SettingsError(
            f"{url}: expected a URL such as s3://bucket/folder or file:///mnt/copy. Say where the "
            "copy goes."
        )
    try:
        system, root = fsspec.url_to_fs(url.rstrip("/"))
    except (ImportError, ValueError) as problem:
        raise SettingsError(f"{url}: {_first_line(problem)}.") from problem
    try:
        yield system, root
    except (SettingsError, OutputError, FileFormatError):
        raise
    except Exception as problem:  # each file system has errors of its own
        raise error(
            f"{url}: cannot be {done} ({type(problem).__name__}: {_first_line(problem)}). See to "
            "the place and the permissions there; the same command goes on."
        ) from problem


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or ["no reason given"])[0].rstrip(".")


def _names(folder: Path) -> list[str]:
    """Return the files below a folder as / paths, sorted, without what is unfinished."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in paths
        if path.name != LOCK and not any(is_temporary(part) for part in path.parts)
    )


def _state(path: Path) -> tuple[int, int]:
    """Return size in bytes and time of change in ns."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _read_index(system: Any, root: str) -> dict[str, tuple[int, int]]:
    """Return {name: (size, time)} of the copy, nothing where there is none."""
    try:
        content = system.cat_file(f"{root}/{INDEX}")
    except FileNotFoundError:
        return {}
    try:
        rows = json.loads(content)
        return {_safe(name): (int(size), int(time)) for name, (size, time) in rows.items()}
    except (ValueError, TypeError, AttributeError) as problem:
        raise FileFormatError(
            f"{root}/{INDEX}: expected the list of what the copy holds ({_first_line(problem)}). "
            "Delete it, and copy the folder again."
        ) from problem


def _write_index(system: Any, root: str, held: dict[str, tuple[int, int]]) -> None:
    system.pipe_file(f"{root}/{INDEX}", json.dumps(held, indent=1, sort_keys=True).encode())


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} lies outside of the folder")
    return name
