"""Label tables: which face is of which person and shows which expression, in CSV or JSON lines."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from geomface.datasets.labelled_faces import UNKNOWN, LabelledFaces
from geomface.errors import FileFormatError, OutputError
from geomface.files.atomic import write_bytes
from geomface.files.reading import read_text

FILE = "file"
"""The column that names the faces; every other one is a factor."""
_SEPARATORS = ",;\t"
_LINES = (".jsonl", ".ndjson")

LabelTable = Mapping[str, Mapping[str, str]]
"""{file: {factor: name of its class, or "" where it is not known}}"""


def load_label_table(path: Path | str, factors: Sequence[str]) -> LabelTable:
    """Read a label table.

    Parameters
    ----------
    path : NAME.csv with a header (separated by commas, semicolons or tabs), or NAME.jsonl with an
        object a line; the columns are `file` and one a factor. An empty cell, null or a missing
        key is a label that is not known.
    factors : the columns beside `file`

    Returns
    -------
    {file: {factor: label, or "" where not known}}, in the order of the table; slashes go forward

    Raises
    ------
    FileFormatError : no such file, empty, of another format, with columns that were not asked for
        or without one that was, a file in two rows, a key twice in one
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".csv", *_LINES):
        raise FileFormatError(
            f"{path}: expected a label table named .csv or {' or '.join(_LINES)}, got "
            f"{suffix or 'a name without one'}. Export it as one of these."
        )
    text = read_text(path, "a label table")
    if "\0" in text:
        raise FileFormatError(
            f"{path}: expected a label table as text, got zero bytes, as UTF-16 has them. Save it "
            "as UTF-8."
        )
    rows = _csv_rows(path, text) if suffix == ".csv" else _json_rows(path, text)
    table: dict[str, dict[str, str]] = {}
    first: dict[str, int] = {}
    asked, seen = {FILE, *factors}, set()
    for number, row in rows:
        unknown = [str(column) for column in row if column not in asked]
        if unknown:
            raise FileFormatError(
                f"{path}: expected the columns {', '.join((FILE, *factors))}, got also "
                f"{', '.join(unknown)}. Remove them, or ask for them as factors."
            )
        seen |= set(row)
        cells = {column: _label(path, number, value) for column, value in row.items()}
        name = cells.pop(FILE, "").replace("\\", "/")
        if not name:
            raise FileFormatError(f"{path}: line {number}: expected a {FILE}, got none.")
        if name in table:
            raise FileFormatError(
                f"{path}: line {number} names {name} again, as line {first[name]} does. Keep one."
            )
        first[name] = number
        table[name] = {factor: cells.get(factor, "") for factor in factors}
    missing = [factor for factor in factors if factor not in seen]
    if not table:
        raise FileFormatError(f"{path}: expected a row a face, got a header only.")
    if missing:
        raise FileFormatError(
            f"{path}: expected the columns {', '.join((FILE, *factors))}; {', '.join(missing)} "
            "missing. Add them, with empty cells where a label is not known."
        )
    return table


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line, {column: cell}) of a CSV text."""
    head = text.splitlines()[0]
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = [cell.strip() for cell in next(reader)]
        named = [column for column in columns if column]
        if FILE not in named or len(set(named)) < len(named):
            raise FileFormatError(
                f"{path}: expected a CSV table whose first line names its columns, each once, "
                f"among them {FILE!r}; got {head[:60]!r}."
            )
        if "" in columns:
            raise FileFormatError(
                f"{path}: expected a name for each column, column {columns.index('') + 1} of the "
                f"first line is empty. Name it, or remove it and its {separator!r} in every line."
            )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise FileFormatError(
                    f"{path}: line {reader.line_num}: expected {len(columns)} cells as in the "
                    f"first line, got {len(cells)}. Put texts with a {separator!r} in quotes."
                )
            yield reader.line_num, dict(zip(columns, cells, strict=True))
    except csv.Error as error:
        raise FileFormatError(
            f"{path}: line {reader.line_num}: expected a CSV table, could not read it ({error})."
        ) from error


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line, {key: value}) of JSON lines."""
    # Not splitlines: that also breaks at characters that a JSON text may hold as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_each_once)
        except (ValueError, RecursionError) as error:
            raise FileFormatError(
                f"{path}: line {number}: expected a JSON object with {FILE!r}, could not read it "
                f"({error})."
            ) from error
        if not isinstance(row, dict):
            raise FileFormatError(
                f"{path}: line {number}: expected a JSON object with {FILE!r}, got {line[:60]}."
            )
        yield number, row


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object whose keys are each there once."""
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice: keep one")
    return dict(pairs)


def _label(path: Path, number: int, value: Any) -> str:
    """Return a cell as a label, "" where it says nothing."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise FileFormatError(
            f"{path}: line {number}: expected names or whole numbers as labels, got {value!r}."
        )
    return str(value).strip()


def save_label_table(
    path: Path | str, faces: LabelledFaces, *, files: Sequence[str] | None = None
) -> None:
    """Write the labels of a set as `load_label_table` reads them; the suffix says the format.

    Parameters
    ----------
    path : NAME.csv or NAME.jsonl
    faces : the set
    files : what the rows name, by default the names of the faces

    Raises
    ------
    OutputError : another suffix, or a place that cannot be written
    """
    path = Path(path)
    files = faces.names if files is None else files
    factors = tuple(faces.labels)
    labels = [
        ["" if row == UNKNOWN else faces.classes[factor][row] for row in faces.labels[factor]]
        for factor in factors
    ]
    rows = list(zip(files, *labels, strict=True))
    text = io.StringIO(newline="")
    if path.suffix.lower() == ".csv":
        writer = csv.writer(text)
        writer.writerows([(FILE, *factors), *rows])
    elif path.suffix.lower() in _LINES:
        for row in rows:
            record = dict(zip((FILE, *factors), (cell or None for cell in row), strict=True))
            text.write(json.dumps(record, ensure_ascii=False) + "\n")
    else:
        raise OutputError(f"{path}: expected a label table named .csv or .jsonl.")
    write_bytes(path, text.getvalue().encode())
