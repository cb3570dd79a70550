"""Landmark files: the project's JSON, .pts, .txt, MeshLab .pp and menpo LJSON."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import FileFormatError, LandmarkError, OutputError
from geomface.files.atomic import write_bytes
from geomface.files.reading import (
    HEAD,
    TAIL,
    choose_unit,
    log,
    named,
    read_text,
    reading,
    require_tail,
)
from geomface.files.records import read_json, write_json
from geomface.mesh.io.landmark_dialects import (
    foreign_record,
    in_order_of_names,
    numbers_of_lines,
    slicer_rows,
)
from geomface.mesh.landmarks import Landmarks
from geomface.mesh.units import canonical_unit

MULTI_PIE_68 = "multi-pie-68"

_MISSING = (np.nan, np.nan, np.nan)
# The groups of the Multi-PIE order with their sizes; LJSON files name them in one of these ways.
# "Left" is the left of the picture there, so the subject's right.
_GROUPS = (
    (("jaw", "chin"), 17),
    (("left_eyebrow", "leyebrow"), 5),
    (("right_eyebrow", "reyebrow"), 5),
    (("nose",), 9),
    (("left_eye", "leye"), 6),
    (("right_eye", "reye"), 6),
    (("mouth",), 20),
)


def load_landmarks(path: str | Path, unit: str | None = None) -> Landmarks:
    """Read the landmarks of a scan; the suffix says the format.

    Parameters
    ----------
    path : .json `{"scheme", "unit", "points": [[x, y, z] | null, ...], "sigma_mm"?}`, or as 3D
        Slicer (.mrk.json, .fcsv) and scalismo write it; .pts (ibug layout with three columns, or
        IDAV's with names), .txt or .csv (rows of three numbers, nan for a missing one, with or
        without a head and a first column of names or numbers; or all numbers in one row), .pp
        (MeshLab picked points) or .ljson (menpo, versions 1 to 3)
    unit : of the numbers; by default what the file says, else mm

    Returns
    -------
    Landmarks; a missing one is a row of NaN. Formats without a scheme get "multi-pie-68" when
    they hold 68 points, or the 51 of them without the jaw, and "points-<count>" otherwise.

    Raises
    ------
    FileFormatError : missing, empty, truncated, not of its format, unknown suffix
    LandmarkError : rows that are not three numbers, all missing, sigmas that do not fit

    Convention
    ----------
    The order of the file is kept, except that a LJSON whose labels name the seven groups of the
    68-point scheme is put into that scheme's order, and points whose names or first column are
    different numbers are put into the order of these. 3D Slicer's files are in its patients'
    system as they say, LPS or RAS; points are read in the system that the file uses,
    and `register` turns those that lie on their scan in the other one only.

    Example
    -------
    >>> import geomface as gf
    >>> template = gf.load_builtin_face().template
    >>> points = template.landmarks.positions(template.mesh.vertices)
    >>> gf.save_landmarks("face.landmarks.json", gf.Landmarks(points))
    >>> int(gf.load_landmarks("face.landmarks.json").present.sum())
    68
    """
    path = Path(path)
    readers = {
        ".json": _read_json,
        ".ljson": _read_ljson,
        ".pts": _read_pts,
        ".txt": _read_rows,
        ".csv": _read_rows,
        ".fcsv": _read_rows,
        ".pp": _read_pp,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileFormatError(
            f"{path}: expected landmarks named {', '.join(readers)}; rename or convert the file."
        )
    if unit is not None:
        unit = canonical_unit(unit, f"{path}: unit", LandmarkError)
    with reading(path, "landmarks"):
        landmarks = reader(path, unit)
    if not landmarks.present.any():
        raise LandmarkError(
            f"{path}: expected landmarks, but all {len(landmarks.points)} are missing. Mark at "
            "least four, or register without a landmark file."
        )
    return landmarks


def _make(
    path: Path,
    rows: FloatArray,
    unit: str | None,
    scheme: str | None = None,
    sigma_mm: FloatArray | None = None,
) -> Landmarks:
    if np.isinf(rows).any():
        raise LandmarkError(
            f"{path}: landmark {int(np.isinf(rows).any(axis=1).argmax())} is infinite. Mark it "
            "again, or set it to null."
        )
    if scheme is None or (scheme == MULTI_PIE_68 and len(rows) == 51):
        if len(rows) == 51:
            # The 68 without the jaw.
            rows = np.concatenate([np.full((17, 3), np.nan), rows])
            sigma_mm = None if sigma_mm is None else np.concatenate([np.ones(17), sigma_mm])
        scheme = MULTI_PIE_68 if len(rows) == 68 else f"points-{len(rows)}"
    return Landmarks(rows, scheme, sigma_mm, unit or "mm", named(path))


def points_array(path: Path, rows: Any, axes: str = "xyz") -> FloatArray:
    """Return JSON rows such as `[x, y, z]`, or null, as (L, len(axes)) float64, NaN for null."""
    wanted = f"[{', '.join(axes)}]"
    if not isinstance(rows, list):
        raise LandmarkError(
            f"{path}: expected 'points' as a list of {wanted} or null, got {type(rows).__name__}."
        )
    count = len(axes)
    points = np.full((len(rows), count), np.nan)
    for place, row in enumerate(rows):
        if row is None or row == [None] * count:
            continue
        if not isinstance(row, list) or len(row) != count or not all(map(_is_number, row)):
            numbers = {2: "two", 3: "three"}.get(count, count)
            raise LandmarkError(
                f"{path}: landmark {place} should be {numbers} numbers {wanted} or null, got "
                f"{str(row)[:60]}."
            )
        points[place] = row
    return points


def _is_number(value: Any) -> bool:
    # Integers beyond the range of doubles would overflow on conversion.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300


def _read_json(path: Path, unit: str | None) -> Landmarks:
    record = foreign_record(path, read_json(path, "landmarks {'scheme', 'unit', 'points'}"))
    if isinstance(record, dict) and "points" not in record and "vertices" in record:
        raise LandmarkError(
            f"{path}: these are template landmarks ('vertices'), expected landmarks of a scan "
            "('points'). Give this file as the template's landmarks."
        )
    if not isinstance(record, dict) or "points" not in record:
        raise LandmarkError(
            f"{path}: expected landmarks {{'scheme', 'unit', 'points'}}, found no 'points'."
        )
    points = points_array(path, record["points"])
    scheme, written = record.get("scheme"), record.get("unit", record.get("units"))
    if scheme is not None and not isinstance(scheme, str):
        raise LandmarkError(f"{path}: 'scheme' should be a name, got {str(scheme)[:60]}.")
    if written is not None:
        written = canonical_unit(written, f"{path}: 'unit'", LandmarkError)
    comments = b"" if written is None else f"unit {written}".encode()
    unit = choose_unit(comments, unit, named(path))
    return _make(path, points, unit, scheme, _sigma(path, record.get("sigma_mm"), len(points)))


def _sigma(path: Path, value: Any, count: int) -> FloatArray | None:
    if value is None:
        return None
    values = [value] * count if _is_number(value) else value
    good = isinstance(values, list) and len(values) == count
    if not good or not all(_is_number(item) and item > 0 for item in values):
        raise LandmarkError(
            f"{path}: 'sigma_mm' should be {count} positive numbers, one for each point (or one "
            "for all)."
        )
    return np.array(values, np.float64)


def _read_ljson(path: Path, unit: str | None) -> Landmarks:
    record = read_json(path, "landmarks in menpo's LJSON")
    try:
        labels = record.get("labels", [])
        if record["version"] == 1:
            rows = [item["point"] for group in record["groups"] for item in group["landmarks"]]
        elif record["version"] == 2:
            rows = record["landmarks"]["points"]
        else:
            groups = record["groups"]
            group = groups.get("LJSON") or next(iter(groups.values()))
            rows, labels = group["landmarks"]["points"], group.get("labels", [])
        order = _multi_pie_order(labels, len(rows))
    except (KeyError, TypeError, AttributeError, StopIteration, ValueError) as error:
        raise FileFormatError(
            f"{path}: expected landmarks in menpo's LJSON (groups, landmarks, points), but "
            f"{error} does not fit."
        ) from error
    points = points_array(path, rows)
    if order is not None:
        if (order != np.arange(68)).any():
            log.info("%s: put into the order of %s by its labels.", named(path), MULTI_PIE_68)
        points = points[order]
    return _make(path, points, unit)


def _multi_pie_order(labels: list, count: int) -> np.ndarray | None:
    masks = {str(item["label"]).lower(): item["mask"] for item in labels}
    parts = []
    for names, size in _GROUPS:
        mask = next((masks[name] for name in names if name in masks), None)
        if not isinstance(mask, list) or len(mask) != size:
            return None
        parts += mask
    if count != 68 or sorted(parts) != list(range(68)):
        return None
    return np.array(parts, np.int64)


def _read_pts(path: Path, unit: str | None) -> Landmarks:
    text = read_text(path, "landmarks in a .pts file")
    head, opened, rest = text.partition("{")
    body, closed, _ = rest.partition("}")
    if not opened or not closed:
        raise FileFormatError(
            f"{path}: expected a .pts file with points between braces; it may be truncated."
        )
    points = _rows(path, body.splitlines())
    announced = re.search(r"n_points\s*:\s*(\d{1,9})\b", head)
    if announced and int(announced.group(1)) != len(points):
        raise FileFormatError(
            f"{path}: its header announces {announced.group(1)} points, it has {len(points)}."
        )
    return _make(path, points, choose_unit(head.encode(), unit, named(path)))


def _read_rows(path: Path, unit: str | None) -> Landmarks:
    text = read_text(path, "landmarks as rows of three numbers")
    require_tail(text.encode(), named(path))
    lines = text.splitlines()
    if path.suffix.lower() == ".fcsv":
        return _make(path, slicer_rows(path, lines), unit)
    comments = "\n".join(line for line in lines if line.lstrip().startswith("#"))
    points = _rows(path, [line.partition("#")[0] for line in lines])
    return _make(path, points, choose_unit(comments.encode(), unit, named(path)))


def _rows(path: Path, lines: list[str]) -> FloatArray:
    rows = numbers_of_lines(path, lines)
    points = [_MISSING if np.isnan(row).any() else row for row in rows]
    if not points:
        raise FileFormatError(f"{path}: expected rows of three numbers, found none.")
    return np.array(points, np.float64)


def _read_pp(path: Path, unit: str | None) -> Landmarks:
    text = read_text(path, "MeshLab picked points (.pp)")
    # MeshLab writes a bare document type; one that declares anything is refused unread.
    text = re.sub(r"<!DOCTYPE\s+[\w.-]+\s*>", "", text, count=1)
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise FileFormatError(
            f"{path}: declares XML entities, which are refused. Save the points from MeshLab again."
        )
    try:
        root = ElementTree.fromstring(text)
        picked = list(root.iter("point"))
        rows = [
            _MISSING
            if point.get("active", "1").lower() in ("0", "false")
            else [float(point.attrib[axis]) for axis in "xyz"]
            for point in picked
        ]
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise FileFormatError(
            f"{path}: expected MeshLab picked points (<point x= y= z=>), but the file is damaged "
            f"({error}). Save the points again."
        ) from error
    if not rows:
        raise FileFormatError(f"{path}: expected picked points, found none. Pick them in MeshLab.")
    points = in_order_of_names(path, [point.get("name", "") for point in picked], np.array(rows))
    return _make(path, points, unit)


def save_landmarks(path: str | Path, landmarks: Landmarks) -> None:
    """Write landmarks, atomically; the suffix says the format, as `load_landmarks` lists them.

    Only .json keeps scheme, sigmas and unit; .txt keeps the unit. Coordinates keep every bit.

    Raises
    ------
    OutputError : unknown suffix, or the place cannot be written

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> points = np.array([[0.0, 20.0, 95.0], [np.nan, np.nan, np.nan]])
    >>> gf.save_landmarks("two.json", gf.Landmarks(points, scheme="nose and chin"))
    >>> gf.load_landmarks("two.json").scheme
    'nose and chin'
    """
    path = Path(path)
    suffix = path.suffix.lower()
    rows = [
        None if np.isnan(row).any() else [float(item) for item in row] for row in landmarks.points
    ]
    lines = [" ".join(map(repr, row or _MISSING)) for row in rows]
    if suffix == ".json":
        record = {"scheme": landmarks.scheme, "unit": landmarks.unit, "points": rows}
        if landmarks.sigma_mm is not None:
            record["sigma_mm"] = landmarks.sigma_mm
        write_json(path, record, indent=None)
        return
    if suffix == ".ljson":
        missing = [[None, None, None] if row is None else row for row in rows]
        group = {"labels": [{"label": "all", "mask": list(range(len(rows)))}]}
        group |= {"landmarks": {"points": missing, "connectivity": []}}
        write_json(path, {"version": 3, "groups": {"LJSON": group}}, indent=None)
        return
    if suffix == ".pts":
        lines = ["version: 1", f"n_points: {len(rows)}", "{", *lines, "}"]
    elif suffix in (".txt", ".csv"):
        separated = [line.replace(" ", ",") for line in lines] if suffix == ".csv" else lines
        lines = [f"{HEAD}, unit {landmarks.unit}", *separated, TAIL]
    elif suffix == ".pp":
        lines = ["<!DOCTYPE PickedPoints>", "<PickedPoints>"]
        for place, row in enumerate(rows):
            x, y, z = (quoteattr(repr(item)) for item in (row or (0.0, 0.0, 0.0)))
            active = 0 if row is None else 1
            lines.append(f'  <point x={x} y={y} z={z} name="{place}" active="{active}"/>')
        lines.append("</PickedPoints>")
    else:
        raise OutputError(
            f"{path}: expected a landmark name ending in .json, .pts, .txt, .csv, .pp or .ljson."
        )
    write_bytes(path, ("\n".join(lines) + "\n").encode())
