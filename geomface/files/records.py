"""JSON records: settings, reports, landmark files."""

import dataclasses
import enum
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError, OutputError
from geomface.files.atomic import write_bytes
from geomface.files.reading import read_bytes, reading


def plain(value: Any) -> Any:
    """Return `value` in JSON's own types.

    Dataclasses and mappings become objects, arrays and sequences lists, paths and enum members
    strings, and NaN or infinity null (JSON has no such numbers).

    Raises
    ------
    OutputError : a type that JSON cannot hold
    """
    if value is None or isinstance(value, bool | int | str):
        return value if not isinstance(value, enum.Enum) else plain(value.value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    raise OutputError(
        f"JSON cannot hold a {type(value).__name__}; give numbers, strings, lists, mappings, "
        "arrays or dataclasses."
    )


def write_json(
    path: str | Path, record: Any, *, indent: int | None = 2, durable: bool = True
) -> None:
    """Write `record` as UTF-8 JSON, atomically; see `plain` for what it may hold.

    `durable` is that of `files.atomic.atomic_path`.

    Raises
    ------
    OutputError : the place cannot be written, or JSON cannot hold the record
    """
    text = json.dumps(plain(record), indent=indent, ensure_ascii=False, allow_nan=False)
    # A file name that is not UTF-8 becomes JSON's escapes, from which the same name is read again.
    write_bytes(path, (text + "\n").encode("utf-8", "backslashreplace"), durable=durable)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number (use null)")


def read_json(path: str | Path, expected: str = "a JSON record") -> Any:
    """Read a JSON file; `expected` says in the error message what it should have been.

    Raises
    ------
    FileFormatError : missing, empty, truncated, not UTF-8 or not JSON; NaN and Infinity literals
    """
    data = read_bytes(path, expected)
    try:
        with reading(path, expected):
            return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except ValueError as error:
        raise FileFormatError(
            f"{path}: expected {expected}, but it is not readable JSON ({error}). It may be "
            "truncated: write it again."
        ) from error
