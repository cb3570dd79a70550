"""PLY meshes: ascii and binary of both byte orders in, binary little endian out."""

import contextlib
from pathlib import Path

import numpy as np

from geomface.arrays import IndexArray, require_indices
from geomface.errors import FileFormatError, OutputError
from geomface.files.atomic import atomic_path
from geomface.files.reading import choose_unit, log, named, read_bytes
from geomface.mesh.io.atlas import Paint, paint
from geomface.mesh.io.materials import TextureChoice, further_folder, load_texture
from geomface.mesh.io.ply_columns import colors_of, faces_of, faces_of_strips, floats, integers
from geomface.mesh.io.ply_layout import read_layout
from geomface.mesh.io.ply_uv import UvColumns, read_uv, uv_columns
from geomface.mesh.io.polygons import build_mesh, colors_as_bytes, polygons_of
from geomface.mesh.io.texture_files import encode_texture
from geomface.mesh.mesh import Mesh

_TEXTURE = "TextureFile"
_WORDS = {"f8": "double", "f4": "float", "u1": "uchar", "i4": "int"}


def read_ply(path: str | Path, *, unit: str | None = None, texture: TextureChoice = True) -> Mesh:
    """Read a PLY file of any encoding, property order and type.

    Parameters
    ----------
    path : the file
    unit : of its numbers; by default what a `comment unit` line says, else mm
    texture : False leaves the image of `comment TextureFile` out; a path is a further folder to
        look for it

    Raises
    ------
    FileFormatError : missing, empty, truncated, not PLY, or its texture damaged
    MeshError : no faces, indices out of range, NaN or infinity

    Convention
    ----------
    uv come from (in this order) the separate list that `write_ply` adds at seams, `texcoord` of the
    faces, or s t, u v, texture_u texture_v of the vertices; origin bottom-left. Triangle
    strips become triangles. Alpha, normals and unknown properties and elements are left out.
    """
    path, name = Path(path), named(path)
    tables, comments = read_layout(read_bytes(path, "a PLY mesh"), name)
    vertex, face = tables.get("vertex", {}), tables.get("face", {})
    if not {"x", "y", "z"} <= set(vertex):
        raise FileFormatError(
            f"{name}: expected a PLY mesh with vertices x y z, found the elements "
            f"{', '.join(tables) or 'none'}. Export it as a mesh."
        )
    vertices = np.stack([floats(vertex[axis], axis, name) for axis in "xyz"], axis=1)
    counts, corners = faces_of(face, name)
    if len(counts) == 0 and "tristrips" in tables:
        counts, corners = faces_of_strips(tables["tristrips"], name)
        face = {}
    require_indices(corners, len(vertices), f"{name}: faces")
    uv, uv_corners = read_uv(tables, corners, counts, len(vertices), name)
    files = [line[len(_TEXTURE) :].strip() for line in comments if line.startswith(_TEXTURE)]
    image, painted = None, None
    if texture and files and uv is not None and uv_corners is not None and len(counts):
        way_out, folder = f"Correct its 'comment {_TEXTURE}' line", path.parent
        which = np.zeros(len(counts), np.int64)
        if "texnumber" in face:
            which = integers(face["texnumber"], "texnumber", name)
        elif len(files) > 1:
            log.warning("%s: has %d textures; only %s is kept.", name, len(files), files[0])
        further = further_folder(texture)
        paints = [
            Paint(load_texture(file, folder, folder, name, way_out, further))
            if (which == number).any()
            else Paint()
            for number, file in enumerate(files)
        ]
        if any(item.picture is not None for item in paints):
            painting = paint(counts, uv, uv_corners, which, paints, name)
            uv, uv_corners = painting.uv, painting.uv_corners
            image, painted = painting.texture, painting.painted
    return build_mesh(
        vertices,
        counts,
        corners,
        uv=uv,
        uv_corners=uv_corners,
        colors=colors_of(vertex, face, counts, corners, name),
        texture=image,
        painted=painted,
        unit=choose_unit("\n".join(comments).encode("utf-8", "surrogateescape"), unit, name),
        name=name,
    )


