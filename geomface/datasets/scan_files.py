"""What there is to do: the scans of a folder, their landmark files and companions."""

import dataclasses
import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from geomface.datasets import layout
from geomface.errors import FileFormatError
from geomface.files.images import IMAGE_SUFFIXES
from geomface.files.reading import log

SCAN_SUFFIXES = (".ply", ".obj", ".stl", ".off", ".glb")
LANDMARK_SUFFIXES = (
    *(layout.SCAN_LANDMARKS, ".mrk.json", ".pp", "_picked_points.pp", ".ljson", ".fcsv", ".pts"),
    *(".landmarks.txt", ".txt"),
)
_COMPANION_SUFFIXES = (".mtl", *IMAGE_SUFFIXES)

_LONGEST = 200
"""Bytes of a name; most file systems take 255, and records add endings."""


@dataclasses.dataclass(frozen=True)
class ScanFile:
    """One scan of a folder.

    Parameters
    ----------
    name : unique in the folder; names the outputs (see `item_names`)
    scan : the mesh file
    landmarks : its landmark file, or None
    companions : material and image files that belong to it by their name
    """

    name: str
    scan: Path
    landmarks: Path | None = None
    companions: tuple[Path, ...] = ()


def find_scans(folder: Path | str, *, textures: Path | str | None = None) -> tuple[ScanFile, ...]:
    """List the scans of a folder, by name, with their landmark files (`landmarks_beside`).

    Hidden files and sub-folders are left out.

    Parameters
    ----------
    folder : of scans
    textures : one more folder of pictures; those that no scan's name begins may belong to any scan

    Raises
    ------
    FileFormatError : a folder does not exist, cannot be read, or holds no scan.
    """
    folder = Path(folder)
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise FileFormatError(
            f"{folder}: expected a folder of scans ({error.strerror}). Check --scans."
        ) from error
    files = [name for name in names if os.path.isfile(f"{folder}/{name}")]
    for name in set(names).difference(files):
        if _is(name, SCAN_SUFFIXES) and not (folder / name).is_dir():
            log.warning(
                "%s is no regular file (a link to nothing, a pipe, a device): left out.",
                folder / name,
            )
    scans = [folder / name for name in files if _is(name, SCAN_SUFFIXES)]
    if not scans:
        raise FileFormatError(
            f"{folder}: expected scans named {', '.join('*' + end for end in SCAN_SUFFIXES)}, "
            f"found none among {len(files)} files. Check --scans."
        )
    pictures = [] if textures is None else _pictures(Path(textures))
    belonging: dict[str, list[Path]] = {path.stem: [] for path in scans}
    companions = [folder / name for name in files if _is(name, _COMPANION_SUFFIXES)]
    for other in (*companions, *pictures):
        for stem in _stems_of(other.name) & belonging.keys():
            belonging[stem].append(other)
    here = frozenset(files)
    shared = tuple(path for path in pictures if not _stems_of(path.name) & belonging.keys())
    return tuple(
        ScanFile(name, path, _landmarks_among(here, path), shared + tuple(belonging[path.stem]))
        for name, path in zip(item_names(scans), scans, strict=True)
    )


def _is(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileFormatError(
            f"{folder}: expected a folder of pictures, there is none. Check --textures."
        )
    files = layout.files_below(folder, "*")
    return [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]


def _stems_of(name: str) -> set[str]:
    """Return whatever a scan can be called to which a file belongs by its name."""
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}


def landmarks_beside(scan: Path) -> Path | None:
    """Return the landmark file of a scan X.ply, None when there is none.

    It is X.landmarks.json, else what another program writes: X.mrk.json, X.pp, X_picked_points.pp,
    X.ljson, X.fcsv, X.pts, X.landmarks.txt or X.txt.
    """
    stem = os.path.splitext(scan)[0]
    # Not Path.is_file, which raises where the name is too long for the file system.
    return next((Path(stem + end) for end in LANDMARK_SUFFIXES if os.path.isfile(stem + end)), None)


def _landmarks_among(names: frozenset[str], scan: Path) -> Path | None:
    """Return `landmarks_beside` without asking the file system, from the names of the folder."""
    found = next((end for end in LANDMARK_SUFFIXES if scan.stem + end in names), None)
    return None if found is None else scan.with_name(scan.stem + found)


def item_names(paths: Sequence[Path]) -> list[str]:
    """Name files of one folder by their stems; files that would share a name keep their endings.

    Two files never share a name, and every name can be written everywhere: bytes that are no UTF-8
    and characters that cannot be printed become %XX, and a very long name ends in a hash.
    """
    choices = [(path.stem, path.name.replace(".", "-"), path.name) for path in paths]
    levels = [0] * len(paths)
    while True:
        names = [choice[level] for choice, level in zip(choices, levels, strict=True)]
        counts = Counter(names)
        shared = [i for i, name in enumerate(names) if counts[name] > 1 and levels[i] < 2]
        if not shared:
            return [_writable(name) for name in names]
        for index in shared:
            levels[index] += 1


def _writable(name: str) -> str:
    """Return a name in printable characters, another one for every name."""
    # What looks like an escape is escaped, too.
    text = re.sub("%(?=[0-9A-F]{2})", "%25", name)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escaped(char) for char in text)
    data = text.encode()
    if len(data) <= _LONGEST:
        return text
    digest = hashlib.sha256(data).hexdigest()[:16]
    return f"{data[: _LONGEST - 17].decode(errors='ignore')}-{digest}"


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(char))
