"""What is known of an aligned picture, and its line in the manifest of a set."""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any


@dataclasses.dataclass(frozen=True)
class AlignedRow:
    """What is known of one aligned picture.

    Parameters
    ----------
    name : of the picture in the folder that it comes from
    person : who is in it, "" where not known
    parents, parent_weights : of a synthetic person who is a mix of others, else empty
    digest : hash of the aligned pixels
    grey : the three channels are equal
    landmarks : "given" or "found"
    pixels : of the source a pixel of the aligned picture
    off : how far the five points are from their places, root mean square in aligned pixels
    source : hash of the picture and the landmarks that it was made of, "" where not told
    points : 68 landmarks (x, y) in the aligned picture, where they are kept
    quality : of a picture that a network made, how good it is by several measures, else empty
    drawn : of a translated render, its `parameters` but for those of the person, and its `camera`
        in the aligned picture, else empty
    """

    name: str
    person: str
    parents: tuple[str, ...] = ()
    parent_weights: tuple[float, ...] = ()
    digest: str = ""
    grey: bool = False
    landmarks: str = "given"
    pixels: float = 1.0
    off: float = 0.0
    source: str = ""
    points: tuple[tuple[float, float], ...] = ()
    quality: Mapping[str, float] = dataclasses.field(default_factory=dict)
    drawn: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def manifest_line(row: AlignedRow, path: str, number: int) -> bytes:
    """Return the line of a manifest of a picture that is row `number` of a file."""
    record = dataclasses.asdict(row) | {"image": [path, number]}
    for name in ("points", "quality", "drawn"):  # of translated pictures only
        if not record[name]:
            del record[name]
    return (json.dumps(record, ensure_ascii=False) + "\n").encode()


def parse_row(record: dict[str, Any]) -> tuple[AlignedRow, str, int]:
    """Return what a line of a manifest says: the picture, its file, and its row there.

    Raises
    ------
    ValueError, TypeError, KeyError : it is none
    """
    path, number = record.pop("image")
    place = PurePosixPath(path)
    if place.is_absolute() or ".." in place.parts or type(number) is not int or number < 0:
        raise ValueError(f"expected a file inside the set and a row of it, got {path}, {number}")
    for name in ("parents", "parent_weights"):
        record[name] = tuple(record[name])
    record["points"] = tuple((float(x), float(y)) for x, y in record.get("points", ()))
    row = AlignedRow(**record)
    if not all(
        isinstance(text, str)
        for text in (row.name, row.person, row.digest, row.source, *row.parents)
    ):
        raise TypeError("expected names as text")
    weights = [float(weight) for weight in row.parent_weights]
    fits = not weights or (min(weights) >= 0 and math.isclose(sum(weights), 1.0, abs_tol=1e-3))
    if len(weights) != len(row.parents) or not fits:
        raise ValueError(
            f"expected a share of each of {len(row.parents)} people, 1 in all, got {weights}"
        )
    return row, path, number


def parse_failure(record: dict[str, Any]) -> tuple[str, str]:
    """Return name and reason of a line of the list of pictures that were left out."""
    return str(record["key"]), str(record["message"])
