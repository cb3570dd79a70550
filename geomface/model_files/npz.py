"""A morphable model as a plain npz, for any numpy program."""

import io
import json
from pathlib import Path

import numpy as np

from geomface.files.atomic import write_bytes
from geomface.files.numpy_files import read_archive
from geomface.model_files.parts import refusals, require_fields
from geomface.model_files.template_record import assemble, describe, linear_parts, parse_record
from geomface.statistics import MorphableModel
from geomface.statistics.model_file import PARTS

NEEDED = ("geomface", "shape_mean", "shape_basis", "faces")
_EXPECTED = "a morphable model as npz"


def write_npz(path: Path | str, model: MorphableModel) -> None:
    """Write a model as an npz, every number bit for bit.

    Arrays: faces (F, 3) from 0; for each part (shape, expression, texture) that the model has,
    <part>_mean (V, 3), <part>_basis (V, 3, K), one standard deviation (or weight 1) a column,
    and <part>_variances (K,); template and landmark arrays; geomface, a JSON text with names,
    units (millimetres, colours 0 .. 1) and the card.

    Raises
    ------
    OutputError : the place cannot be written.
    """
    record, arrays = describe(model)
    for part, linear in linear_parts(model).items():
        arrays[f"{part}_mean"], arrays[f"{part}_basis"] = linear.mean, linear.basis
        arrays[f"{part}_variances"] = linear.variances
    arrays["faces"] = model.mesh.faces
    arrays["geomface"] = np.array(json.dumps(record, allow_nan=False))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    write_bytes(path, buffer.getbuffer())


def read_npz(path: Path | str) -> MorphableModel:
    """Read a model written by `write_npz`.

    Raises
    ------
    FileFormatError : no npz, missing arrays, an unknown schema.
    """
    arrays = read_archive(path, _EXPECTED)
    require_fields(path, arrays, NEEDED, _EXPECTED)
    record = parse_record(path, str(arrays.pop("geomface")))
    with refusals(path):
        parts = {
            part: (arrays[f"{part}_mean"], arrays[f"{part}_basis"])
            for part in PARTS
            if f"{part}_mean" in arrays and f"{part}_basis" in arrays
        }
        return assemble(path, record, arrays, arrays["faces"], parts)
