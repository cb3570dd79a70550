"""Reading any glTF binary: accessors, node transforms, primitives, images.

Source
------
glTF 2.0 specification, Khronos 2021: GLB (section 4), accessors (3.6), meshes (3.7), scene (3.5).
Sparse accessors and compressed geometry are refused; skins, morphs and animation are left out.
"""

import base64
import dataclasses
import json
import urllib.parse
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, IndexArray, require_indices
from geomface.errors import FileFormatError
from geomface.files.atomic import write_bytes
from geomface.files.color import linear_to_srgb
from geomface.files.images import decode_image
from geomface.files.places import file_inside
from geomface.files.reading import as_doubles, log, read_bytes, require_plausible
from geomface.mesh.io.glb_materials import Material, index_in, material_of

_TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_UNDERSTOOD = ("KHR_mesh_quantization", "EXT_texture_webp", "KHR_texture_basisu")
_UNDERSTOOD += ("KHR_texture_transform",)
_JSON, _BINARY = 0x4E4F534A, 0x004E4942


class NotInFolderError(FileFormatError):
    """A file that the GLB names does not lie where such files are read."""


@dataclasses.dataclass(frozen=True)
class Container:
    """The two chunks of a GLB file, where it lies, and a further folder for files it names.

    `buffers` keeps what was read of other buffers than the chunk.
    """

    tree: dict[str, Any]
    binary: bytes
    folder: Path
    name: str
    further: Path | None = None
    buffers: dict[int, bytes] = dataclasses.field(default_factory=dict)

    def view(self, index: int) -> memoryview:
        """Return the bytes of one bufferView."""
        view = self.tree["bufferViews"][index_in(index)]
        start, length = index_in(view.get("byteOffset", 0)), index_in(view["byteLength"])
        data = self._buffer(index_in(view["buffer"]))
        if start + length > len(data):
            raise FileFormatError(
                f"{self.name}: truncated, a buffer view ends at byte {start + length} of "
                f"{len(data)}. Export it again."
            )
        return memoryview(data)[start : start + length]

    def _buffer(self, index: int) -> bytes:
        buffer = self.tree["buffers"][index]
        if "uri" not in buffer:
            return self.binary
        if index not in self.buffers:
            self.buffers[index] = self.resource(buffer["uri"], "buffer")
        return self.buffers[index]

    def resource(self, uri: str, what: str) -> bytes:
        """Return what a data URI, or a file in the folder of the GLB or in `further`, holds.

        Raises
        ------
        FileFormatError : no such file inside of these folders
        """
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2], validate=True)
        for folder in (self.folder, self.further):
            for name in (uri, urllib.parse.unquote(uri)):
                place = None if folder is None else file_inside(folder, folder, name)
                if place is not None:
                    return read_bytes(place, f"the {what} of {self.name}")
        raise NotInFolderError(
            f"{self.name}: its {what} {uri[:80]!r} is not in {self.folder}. Only files in that "
            "folder, or in one that you name (--textures, texture=FOLDER), are read."
        )

    def accessor(self, index: int) -> np.ndarray:
        """Return (count, width) values of an accessor; normalised integers become floats."""
        item = self.tree["accessors"][index_in(index)]
        if "sparse" in item or "bufferView" not in item:
            raise FileFormatError(
                f"{self.name}: uses sparse accessors, which are not read. Export it without them."
            )
        dtype, width = np.dtype(_TYPES[item["componentType"]]), _WIDTHS[item["type"]]
        data = self.view(item["bufferView"])
        stride = index_in(self.tree["bufferViews"][item["bufferView"]].get("byteStride", 0))
        values = np.ndarray(
            (index_in(item["count"]), width),
            dtype,
            buffer=data,
            offset=index_in(item.get("byteOffset", 0)),
            strides=(stride or width * dtype.itemsize, dtype.itemsize),
        )
        if item.get("normalized") and dtype.kind in "iu":
            return np.maximum(values / float(np.iinfo(dtype).max), -1.0)
        return values


def write_container(path: str | Path, tree: dict[str, Any], binary: bytes | bytearray) -> None:
    """Write the two chunks of a GLB file, atomically."""
    text = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    chunks = b"".join(
        len(body).to_bytes(4, "little") + kind.to_bytes(4, "little") + body
        for kind, body in ((_JSON, text), (_BINARY, binary))
    )
    head = b"glTF" + (2).to_bytes(4, "little") + (12 + len(chunks)).to_bytes(4, "little")
    write_bytes(path, head + chunks)


