"""PLY meshes: ascii and binary of both byte orders in, binary little endian out."""

import contextlib
from pathlib import Path

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_indices
from geomface.errors import FileFormatError, OutputError
from geomface.files.atomic import atomic_path
from geomface.files.reading import as_doubles, as_singles, choose_unit, log, named, read_bytes
from geomface.mesh.io.atlas import Paint, paint
from geomface.mesh.io.materials import TextureChoice, further_folder, load_texture
from geomface.mesh.io.ply_columns import colors_of, faces_of, faces_of_strips, floats, integers
from geomface.mesh.io.ply_layout import Table, read_layout
from geomface.mesh.io.polygons import (
    build_mesh,
    colors_as_bytes,
    index_corner_uv,
    polygons_of,
)
from geomface.mesh.io.texture_files import encode_texture
from geomface.mesh.mesh import Mesh

_TEXTURE = "TextureFile"
_VERTEX_UV = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))


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
    uv come from (in this order) the separate list that `write_ply` adds, `texcoord` of the faces,
    or s t, u v, texture_u texture_v of the vertices; origin bottom-left. Triangle
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
    uv, uv_corners = _uv(tables, corners, counts, len(vertices), name)
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


def _uv(
    tables: dict[str, Table],
    corners: IndexArray,
    counts: IndexArray,
    vertex_count: int,
    name: str,
) -> tuple[FloatArray | None, IndexArray | None]:
    vertex, face, separate = (tables.get(key, {}) for key in ("vertex", "face", "uv"))
    indices = face.get("uv_indices")
    if {"u", "v"} <= set(separate) and indices is not None and indices.counts is not None:
        if np.array_equal(indices.counts, counts):
            uv = np.stack([floats(separate[axis], axis, name) for axis in "uv"], axis=1)
            uv_corners = integers(indices, "uv_indices", name)
            require_indices(uv_corners, len(uv), f"{name}: uv of the faces")
            return uv, uv_corners
    texcoord = face.get("texcoord")
    if texcoord is not None and texcoord.counts is not None and texcoord.counts.any():
        if np.array_equal(texcoord.counts, 2 * counts):
            values = as_doubles(texcoord.values.reshape(-1, 2))
            return index_corner_uv(corners, values, vertex_count)
        log.warning("%s: some faces have no texcoord; the uv of the others is left out.", name)
    for pair in _VERTEX_UV:
        if set(pair) <= set(vertex):
            uv = np.stack([floats(vertex[axis], axis, name) for axis in pair], axis=1)
            return uv, corners
    return None, None


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
    uv are written twice: as `texcoord` of each face (float, what MeshLab reads) and as an element
    `uv` with `uv_indices` in the faces, which keeps their count, order and every bit.
    """
    path = Path(path)
    polygons, uv_polygons = polygons_of(mesh)
    textured = mesh.texture is not None and uv_polygons is not None
    image = path.with_name(f"{path.stem}.texture.png")
    if textured and any(mark in path.name for mark in "\r\n"):
        raise OutputError(f"{path!r}: a line break in the name cannot be written into a PLY.")
    vertex = _vertex_rows(mesh, precise)
    face = _face_rows(mesh, polygons, uv_polygons)
    head = [
        "ply",
        "format binary_little_endian 1.0",
        "comment geomface",
        f"comment unit {mesh.unit}",
    ]
    head += [f"comment {_TEXTURE} {image.name}"] if textured else []
    head += [f"element vertex {len(vertex)}", *_scalar_lines(vertex.dtype)]
    head += [f"element face {len(face)}", "property list uchar int vertex_indices"]
    blocks = [vertex.tobytes(), face.tobytes()]
    if mesh.uv is not None:
        head += ["property list uchar float texcoord", "property int texnumber"]
        head += ["property list uchar int uv_indices", f"element uv {len(mesh.uv)}"]
        head += ["property double u", "property double v"]
        blocks.append(mesh.uv.astype("<f8").tobytes())
    header = "\n".join([*head, "end_header"]) + "\n"
    with contextlib.ExitStack() as stack:
        # Entered first, renamed last: whoever sees the PLY sees its image too.
        place = stack.enter_context(atomic_path(path))
        place.write_bytes(b"".join([header.encode("utf-8", "surrogateescape"), *blocks]))
        if textured and mesh.texture is not None:
            png = encode_texture(mesh, image.name, 16 if precise else 8)
            stack.enter_context(atomic_path(image)).write_bytes(png)


def _scalar_lines(dtype: np.dtype) -> list[str]:
    words = {"f8": "double", "f4": "float", "u1": "uchar"}
    names = dtype.names or ()
    return [f"property {words[dtype[name].str[1:]]} {name}" for name in names]


def _vertex_rows(mesh: Mesh, precise: bool) -> np.ndarray:
    fields = [(axis, "<f8") for axis in "xyz"]
    colors = None
    if mesh.colors is not None:
        colors = mesh.colors if precise else colors_as_bytes(mesh.colors)
        fields += [(label, "<f4" if precise else "u1") for label in ("red", "green", "blue")]
    rows = np.empty(len(mesh.vertices), np.dtype(fields))
    for place, axis in enumerate("xyz"):
        rows[axis] = mesh.vertices[:, place]
    if colors is not None:
        for place, label in enumerate(("red", "green", "blue")):
            rows[label] = colors[:, place]
    return rows


def _face_rows(mesh: Mesh, polygons: IndexArray, uv_polygons: IndexArray | None) -> np.ndarray:
    corners = polygons.shape[1]
    fields: list[tuple] = [("count", "u1"), ("vertices", "<i4", (corners,))]
    if uv_polygons is not None:
        fields += [("twice", "u1"), ("texcoord", "<f4", (2 * corners,)), ("texnumber", "<i4")]
        fields += [("again", "u1"), ("uv", "<i4", (corners,))]
    rows = np.zeros(len(polygons), np.dtype(fields))
    rows["count"] = corners
    rows["vertices"] = polygons
    if uv_polygons is not None and mesh.uv is not None:
        rows["twice"], rows["again"] = 2 * corners, corners
        rows["texcoord"] = as_singles(mesh.uv, mesh.name)[uv_polygons].reshape(len(polygons), -1)
        rows["uv"] = uv_polygons
    return rows
