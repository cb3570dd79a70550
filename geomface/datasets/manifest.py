"""What a set or a run says of itself: a head file with its settings, and one JSON line a member."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from geomface.errors import FileFormatError
from geomface.files.atomic import atomic_path
from geomface.files.reading import read_bytes, reading
from geomface.files.records import read_json

Row = TypeVar("Row")


def read_head(path: Path, *, kind: str, schema: int, what: str) -> dict[str, Any]:
    """Return the content of a head file.

    Parameters
    ----------
    path : the file, such as run.json or set.json
    kind, schema : that the caller can read
    what : how messages call the folder, such as "a set of textures"

    Raises
    ------
    FileFormatError : no such file, another kind, or a schema that this version does not know
    """
    data = read_json(path, f"the file of {what}")
    if not isinstance(data, dict) or data.get("kind") != kind:
        raise FileFormatError(f"{path}: expected the file of {what}, got something else.")
    if data.get("schema") != schema:
        raise FileFormatError(
            f"{path}: schema {data.get('schema')} is unknown to this version ({schema}). Use the "
            "version that wrote it, or a new output folder."
        )
    return data


def read_rows(path: Path, parse: Callable[[Any], Row], way_out: str) -> Iterator[Row]:
    """Yield what `parse` makes of every line of a manifest.

    Parameters
    ----------
    path : a file of JSON lines
    parse : takes one row in JSON's own types
    way_out : what to do about a manifest that is damaged

    Raises
    ------
    FileFormatError : no such file, or a line that is no row; the message says which
    """
    for number, line in enumerate(read_bytes(path, "a manifest").splitlines(), 1):
        try:
            with reading(path, "a manifest"):
                row = parse(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise FileFormatError(
                f"{path}: line {number} is not a row of a manifest ({type(error).__name__}: "
                f"{error}). {way_out}"
            ) from error
        yield row


def join_files(path: Path, parts: Iterable[Path]) -> None:
    """Write files one after the other into one, whole or not at all."""
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        for part in parts:
            stream.write(part.read_bytes())
