"""Vertex colours of an OBJ: `v x y z r g b`, and what ZBrush writes into comments."""

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import FileFormatError
from geomface.files.reading import log, parse_numbers
from geomface.mesh.io.polygons import as_colors

POLYPAINT = b"#MRGB"
"""How such comments begin."""


def partial_colors(bodies: list[bytes], name: str) -> ImageArray | None:
    """Return (V, 3) colours where only some vertices have one, None when most have none.

    The others get the mean of those, with a note.

    Parameters
    ----------
    bodies : the numbers of each `v` line
    """
    rows = [body.split()[3:6] for body in bodies]
    colored = np.array([len(row) == 3 for row in rows])
    missing = int((~colored).sum())
    if 2 * missing > len(rows):
        log.warning(
            "%s: only %d of %d vertices have a colour; the colours are left out.",
            *(name, len(rows) - missing, len(rows)),
        )
        return None
    log.warning(
        "%s: %d of %d vertices (the first is %d) have no colour; they get the mean of the others.",
        *(name, missing, len(rows), int(np.argmin(colored))),
    )
    text = b" ".join([b" ".join(row) for row in rows if len(row) == 3])
    found = as_colors(parse_numbers(text, None, name, "vertex colours").reshape(-1, 3), name)
    colors = np.empty((len(rows), 3), np.float32)
    colors[colored], colors[~colored] = found, found.mean(axis=0)
    return colors


def polypaint(lines: list[bytes], count: int, name: str) -> ImageArray | None:
    """Return the colours of `#MRGB` lines: eight hex digits a vertex, mask, red, green, blue."""
    digits = b"".join(b"".join(line.split()[1:]) for line in lines if line[:5] == POLYPAINT)
    if not digits:
        return None
    if len(digits) != 8 * count:
        log.warning(
            "%s: its #MRGB lines colour %d of %d vertices; the colours are left out.",
            *(name, len(digits) // 8, count),
        )
        return None
    try:
        levels = np.frombuffer(bytes.fromhex(digits.decode("ascii")), np.uint8)
    except ValueError as error:
        raise FileFormatError(
            f"{name}: expected hex digits in the #MRGB lines, found something else. Export the "
            "colours again, or leave them out."
        ) from error
    return as_colors(levels.reshape(-1, 4)[:, 1:], name)
