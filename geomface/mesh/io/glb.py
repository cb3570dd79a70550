"""GLB (binary glTF 2.0): for viewers, and back without loss."""

import functools
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import ImageArray
from geomface.errors import FileFormatError
from geomface.files.color import linear_to_srgb, srgb_to_linear
from geomface.files.images import encode_image
from geomface.files.reading import as_singles, choose_unit, log, named
from geomface.mesh.io.atlas import Paint, paint
from geomface.mesh.io.glb_scene import (
    Container,
    Scene,
    open_container,
    read_image,
    read_scene,
    write_container,
)
from geomface.mesh.io.materials import TextureChoice, further_folder
from geomface.mesh.io.polygons import build_mesh, polygons_of
from geomface.mesh.io.seams import split_vertices
from geomface.mesh.mesh import Mesh
from geomface.mesh.normals import vertex_normals
from geomface.mesh.units import millimetres

_LARGEST_HEAD_IN_METRES = 10.0
_SCHEMA = 1
_DAMAGE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)


def read_glb(path: str | Path, *, unit: str | None = None, texture: TextureChoice = True) -> Mesh:
    """Read a GLB file.

    A file of `write_glb` comes back as it was: vertices with every bit, quads, uv with their
    seams. In files of other programs node transforms are applied, primitives are put one after the
    other, and a vertex that the program split at a uv seam stays split.

    Parameters
    ----------
    path : the file
    unit : of its numbers; by default the unit our files name, else metres as glTF prescribes, or
        none when the mesh would then be larger than 10 m
    texture : False leaves the base colour image out; a path is a further folder for files that the
        GLB names

    Raises
    ------
    FileFormatError : missing, empty, truncated, not GLB, compressed, or its texture unreadable
    MeshError : no faces, indices out of range, NaN or infinity

    Convention
    ----------
    glTF puts the origin of uv top-left; v is turned on reading and writing.
    """
    path, name = Path(path), named(path)
    container = open_container(path, name, further_folder(texture))
    try:
        own = _own_record(container)
        if own is not None:
            return _read_own(container, own, unit, texture)
        scene = read_scene(container)
    except (*_DAMAGE, RecursionError) as error:
        raise FileFormatError(f"{name}: damaged glTF ({error}). Export it again.") from error
    uv, uv_corners = scene.uv, None if scene.uv is None else scene.faces.ravel()
    image, painted = None, None
    if texture and uv is not None and uv_corners is not None:
        paints = _paints(container, scene)
        if any(item.picture is not None for item in paints):
            corners = np.where(scene.placed[uv_corners], uv_corners, -1)
            counts = np.full(len(scene.faces), 3)
            painting = paint(counts, uv, corners, scene.which, paints, name)
            uv, uv_corners = painting.uv, painting.uv_corners
            image, painted = painting.texture, painting.painted
    if unit is None:
        # Infinite coordinates are refused when the mesh is made.
        with np.errstate(invalid="ignore", over="ignore"):
            extent = np.ptp(scene.vertices, axis=0).max() if len(scene.vertices) else 0.0
        unit = "m" if extent < _LARGEST_HEAD_IN_METRES else None
        if unit is None:
            log.warning("%s: %.4g units across cannot be metres.", name, extent)
    return build_mesh(
        scene.vertices,
        np.full(len(scene.faces), 3),
        scene.faces.ravel(),
        uv=uv,
        uv_corners=uv_corners,
        colors=scene.colors,
        texture=image,
        painted=painted,
        unit=unit,
        name=name,
    )


def _paints(container: Container, scene: Scene) -> list[Paint]:
    """Return what the materials of a scene put on its faces; each picture is read once.

    A picture is multiplied by the material's factor, in linear light.
    """
    read = functools.cache(functools.partial(read_image, container))

    @functools.cache
    def tinted(image: int, factor: tuple[float, ...]) -> ImageArray | None:
        picture = read(image)
        if picture is None or min(factor) == 1.0:
            return picture
        product = np.empty_like(picture)
        for row, shown in zip(product, picture, strict=True):  # float64 of all would be large
            row[:] = linear_to_srgb(srgb_to_linear(shown) * np.array(factor))
        return product

    paints = []
    for item in scene.materials:
        red, green, blue = linear_to_srgb(np.array(item.factor)).tolist()
        picture = None if item.image is None else tinted(item.image, item.factor)
        paints.append(Paint(picture, (red, green, blue) if item.image is None else None))
    return paints


def _own_record(container: Container) -> dict[str, Any] | None:
    """Return our notes in the file, None when there are none or the content was changed since."""
    extras = container.tree.get("extras")
    record = extras.get("geomface") if isinstance(extras, dict) else None
    if not isinstance(record, dict) or record.get("schema") != _SCHEMA:
        return None
    if record.get("crc32") != zlib.crc32(container.binary):
        log.warning("%s: was changed by another program; read as any GLB.", container.name)
        return None
    return record


def _read_own(
    container: Container, record: dict[str, Any], unit: str | None, texture: TextureChoice
) -> Mesh:
    def array(label: str, dtype: str, width: int) -> np.ndarray | None:
        if label not in record["views"]:
            return None
        data = container.view(record["views"][label])
        return np.frombuffer(data, dtype).reshape(-1, width)

    sides = record["sides"]
    vertices, polygons = array("vertices", "<f8", 3), array("polygons", "<i4", sides)
    uv, uv_polygons = array("uv", "<f8", 2), array("uv_polygons", "<i4", sides)
    colors = array("colors", "<f4", 3)
    if vertices is None or polygons is None:
        raise ValueError("no vertices")
    image = read_image(container, 0) if texture and container.tree.get("images") else None
    return build_mesh(
        vertices,
        np.full(len(polygons), sides),
        polygons.astype(np.int64).ravel(),
        uv=uv,
        uv_corners=None if uv_polygons is None else uv_polygons.astype(np.int64).ravel(),
        colors=colors,
        texture=image,
        unit=choose_unit(f"unit {record['unit']}".encode(), unit, container.name),
        name=container.name,
    )


