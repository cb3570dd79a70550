"""The Basel Face Model 2009 (01_MorphableModel.mat), read and written in its layout."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import IndexArray
from geomface.errors import FileFormatError
from geomface.model_files.conversion import Conversion
from geomface.model_files.matlab import read_mat, variable_names, write_mat
from geomface.model_files.parts import (
    columns,
    numbers,
    points,
    refusals,
    require_fields,
    require_unit_columns,
    triangles,
)
from geomface.model_files.relatives import refuse_relative
from geomface.model_files.template_record import (
    assemble,
    describe,
    linear_parts,
    parse_record,
    unit_columns,
    vertex_parts_only,
)
from geomface.statistics import MorphableModel

NEEDED = ("shapeMU", "shapePC", "shapeEV", "tl")
_EXPECTED = "a MATLAB file in the layout of the Basel Face Model 2009"
_PREFIX = {"shape": "shape", "texture": "tex", "expression": "exp"}
_MICROMETRES = 1000.0
_BYTE = 255.0


def read_bfm2009(path: Path | str, *, unit: str | None = None) -> MorphableModel:
    """Read 01_MorphableModel.mat, or a file of `write_bfm2009`.

    Parameters
    ----------
    path : variables shapeMU (3 V, 1), shapePC (3 V, K) of unit columns, shapeEV (K, 1) standard
        deviations, tl (F, 3) from 1; texMU, texPC, texEV in 0 .. 255; optional expMU, expPC,
        expEV (as face3d adds them) and segbin (V, S)
    unit : of its numbers, by default micrometres

    Raises
    ------
    FileFormatError : no MATLAB file, version 7.3, missing variables, shapes that do not fit.

    Source
    ------
    Paysan et al. 2009, A 3D face model for pose and illumination invariant face recognition.
    shapeEV and texEV are standard deviations in spite of their name.
    """
    path = Path(path)
    refuse_relative(path, variable_names(path, _EXPECTED))
    fields = read_mat(path, _EXPECTED)
    require_fields(path, fields, NEEDED, _EXPECTED)
    with refusals(path):
        if "geomface" in fields:
            return _read_own(path, fields)
        source = "Basel Face Model 2009 (Paysan et al. 2009), for research only"
        given = Conversion(
            path, source, fields["shapeMU"], unit=unit, documented="um", label="shapeMU"
        )
        require_unit_columns(path, fields["shapePC"], "shapePC", "shapeEV")
        shape = given.shape(
            fields["shapePC"],
            fields["shapeEV"],
            "shapePC",
            "unit columns of shapePC times shapeEV, which are standard deviations",
        )
        faces = given.faces(fields["tl"], 1, "tl")
        texture = expression = None
        if "texMU" in fields:
            require_fields(path, fields, ("texMU", "texPC", "texEV"), "a texture model")
            texture = given.texture(
                fields["texMU"], fields["texPC"], fields["texEV"], "texPC", largest=_BYTE
            )
        if "expPC" in fields:
            require_fields(path, fields, ("expPC", "expEV"), "an expression model")
            expression = given.expression(
                fields.get("expMU"), fields["expPC"], fields["expEV"], "expPC"
            )
        regions = _segments(path, fields, len(given.mean))
        if regions:
            given.card["regions"] = "columns of segbin, in the file's order"
        return given.model(shape, faces, expression, texture, regions=regions)


def _segments(path: Path, fields: dict[str, Any], count: int) -> dict[str, IndexArray]:
    if "segbin" not in fields:
        return {}
    table = numbers(path, fields["segbin"], "segbin")
    if table.ndim != 2 or len(table) != count:
        raise FileFormatError(
            f"{path}: segbin: expected a row for each of {count} vertices, got {table.shape}."
        )
    return {f"segment_{k + 1}": np.flatnonzero(column) for k, column in enumerate(table.T)}


def _read_own(path: Path, fields: dict[str, Any]) -> MorphableModel:
    """Read a file of `write_bfm2009`, with what its record says."""
    record = parse_record(path, str(fields["geomface"]))
    parts = {}
    for part, prefix in _PREFIX.items():
        if f"{prefix}MU" not in fields:
            continue
        require_fields(path, fields, (f"{prefix}PC", f"{prefix}EV"), _EXPECTED)
        scale = 1.0 / (_BYTE if part == "texture" else _MICROMETRES)
        mean = points(path, fields[f"{prefix}MU"], f"{prefix}MU")
        label = f"{prefix}PC"
        deviations = scale * np.asarray(fields[f"{prefix}EV"], np.float64)
        parts[part] = (scale * mean, columns(path, fields[label], deviations, len(mean), label))
    arrays = {
        key: value.ravel() if key.startswith(("region_", "texture_valid")) else value
        for key, value in fields.items()
        if key not in ("geomface", "tl")
    }
    faces = triangles(path, fields["tl"], len(parts["shape"][0]), base=1, label="tl")
    return assemble(path, record, arrays, faces[:, [0, 2, 1]], parts)


def write_bfm2009(path: Path | str, model: MorphableModel) -> None:
    """Write a model in the layout of the Basel Face Model 2009, float64 where the model is.

    shapeMU, shapePC (columns of length 1), shapeEV (standard deviations) in micrometres, tl from 1
    and clockwise from outside as there, texMU, texPC, texEV in 0 .. 255; expressions as expMU,
    expPC, expEV. What this layout has no place for lies beside it under other names.

    Parameters
    ----------
    path : the file, usually *.mat
    model : a texture image is left out (the layout holds a colour a vertex) and this is logged

    Raises
    ------
    OutputError : the place cannot be written, or a variable is larger than the format allows.

    Notes
    -----
    The columns are written as they are. Readers that need them orthogonal want a model whose
    parts are `canonical()`.
    """
    model = vertex_parts_only(path, model)
    record, arrays = describe(model)
    variables: dict[str, Any] = dict(arrays)
    parts = linear_parts(model)
    for part, prefix in _PREFIX.items():
        if part not in parts:
            continue
        linear = parts[part]
        scale = _BYTE if part == "texture" else _MICROMETRES
        unit, deviations = unit_columns(linear)
        variables[f"{prefix}MU"] = (scale * linear.mean).reshape(-1, 1)
        variables[f"{prefix}PC"] = unit
        variables[f"{prefix}EV"] = (scale * deviations).reshape(-1, 1)
    variables["tl"] = (model.mesh.faces[:, [0, 2, 1]] + 1).astype(np.float64)
    variables["geomface"] = json.dumps(record, allow_nan=False)
    write_mat(path, variables)
