"""The `f` lines of an OBJ: those of one pattern at once, any others word by word."""

import contextlib

import numpy as np

from geomface.arrays import IndexArray
from geomface.errors import FileFormatError
from geomface.files.reading import parse_integers


def without_comments(lines: list[bytes], skip: int) -> list[bytes]:
    """Return lines without their comments and their first `skip` bytes, the keyword."""
    if b"#" in b"".join(lines):
        lines = [line.partition(b"#")[0] for line in lines]
    return [line[skip:] for line in lines]


def read_faces(bodies: list[bytes], name: str) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Return corners per face, and vertex and uv number (1-based, 0 for none) per corner."""
    for tidy in (False, True):
        if tidy:
            bodies = [b" ".join(body.split()) for body in bodies]
        # Numbers that do not fit the pattern are for the tolerant reader to judge.
        with contextlib.suppress(FileFormatError):
            table = _uniform_faces(bodies, name)
            if table is not None:
                counts = np.full(len(bodies), table.shape[1])
                uv = table[..., 1] if table.shape[2] > 1 else np.zeros(table.shape[:2], np.int64)
                return counts, table[..., 0].ravel(), uv.ravel()
    rows = [body.split() for body in bodies]
    counts = np.array(list(map(len, rows)), np.int64)
    parts = [corner.split(b"/") for row in rows for corner in row]
    vertex = b" ".join([part[0] or b"0" for part in parts])
    uv = b" ".join([part[1] or b"0" if len(part) > 1 else b"0" for part in parts])
    what = "face corners"
    return (
        counts,
        parse_integers(vertex, len(parts), name, what),
        parse_integers(uv, len(parts), name, what),
    )


def _uniform_faces(bodies: list[bytes], name: str) -> IndexArray | None:
    """Return (P, corners, 1 to 3) when all lines are written alike, else None.

    What is left of the text without its digits tells: it is then one line's pattern repeated. A
    line of it has as many numbers as separators allow, or fewer, so that the count proves it.
    """
    text = b"\n".join(bodies) + b"\n"
    pattern = text.translate(None, b"0123456789-")
    first = pattern[: pattern.index(b"\n") + 1]
    if pattern != first * len(bodies) or first.strip(b" /\n"):
        return None
    corners = first[:-1].split(b" ")
    slashes = corners[0]
    if set(corners) != {slashes} or slashes not in (b"", b"/", b"//"):
        return None
    corner_count = len(corners) * len(bodies)
    without_uv = text.count(b"//")
    if without_uv not in (0, corner_count):
        return None
    if without_uv:  # a//n: the normal goes, the vertex stays.
        text = text.replace(b"//", b" ")
    numbers = 2 if without_uv else 1 + len(slashes)
    values = parse_integers(text.replace(b"/", b" "), numbers * corner_count, name, "face corners")
    table = values.reshape(len(bodies), len(corners), numbers)
    return table[..., :1] if without_uv else table


def absolute(
    numbers: IndexArray,
    counts: IndexArray,
    of: tuple[bytes, int],
    lines: list[bytes],
    name: str,
) -> IndexArray:
    """Turn 1-based and negative (counted back from the line) numbers into 0-based indices.

    0 stands for none and becomes -1, which only uv may have.
    """
    keyword, available = of
    indices = numbers - 1
    if (numbers < 0).any():
        width = len(keyword)
        places = np.flatnonzero([line[:width] == keyword for line in lines])
        faces = np.flatnonzero([line[:2] == b"f " for line in lines])
        seen = np.repeat(np.searchsorted(places, faces), counts)
        indices = np.where(numbers < 0, numbers + seen, indices)
    bad = (indices < 0) if keyword == b"v " else (indices < 0) & (numbers != 0)
    bad |= indices >= available
    if bad.any():
        raise FileFormatError(
            f"{name}: face corner {int(numbers[bad][0])} names a '{keyword.decode().strip()}' line "
            f"that does not exist; OBJ counts from 1 to {available} here. The file may be "
            "truncated: export it again."
        )
    return indices
