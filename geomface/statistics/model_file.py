"""The project's own model file: one safetensors with everything a morphable model holds."""

from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError, GeomfaceError
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.statistics.expression import ExpressionModel
from geomface.statistics.eyeballs import Eyeballs
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.morphable import MorphableModel, require_model
from geomface.statistics.texture import TextureModel

KIND = "morphable-model"
SCHEMA = 1
_NUMBERS = ("noise_sigma", "sample_count", "total_variance")
_MESH_ARRAYS = ("faces", "quads", "uv", "uv_faces")


def write_morphable(path: Path | str, model: MorphableModel) -> None:
    """Write a morphable model (kind "morphable-model"), every number bit for bit.

    Raises
    ------
    OutputError : the place cannot be written.
    """
    from geomface.files.tensors import save_tensors

    require_model(model, "write_morphable")
    arrays: dict[str, np.ndarray] = {}
    parts: dict[str, dict[str, Any]] = {}
    for part in ("shape", "expression", "texture"):
        linear = getattr(model, part)
        if linear is not None:
            arrays[f"{part}.mean"], arrays[f"{part}.basis"] = linear.mean, linear.basis
            parts[part] = {name: getattr(linear, name) for name in _NUMBERS}
            if linear.names or part == "expression":
                parts[part]["names"] = linear.names
    if model.expression is not None:
        parts["expression"]["kind"] = model.expression.kind
    if model.texture is not None and model.texture.valid is not None:
        arrays["texture.valid"] = model.texture.valid
    if model.coupling is not None:
        arrays["coupling"] = model.coupling
    for name in _MESH_ARRAYS:
        array = getattr(model.mesh, name)
        if array is not None:
            arrays[f"mesh.{name}"] = array
    config: dict[str, Any] = {}
    if model.eyeballs is not None:
        arrays["eyeballs.centers"] = model.eyeballs.centers
        config["eyeball_radius"] = float(model.eyeballs.radius)
    landmarks = model.template.landmarks
    if landmarks is not None:
        arrays["landmarks.vertices"] = landmarks.vertices
        arrays["landmarks.weights"] = landmarks.weights
    for name, ids in model.template.regions.items():
        arrays[f"region.{name}"] = ids
    save_tensors(
        path,
        arrays,
        kind=KIND,
        schema=SCHEMA,
        topology_id=model.topology_id,
        units="mm",
        config={
            "name": model.name,
            "card": model.card,
            "parts": parts,
            "scheme": None if landmarks is None else landmarks.scheme,
            "regions": list(model.template.regions),
            **config,
        },
    )


def read_morphable(path: Path | str) -> MorphableModel:
    """Read a morphable model written by `write_morphable`.

    Raises
    ------
    FileFormatError : another kind of file, an unknown schema, or parts missing from it.
    """
    from geomface.files.tensors import load_tensors

    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    try:
        model = _assemble(arrays, header["config"])
    except (KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path}: this model file lacks {error}. It is damaged: write it again."
        ) from error
    except FileFormatError:
        raise
    except GeomfaceError as error:
        raise FileFormatError(f"{path}: the parts of this model do not fit: {error}") from error
    if model.topology_id != header["topology_id"]:
        raise FileFormatError(
            f"{path}: expected topology {header['topology_id']}, the faces in it give "
            f"{model.topology_id}. It is damaged: write it again."
        )
    return model


def _assemble(arrays: dict[str, np.ndarray], config: dict[str, Any]) -> MorphableModel:
    parts = config["parts"]

    def fields(part: str) -> dict[str, Any]:
        kept = {name: parts[part][name] for name in _NUMBERS}
        kept["names"] = tuple(parts[part].get("names", ()))
        return {"mean": arrays[f"{part}.mean"], "basis": arrays[f"{part}.basis"], **kept}

    shape = LinearModel(**fields("shape"))
    expression = texture = None
    if "expression" in parts:
        expression = ExpressionModel(**fields("expression"), kind=parts["expression"]["kind"])
    if "texture" in parts:
        texture = TextureModel(**fields("texture"), valid=arrays.get("texture.valid"))
    mesh_arrays: dict[str, Any] = {name: arrays.get(f"mesh.{name}") for name in _MESH_ARRAYS}
    mesh = Mesh(shape.mean, name=config["name"], **mesh_arrays)
    landmarks = None
    if "landmarks.vertices" in arrays:
        landmarks = LandmarkEmbedding(
            arrays["landmarks.vertices"], arrays["landmarks.weights"], config["scheme"]
        )
    regions = {name: arrays[f"region.{name}"] for name in config["regions"]}
    eyeballs = None
    if "eyeballs.centers" in arrays:
        eyeballs = Eyeballs(arrays["eyeballs.centers"], config["eyeball_radius"])
    return MorphableModel(
        Template(mesh, landmarks, regions),
        shape,
        expression,
        texture,
        arrays.get("coupling"),
        config["name"],
        config["card"],
        eyeballs,
    )
