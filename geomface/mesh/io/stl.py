"""STL, binary and ascii: bare triangles."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import FileFormatError
from geomface.files.atomic import write_bytes
from geomface.files.reading import (
    as_doubles,
    as_singles,
    choose_unit,
    log,
    named,
    parse_numbers,
    read_bytes,
)
from geomface.mesh.io.materials import TextureChoice
from geomface.mesh.io.polygons import first_unique
from geomface.mesh.mesh import Mesh
from geomface.mesh.normals import face_normals

_RECORD = np.dtype([("normal", "<f4", (3,)), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_CORNER = re.compile(rb"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)
_BEGIN, _END = (
    re.compile(rb"\b" + word, re.IGNORECASE) for word in (rb"facet\s+normal\b", rb"end\s?facet\b")
)
_LAST = re.compile(rb"\bend\s?solid\b", re.IGNORECASE)


def read_stl(path: str | Path, *, unit: str | None = None, texture: TextureChoice = True) -> Mesh:
    """Read an STL file.

    STL repeats the corners in every triangle and has no vertices of its own, so corners with equal
    coordinates become one vertex, numbered in the order in which they first appear. The triangles
    keep their count and order.

    Parameters
    ----------
    path : the file, binary or ascii
    unit : of its numbers; by default what its header says ("unit cm"), else mm
    texture : without meaning here, for one signature with the other formats

    Raises
    ------
    FileFormatError : missing, empty, truncated or not STL
    MeshError : no triangles, NaN or infinity
    """
    path, name = Path(path), named(path)
    data = read_bytes(path, "an STL mesh")
    if len(data) >= 84 and len(data) == 84 + 50 * int.from_bytes(data[80:84], "little"):
        records = np.frombuffer(data, _RECORD, offset=84)
        corners, head = as_doubles(records["corners"].reshape(-1, 3)), data[:80]
    elif data[:200].lstrip()[:5].lower() == b"solid" and _BEGIN.search(data[:2000]):
        corners, head = _ascii_corners(data, name), data[:80].splitlines()[0]
    else:
        raise FileFormatError(
            f"{name}: expected an STL mesh, but its size fits neither the triangle count in a "
            "binary header nor is it ascii STL. It may be truncated: export it again."
        )
    firsts, numbers = first_unique(*corners.T)
    log.info(
        "%s: STL has no shared vertices; %d corners with %d distinct places became the vertices.",
        *(name, len(corners), len(firsts)),
    )
    said: Any = choose_unit(head, unit, name)  # None: nobody said one
    return Mesh(corners[firsts], numbers.reshape(-1, 3), unit=said, name=name)


def _ascii_corners(data: bytes, name: str) -> FloatArray:
    found = _CORNER.findall(data)
    ends = [match.end() for match in _END.finditer(data)]
    facets, closed = len(_BEGIN.findall(data)), len(ends)
    rest = data[ends[-1] :].lstrip() if ends else b""
    another_begins = bool(rest) and rest[:3].lower() != b"end"
    if another_begins or facets != closed or len(found) != 3 * closed:
        raise FileFormatError(
            f"{name}: truncated ascii STL: {facets} facets begin, {closed} end, with {len(found)} "
            "corners. Export it again."
        )
    if not _LAST.search(rest):
        log.warning(
            "%s: lacks the last line 'endsolid'; all its %d triangles are whole, but more may have "
            "followed.",
            *(name, closed),
        )
    text = b" ".join([number for corner in found for number in corner])
    return parse_numbers(text, 3 * len(found), name, "STL corners").reshape(-1, 3)


def write_stl(path: str | Path, mesh: Mesh, *, precise: bool = False) -> None:
    """Write a binary STL: triangles in order, coordinates as float32, nothing else.

    Parameters
    ----------
    path : the file
    mesh : uv, colours, texture and quads are not kept
    precise : without meaning here

    Raises
    ------
    OutputError : the place cannot be written
    MeshError : coordinates beyond float32
    """
    records = np.zeros(len(mesh.faces), _RECORD)
    records["corners"] = as_singles(mesh.vertices, mesh.name)[mesh.faces]
    records["normal"] = face_normals(mesh.vertices, mesh.faces)
    header = f"geomface binary STL, unit {mesh.unit}".encode().ljust(80)
    write_bytes(path, header + len(records).to_bytes(4, "little") + records.tobytes())
