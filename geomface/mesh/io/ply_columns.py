"""What the columns of a PLY mean: faces, triangle strips, colours."""

import numpy as np

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.errors import FileFormatError
from geomface.files.reading import as_doubles, log
from geomface.mesh.io.ply_layout import Column, Table
from geomface.mesh.io.polygons import as_colors

_COLORS = (
    ("red", "green", "blue"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),
    ("r", "g", "b"),
)


def floats(column: Column, label: str, name: str) -> FloatArray:
    """Return the numbers of a scalar property."""
    if column.counts is not None:
        raise FileFormatError(f"{name}: expected one number as '{label}', got a list.")
    return as_doubles(column.values)


def integers(column: Column, label: str, name: str) -> IndexArray:
    """Return the values of a list as int64; some programs write them as floats."""
    values = column.values
    if values.dtype.kind == "f":
        if not (np.isfinite(values).all() and (np.abs(values) < 2.0**62).all()):
            raise FileFormatError(f"{name}: expected whole numbers in '{label}'. Export it again.")
        if (values != np.floor(values)).any():
            raise FileFormatError(f"{name}: expected whole numbers in '{label}'. Export it again.")
    return values.astype(np.int64)


def faces_of(face: Table, name: str) -> tuple[IndexArray, IndexArray]:
    """Return corners per face and their vertices, end to end."""
    for label in ("vertex_indices", "vertex_index"):
        column = face.get(label)
        if column is not None and column.counts is not None:
            return column.counts, integers(column, label, name)
    return np.empty(0, np.int64), np.empty(0, np.int64)


def faces_of_strips(strips: Table, name: str) -> tuple[IndexArray, IndexArray]:
    """Return the triangles of triangle strips, which -1 ends; those without area join strips."""
    lengths, order = faces_of(strips, name)
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    place = np.arange(len(order))
    # A strip begins behind a -1 too; its triangles turn alternately.
    first = np.maximum.accumulate(np.maximum(starts, np.where(np.roll(order, 1) == -1, place, 0)))
    last = place[: max(len(order) - 2, 0)]
    odd = (last - first[: len(last)]) % 2
    corners = np.stack([order[last], order[last + 1 + odd], order[last + 2 - odd]], axis=1)
    whole = (first[last] == first[last + 2]) & (corners != -1).all(axis=1)
    a, b, c = corners.T
    corners = corners[whole & (a != b) & (b != c) & (c != a)]
    log.info("%s: %d triangle strips became %d triangles.", name, len(lengths), len(corners))
    return np.full(len(corners), 3), corners.ravel()


def colors_of(
    vertex: Table, face: Table, counts: IndexArray, corners: IndexArray, name: str
) -> ImageArray | None:
    """Return the colours of the vertices, or of the faces: each vertex gets their mean."""
    colors = _rgb(vertex, name)
    if colors is not None or not len(counts):
        return colors
    of_faces = _rgb(face, name)
    if of_faces is None:
        return None
    log.warning("%s: has colours of faces; each vertex gets the mean of its faces.", name)
    weights = np.bincount(corners, minlength=len(vertex["x"].values))
    sums = [
        np.bincount(corners, np.repeat(channel, counts), len(weights))
        for channel in of_faces.T.astype(np.float64)
    ]
    return (np.stack(sums, axis=1) / np.maximum(weights, 1)[:, None]).astype(np.float32)


def _rgb(table: Table, name: str) -> ImageArray | None:
    for labels in _COLORS:
        if set(labels) <= set(table):
            columns = [table[label] for label in labels]
            values = np.stack([floats(column, "red", name) for column in columns], axis=1)
            declared = {column.declared for column in columns}
            if declared == {"u1"}:
                if not (np.isfinite(values).all() and ((values >= 0) & (values <= 255)).all()):
                    raise FileFormatError(f"{name}: expected colours in 0..255. Export it again.")
                values = values.astype(np.uint8)
            elif declared == {"u2"}:
                values = values / 65535.0
            return as_colors(values, name)
    return None
