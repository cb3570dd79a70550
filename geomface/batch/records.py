"""One JSON record an item and attempt: the whole state of a run."""

import contextlib
import dataclasses
import gc
import json
import logging
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from geomface.batch.keys import file_hash
from geomface.errors import FileFormatError
from geomface.files.marker import make_folder
from geomface.files.records import read_json, write_json
from geomface.files.settings import settings_from_json

SCHEMA = 1
DONE, FAILED, DAMAGED = "done", "failed", "damaged"
_LOG = logging.getLogger("geomface")


class RecordVersionError(FileFormatError):
    """A record of a version of geomface that writes others."""


@dataclasses.dataclass(frozen=True, slots=True)
class OutputFile:
    """One file that an item made.

    Parameters
    ----------
    path : relative to the run's folder
    size : bytes
    sha256 : first 32 hex digits
    """

    path: str
    size: int
    sha256: str


@dataclasses.dataclass(frozen=True, slots=True)
class ItemRecord:
    """How one attempt at one item went.

    Parameters
    ----------
    name : of the item
    stage : name of the step
    key : content key of what was attempted
    status : "done" or "failed"; "damaged" is that of a file which says neither
    attempt : 1, 2, ...
    seconds : wall time
    peak_rss_mb : largest memory of the process until then
    started : time of the start, ISO 8601
    error, message : class and sentence of the error, empty when done
    outputs : the files made
    figures : what the step measured
    notes : what was done about imperfect input
    session : the run that made it
    retryable : it failed for want of space or memory: the next run tries it again by itself
    """

    name: str
    stage: str
    key: str
    status: str
    attempt: int = 1
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    started: str = ""
    error: str = ""
    message: str = ""
    outputs: tuple[OutputFile, ...] = ()
    figures: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA
    session: str = ""
    retryable: bool = False


def record_path(folder: Path, name: str, attempt: int) -> Path:
    """Return where the record of an attempt lies in the folder of records."""
    return folder / f"{name}.{attempt:03d}.json"


def write_record(folder: Path, record: ItemRecord) -> Path:
    """Write a record atomically and return its path.

    It is not waited for the disk: a record that a loss of power leaves empty is damaged, and so not
    done, and an output that is lost with it has another size than the record says.
    """
    path = record_path(make_folder(folder), record.name, record.attempt)
    write_json(path, record, durable=False)
    return path


def read_record(path: Path) -> ItemRecord:
    """Read one record.

    Raises
    ------
    FileFormatError : not a record, or of a schema this version does not know.
    """
    data = read_json(path, "a pipeline record")
    needed = {"name", "stage", "key", "status", "attempt", "schema"}
    if not isinstance(data, dict) or not needed <= set(data):
        raise FileFormatError(f"{path}: expected a pipeline record. Delete it to redo the item.")
    if isinstance(data["schema"], int) and data["schema"] != SCHEMA:
        raise RecordVersionError(
            f"{path}: record schema {data['schema']} is unknown to this version, which writes "
            f"{SCHEMA}. Use a new output folder, or the version that wrote it."
        )
    record = settings_from_json(ItemRecord, data, f"{path}: record")
    failed = record.figures.get("failed", 0)
    if type(failed) is not int or failed < 0:
        raise FileFormatError(
            f"{path}: expected how many failed inside of the item, got {failed!r}. Delete it to "
            "redo the item."
        )
    return record


def latest_records(folder: Path) -> dict[str, ItemRecord]:
    """Return the last attempt's record of every item, by name.

    A record that cannot be read is noted and stands as damaged, which is neither done nor failed.

    Raises
    ------
    RecordVersionError : a record of another version
    """
    last: dict[str, tuple[int, str]] = {}
    for file in os.listdir(folder) if folder.is_dir() else ():
        match = _FILE.fullmatch(file)
        if match is None or file.startswith("."):
            continue
        name, attempt = match[1], int(match[2])
        if attempt > last.get(name, (0, file))[0]:
            last[name] = (attempt, file)
    with _no_collection():
        return {
            name: _read(os.path.join(folder, file), name, attempt)
            for name, (attempt, file) in sorted(last.items())
        }


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Make many objects that hold no cycles without the collector looking at each again."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def item_record(folder: Path, name: str, attempt: int) -> ItemRecord | None:
    """Return the record of one attempt as `latest_records` would, None when there is none."""
    path = record_path(folder, name, attempt)
    return _read(path, name, attempt) if path.is_file() else None


def _read(place: Path | str, name: str, attempt: int) -> ItemRecord:
    record = _read_sound(place)
    if record is not None and (record.name, record.attempt) == (name, attempt):
        return record
    path = Path(place)
    try:
        record = read_record(path)
        if (record.name, record.attempt) != (name, attempt):
            raise FileFormatError(f"{path}: the record of {record.name}.{record.attempt:03d}.")
        return record
    except RecordVersionError:
        raise
    except FileFormatError as error:
        _LOG.warning("a damaged record counts as not done: %s", error)
        return ItemRecord(name, "", "", DAMAGED, attempt)


def _read_sound(place: Path | str) -> ItemRecord | None:
    """Return a record that is written exactly as this version does; None sends to `read_record`.

    Of very many records this is what takes the time, so nothing is looked at twice.
    """
    try:
        with open(place, "rb", buffering=0) as stream:
            data = _DECODER.decode(stream.readall().decode())
        for name, kind in _TYPES.items():
            if type(data[name]) is not kind:
                return None
        outputs = data["outputs"]
        for output in outputs:
            if tuple(map(type, output.values())) != (str, int, str):
                return None
        if data["schema"] != SCHEMA or any(type(note) is not str for note in data["notes"]):
            return None
        data["outputs"] = tuple([OutputFile(**output) for output in outputs])
        data["notes"] = tuple(data["notes"])
        return ItemRecord(**data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose names are shared with all others: they are most of a record."""
    return {sys.intern(name): value for name, value in pairs}


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
_FILE = re.compile(r"(.+)\.(\d{3,})\.json")
_TYPES = {
    **dict.fromkeys(("name", "stage", "key", "status", "started", "error", "message"), str),
    **{"attempt": int, "schema": int, "seconds": float, "peak_rss_mb": float, "session": str},
    **{"outputs": list, "notes": list, "figures": dict, "retryable": bool},
}
"""Types of a record's values in JSON."""


def hash_outputs(root: Path, paths: Iterable[Path], *, place: Path) -> tuple[OutputFile, ...]:
    """Describe files under `root` as they will be called once `root` is renamed to `place`."""
    return tuple(
        OutputFile(str(place / path.relative_to(root)), path.stat().st_size, file_hash(path))
        for path in sorted(paths)
    )


def outputs_present(out: Path, record: ItemRecord) -> bool:
    """Say whether all outputs of a record exist with their sizes (not whether they changed)."""
    folder = str(out)
    try:
        for output in record.outputs:
            state = os.stat(f"{folder}/{output.path}")
            if not stat.S_ISREG(state.st_mode) or state.st_size != output.size:
                return False
    except (OSError, ValueError):
        return False
    return True


def changed_outputs(out: Path, record: ItemRecord) -> tuple[str, ...]:
    """Return the outputs of a record that are missing or whose bytes changed."""
    return tuple(
        output.path
        for output in record.outputs
        if not (out / output.path).is_file() or file_hash(out / output.path) != output.sha256
    )
