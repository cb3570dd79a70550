"""A model taken apart for files of other tools: arrays, a JSON record, named displacements.

Formats of other tools have no place for quads, uv, landmarks or names; our files of those formats
carry this beside what the format asks for, so that we read back what we wrote.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError, OutputError
from geomface.files.reading import log, taking_apart
from geomface.files.records import plain
from geomface.mesh import Mesh
from geomface.statistics import LinearModel, MorphableModel
from geomface.statistics.model_file import NUMBERS, PARTS, put_together, take_apart

SCHEMA = 1
KIND = "geomface-morphable-model"
EXPRESSION_MEAN = "expression_mean"
_OF_THE_MESH = {
    "mesh.quads": "template_quads",
    "mesh.uv": "template_uv",
    "mesh.uv_faces": "template_uv_faces",
}
_NAMES = _OF_THE_MESH | {
    "landmarks.vertices": "landmark_vertices",
    "landmarks.weights": "landmark_weights",
    "eyeballs.centers": "eyeball_centers",
    "texture.valid": "texture_valid",
    "coupling": "coupling",
}
"""{our name: letters, digits and underscores, at most 31, as MATLAB wants them}."""
_INDICES = ("mesh.quads", "mesh.uv_faces", "landmarks.vertices")

Parts = Mapping[str, tuple[FloatArray, np.ndarray]]
"""{"shape", "expression" or "texture": (mean, basis)}."""


def describe(model: MorphableModel) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a JSON record and named arrays: everything but means, bases and triangles.

    Raises
    ------
    OutputError : a number that no file can hold.
    """
    given, config = take_apart(model)
    names = _NAMES | {f"region.{name}": f"region_{k}" for k, name in enumerate(config["regions"])}
    arrays = {names[name]: array for name, array in given.items() if name in names}
    if "texture_valid" in arrays:
        arrays["texture_valid"] = arrays["texture_valid"].astype(np.uint8)
    record = plain(
        {
            "kind": KIND,
            "schema": SCHEMA,
            "name": model.name,
            "card": config["card"],
            "unit": "mm",
            "topology_id": model.topology_id,
            **config,
        }
    )
    if None in [part[name] for part in record["parts"].values() for name in NUMBERS]:
        raise OutputError(
            f"{model.name}: a noise or a variance of this model is infinite or not a number, which "
            "no file can hold."
        )
    return record, arrays


def linear_parts(model: MorphableModel) -> dict[str, LinearModel]:
    """Return the parts that a model has, by name."""
    return {part: found for part in PARTS if (found := getattr(model, part)) is not None}


def parse_record(path: object, text: str) -> dict[str, Any]:
    """Return our record of a JSON text, see `require_record`."""
    try:
        record = json.loads(text)
    except ValueError as error:
        raise FileFormatError(
            f"{path}: its record is not readable ({error}). It is damaged: write it again."
        ) from error
    return require_record(path, record)


def require_record(path: object, record: Any) -> dict[str, Any]:
    """Return our record after a check of kind and schema, or raise FileFormatError."""
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise FileFormatError(
            f"{path}: expected the record of a morphable model, it has none. The file is damaged, "
            "or another program wrote it."
        )
    if record.get("schema") != SCHEMA:
        raise FileFormatError(
            f"{path}: this model file has schema {record.get('schema')}, this version of geomface "
            f"reads schema {SCHEMA}. Install the version that wrote it, or write it again."
        )
    return record


def assemble(
    path: object,
    record: dict[str, Any],
    arrays: Mapping[str, np.ndarray],
    faces: IndexArray,
    parts: Parts,
) -> MorphableModel:
    """Put a model together from its record, its arrays, triangles and linear parts.

    Raises
    ------
    FileFormatError : something missing, or faces that are not those of the topology id.
    """
    with taking_apart(path, "a face model"):
        given = {name: arrays[other] for name, other in _NAMES.items() if other in arrays}
        given |= {name: np.asarray(given[name], np.int64) for name in _INDICES if name in given}
        for place, name in enumerate(record["regions"]):
            given[f"region.{name}"] = np.asarray(arrays[f"region_{place}"], np.int64).ravel()
        if "texture.valid" in given:
            given["texture.valid"] = np.asarray(given["texture.valid"]).astype(bool)
        for part, (mean, basis) in parts.items():
            given[f"{part}.mean"], given[f"{part}.basis"] = mean, basis
        given["mesh.faces"] = faces
        return put_together(path, given, record, record["topology_id"])


