"""Wavefront OBJ with MTL and image: polygons, separate uv, vertex colours."""

import contextlib
import re
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError, OutputError
from geomface.files.atomic import atomic_path
from geomface.files.reading import (
    HEAD,
    TAIL,
    choose_unit,
    named,
    parse_numbers,
    read_bytes,
    require_tail,
)
from geomface.mesh.io.atlas import paint
from geomface.mesh.io.materials import (
    MATERIAL_NAME,
    TextureChoice,
    further_folder,
    load_obj_paints,
    material_text,
)
from geomface.mesh.io.obj_colors import POLYPAINT, partial_colors, polypaint
from geomface.mesh.io.obj_faces import absolute, read_faces, without_comments
from geomface.mesh.io.polygons import as_colors, build_mesh, polygons_of
from geomface.mesh.io.texture_files import encode_texture
from geomface.mesh.mesh import Mesh

# A backslash ends a line that goes on in the next, but not a comment (a folder's name may).
_CONTINUED = re.compile(rb"(?<![^\r\n])([^#\r\n]*)\\[ \t]*(?:\r\n|\n|\r)")


def read_obj(path: str | Path, *, unit: str | None = None, texture: TextureChoice = True) -> Mesh:
    """Read an OBJ file: every `v` line one vertex, every `vt` line one uv, in the file's order.

    Parameters
    ----------
    path : the file
    unit : of its numbers; by default what a `# unit` comment says, else mm
    texture : False leaves the material's image out; a path is a further folder to look for it

    Raises
    ------
    FileFormatError : missing, empty, truncated, not OBJ, or its texture damaged
    MeshError : no faces, indices out of range, NaN or infinity

    Convention
    ----------
    vt has its origin bottom-left, like uv here, and the image keeps row 0 at the top. Normals,
    groups, lines and points are left out. `v x y z r g b` gives vertex colours.
    """
    path, name = Path(path), named(path)
    data = read_bytes(path, "an OBJ mesh")
    require_tail(data, name)
    lines = _lines(data)
    vertex_lines = [line for line in lines if line[:2] == b"v "]
    uv_lines = [line for line in lines if line[:3] == b"vt "]
    face_lines = [line for line in lines if line[:2] == b"f "]
    if not vertex_lines:
        raise FileFormatError(
            f"{name}: expected an OBJ mesh with lines that start with v and f, found none. Check "
            "that the file is what its name says."
        )
    bodies = without_comments(vertex_lines, 2)
    table, widest = _table(bodies, 3, name, "vertex")
    vertices, colors = table[:, :3], None
    # Four or five columns are a weight or a half-written colour, not a colour.
    if table.shape[1] >= 6:
        colors = as_colors(table[:, 3:6], name)
    elif widest >= 6:
        colors = partial_colors(bodies, name)
    elif POLYPAINT in data:
        colors = polypaint(lines, len(table), name)
    uv = _uv(uv_lines, name)
    counts, corners, uv_corners = read_faces(without_comments(face_lines, 2), name)
    corners = absolute(corners, counts, (b"v ", len(vertices)), lines, name)
    if uv is not None:
        uv_corners = absolute(uv_corners, counts, (b"vt ", len(uv)), lines, name)
    image, painted = None, None
    libraries = [_rest(line) for line in lines if line[:7] == b"mtllib "]
    if texture and uv is not None and libraries and len(counts):
        used, which = _materials(lines)
        paints = load_obj_paints(path, libraries, used, further_folder(texture))
        if paints and len(which) == len(counts):
            painting = paint(counts, uv, uv_corners, which, paints, name)
            uv, uv_corners = painting.uv, painting.uv_corners
            image, painted = painting.texture, painting.painted
    comments = b"\n".join(line for line in lines[:20] if line[:1] == b"#")
    return build_mesh(
        vertices,
        counts,
        corners,
        uv=uv,
        uv_corners=uv_corners if uv is not None else None,
        colors=colors,
        texture=image,
        painted=painted,
        unit=choose_unit(comments, unit, name),
        name=name,
    )


def _lines(data: bytes) -> list[bytes]:
    """Split into lines; tabs become blanks, continued lines are joined, indents removed."""
    if b"\\" in data:
        data = _CONTINUED.sub(rb"\1 ", data)
    if b"\t" in data:
        data = data.replace(b"\t", b" ")
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    if data[:1] == b" " or b"\n " in data or b"\r " in data:
        lines = [line.lstrip() for line in lines]
    return lines