def open_container(path: Path, name: str, further: Path | None = None) -> Container:
    """Split a GLB into its chunks.

    Raises
    ------
    FileFormatError : missing, empty, truncated, not GLB, another version
    """
    data = read_bytes(path, "a GLB mesh (binary glTF)")
    if data[:4] != b"glTF":
        raise FileFormatError(
            f"{name}: expected a GLB mesh (binary glTF 2.0). Check that the file is what its name "
            "says."
        )
    version, length = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8))
    if len(data) < 20 or length > len(data):
        raise FileFormatError(
            f"{name}: truncated, its header announces {length} bytes, it has {len(data)}. Copy or "
            "export it again."
        )
    if version != 2:
        raise FileFormatError(f"{name}: glTF version {version} is not read; export version 2.")
    chunks: dict[int, bytes] = {}
    offset = 12
    while offset + 8 <= length:
        size, kind = (int.from_bytes(data[at : at + 4], "little") for at in (offset, offset + 4))
        if offset + 8 + size > len(data):
            raise FileFormatError(f"{name}: truncated inside a chunk. Copy or export it again.")
        chunks.setdefault(kind, data[offset + 8 : offset + 8 + size])
        offset += 8 + size
    try:
        tree = json.loads(chunks[_JSON].decode("utf-8"))
        if not isinstance(tree, dict):
            raise ValueError("no object")
    except (KeyError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{name}: damaged GLB header ({error}). Export it again.") from error
    return Container(tree, chunks.get(_BINARY, b""), path.parent, name, further)


@dataclasses.dataclass(frozen=True)
class Scene:
    """All triangles of a scene in one coordinate system, in the order of the nodes.

    Parameters
    ----------
    vertices, faces : (V, 3) and (F, 3)
    uv : (V, 2); None when some part has none, unless there is a picture
    placed : (V,) which vertices have a uv
    colors : (V, 3) or None
    materials : of the parts
    which : (F,) number of each face's material
    """

    vertices: FloatArray
    faces: IndexArray
    uv: FloatArray | None
    placed: BoolArray
    colors: ImageArray | None
    materials: tuple[Material, ...]
    which: IndexArray


def read_scene(container: Container) -> Scene:
    """Concatenate the triangle primitives of the default scene, node transforms applied.

    The v of TEXCOORD is turned to the bottom-left origin. COLOR_0 of 8 bits is taken as display
    values, which is what programs write, and of 16 bits or float as linear, as specified.
    """
    tree, name = container.tree, container.name
    needed = {item for item in tree.get("extensionsRequired", [])}
    unknown = {item for item in needed if item not in _UNDERSTOOD and "KHR_materials_" not in item}
    if unknown:
        raise FileFormatError(
            f"{name}: needs glTF extensions that are not read ({', '.join(sorted(unknown))}). "
            "Export it uncompressed."
        )
    blocks: list[dict[str, Any]] = []
    total = 0
    for matrix, mesh in _placed_meshes(tree):
        shared: dict[tuple, dict[str, Any]] = {}
        for primitive in tree["meshes"][mesh]["primitives"]:
            corners = _corners(container, primitive)
            if corners is None:
                continue
            attributes = primitive["attributes"]
            material = material_of(tree, primitive, name)
            channel = material.channel
            key = tuple(attributes.get(item) for item in ("POSITION", "COLOR_0", channel))
            key += (None if "COLOR_0" in attributes else material.factor, material.transform)
            block = _block(container, attributes, material, matrix)
            if block["colors"] is None and material.image is None:
                block["colors"] = material.colors(len(block["vertices"]))
            require_indices(corners, len(block["vertices"]), f"{name}: faces")
            if np.linalg.det(matrix[:3, :3]) < 0:
                corners = corners[:, ::-1]  # a mirroring transform turns triangles inside out
            if key in shared:  # one vertex list, split by material
                block = {"first": shared[key]["first"]}
            else:
                block["first"] = total
                total += len(block["vertices"])
                stored = len(container.binary) + sum(map(len, container.buffers.values()))
                # Nodes may show one mesh again and again.
                require_plausible(block["vertices"].itemsize * 3 * total, stored, name)
                shared[key] = block
            block |= {"faces": corners + block["first"], "material": material}
            blocks.append(block)
    return _joined(blocks, name)


def _joined(blocks: list[dict[str, Any]], name: str) -> Scene:
    own = [block for block in blocks if "vertices" in block]
    if not own:
        none = np.empty(0, np.int64)
        return Scene(np.empty((0, 3)), none.reshape(0, 3), None, none > 0, None, (), none)
    arrays: dict[str, np.ndarray | None] = {}
    pictured = any(block["material"].image is not None for block in blocks)
    for label in ("uv", "colors"):
        parts = [block[label] for block in own]
        complete = all(part is not None for part in parts)
        if label == "uv" and not complete and pictured:
            continue  # those without are not placed
        if not complete and any(part is not None for part in parts):
            log.warning("%s: only some parts have %s; they are left out.", name, label)
        arrays[label] = np.concatenate(parts) if complete else None
    none = [np.zeros((len(block["vertices"]), 2)) for block in own]
    if pictured and arrays.get("uv") is None:
        pairs = zip(own, none, strict=True)
        arrays["uv"] = np.concatenate([zero if b["uv"] is None else b["uv"] for b, zero in pairs])
    materials = tuple(dict.fromkeys(block["material"] for block in blocks))
    numbers = [materials.index(block["material"]) for block in blocks]
    return Scene(
        vertices=np.concatenate([block["vertices"] for block in own]),
        faces=np.concatenate([block["faces"] for block in blocks]),
        uv=arrays["uv"],
        placed=np.concatenate([np.full(len(b["vertices"]), b["uv"] is not None) for b in own]),
        colors=arrays["colors"],
        materials=materials,
        which=np.repeat(numbers, [len(block["faces"]) for block in blocks]),
    )


def _placed_meshes(tree: dict[str, Any]) -> list[tuple[FloatArray, int]]:
    """Return (matrix to the world, mesh) of all nodes, depth first."""
    nodes = tree.get("nodes", [])
    if tree.get("scenes"):
        roots = tree["scenes"][index_in(tree.get("scene", 0))].get("nodes", [])
    else:
        children = {child for node in nodes for child in node.get("children", [])}
        roots = [index for index in range(len(nodes)) if index not in children]
    found, seen = [], set()
    waiting = [(index, np.eye(4)) for index in reversed(roots)]
    while waiting:
        index, matrix = waiting.pop()
        if index_in(index) in seen:
            raise ValueError(f"node {index} has two parents")
        seen.add(index)
        matrix = matrix @ _local_matrix(nodes[index])
        if "mesh" in nodes[index]:
            found.append((matrix, index_in(nodes[index]["mesh"])))
        waiting += [(child, matrix) for child in reversed(nodes[index].get("children", []))]
    return found


def _local_matrix(node: dict[str, Any]) -> FloatArray:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = np.array(node.get("rotation", [0, 0, 0, 1]), np.float64)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    scale = np.array(node.get("scale", [1, 1, 1]), np.float64).reshape(3)
    matrix[:3, :3] = rotation * scale
    matrix[:3, 3] = np.array(node.get("translation", [0, 0, 0]), np.float64).reshape(3)
    return matrix


def _corners(container: Container, primitive: dict[str, Any]) -> IndexArray | None:
    """Return (F, 3) indices into the primitive's vertices, None for points and lines."""
    mode = primitive.get("mode", 4)
    if mode not in (4, 5, 6) or "POSITION" not in primitive["attributes"]:
        return None
    if "indices" in primitive:
        order = container.accessor(primitive["indices"])[:, 0].astype(np.int64)
    else:
        position = container.tree["accessors"][index_in(primitive["attributes"]["POSITION"])]
        order = np.arange(container.accessor(primitive["attributes"]["POSITION"]).shape[0])
        order = order[: index_in(position["count"])]
    if mode == 4:
        if len(order) % 3:
            raise ValueError(f"{len(order)} corners do not make triangles")
        return order.reshape(-1, 3)
    step = np.arange(max(len(order) - 2, 0))
    if mode == 5:
        odd = step % 2
        return np.stack([order[step], order[step + 1 + odd], order[step + 2 - odd]], axis=1)
    return np.stack([order[step + 1], order[step + 2], order[np.zeros_like(step)]], axis=1)


def _block(
    container: Container, attributes: dict[str, int], material: Material, matrix: FloatArray
) -> dict[str, Any]:
    positions = as_doubles(container.accessor(attributes["POSITION"]))
    uv = colors = None
    if material.channel in attributes:
        uv = material.placed(as_doubles(container.accessor(attributes[material.channel])[:, :2]))
        uv = np.stack([uv[:, 0], 1.0 - uv[:, 1]], axis=1)
    if "COLOR_0" in attributes:
        item = container.tree["accessors"][index_in(attributes["COLOR_0"])]
        colors = container.accessor(attributes["COLOR_0"])[:, :3]
        if not np.isfinite(colors).all():
            raise ValueError("a colour is NaN or infinite")
        colors = np.clip(colors, 0, 1)
        colors = colors if item["componentType"] == 5121 else linear_to_srgb(colors)
    for part in (uv, colors):
        if part is not None and len(part) != len(positions):
            raise ValueError("attributes of different length")
    if not np.isfinite(matrix).all():
        raise ValueError("a node transform is not finite")
    with np.errstate(invalid="ignore", over="ignore"):  # Mesh refuses what is not finite
        vertices = positions.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
    return {"vertices": vertices, "uv": uv, "colors": colors}


def read_image(container: Container, index: int) -> ImageArray | None:
    """Decode an image of the file; None with a note when it names a file that is not there.

    Raises
    ------
    FileFormatError : naming the file, when the image is damaged
    """
    try:
        item = container.tree["images"][index_in(index)]
        if "uri" in item:
            data = container.resource(item["uri"], "texture")
        else:
            data = bytes(container.view(item["bufferView"]))
        # uv are for the pixels as they are stored, whatever EXIF says.
        return decode_image(data, f"{container.name}: image {index}", upright=False)
    except NotInFolderError as error:
        log.warning("%s Loaded without.", error)
        return None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            f"{container.name}: its texture cannot be found ({error}). Export it again with the "
            "texture embedded, or load with texture=False."
        ) from error
    except FileFormatError as error:
        raise FileFormatError(
            f"{container.name}: its texture cannot be used: {error} Export it again with the "
            "texture embedded, or load with texture=False."
        ) from error