def displacements(model: MorphableModel) -> dict[str, np.ndarray]:
    """Return {name: (V, 3)}: every mode at one standard deviation, every expression at weight 1.

    Shape modes are called shape_000 ..., expressions by their names, or expression_000 ... where
    they have none. A mean of the expressions that is not zero comes as "expression_mean".
    """
    found = {f"shape_{k:03d}": mode for k, mode in enumerate(model.shape.modes)}
    expression = model.expression
    if expression is None:
        return found
    if np.any(expression.mean):
        found[EXPRESSION_MEAN] = expression.mean
    for k, mode in enumerate(expression.modes):
        name = expression.names[k] if expression.names else f"expression_{k:03d}"
        while name in found:  # a name that a shape mode or another expression has
            name = f"{name}_{k}"
        found[name] = mode
    return found


def record_of(model: MorphableModel) -> dict[str, Any]:
    """Return a JSON record of all that the mesh and the displacements do not say."""
    record, arrays = describe(model)
    record["arrays"] = {
        name: array.tolist() for name, array in arrays.items() if name not in _OF_THE_MESH.values()
    }
    expression = model.expression
    record["expression_mean"] = expression is not None and bool(np.any(expression.mean))
    record["expression_modes"] = 0 if expression is None else len(expression)
    return record


def model_of(
    path: object, mesh: Mesh, record: Any, found: Mapping[str, np.ndarray]
) -> MorphableModel:
    """Return the model of a mesh, its record and the displacements in the order of writing.

    Raises
    ------
    FileFormatError : no record of ours, displacements missing.
    """
    record = require_record(path, record)
    with taking_apart(path, "a face model"):
        has_mean = record["expression_mean"]
        names = [name for name in found if name != EXPRESSION_MEAN or not has_mean]
        expression = record["parts"].get("expression") if record["parts"]["shape"] else None
        arrays = {name: np.asarray(values) for name, values in record["arrays"].items()}
        modes = int(record["expression_modes"])
        count = len(names) - modes if expression else len(names)
        mean = found[EXPRESSION_MEAN] if has_mean else 0.0 * mesh.vertices
    if count < 0 or (expression is None and modes):
        raise FileFormatError(f"{path}: displacements are missing. Write the model again.")
    for name, other in _OF_THE_MESH.items():
        array = getattr(mesh, name.removeprefix("mesh."))
        if array is not None:
            arrays[other] = array
    linear = {"shape": (mesh.vertices, _stacked(mesh, [found[name] for name in names[:count]]))}
    if expression is not None:
        basis = _stacked(mesh, [found[name] for name in names[count:]])
        linear["expression"] = (np.asarray(mean, np.float64), basis)
    return assemble(path, record, arrays, mesh.faces, linear)


def _stacked(mesh: Mesh, items: list[np.ndarray]) -> np.ndarray:
    return np.stack(items, axis=-1) if items else np.zeros((*mesh.vertices.shape, 0))


def vertex_parts_only(path: object, model: MorphableModel) -> MorphableModel:
    """Return the model without a texture image, for formats that hold a colour a vertex; logged."""
    if model.texture is None or not model.texture.is_image:
        return model
    log.warning("%s: the texture image is left out, this format holds a colour a vertex.", path)
    return _without_texture(model, "texture image")


def geometry_only(path: object, model: MorphableModel) -> MorphableModel:
    """Return the model without the modes of its texture, for formats of meshes; logged."""
    if model.texture is None:
        return model
    log.warning("%s: the texture is written as its mean, this format holds no modes of it.", path)
    return _without_texture(model, "modes of the texture")


def _without_texture(model: MorphableModel, what: str) -> MorphableModel:
    card = dict(model.card) | {"left_out_of_this_file": what}
    return dataclasses.replace(model, texture=None, coupling=None, card=card)


def unit_columns(model: LinearModel) -> tuple[np.ndarray, FloatArray]:
    """Return (D, K) columns of length 1, of the basis' type, and their deviations (K,) float64."""
    flat = model.basis.reshape(model.mean.size, len(model))
    deviations = np.sqrt(model.variances)
    return flat / deviations.astype(flat.dtype), deviations
