"""GLB with morph targets: one mesh and named displacements of its vertices."""

import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, IndexArray, require_shape
from geomface.errors import FileFormatError
from geomface.files.reading import as_singles, named
from geomface.mesh.io.glb import read_glb, write_glb
from geomface.mesh.io.glb_scene import Container, open_container, write_container
from geomface.mesh.mesh import Mesh

KEY = "geomface_morphs"
_DAMAGE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)


def write_morph_glb(
    path: str | Path,
    mesh: Mesh,
    targets: Mapping[str, np.ndarray],
    *,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Write a GLB as `write_glb` does, with a morph target for each displacement, all at weight 0.

    position(w) = mesh + sum_k w_k target_k, in the unit of the mesh; the scale of the node makes
    metres of it. The names of the targets stand in the mesh's extras as "targetNames".

    Parameters
    ----------
    path : the file
    mesh : what is seen at weight 0
    targets : {name: (V, 3)} displacements at weight 1, stored as float32
    record : JSON to keep beside them

    Raises
    ------
    OutputError : the place cannot be written
    MeshError : displacements of another shape, numbers beyond float32

    Source
    ------
    glTF 2.0 specification, Khronos 2021, section 3.7.2.2, morph targets.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.name
        write_glb(plain, mesh)
        container = open_container(plain, named(path))
    tree, binary = container.tree, bytearray(container.binary)
    primitive = tree["meshes"][0]["primitives"][0]
    origin = _origin(container, mesh)
    primitive["targets"] = []
    for name, values in targets.items():
        label = f"{mesh.name}: target {name}"
        deltas = as_singles(require_shape(values, mesh.vertices.shape, label), label)[origin]
        primitive["targets"].append({"POSITION": _append(tree, binary, deltas)})
    if not targets:
        primitive.pop("targets")
    else:
        tree["meshes"][0]["weights"] = [0.0] * len(targets)
        tree["meshes"][0]["extras"] = {"targetNames": list(targets)}
    tree["buffers"][0]["byteLength"] = len(binary)
    tree["extras"]["geomface"]["crc32"] = zlib.crc32(binary)
    tree["extras"][KEY] = {"names": list(targets), "record": record}
    write_container(path, tree, binary)


def _origin(container: Container, mesh: Mesh) -> IndexArray:
    """Return the mesh vertex of each vertex in the file, which splits them at uv seams."""
    primitive = container.tree["meshes"][0]["primitives"][0]
    count = container.tree["accessors"][primitive["attributes"]["POSITION"]]["count"]
    corners = container.accessor(primitive["indices"])[:, 0].astype(np.int64)
    origin = np.zeros(count, np.int64)
    origin[: len(mesh.vertices)] = np.arange(len(mesh.vertices))
    origin[corners] = mesh.faces.ravel()
    return origin


def _append(tree: dict[str, Any], binary: bytearray, values: np.ndarray) -> int:
    """Add float32 vectors to the buffer and return their accessor."""
    view = {"buffer": 0, "byteOffset": len(binary), "byteLength": values.nbytes, "target": 34962}
    binary += values.astype("<f4").tobytes()
    tree["bufferViews"].append(view)
    tree["accessors"].append(
        {
            "bufferView": len(tree["bufferViews"]) - 1,
            "componentType": 5126,
            "count": len(values),
            "type": "VEC3",
            "min": values.min(axis=0).tolist(),
            "max": values.max(axis=0).tolist(),
        }
    )
    return len(tree["accessors"]) - 1


def read_morph_glb(path: str | Path) -> tuple[Mesh, dict[str, FloatArray], Any]:
    """Read a GLB of `write_morph_glb`: the mesh, {name: (V, 3)} float32, and the record.

    Raises
    ------
    FileFormatError : missing, no GLB, damaged, or changed by another program since
    """
    path = Path(path)
    container = open_container(path, named(path))
    extras = container.tree.get("extras")
    notes = extras.get(KEY) if isinstance(extras, dict) else None
    own = extras.get("geomface") if isinstance(extras, dict) else None
    if not isinstance(notes, dict) or not isinstance(own, dict):
        raise FileFormatError(
            f"{path}: expected a GLB with morph targets written by geomface, got another one. Only "
            "those are read back as a model; `load_mesh` reads the mesh of any GLB."
        )
    if own.get("crc32") != zlib.crc32(container.binary):
        raise FileFormatError(
            f"{path}: was changed by another program since it was written, or is damaged. Export "
            "the model again."
        )
    mesh = read_glb(path, texture=False)
    try:
        primitive = container.tree["meshes"][0]["primitives"][0]
        found = {
            str(name): container.accessor(target["POSITION"])[: len(mesh.vertices)]
            for name, target in zip(notes["names"], primitive.get("targets", []), strict=True)
        }
        record = notes["record"]
    except _DAMAGE as error:
        raise FileFormatError(
            f"{path}: damaged morph targets ({error}). Export it again."
        ) from error
    return mesh, found, record
