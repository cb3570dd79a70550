"""OFF and COFF: vertices, colours, polygons."""

import re
from pathlib import Path

import numpy as np

from geomface.arrays import IndexArray
from geomface.errors import FileFormatError
from geomface.files.atomic import write_bytes
from geomface.files.reading import (
    HEAD,
    TAIL,
    choose_unit,
    log,
    named,
    parse_integers,
    parse_numbers,
    read_bytes,
    require_tail,
)
from geomface.mesh.io.materials import TextureChoice
from geomface.mesh.io.off_wrapped import read_wrapped
from geomface.mesh.io.polygons import as_colors, build_mesh, colors_as_bytes, polygons_of
from geomface.mesh.mesh import Mesh


def read_off(path: str | Path, *, unit: str | None = None, texture: TextureChoice = True) -> Mesh:
    """Read an ascii OFF file (also COFF, NOFF, STOFF and their combinations).

    Parameters
    ----------
    path : the file
    unit : of its numbers; by default what a `# unit` comment says, else mm
    texture : without meaning here, for one signature with the other formats

    Raises
    ------
    FileFormatError : missing, empty, truncated or not OFF
    MeshError : no faces, indices out of range, NaN or infinity

    Convention
    ----------
    Vertex colours of COFF are kept; normals, texture coordinates and face colours are left out.
    """
    path, name = Path(path), named(path)
    data = read_bytes(path, "an OFF mesh").removeprefix(b"\xef\xbb\xbf")
    head = re.match(rb"\s*(ST)?(C)?(N)?OFF(?=[\s#])", data)
    if head is None:
        raise FileFormatError(
            f"{name}: expected an ascii OFF mesh (first word OFF or COFF). Check that the file is "
            "what its name says."
        )
    raw = data[head.end() :].splitlines()
    comments = b"\n".join(line for line in raw if line.lstrip()[:1] == b"#")
    require_tail(comments + data[-64:], name)
    lines = [line.partition(b"#")[0].strip() for line in raw]
    lines = [line for line in lines if line]
    try:
        table, counts, corners = _by_lines(lines, name)
    except FileFormatError as error:
        # Not a vertex and a face a line: read number by number, or say what the lines lack.
        found = read_wrapped(lines, _widths(head), name)
        if found is None:
            raise error
        table, counts, corners = found
    normals, colored = 3 if head.group(3) else 0, head.group(2) is not None
    if colored and table.shape[1] < 6 + normals:
        raise FileFormatError(
            f"{name}: expected colours after the coordinates of a COFF file, found "
            f"{table.shape[1]} numbers a vertex. Export it again."
        )
    colors = as_colors(table[:, 3 + normals : 6 + normals], name) if colored else None
    return build_mesh(
        table[:, :3],
        counts,
        corners,
        colors=colors,
        unit=choose_unit(comments, unit, name),
        name=name,
    )


def _widths(head: re.Match[bytes]) -> list[int]:
    """Return how many numbers a vertex may have: colours have three or four."""
    uv, color, normal = (2, 3, 3)
    least = 3 + (uv if head.group(1) else 0) + (normal if head.group(3) else 0)
    return [least + color + 1, least + color] if head.group(2) else [least]


def _by_lines(lines: list[bytes], name: str) -> tuple[np.ndarray, IndexArray, IndexArray]:
    """Return the rows of the vertices, and corners per face with their vertices."""
    vertex_count, face_count = _counts(lines, name)
    if len(lines) < 1 + vertex_count + face_count:
        raise FileFormatError(
            f"{name}: truncated, expected {vertex_count} vertex lines and {face_count} face lines, "
            f"got {len(lines) - 1} lines. Export it again."
        )
    table = _vertex_table(lines[1 : 1 + vertex_count], name)
    return table, *_faces(lines[1 + vertex_count : 1 + vertex_count + face_count], name)


def _counts(lines: list[bytes], name: str) -> tuple[int, int]:
    words = lines[0].split() if lines else []
    if len(words) not in (2, 3) or not all(word.isdigit() and len(word) < 12 for word in words):
        raise FileFormatError(
            f"{name}: expected the counts of vertices, faces and edges after OFF, found "
            f"{(lines[0] if lines else b'')[:40]!r}. Export it again."
        )
    return int(words[0]), int(words[1])


def _vertex_table(lines: list[bytes], name: str) -> np.ndarray:
    widths = set(map(len, map(bytes.split, lines)))
    if len(widths) > 1 or min(widths, default=0) < 3:
        raise FileFormatError(
            f"{name}: expected vertices of three coordinates and equally many numbers in each "
            f"line, found lines of {sorted(widths)} numbers. Export it again."
        )
    width = widths.pop()
    numbers = parse_numbers(b" ".join(lines), width * len(lines), name, "OFF vertices")
    return numbers.reshape(-1, width)


def _faces(lines: list[bytes], name: str) -> tuple[IndexArray, IndexArray]:
    """Return corners per face and their vertices; what follows them in a line is a colour."""
    rows = [line.split() for line in lines]
    firsts = parse_integers(b" ".join([row[0] for row in rows]), len(rows), name, "face sizes")
    counts = np.array(list(map(len, rows)), np.int64)
    if ((firsts < 0) | (firsts >= counts)).any():
        bad = int(((firsts < 0) | (firsts >= counts)).argmax())
        raise FileFormatError(
            f"{name}: face {bad} announces {firsts[bad]} corners and has {counts[bad] - 1}. The "
            "file may be truncated: export it again."
        )
    sizes = firsts.tolist()
    text = b" ".join([b" ".join(row[1 : 1 + size]) for row, size in zip(rows, sizes, strict=True)])
    return firsts, parse_integers(text, int(firsts.sum()), name, "OFF faces")


def write_off(path: str | Path, mesh: Mesh, *, precise: bool = False) -> None:
    """Write OFF, or COFF when the mesh has colours; floats so that reading gives the same bits.

    Parameters
    ----------
    path : the file
    mesh : quads are written as quads; uv and texture are not kept (said in the log)
    precise : colours as floats instead of 0..255

    Raises
    ------
    OutputError : the place cannot be written
    """
    if mesh.uv is not None or mesh.texture is not None:
        log.info("%s: OFF keeps no uv and no texture; use OBJ, PLY or GLB for them.", named(path))
    polygons, _ = polygons_of(mesh.replace(uv=None, uv_faces=None))
    head = "OFF" if mesh.colors is None else "COFF"
    rows = mesh.vertices
    line = "%r %r %r\n"
    if mesh.colors is not None:
        colors = np.nan_to_num(mesh.colors) if precise else colors_as_bytes(mesh.colors)
        line = "%r %r %r %.9g %.9g %.9g 1\n" if precise else "%r %r %r %d %d %d 255\n"
        rows = np.concatenate([rows, colors.astype(np.float64)], axis=1)
    sides = polygons.shape[1]
    text = [
        f"{head}\n{HEAD}\n# unit {mesh.unit}\n",
        f"{len(rows)} {len(polygons)} 0\n",
        line * len(rows) % tuple(rows.ravel().tolist()),
        (f"{sides}" + " %d" * sides + "\n") * len(polygons) % tuple(polygons.ravel().tolist()),
        TAIL + "\n",
    ]
    write_bytes(path, "".join(text).encode())
