"""Whose an output folder is: the first file written into one says what lives there."""

import contextlib
import dataclasses
import os
from pathlib import Path

from geomface.errors import FileFormatError, OutputError
from geomface.files.atomic import is_temporary
from geomface.files.lock import NAME as LOCK
from geomface.files.records import read_json, write_json

MARKER = ".geomface.json"
_HEADS = ("run.json", "set.json")
"""Files that tell of folders from before there were markers."""
_NOBODYS = (MARKER, LOCK, ".DS_Store", "Thumbs.db", "desktop.ini")
"""Names of files that are no content."""


@dataclasses.dataclass(frozen=True)
class FolderKind:
    """What lives in an output folder.

    Parameters
    ----------
    name : as the marker calls it
    what : as messages call it, such as "a set of textures"
    writer : what writes such folders, such as "'geomface synth textures'"
    head : file with the settings of such a folder; one that is damaged is still one of ours
    """

    name: str
    what: str
    writer: str
    head: str = ""


def claim_folder(out: Path, kind: FolderKind) -> Path:
    """Make a folder and mark it as of this kind, before anything else is written; return it.

    Raises
    ------
    OutputError : the folder is somebody else's (see `require_own_folder`), or cannot be made
    """
    require_own_folder(out, kind)
    make_folder(out)
    if not (out / MARKER).is_file():
        write_json(out / MARKER, {"kind": kind.name, "what": kind.what})
    return out


def require_own_folder(out: Path, kind: FolderKind) -> None:
    """Refuse a folder that holds something of anybody else.

    Its own are a folder that is marked as of this kind, and one without any file: what a run that
    was killed left unfinished, a lock and empty folders do not count.

    Raises
    ------
    OutputError : a file, a folder of another kind, or one that holds files and no marker
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out}: expected a folder, got a file. Choose another --out.")
    name, what = _owner(out, kind)
    if name == kind.name:
        return
    try:
        what = what or _first_content(out)
    except OSError as error:
        raise OutputError(
            f"{out}: this folder cannot be read ({error.strerror}). Choose another --out."
        ) from error
    if what:
        raise OutputError(
            f"{out}: expected an empty folder or one that {kind.writer} wrote, but it holds "
            f"{what}. Nothing was written; choose another --out."
        )


def make_folder(path: Path) -> Path:
    """Create a folder and its parents where needed, and return it.

    Raises
    ------
    OutputError : that is impossible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path}: this folder cannot be made ({error.strerror}). Choose another --out, or mend "
            "the permissions."
        ) from error
    return path


def _owner(out: Path, kind: FolderKind) -> tuple[str, str]:
    """Return name and description of what is said to live in a folder; empty if nothing says."""
    for file in (MARKER, *_HEADS):
        if not (out / file).is_file():
            continue
        try:
            data = read_json(out / file)
        except FileFormatError:
            if file == kind.head:
                return kind.name, kind.what
            continue
        data = data if isinstance(data, dict) else {}
        name = "training" if "system" in data else data.get("kind")
        if isinstance(name, str):
            return name, str(data.get("what", f"{file} of something else"))
    return "", ""


def _first_content(out: Path) -> str:
    """Name a file of somebody below a folder, empty if there is none."""
    for folder, below, files in os.walk(out, onerror=_raise):
        place = Path(folder)
        links = [name for name in below if (place / name).is_symlink()]
        below[:] = sorted(name for name in below if not is_temporary(name))
        for name in sorted([*files, *links]):
            if name not in _NOBODYS and not is_temporary(name):
                return str((place / name).relative_to(out))
    return ""


def _raise(error: OSError) -> None:
    with contextlib.suppress(FileNotFoundError):
        raise error
