"""Landmark files of pictures: two numbers a point, in pixels."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import FileFormatError, LandmarkError
from geomface.files.reading import read_text
from geomface.files.records import read_json, write_json
from geomface.mesh.io.landmark_files import MULTI_PIE_68, points_array

PIXELS = "px"
_MISSING = ("nan", "null", "none", "-")


class AllMissingError(LandmarkError):
    """A landmark file in which every point is marked as missing."""


@dataclasses.dataclass(frozen=True, eq=False)
class PixelLandmarks:
    """Landmarks in a picture.

    Parameters
    ----------
    points : (L, 2) float64 pixels, NaN where missing
    scheme : name of the landmark scheme
    image_size : (height, width) of the picture, when the file says so
    confidence : (L,) in [0, 1], of landmarks that a detector found

    Convention
    ----------
    x right, y down, origin in the top left corner, pixel centres at +0.5.
    """

    points: FloatArray
    scheme: str = MULTI_PIE_68
    image_size: tuple[int, int] | None = None
    confidence: FloatArray | None = None


def load_pixel_landmarks(path: str | Path) -> PixelLandmarks:
    """Read the landmarks of a picture; the suffix says the format.

    Parameters
    ----------
    path : .json `{"scheme", "unit": "px", "points": [[x, y] | null, ...], "image_size"?: [width,
        height], "confidence"?: [c, ...]}`, .pts (ibug layout) or .txt and .csv (rows of two
        numbers, nan for a missing one)

    Raises
    ------
    FileFormatError : missing, empty, not of its format, unknown suffix
    LandmarkError : rows that are not two numbers, another unit; `AllMissingError` : all missing

    Convention
    ----------
    Numbers are taken as they are: files that count pixels from 1 are half a pixel off.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        found = _read_json(path)
    elif suffix in (".pts", ".txt", ".csv"):
        points = _read_rows(path, braces=suffix == ".pts")
        scheme = MULTI_PIE_68 if len(points) == 68 else f"points-{len(points)}"
        found = PixelLandmarks(points, scheme)
    else:
        raise FileFormatError(
            f"{path}: expected landmarks of a picture named .json, .pts, .txt or .csv; rename or "
            "convert the file."
        )
    if not np.isfinite(found.points).any():
        raise AllMissingError(
            f"{path}: expected landmarks, but all {len(found.points)} are missing. Mark some."
        )
    return found


def save_pixel_landmarks(
    path: str | Path, landmarks: PixelLandmarks, others: Sequence[PixelLandmarks] = ()
) -> None:
    """Write the landmarks of a picture as JSON, atomically.

    Parameters
    ----------
    landmarks : of the face that readers of the file are given
    others : of further faces in the picture, kept beside it as "other_faces"
    """
    record: dict[str, Any] = {"scheme": landmarks.scheme, "unit": PIXELS} | _face(landmarks)
    if landmarks.image_size is not None:
        record["image_size"] = [landmarks.image_size[1], landmarks.image_size[0]]
    if others:
        record["other_faces"] = [_face(other) for other in others]
    write_json(path, record, indent=None)


def _face(landmarks: PixelLandmarks) -> dict[str, Any]:
    rows = [None if np.isnan(row).any() else [float(v) for v in row] for row in landmarks.points]
    if landmarks.confidence is None:
        return {"points": rows}
    return {"points": rows, "confidence": [round(float(c), 4) for c in landmarks.confidence]}


def holds_pixels(path: str | Path) -> bool:
    """Say whether a landmark file is JSON with the unit "px"."""
    path = Path(path)
    if path.suffix.lower() != ".json":
        return False
    record = read_json(path, "landmarks {'scheme', 'unit', 'points'}")
    return isinstance(record, dict) and record.get("unit") == PIXELS


def _read_json(path: Path) -> PixelLandmarks:
    record = read_json(path, "landmarks {'scheme', 'unit', 'points'}")
    if not isinstance(record, dict) or not isinstance(record.get("points"), list):
        raise LandmarkError(
            f"{path}: expected landmarks {{'scheme', 'unit', 'points'}}, found no list 'points'."
        )
    if record.get("unit", PIXELS) != PIXELS:
        raise LandmarkError(
            f"{path}: expected landmarks of a picture in '{PIXELS}', got the unit "
            f"{str(record['unit'])[:40]!r}."
        )
    points = points_array(path, record["points"], "xy")
    size = record.get("image_size")
    if size is not None:
        if not isinstance(size, list) or len(size) != 2 or not all(map(_is_size, size)):
            raise LandmarkError(
                f"{path}: 'image_size' should be [width, height] in pixels, got {str(size)[:60]}."
            )
        size = (int(size[1]), int(size[0]))
    scheme = record.get("scheme", MULTI_PIE_68 if len(points) == 68 else f"points-{len(points)}")
    if not isinstance(scheme, str):
        raise LandmarkError(f"{path}: 'scheme' should be a name, got {str(scheme)[:60]}.")
    return PixelLandmarks(points, scheme, size, _confidence(path, record, len(points)))


def _confidence(path: Path, record: dict[str, Any], count: int) -> FloatArray | None:
    values = record.get("confidence")
    if values is None:
        return None
    known = isinstance(values, list) and all(
        isinstance(value, int | float) and 0.0 <= value <= 1.0 for value in values
    )
    if not known or len(values) != count:
        raise LandmarkError(
            f"{path}: 'confidence' should be a list of {count} numbers in [0, 1], one a point, got "
            f"{str(values)[:60]}."
        )
    return np.array(values, np.float64)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _read_rows(path: Path, *, braces: bool) -> FloatArray:
    text = read_text(path, "landmarks as rows of two numbers")
    if braces:
        _, opened, rest = text.partition("{")
        text, closed, _ = rest.partition("}")
        if not opened or not closed:
            raise FileFormatError(
                f"{path}: expected a .pts file with points between braces; it may be truncated."
            )
    rows = []
    for line in text.splitlines():
        words = re.sub(r"[,;]", " ", line.partition("#")[0]).split()
        if not words:
            continue
        try:
            row = [np.nan if word.lower() in _MISSING else float(word) for word in words]
        except ValueError as error:
            raise FileFormatError(
                f"{path}: expected rows of two numbers, found {line.strip()[:60]!r}."
            ) from error
        if len(row) != 2:
            raise LandmarkError(
                f"{path}: expected two numbers in each row, row {len(rows)} has {len(row)}. "
                "Landmarks of a picture are x and y in pixels."
            )
        rows.append(row)
    if not rows:
        raise FileFormatError(f"{path}: expected rows of two numbers, found none.")
    points = np.array(rows, np.float64)
    if np.isinf(points).any():
        raise LandmarkError(f"{path}: expected pixels, got infinity. Write nan for missing points.")
    return points
