"""OFF files that break lines where they like: number after number."""

import itertools

import numpy as np

from geomface.arrays import IndexArray
from geomface.errors import FileFormatError
from geomface.files.reading import parse_integers, parse_numbers

_COLOR_NUMBERS = (0, 1, 3, 4)  # none, an index into a map, RGB, RGBA


def read_wrapped(
    lines: list[bytes], widths: list[int], name: str
) -> tuple[np.ndarray, IndexArray, IndexArray] | None:
    """Return (V, width) vertices, and corners per face with their vertices; None if none fits.

    Parameters
    ----------
    lines : behind the word OFF, without comments
    widths : how many numbers a vertex may have; the first that leaves whole faces is taken

    Convention
    ----------
    Faces without colours may share a line. What follows the corners of a face with colours, up to
    the end of the line, is its colour.
    """
    rows = [line.split() for line in lines]
    words = list(itertools.chain.from_iterable(rows))
    if len(words) < 3 or not all(word.isdigit() and len(word) < 12 for word in words[:3]):
        return None
    vertex_count, face_count = int(words[0]), int(words[1])
    for width in widths:
        end = 3 + width * vertex_count
        if end + 4 * face_count > len(words):  # a face has three corners at least
            continue
        faces = _faces_with_colors(_skipped(rows, end), face_count)
        faces = faces or _faces_in_a_row(words[end:], face_count)
        if faces is None:
            continue
        counts, corners = faces
        try:
            table = parse_numbers(b" ".join(words[3:end]), end - 3, name, "OFF vertices")
            return (
                table.reshape(vertex_count, width),
                np.array(counts, np.int64),
                parse_integers(b" ".join(corners), len(corners), name, "OFF faces"),
            )
        except FileFormatError:
            continue
    return None


def _size(word: bytes) -> int | None:
    """Return how many corners a face announces, None where the word is no such number."""
    return int(word) if word.isdigit() and len(word) < 10 and int(word) >= 3 else None


def _faces_in_a_row(words: list[bytes], count: int) -> tuple[list[int], list[bytes]] | None:
    """Take `count` faces that end where the words end, else None."""
    counts: list[int] = []
    corners: list[bytes] = []
    place = 0
    while len(counts) < count:
        size = _size(words[place]) if place < len(words) else None
        if size is None:
            return None
        counts.append(size)
        corners += words[place + 1 : place + 1 + size]
        place += 1 + size
    return (counts, corners) if place == len(words) else None


def _faces_with_colors(rows: list[list[bytes]], count: int) -> tuple[list[int], list[bytes]] | None:
    """Take `count` faces that each begin a line and may go on in the next ones, else None."""
    counts: list[int] = []
    corners: list[bytes] = []
    waiting = iter(rows)
    while len(counts) < count:
        face = next(waiting, None)
        size = _size(face[0]) if face else None
        if face is None or size is None:
            return None
        while len(face) <= size:
            more = next(waiting, None)
            if more is None:
                return None
            face = face + more
        if len(face) - 1 - size not in _COLOR_NUMBERS:
            return None
        counts.append(size)
        corners += face[1 : 1 + size]
    return (counts, corners) if next(waiting, None) is None else None


def _skipped(rows: list[list[bytes]], count: int) -> list[list[bytes]]:
    """Leave the first `count` words out."""
    for place, row in enumerate(rows):
        if count < len(row):
            return [row[count:], *rows[place + 1 :]]
        count -= len(row)
    return []
