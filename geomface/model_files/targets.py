"""A model as one face and named displacements, which glTF and OBJ sets hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.mesh import Mesh
from geomface.model_files.template_record import assemble, describe, require_record
from geomface.statistics import MorphableModel

EXPRESSION_MEAN = "expression_mean"
_OF_THE_MESH = ("template_quads", "template_uv", "template_uv_faces")


def displacements(model: MorphableModel) -> dict[str, np.ndarray]:
    """Return {name: (V, 3)}: every mode at one standard deviation, every expression at weight 1.

    Shape modes are called shape_000 ..., expressions by their names, or expression_000 ... where
    they have none. A mean of the expressions that is not zero comes as "expression_mean".
    """
    found = {f"shape_{k:03d}": model.shape.basis[..., k] for k in range(len(model.shape))}
    expression = model.expression
    if expression is None:
        return found
    if np.any(expression.mean):
        found[EXPRESSION_MEAN] = expression.mean
    for k in range(len(expression)):
        name = expression.names[k] if expression.names else f"expression_{k:03d}"
        while name in found:  # a name that a shape mode or another expression has
            name = f"{name}_{k}"
        found[name] = expression.basis[..., k]
    return found


def record_of(model: MorphableModel) -> dict[str, Any]:
    """Return a JSON record of all that the mesh and the displacements do not say."""
    record, arrays = describe(model)
    record["arrays"] = {
        name: array.tolist() for name, array in arrays.items() if name not in _OF_THE_MESH
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
    names = [name for name in found if name != EXPRESSION_MEAN or not record["expression_mean"]]
    try:
        parts = record["parts"]
        expression = parts.get("expression") if parts["shape"] else None
        arrays = {name: np.asarray(values) for name, values in record["arrays"].items()}
        count = len(names) - int(record["expression_modes"]) if expression else len(names)
        mean = found[EXPRESSION_MEAN] if record["expression_mean"] else 0.0 * mesh.vertices
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            f"{path}: the record of this model lacks {error}. It is damaged: write it again."
        ) from error
    if count < 0 or (expression is None and record["expression_modes"]):
        raise FileFormatError(f"{path}: displacements are missing. Write the model again.")
    for name in _OF_THE_MESH:
        array = getattr(mesh, name.removeprefix("template_"))
        if array is not None:
            arrays[name] = array
    linear = {"shape": (mesh.vertices, _stacked(mesh, [found[name] for name in names[:count]]))}
    if expression is not None:
        basis = _stacked(mesh, [found[name] for name in names[count:]])
        linear["expression"] = (np.asarray(mean, np.float64), basis)
    return assemble(path, record, arrays, mesh.faces, linear)


def _stacked(mesh: Mesh, items: list[np.ndarray]) -> np.ndarray:
    return np.stack(items, axis=-1) if items else np.zeros((*mesh.vertices.shape, 0))
