"""A time limit of an item: the worker that goes beyond it ends, and leaves where it hung."""

import contextlib
import faulthandler
from collections.abc import Iterator
from pathlib import Path

_MARK = ".part.txt"  # `is_temporary` knows hidden names that end in .part.<suffix>
_RANG = "Timeout ("
"""What faulthandler begins with when its time is over."""


@contextlib.contextmanager
def time_limit(seconds: float, note: Path, attempt: str) -> Iterator[None]:
    """End this process when the block takes longer; a note keeps whose block it was, and where.

    A watch outside of Python does it, so it works in native code that never comes back, too.

    Parameters
    ----------
    seconds : the limit; 0 is none
    note : a file of the attempt, as `note_path` calls it
    attempt : what tells this attempt from all others
    """
    if not seconds:
        yield
        return
    with open(note, "w", encoding="utf-8") as stream:
        stream.write(f"{attempt}\n")
        stream.flush()
        faulthandler.dump_traceback_later(seconds, exit=True, file=stream)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            note.unlink(missing_ok=True)


def note_path(records: Path, name: str, attempt: int) -> Path:
    """Return where an attempt keeps its note; what is left of it counts as half written."""
    return records / f".{name}.{attempt:03d}{_MARK}"


def where_it_hung(note: Path, attempt: str) -> str:
    """Return the places of the threads when the time of this attempt was over; empty if not."""
    try:
        head, _, places = note.read_text(encoding="utf-8", errors="replace").partition("\n")
    except OSError:
        return ""
    return places if head == attempt and places.startswith(_RANG) else ""
