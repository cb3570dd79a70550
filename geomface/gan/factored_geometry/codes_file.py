"""Codes of faces as a small JSON file that can be read, edited and handed on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError, TopologyMismatchError
from geomface.files.records import read_json, write_json
from geomface.gan.factored_geometry.codes import Codes, LatentSpec

KIND, SCHEMA = "factored-geometry-codes", 1


def save_codes(
    path: Path | str,
    codes: Codes,
    names: Sequence[str],
    *,
    topology_id: str,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Write codes by the name of their face and of their parts.

    Parameters
    ----------
    path : *.json
    codes : N of them
    names : one a face
    topology_id : of the model's template
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
    head = {"kind": KIND, "schema": SCHEMA, "topology_id": topology_id}
    write_json(path, {**head, **(record or {}), "faces": faces})


def load_codes(path: Path | str, spec: LatentSpec, *, topology_id: str) -> dict[str, Codes]:
    """Read the codes of each face of a file, {name: one code}.

    Raises
    ------
    FileFormatError : no such file, or one of another kind
    TopologyMismatchError : of a model of another topology, or with other parts
    """
    record = read_json(path, "codes of faces")
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise FileFormatError(
            f"{path}: expected codes of faces as 'geomface fit factored_geometry' writes them."
        )
    sizes = {name: spec.span(name).stop - spec.span(name).start for name in spec.names}
    found = {}
    try:
        for name, parts in record["faces"].items():
            lengths = {part: len(values) for part, values in parts.items()}
            if record["topology_id"] != topology_id or lengths != sizes:
                raise TopologyMismatchError(
                    f"{path}: expected codes of this model ({sizes}), got those of another "
                    f"({lengths}). Codes belong to the model that they were fitted with."
                )
            values = np.concatenate([np.asarray(parts[part], np.float32) for part in spec.names])
            found[name] = Codes(spec, values[None])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(f"{path}: damaged codes of faces ({error}).") from error
    if not found:
        raise FileFormatError(f"{path}: expected codes of at least one face, got none.")
    return found
