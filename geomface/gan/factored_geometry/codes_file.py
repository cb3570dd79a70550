"""Codes of faces as a small JSON file that can be read, edited and handed on."""

import copy
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geomface.errors import FileFormatError, TopologyMismatchError
from geomface.files.records import read_json, write_json
from geomface.gan.factored_geometry.codes import Codes, LatentSpec
from geomface.learning.state import weights_hash

KIND, SCHEMA = "factored-geometry-codes", 1
_LARGEST = float(np.finfo(np.float32).max)
log = logging.getLogger("geomface")


def generator_identity(generator: torch.nn.Module) -> str:
    """Return a hash of a generator's weights as float16: the same for a run and its model file."""
    return weights_hash(copy.deepcopy(generator).half())


def save_codes(
    path: Path | str,
    codes: Codes,
    names: Sequence[str],
    *,
    topology_id: str,
    generator: str,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Write codes by the name of their face and of their parts.

    Parameters
    ----------
    path : *.json
    codes : N of them
    names : one a face
    topology_id : of the model's template
    generator : `generator_identity` of the model's
    record : what else to tell, such as errors of the fit

    Raises
    ------
    OutputError : the place cannot be written
    """
    rows = [codes[index : index + 1] for index in range(len(codes))]
    faces = {
        name: {part: row.part(part)[0].tolist() for part in codes.spec.names}
        for name, row in zip(names, rows, strict=True)
    }
    head = {"kind": KIND, "schema": SCHEMA, "topology_id": topology_id, "generator": generator}
    write_json(path, {**head, **(record or {}), "faces": faces})


def load_codes(
    path: Path | str, spec: LatentSpec, *, topology_id: str, generator: str | None = None
) -> dict[str, Codes]:
    """Read the codes of each face of a file, {name: one code}.

    Parameters
    ----------
    path : *.json
    spec : of the model's codes
    topology_id : of the model's template
    generator : `generator_identity` of the model's; None takes the codes of any

    Raises
    ------
    FileFormatError : no such file, one of another kind or generator, or a damaged one
    TopologyMismatchError : of a model of another topology, or with other parts
    """
    record = read_json(path, "codes of faces")
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise FileFormatError(
            f"{path}: expected codes of faces as 'geomface fit factored_geometry' writes them."
        )
    if type(record.get("schema")) is not int or record["schema"] != SCHEMA:
        raise FileFormatError(
            f"{path}: expected codes of faces of schema {SCHEMA}, got {record.get('schema')!r}. "
            "Another version wrote them: fit the faces again."
        )
    faces, topology, wrote = (record.get(key) for key in ("faces", "topology_id", "generator"))
    if not isinstance(faces, dict) or not isinstance(topology, str):
        raise FileFormatError(
            f"{path}: damaged codes of faces: expected 'faces' {{name: {{part: [number, ...]}}}} "
            "and the 'topology_id' of their model. Fit the faces again."
        )
    if topology != topology_id:
        raise TopologyMismatchError(
            f"{path}: codes of a model of another topology ({topology}, this one has "
            f"{topology_id}). Give the model that they were fitted with."
        )
    if wrote is None:
        log.warning("%s: does not tell which model its codes belong to; taken as it is.", path)
    elif generator is not None and wrote != generator:
        raise FileFormatError(
            f"{path}: codes of another model, or of another step of this run, which stand for "
            "other faces here. Give the model that they were fitted with, or fit the faces again."
        )
    if not faces:
        raise FileFormatError(f"{path}: expected codes of at least one face, got none.")
    return {name: _code(parts, spec, f"{path}: {name!r}") for name, parts in faces.items()}


def _code(parts: Any, spec: LatentSpec, where: str) -> Codes:
    """Return the code of a face from {part: [number, ...]}."""
    lists = parts.values() if isinstance(parts, dict) else [None]
    if not all(isinstance(item, list) and all(map(_is_number, item)) for item in lists):
        raise FileFormatError(f"{where}: damaged code, expected {{part: [number, ...]}}.")
    sizes = {name: spec.span(name).stop - spec.span(name).start for name in spec.names}
    lengths = {part: len(values) for part, values in parts.items()}
    if lengths != sizes:
        raise TopologyMismatchError(
            f"{where}: expected codes of this model ({sizes}), got those of another ({lengths}). "
            "Codes belong to the model that they were fitted with."
        )
    return Codes(
        spec, np.concatenate([np.array(parts[name], np.float32) for name in spec.names])[None]
    )


def _is_number(value: Any) -> bool:
    """Whether a JSON value is a number that float32 can hold."""
    return type(value) in (int, float) and abs(value) <= _LARGEST