def write_glb(path: str | Path, mesh: Mesh, *, precise: bool = False) -> None:
    """Write a GLB with the texture inside.

    Viewers get float32 triangles with normals, in metres by the scale of the node (so the numbers
    in the file stay in the mesh's unit; `extras` name both), vertices split at uv seams behind the
    V original ones. Beside them lies what they do not need and `read_glb` does: float64 vertices,
    quads, uv.

    Parameters
    ----------
    path : the file
    mesh : the mesh
    precise : write the texture with 16 bits a channel

    Raises
    ------
    OutputError : the place cannot be written
    MeshError : a uv seam along the diagonal of a quad, coordinates beyond float32
    """
    polygons, uv_polygons = polygons_of(mesh)
    split = split_vertices(mesh)
    origin, uv = split.origin, split.uv
    blocks = _Blocks()
    positions = as_singles(mesh.vertices, mesh.name)[origin]
    normals = vertex_normals(mesh.vertices, mesh.faces)
    normals[np.linalg.norm(normals, axis=1) < 0.5] = (0.0, 0.0, 1.0)
    attributes = {
        "POSITION": blocks.accessor(positions, bounds=True),
        "NORMAL": blocks.accessor(normals.astype(np.float32)[origin]),
    }
    material: dict[str, Any] = {
        "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0},
        "doubleSided": True,
    }
    asset = {"version": "2.0", "generator": "geomface", "extras": {"unit": "m"}}
    tree: dict[str, Any] = {"asset": asset}
    textured = mesh.texture is not None and uv is not None
    if uv is not None:
        flipped = as_singles(np.stack([uv[:, 0], 1.0 - uv[:, 1]], axis=1), mesh.name)
        attributes["TEXCOORD_0"] = blocks.accessor(flipped)
    if mesh.colors is not None and not textured:  # viewers multiply colours and texture
        linear = srgb_to_linear(np.clip(np.nan_to_num(mesh.colors), 0, 1)).astype(np.float32)
        attributes["COLOR_0"] = blocks.accessor(linear[origin])
    if textured and mesh.texture is not None:
        png = encode_image(mesh.texture, named(path), 16 if precise else 8)
        tree["images"] = [{"bufferView": blocks.view(png), "mimeType": "image/png"}]
        tree["samplers"] = [{"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 10497}]
        tree["textures"] = [{"sampler": 0, "source": 0}]
        material["pbrMetallicRoughness"]["baseColorTexture"] = {"index": 0}
    small = len(origin) < 2**16 - 1
    corners = split.polygons.ravel().astype("<u2" if small else "<u4")
    primitive = {
        "attributes": attributes,
        "indices": blocks.accessor(corners[:, None], target=34963),
        "material": 0,
    }
    views = {
        "vertices": blocks.view(mesh.vertices.astype("<f8").tobytes()),
        "polygons": blocks.view(polygons.astype("<i4").tobytes()),
    }
    if mesh.uv is not None and uv_polygons is not None:
        views["uv"] = blocks.view(mesh.uv.astype("<f8").tobytes())
        views["uv_polygons"] = blocks.view(uv_polygons.astype("<i4").tobytes())
    if mesh.colors is not None:
        views["colors"] = blocks.view(np.nan_to_num(mesh.colors).astype("<f4").tobytes())
    scale = [millimetres(mesh.unit) / 1000.0] * 3
    binary = blocks.binary()
    record = {"schema": _SCHEMA, "unit": mesh.unit, "sides": polygons.shape[1]}
    record |= {"views": views, "crc32": zlib.crc32(binary)}
    tree |= {
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "scale": scale, "name": Path(path).stem}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [material],
        "accessors": blocks.accessors,
        "bufferViews": blocks.views,
        "buffers": [{"byteLength": len(binary)}],
        "extras": {"geomface": record},
    }
    write_container(path, tree, binary)


class _Blocks:
    """Collects the binary chunk, four-byte aligned, with its bufferViews and accessors."""

    def __init__(self) -> None:
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, Any]] = []
        self._parts: list[bytes] = []
        self._size = 0

    def view(self, data: bytes, target: int | None = None) -> int:
        entry = {"buffer": 0, "byteOffset": self._size, "byteLength": len(data)}
        self.views.append(entry if target is None else entry | {"target": target})
        padded = data + b"\0" * (-len(data) % 4)
        self._parts.append(padded)
        self._size += len(padded)
        return len(self.views) - 1

    def accessor(self, values: np.ndarray, *, bounds: bool = False, target: int = 34962) -> int:
        component = {"f4": 5126, "u2": 5123, "u4": 5125}[values.dtype.str[1:]]
        kind = {1: "SCALAR", 2: "VEC2", 3: "VEC3"}[values.shape[1]]
        entry: dict[str, Any] = {
            "bufferView": self.view(values.tobytes(), target),
            "componentType": component,
            "count": len(values),
            "type": kind,
        }
        if bounds:
            entry |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def binary(self) -> bytes:
        return b"".join(self._parts)
