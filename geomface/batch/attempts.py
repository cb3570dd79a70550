"""One attempt at one item: outputs appear whole or not at all, and a record is left."""

import contextlib
import dataclasses
import datetime
import errno
import os
import secrets
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from geomface.batch.blame import is_passing, sentence
from geomface.batch.records import (
    DONE,
    FAILED,
    ItemRecord,
    hash_outputs,
    read_record,
    record_path,
    write_record,
)
from geomface.batch.time_limit import note_path, time_limit, where_it_hung
from geomface.errors import FileFormatError, GeomfaceError
from geomface.files.atomic import is_temporary, write_bytes
from geomface.files.lock import require_session
from geomface.files.marker import make_folder

_MARK = ".part.folder"  # `is_temporary` knows hidden names that end in .part.<suffix>


@dataclasses.dataclass(frozen=True)
class ItemTask:
    """What a worker is told: small, and all of it can be pickled.

    Parameters
    ----------
    name : of the item
    stage : name of the step
    key : content key
    attempt : 1, 2, ...
    out : the run's folder
    place : folder of the outputs, relative to `out`
    records : folder of the records, relative to `out`
    payload : whatever the work needs, such as `items.ScanPayload`
    session : of the run that asks, which must still hold `out` when something is written; empty
        asks nobody
    time_limit : seconds after which the process that does it ends; 0 for none
    """

    name: str
    stage: str
    key: str
    attempt: int
    out: Path
    place: str
    records: str
    payload: Any
    session: str = ""
    time_limit: float = 0.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a piece of work reports besides its files.

    Parameters
    ----------
    figures : small numbers and strings
    notes : sentences
    """

    figures: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()


Work = Callable[[ItemTask, Path], Outcome]
"""Does an item and writes its files into the folder given."""


def attempt_item(work: Work, task: ItemTask) -> ItemRecord:
    """Do one item and return (and write) its record; an error becomes a failed record.

    The files are written into a hidden folder that is renamed to the task's place at the end, so
    whoever kills the process never leaves half an item. An attempt that a worker of the same run
    finished before it died is not made again, nor is one whose time was over.

    Raises
    ------
    OutputError : not even the record could be written, or another run took the folder over.
    """
    started = time.perf_counter()
    clock = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    place = Path(task.place)
    records = make_folder(task.out / task.records)
    if task.session and (made := _made_before(records, task)):
        return made
    parts: dict[str, Any] = {}
    note, attempt = note_path(records, task.name, task.attempt), f"{task.session} {task.key}"
    if task.time_limit and (hung := where_it_hung(note, attempt)):
        return _hung_record(task, hung, note)
    try:
        with (
            time_limit(task.time_limit, note, attempt),
            atomic_folder(task.out / place) as folder,
        ):
            outcome = work(task, folder)
            outputs = hash_outputs(
                folder, [path for path in folder.rglob("*") if path.is_file()], place=place
            )
            _require_session(task)
        parts = {
            "status": DONE,
            "outputs": outputs,
            "figures": outcome.figures,
            "notes": outcome.notes,
        }
    except Exception as error:  # any error of one item must not end the others
        _require_session(task)
        parts = {
            "status": FAILED,
            "error": type(error).__name__,
            "message": sentence(error),
            "retryable": is_passing(error),
        }
        if not isinstance(error, GeomfaceError):
            _keep_places(task, "".join(traceback.format_exception(error)))
    record = ItemRecord(
        name=task.name,
        stage=task.stage,
        key=task.key,
        attempt=task.attempt,
        seconds=round(time.perf_counter() - started, 4),
        peak_rss_mb=peak_rss_mb(),
        started=clock,
        session=task.session,
        **parts,
    )
    write_record(records, record)
    return record


def _made_before(records: Path, task: ItemTask) -> ItemRecord | None:
    path = record_path(records, task.name, task.attempt)
    if not path.is_file():
        return None
    with contextlib.suppress(FileFormatError):
        record = read_record(path)
        if (record.key, record.session) == (task.key, task.session):
            return record
    return None


def _require_session(task: ItemTask) -> None:
    """Refuse to write for a run that is gone while another one holds its folder."""
    if task.session:
        require_session(task.out, task.session)


def _keep_places(task: ItemTask, places: str) -> None:
    path = task.out / task.records / f"{task.name}.{task.attempt:03d}.traceback.txt"
    write_bytes(path, places.encode("utf-8", "backslashreplace"))


def _hung_record(task: ItemTask, places: str, note: Path) -> ItemRecord:
    _require_session(task)
    _keep_places(task, places)
    message = (
        f"it took longer than the {task.time_limit:g} s that an item may take, and its worker was "
        "ended; where it was then is beside the record. Try it again with a higher --item-timeout."
    )
    record = failed_record(task, "ItemTimeout", message, seconds=task.time_limit)
    note.unlink(missing_ok=True)
    return record


def lost_record(task: ItemTask, error: str, message: str) -> ItemRecord:
    """Return the record of an item of which no worker told how it ended.

    It may have left one nevertheless, or a note that its time was over; else it has failed.
    """
    records = task.out / task.records
    if task.session and (made := _made_before(records, task)):
        return made
    note = note_path(records, task.name, task.attempt)
    if hung := where_it_hung(note, f"{task.session} {task.key}"):
        return _hung_record(task, hung, note)
    return failed_record(task, error, message)


def failed_record(task: ItemTask, error: str, message: str, *, seconds: float = 0.0) -> ItemRecord:
    """Write and return the record of an item whose worker ended and could not do so itself.

    That is remembered as passing: it is want of memory mostly, and somebody's signal at times.
    """
    record = ItemRecord(
        task.name,
        task.stage,
        task.key,
        FAILED,
        task.attempt,
        seconds,
        error=error,
        message=message,
        session=task.session,
        retryable=True,
    )
    write_record(task.out / task.records, record)
    return record


@contextlib.contextmanager
def atomic_folder(place: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `place`; when the block succeeds it replaces `place`."""
    token = secrets.token_hex(4)
    fresh = place.with_name(f".{place.name[:80]}.{token}{_MARK}")
    make_folder(fresh)
    try:
        yield fresh
        _replace_folder(fresh, place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _replace_folder(fresh: Path, place: Path) -> None:
    """Put a folder in the place of another, which a worker that counts as lost may do as well."""
    while True:
        old = place.with_name(f".{place.name[:80]}.{secrets.token_hex(4)}.old{_MARK}")
        with contextlib.suppress(FileNotFoundError):
            os.replace(place, old)
        try:
            os.replace(fresh, place)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(folder: Path) -> int:
    """Delete what killed runs left unfinished in a folder, and return how many there were."""
    leftovers = [path for path in folder.glob(".*") if is_temporary(path)]
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)


def peak_rss_mb() -> float:
    """Return the largest resident memory of this process so far, MB; 0 where it is unknown."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)
