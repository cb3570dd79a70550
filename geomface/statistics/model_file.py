"""A morphable model taken apart and put together, and the file of it: one safetensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.reading import taking_apart
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.statistics.expression import ExpressionModel
from geomface.statistics.eyeballs import Eyeballs
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.morphable import MorphableModel, require_model
from geomface.statistics.texture import TextureModel

KIND = "morphable-model"
SCHEMA = 1
PARTS = ("shape", "expression", "texture")
NUMBERS = ("noise_sigma", "sample_count", "total_variance")
_MESH_ARRAYS = ("faces", "quads", "uv", "uv_faces")


def take_apart(model: MorphableModel) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return everything that a model holds as named arrays and what JSON can say.

    Returns
    -------
    arrays : "shape.mean", "shape.basis" and so on for each part; "mesh.faces", "mesh.quads",
        "mesh.uv", "mesh.uv_faces"; "landmarks.vertices", "landmarks.weights"; "region.NAME";
        "texture.valid", "coupling", "eyeballs.centers"
    config : name, card, parts, scheme, regions; "eyeball_radius" where there are eyeballs
    """
    arrays: dict[str, np.ndarray] = {}
    parts: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        linear = getattr(model, part)
        if linear is not None:
            arrays[f"{part}.mean"], arrays[f"{part}.basis"] = linear.mean, linear.basis
            parts[part] = {name: getattr(linear, name) for name in NUMBERS}
            if linear.names or part == "expression":
                parts[part]["names"] = list(linear.names)
    if model.expression is not None:
        parts["expression"]["kind"] = model.expression.kind
    for name in _MESH_ARRAYS:
        array = getattr(model.mesh, name)
        if array is not None:
            arrays[f"mesh.{name}"] = array
    landmarks = model.template.landmarks
    if landmarks is not None:
        arrays["landmarks.vertices"] = landmarks.vertices
        arrays["landmarks.weights"] = landmarks.weights
    for name, ids in model.template.regions.items():
        arrays[f"region.{name}"] = ids
    config: dict[str, Any] = {
        "name": model.name,
        "card": dict(model.card),
        "parts": parts,
        "scheme": None if landmarks is None else landmarks.scheme,
        "regions": list(model.template.regions),
    }
    if model.eyeballs is not None:
        arrays["eyeballs.centers"] = model.eyeballs.centers
        config["eyeball_radius"] = float(model.eyeballs.radius)
    if model.texture is not None and model.texture.valid is not None:
        arrays["texture.valid"] = model.texture.valid
    if model.coupling is not None:
        arrays["coupling"] = model.coupling
    return arrays, config


def put_together(
    path: object, arrays: Mapping[str, np.ndarray], config: Any, topology_id: object
) -> MorphableModel:
    """Return the model that `take_apart` took apart.

    Parameters
    ----------
    path : for messages
    topology_id : that the faces must have

    Raises
    ------
    FileFormatError : something missing, parts that do not fit, faces of another topology.
    """
    with taking_apart(path, "a face model"):
        model = _put_together(arrays, config)
    if model.topology_id != topology_id:
        raise FileFormatError(
            f"{path}: expected topology {topology_id}, the faces in it give "
            f"{model.topology_id}. It is damaged: write it again."
        )
    return model


def _put_together(arrays: Mapping[str, np.ndarray], config: dict[str, Any]) -> MorphableModel:
    said = config["parts"]

    def fields(part: str) -> dict[str, Any]:
        kept = {name: said[part][name] for name in NUMBERS}
        kept["names"] = tuple(said[part].get("names", ()))
        return {"mean": arrays[f"{part}.mean"], "basis": arrays[f"{part}.basis"], **kept}

    shape = LinearModel(**fields("shape"))
    expression = texture = landmarks = eyeballs = None
    if "expression" in said:
        expression = ExpressionModel(**fields("expression"), kind=said["expression"]["kind"])
    if "texture" in said:
        texture = TextureModel(**fields("texture"), valid=arrays.get("texture.valid"))
    mesh: dict[str, Any] = {name: arrays.get(f"mesh.{name}") for name in _MESH_ARRAYS}
    if "landmarks.vertices" in arrays:
        landmarks = LandmarkEmbedding(
            arrays["landmarks.vertices"], arrays["landmarks.weights"], config["scheme"]
        )
    if "eyeballs.centers" in arrays:
        eyeballs = Eyeballs(arrays["eyeballs.centers"], config["eyeball_radius"])
    regions = {name: arrays[f"region.{name}"] for name in config["regions"]}
    return MorphableModel(
        Template(Mesh(shape.mean, name=config["name"], **mesh), landmarks, regions),
        shape,
        expression,
        texture,
        arrays.get("coupling"),
        config["name"],
        config["card"],
        eyeballs,
    )


def write_morphable(path: Path | str, model: MorphableModel) -> None:
    """Write a morphable model (kind "morphable-model"), every number bit for bit.

    Raises
    ------
    OutputError : the place cannot be written.
    """
    from geomface.files.tensors import save_tensors

    arrays, config = take_apart(require_model(model, "write_morphable"))
    save_tensors(
        path,
        arrays,
        kind=KIND,
        schema=SCHEMA,
        topology_id=model.topology_id,
        units="mm",
        config=config,
    )


def read_morphable(path: Path | str) -> MorphableModel:
    """Read a morphable model written by `write_morphable`.

    Raises
    ------
    FileFormatError : another kind of file, an unknown schema, or parts missing from it.
    """
    from geomface.files.tensors import load_tensors

    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    return put_together(path, arrays, header["config"], header["topology_id"])
