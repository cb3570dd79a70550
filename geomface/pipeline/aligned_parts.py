"""Which pictures a part of a set of aligned faces holds: who is in a set stays where they are."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from geomface.datasets import layout
from geomface.datasets.manifest import read_rows
from geomface.errors import FileFormatError
from geomface.recognition.aligned.aligned_faces import is_aligned
from geomface.recognition.aligned.aligned_row import parse_failure, parse_row


def part_names(pictures: int, size: int) -> Iterator[str]:
    """Yield the names of the parts of so many pictures."""
    return (f"{index:06d}" for index in range(-(-pictures // size)))


def divide_pictures(names: Sequence[str], size: int, out: Path) -> dict[str, list[int]]:
    """Return the numbers of the pictures of each part, in their order.

    Pictures that a set holds keep their part, wherever new ones sort: new ones fill up the last
    part and go on in further ones. Without a set, parts are filled in order.

    Parameters
    ----------
    names : of all pictures
    size : pictures a part
    out : folder of the set
    """
    left = {name: number for number, name in enumerate(names)}
    parts: dict[str, list[int]] = {name: [] for name in part_names(len(names), size)}
    if is_aligned(out):
        for name, members in parts.items():
            kept = [left.pop(had) for had in _names_in(out / layout.PARTS / name) if had in left]
            members += kept[:size]
            left |= {names[number]: number for number in kept[size:]}
    rest = iter(sorted(left.values()))
    for members in parts.values():
        members += itertools.islice(rest, size - len(members))
        members.sort()
    return parts


def _names_in(part: Path) -> list[str]:
    """Return the names of the pictures of a part, with a face and without; none if damaged."""
    try:
        rows = _rows(part / layout.MANIFEST, lambda row: parse_row(row)[0].name)
        return rows + _rows(part / layout.FAILURES, lambda row: parse_failure(row)[0])
    except FileFormatError:  # it is made anew
        return []


def _rows(path: Path, parse: Callable[[Any], str]) -> list[str]:
    return list(read_rows(path, parse, "")) if path.is_file() and path.stat().st_size else []
