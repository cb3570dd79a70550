"""Hashes of a job's input files, kept for its next run: a file that nobody touched is not read."""

import dataclasses
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from geomface.batch.keys import file_hash
from geomface.errors import FileFormatError
from geomface.files.records import read_json, write_json

SCHEMA = 1
_SETTLED = 2e9
"""Nanoseconds after a change before which another one may leave the same times."""
_ENTRY = re.compile(r"\d+ -?\d+ -?\d+ \d+ [0-9a-f]{32}")


@dataclasses.dataclass(frozen=True, eq=False)
class FileDigests:
    """Hashes of files, taken from an earlier run where a file is still the one that was hashed.

    A file is known by its size, its number and the times of its last change: that of its bytes and
    that of its entry. No program can set the latter, so new bytes under an old date are noticed.

    Parameters
    ----------
    before : "stamp hash" of every path, of an earlier run
    now : the same of the paths asked for here
    """

    before: Mapping[str, str] = dataclasses.field(default_factory=dict)
    now: dict[str, str] = dataclasses.field(default_factory=dict)

    def of(self, path: Path) -> str:
        """Return `keys.file_hash` of a file.

        Raises
        ------
        FileFormatError : the file cannot be read.
        """
        name = str(path)
        try:
            state = os.stat(path)
        except OSError:
            return file_hash(path)  # which says why not
        stamp = f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"
        known = self.before.get(name)
        if known is not None and known[:-33] == stamp:
            self.now[name] = known
            return known[-32:]
        settled = time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > _SETTLED
        digest = file_hash(path)
        if settled:
            self.now[name] = f"{stamp} {digest}"
        return digest

    def write(self, path: Path) -> None:
        """Keep what is known for the next run, unless that is there already."""
        if self.now != self.before:
            write_json(path, {"schema": SCHEMA, "files": self.now}, indent=None)


def read_digests(path: Path) -> FileDigests:
    """Return what an earlier run knew; nothing where that is missing, damaged or of another kind.

    It only saves work, so it is no error to have none.
    """
    try:
        data = read_json(path) if path.is_file() else {}
        files = data["files"] if data["schema"] == SCHEMA else {}
        return FileDigests({name: text for name, text in files.items() if _ENTRY.fullmatch(text)})
    except (FileFormatError, LookupError, TypeError, AttributeError):
        return FileDigests()