def _rest(line: bytes) -> str:
    return line.partition(b" ")[2].strip().decode("utf-8", "surrogateescape")


def _table(bodies: list[bytes], least: int, name: str, what: str) -> tuple[FloatArray, int]:
    """Return the numbers of lines as rows, without columns that only some have, and the most."""
    widths = list(map(len, map(bytes.split, bodies)))
    width = min(widths)
    if width < least:
        raise FileFormatError(
            f"{name}: expected at least {least} numbers for each {what}, {what} "
            f"{int(np.argmin(widths))} has {width}. The file may be truncated: export it again."
        )
    if max(widths) > width:
        bodies = [b" ".join(body.split()[:width]) for body in bodies]
    numbers = parse_numbers(b" ".join(bodies), width * len(bodies), name, f"{what} lines")
    return numbers.reshape(len(bodies), width), max(widths)


def _uv(lines: list[bytes], name: str) -> FloatArray | None:
    return _table(without_comments(lines, 3), 2, name, "vt")[0][:, :2] if lines else None


def _materials(lines: list[bytes]) -> tuple[list[str], IndexArray]:
    """Return the materials that faces use, and the number (P,) of each face's."""
    used: dict[str, int] = {}
    which: list[int] = []
    now = ""
    for line in lines:
        if line[:2] == b"f ":
            which.append(used.setdefault(now, len(used)))
        elif line[:7] == b"usemtl ":
            now = _rest(line)
    return list(used), np.array(which, np.int64)


def write_obj(path: str | Path, mesh: Mesh, *, precise: bool = False) -> None:
    """Write an OBJ; with a texture also `<stem>.mtl` and `<stem>.texture.png` beside it.

    Parameters
    ----------
    path : the file
    mesh : quads are written as quads; floats so that reading gives the same bits
    precise : write the texture with 16 bits a channel

    Raises
    ------
    OutputError : a place cannot be written
    MeshError : a uv seam along the diagonal of a quad
    """
    path = Path(path)
    polygons, uv_polygons = polygons_of(mesh)
    textured = mesh.texture is not None and uv_polygons is not None
    material, image = path.with_suffix(".mtl"), path.with_name(f"{path.stem}.texture.png")
    head = [HEAD, f"# unit {mesh.unit}"]
    if textured:
        if any(mark in path.name for mark in "\r\n"):
            raise OutputError(f"{path!r}: a line break in the name cannot be written into an OBJ.")
        head += [f"mtllib {material.name}"]
    parts = ["\n".join(head) + "\n", _vertex_text(mesh)]
    if mesh.uv is not None:
        parts.append("vt %r %r\n" * len(mesh.uv) % tuple(mesh.uv.ravel().tolist()))
    if textured:
        parts.append(f"usemtl {MATERIAL_NAME}\n")
    parts.append(_face_text(polygons, uv_polygons))
    parts.append(TAIL + "\n")
    text = "".join(parts).encode("utf-8", "surrogateescape")
    with contextlib.ExitStack() as stack:
        # Entered first, renamed last: whoever sees the OBJ sees its material and image too.
        stack.enter_context(atomic_path(path)).write_bytes(text)
        if textured and mesh.texture is not None:
            content = material_text(image.name).encode("utf-8", "surrogateescape")
            stack.enter_context(atomic_path(material)).write_bytes(content)
            png = encode_texture(mesh, image.name, 16 if precise else 8)
            stack.enter_context(atomic_path(image)).write_bytes(png)


def _vertex_text(mesh: Mesh) -> str:
    if mesh.colors is None:
        return "v %r %r %r\n" * len(mesh.vertices) % tuple(mesh.vertices.ravel().tolist())
    rows = np.concatenate([mesh.vertices, np.nan_to_num(mesh.colors).astype(np.float64)], axis=1)
    # Nine digits name a float32 exactly.
    return "v %r %r %r %.9g %.9g %.9g\n" * len(rows) % tuple(rows.ravel().tolist())


def _face_text(polygons: IndexArray, uv_polygons: IndexArray | None) -> str:
    corners = polygons.shape[1]
    if uv_polygons is None:
        line = "f" + " %d" * corners + "\n"
        return line * len(polygons) % tuple((polygons + 1).ravel().tolist())
    line = "f" + " %d/%d" * corners + "\n"
    pairs = np.stack([polygons, uv_polygons], axis=2) + 1
    return line * len(polygons) % tuple(pairs.ravel().tolist())
