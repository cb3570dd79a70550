"""How other programs write landmarks: names, numbers in front, heads, markups."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import FileFormatError, LandmarkError
from geomface.files.reading import log, named


def foreign_record(path: Path, record: Any) -> Any:
    """Return a JSON record of 3D Slicer or scalismo as {"points", "unit"?}, another as it is."""
    if isinstance(record, list) and record and all(_has(item, "coordinates") for item in record):
        names = [str(item.get("id", "")) for item in record]
        return {"points": _sorted_by(path, names, [item["coordinates"] for item in record])}
    markups = record.get("markups") if isinstance(record, dict) else None
    if isinstance(markups, list) and markups and _has(markups[0], "controlPoints"):
        rows = [
            point.get("position") if point.get("positionStatus", "defined") == "defined" else None
            for point in markups[0]["controlPoints"]
            if isinstance(point, dict)
        ]
        found = {"points": rows}
        unit = markups[0].get("coordinateUnits")
        return found | {"unit": unit} if unit else found
    return record


def _has(item: Any, key: str) -> bool:
    return isinstance(item, dict) and key in item


def slicer_rows(path: Path, lines: list[str]) -> FloatArray:
    """Return the (L, 3) points of a Slicer .fcsv: id, x, y, z, then flags."""
    rows = [line.split(",")[1:4] for line in lines if line.strip() and not line.startswith("#")]
    try:
        points = np.array([[float(word) for word in row] for row in rows], np.float64)
    except ValueError as error:
        raise FileFormatError(
            f"{path}: expected rows 'id,x,y,z,...' of 3D Slicer: {error}."
        ) from error
    if points.ndim != 2 or points.shape[1:] != (3,):
        raise FileFormatError(f"{path}: expected rows 'id,x,y,z,...' of 3D Slicer, found none.")
    return points


def in_order_of_names(path: Path, names: list[str], rows: FloatArray) -> FloatArray:
    """Return rows in the order of their names where these are different whole numbers."""
    return np.array(_sorted_by(path, names, list(rows)), np.float64)


def _sorted_by(path: Path, names: list[str], rows: list) -> list:
    """Sort by the number in every name, such as 7, F-7 or lm07; names without keep their order."""
    found = [re.fullmatch(r"\D*?(\d+)\D*", name.strip()) for name in names]
    numbers = [int(match.group(1)) for match in found if match]
    if len(numbers) != len(rows) or len(set(numbers)) != len(rows):
        return rows
    order = np.argsort(numbers, kind="stable")
    if (order != np.arange(len(rows))).any():
        log.warning("%s: put into the order of the points' names.", named(path))
    return [rows[place] for place in order]


def numbers_of_lines(path: Path, lines: list[str]) -> list[list[float]]:
    """Return the x, y, z of each line; a head, and a first column that names the rows, are read.

    Raises
    ------
    FileFormatError, LandmarkError : lines that are not three numbers with or without a name.
    """
    words = [re.sub(r"[,;]", " ", line).split() for line in lines]
    rows = [row for row in words if row]
    if not rows:
        return []
    if len(rows) > 1 and not any(map(_is_number, rows[0])):
        rows = _columns(rows)
    if len(rows) == 1 and len(rows[0]) > 4 and len(rows[0]) % 3 == 0:
        rows = [rows[0][at : at + 3] for at in range(0, len(rows[0]), 3)]
    if len(rows) > 1 and all(len(row) == 4 for row in rows):
        names = [row[0] for row in rows]
        rows = [row[1:] for row in rows] if _are_names(names) else rows
        rows = _sorted_by(path, names, rows) if len(rows[0]) == 3 else rows
    return [_numbers(path, place, row) for place, row in enumerate(rows)]


def _columns(rows: list[list[str]]) -> list[list[str]]:
    """Return the columns x, y and z that the first line names, with one that numbers the rows."""
    head = [word.strip("'\"").lower() for word in rows[0]]
    if not all(axis in head for axis in "xyz") or any(len(row) != len(head) for row in rows):
        return rows
    wanted = [head.index(axis) for axis in "xyz"]
    first = [0] if 0 not in wanted else []
    return [[row[at] for at in first + wanted] for row in rows[1:]]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _are_names(names: list[str]) -> bool:
    """Say whether a first column tells rows apart: 0, 1, 2 ... or words."""
    if not any(map(_is_number, names)):
        return True
    if not all(name.isdigit() for name in names):
        return False
    numbers = sorted(map(int, names))
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] in (0, 1)


def _numbers(path: Path, place: int, row: list[str]) -> list[float]:
    try:
        numbers = [float(word) for word in row]
    except ValueError as error:
        raise FileFormatError(
            f"{path}: expected rows of three numbers, found {' '.join(row)[:60]!r}."
        ) from error
    if len(numbers) == 2:
        raise LandmarkError(
            f"{path}: its landmarks have two coordinates, so they belong to a picture. "
            "Expected x, y and z on the scan."
        )
    if len(numbers) != 3:
        raise FileFormatError(
            f"{path}: expected three numbers in each row, row {place} has {len(numbers)}."
        )
    return numbers
