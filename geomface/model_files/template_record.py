"""What a template and a model hold beside their linear parts, as arrays and a JSON record.

Formats of other tools have no place for quads, uv, landmarks or names; our files of those formats
carry this beside what the format asks for, so that we read back what we wrote.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError, OutputError
from geomface.files.reading import log
from geomface.files.records import plain
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.statistics import ExpressionModel, LinearModel, MorphableModel, TextureModel

SCHEMA = 1
KIND = "geomface-morphable-model"
NUMBERS = ("noise_sigma", "sample_count", "total_variance")
PARTS = ("shape", "expression", "texture")


def describe(model: MorphableModel) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a JSON record and named arrays: everything but means, bases and triangles.

    Array names are letters, digits and underscores, at most 31, as MATLAB wants them.
    """
    template, mesh = model.template, model.mesh
    arrays: dict[str, np.ndarray] = {}
    for name in ("quads", "uv", "uv_faces"):
        array = getattr(mesh, name)
        if array is not None:
            arrays[f"template_{name}"] = array
    if template.landmarks is not None:
        arrays["landmark_vertices"] = template.landmarks.vertices
        arrays["landmark_weights"] = template.landmarks.weights
    for place, ids in enumerate(template.regions.values()):
        arrays[f"region_{place}"] = ids
    if model.texture is not None and model.texture.valid is not None:
        arrays["texture_valid"] = model.texture.valid.astype(np.uint8)
    if model.coupling is not None:
        arrays["coupling"] = model.coupling
    parts = {
        part: {name: getattr(linear, name) for name in NUMBERS}
        for part in PARTS
        if (linear := getattr(model, part)) is not None
    }
    if model.expression is not None:
        parts["expression"] |= {
            "names": list(model.expression.names),
            "kind": model.expression.kind,
        }
    record = plain(
        {
            "kind": KIND,
            "schema": SCHEMA,
            "name": model.name,
            "card": dict(model.card),
            "unit": "mm",
            "topology_id": model.topology_id,
            "parts": parts,
            "scheme": None if template.landmarks is None else template.landmarks.scheme,
            "regions": list(template.regions),
        }
    )
    numbers = [part[name] for part in record["parts"].values() for name in NUMBERS]
    if None in numbers:
        raise OutputError(
            f"{model.name}: a noise or a variance of this model is infinite or not a number, which "
            "no file can hold."
        )
    return record, arrays


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
    parts: Mapping[str, tuple[FloatArray, np.ndarray]],
) -> MorphableModel:
    """Put a model together from its record, its arrays, triangles and {part: (mean, basis)}.

    Raises
    ------
    FileFormatError : something missing, or faces that are not those of the topology id.
    """
    try:
        model = _assemble(record, arrays, faces, parts)
        expected = record["topology_id"]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise FileFormatError(
            f"{path}: this model file lacks {error}. It is damaged: write it again."
        ) from error
    if model.topology_id != expected:
        raise FileFormatError(
            f"{path}: expected topology {expected}, the faces in it give {model.topology_id}. The "
            "file is damaged: write it again."
        )
    return model


def _assemble(
    record: dict[str, Any],
    arrays: Mapping[str, np.ndarray],
    faces: IndexArray,
    parts: Mapping[str, tuple[FloatArray, np.ndarray]],
) -> MorphableModel:
    def fields(part: str) -> dict[str, Any]:
        mean, basis = parts[part]
        said = record["parts"][part]
        return {"mean": mean, "basis": basis, **{name: said[name] for name in NUMBERS}}

    shape = LinearModel(**fields("shape"))
    expression = texture = None
    if "expression" in parts:
        said = record["parts"]["expression"]
        expression = ExpressionModel(
            **fields("expression"), names=tuple(said["names"]), kind=said["kind"]
        )
    if "texture" in parts:
        valid = arrays.get("texture_valid")
        texture = TextureModel(
            **fields("texture"), valid=None if valid is None else np.asarray(valid).astype(bool)
        )
    return MorphableModel(
        template_of(record, arrays, shape.mean, faces),
        shape,
        expression,
        texture,
        arrays.get("coupling"),
        record["name"],
        record["card"],
    )


def template_of(
    record: dict[str, Any], arrays: Mapping[str, np.ndarray], mean: FloatArray, faces: IndexArray
) -> Template:
    """Return the template that `describe` took apart."""

    def indices(name: str) -> IndexArray | None:
        return np.asarray(arrays[name], np.int64) if name in arrays else None

    mesh = Mesh(
        mean,
        faces,
        quads=indices("template_quads"),
        uv=arrays.get("template_uv"),
        uv_faces=indices("template_uv_faces"),
        name=record["name"],
    )
    landmarks = None
    if "landmark_vertices" in arrays:
        landmarks = LandmarkEmbedding(
            np.asarray(arrays["landmark_vertices"], np.int64),
            arrays["landmark_weights"],
            record["scheme"],
        )
    regions = {
        name: np.asarray(arrays[f"region_{place}"], np.int64).ravel()
        for place, name in enumerate(record["regions"])
    }
    return Template(mesh, landmarks, regions)


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


def mean_face(model: MorphableModel) -> Mesh:
    """Return the mean face with its mean colours or texture, for pictures."""
    return model.instance(name=model.name)


def unit_columns(model: LinearModel) -> tuple[np.ndarray, FloatArray]:
    """Return (D, K) columns of length 1, of the basis' type, and their deviations (K,) float64."""
    flat = model.basis.reshape(model.mean.size, len(model))
    deviations = np.sqrt(model.variances)
    return flat / deviations.astype(flat.dtype), deviations