def write_ply(path: str | Path, mesh: Mesh, *, precise: bool = False) -> None:
    """Write a binary little-endian PLY with double coordinates; a texture goes beside it.

    Parameters
    ----------
    path : the file; a texture becomes `<stem>.texture.png`, named in `comment TextureFile`
    mesh : quads are written as lists of four
    precise : colours as float instead of uchar (rounded half up), the texture with 16 bits

    Raises
    ------
    OutputError : a place cannot be written
    MeshError : a uv seam along the diagonal of a quad

    Convention
    ----------
    uv are the vertices' own (`s t`, and `texture_u texture_v` as double) unless there are seams;
    then they are an element `uv` with `uv_indices` in the faces, which keeps their count, order and
    every bit, and of triangles also `texcoord` (float, what MeshLab reads).
    """
    path = Path(path)
    polygons, uv_polygons = polygons_of(mesh)
    textured = mesh.texture is not None and uv_polygons is not None
    image = path.with_name(f"{path.stem}.texture.png")
    if textured and any(mark in path.name for mark in "\r\n"):
        raise OutputError(f"{path!r}: a line break in the name cannot be written into a PLY.")
    uv = uv_columns(mesh, uv_polygons)
    vertex = _vertex_rows(mesh, precise, uv)
    face = _face_rows(polygons, uv)
    head = [
        "ply",
        "format binary_little_endian 1.0",
        "comment geomface",
        f"comment unit {mesh.unit}",
    ]
    head += [f"comment {_TEXTURE} {image.name}"] if textured else []
    head += [f"element vertex {len(vertex)}", *_scalar_lines(vertex.dtype)]
    head += [f"element face {len(face)}", "property list uchar int vertex_indices"]
    head += [_column_line(name, values) for name, values in uv.face.items()]
    blocks = [vertex.tobytes(), face.tobytes()]
    if uv.separate is not None:
        head += [f"element uv {len(uv.separate)}", "property double u", "property double v"]
        blocks.append(uv.separate.astype("<f8").tobytes())
    header = "\n".join([*head, "end_header"]) + "\n"
    with contextlib.ExitStack() as stack:
        # Entered first, renamed last: whoever sees the PLY sees its image too.
        place = stack.enter_context(atomic_path(path))
        place.write_bytes(b"".join([header.encode("utf-8", "surrogateescape"), *blocks]))
        if textured and mesh.texture is not None:
            png = encode_texture(mesh, image.name, 16 if precise else 8)
            stack.enter_context(atomic_path(image)).write_bytes(png)


def _scalar_lines(dtype: np.dtype) -> list[str]:
    return [f"property {_WORDS[dtype[name].str[1:]]} {name}" for name in dtype.names or ()]


def _column_line(name: str, values: np.ndarray) -> str:
    kind = _WORDS[values.dtype.str[1:]]
    return f"property list uchar {kind} {name}" if values.ndim == 2 else f"property {kind} {name}"


def _vertex_rows(mesh: Mesh, precise: bool, uv: UvColumns) -> np.ndarray:
    columns = dict(zip("xyz", mesh.vertices.T, strict=True))
    if mesh.colors is not None:
        colors = mesh.colors if precise else colors_as_bytes(mesh.colors)
        columns |= dict(zip(("red", "green", "blue"), colors.T, strict=True))
    columns |= uv.vertex
    fields = [(name, values.dtype.newbyteorder("<")) for name, values in columns.items()]
    rows = np.empty(len(mesh.vertices), np.dtype(fields))
    for name, values in columns.items():
        rows[name] = values
    return rows


def _face_rows(polygons: IndexArray, uv: UvColumns) -> np.ndarray:
    fields: list[tuple] = [("n", "u1"), ("vertices", "<i4", polygons.shape[1:])]
    for name, values in uv.face.items():
        fields += [(f"n {name}", "u1")] if values.ndim == 2 else []
        fields += [(name, values.dtype.newbyteorder("<"), values.shape[1:])]
    rows = np.empty(len(polygons), np.dtype(fields))
    rows["n"], rows["vertices"] = polygons.shape[1], polygons
    for name, values in uv.face.items():
        rows[name] = values
        if values.ndim == 2:
            rows[f"n {name}"] = values.shape[1]
    return rows
