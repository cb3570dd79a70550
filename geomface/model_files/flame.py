"""FLAME: its pickle, without chumpy and without executing it, or an npz of the same arrays."""

from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.numpy_files import read_archive
from geomface.files.reading import read_bytes
from geomface.model_files.conversion import Conversion
from geomface.model_files.parts import refusals, require_fields
from geomface.model_files.restricted_pickle import read_arrays
from geomface.statistics import MorphableModel

NEEDED = ("v_template", "shapedirs", "f")
SHAPE_MODES = 300
"""Columns of `shapedirs` that are shape; those behind them are expression."""
_EXPECTED = "a FLAME model (a pickle or an npz)"


def read_flame(
    path: Path | str, *, unit: str | None = None, shape_modes: int = SHAPE_MODES
) -> MorphableModel:
    """Read a FLAME model: shape and expression of the head at rest.

    Parameters
    ----------
    path : the pickle (of Python 2 or 3, with or without chumpy objects), or an npz, with
        v_template (V, 3), shapedirs (V, 3, K), f (F, 3)
    unit : of its numbers, by default metres
    shape_modes : how many columns of shapedirs are shape, 300 as published

    Returns
    -------
    MorphableModel : jaw, neck and eyes (J_regressor, weights, posedirs, kintree_table) are left
        out; it is FLAME in its pose of rest

    Raises
    ------
    FileFormatError : missing fields, anything in the pickle that is no array.

    Convention
    ----------
    One unit of a FLAME coefficient is one standard deviation: the columns are taken as they are.

    Source
    ------
    Li, Bolkart, Black, Li, Romero 2017, Learning a model of facial shape and expression from 4D
    scans.
    """
    path = Path(path)
    fields = _fields(path)
    require_fields(path, fields, NEEDED, _EXPECTED)
    with refusals(path):
        source = "FLAME (Li et al. 2017); its licence is that of the file's authors"
        mean = _array(path, fields, "v_template")
        given = Conversion(path, source, mean, unit=unit, documented="m", label="v_template")
        directions = _array(path, fields, "shapedirs")
        count = len(given.mean)
        if directions.ndim != 3 or directions.shape[:2] != (count, 3):
            raise FileFormatError(
                f"{path}: shapedirs: expected an array of shape ({count}, 3, K), got "
                f"{directions.shape}."
            )
        matrix = directions.reshape(3 * count, -1)
        split = min(shape_modes, matrix.shape[1])
        given.left_out("jaw, neck and eye joints, skinning weights and pose correctives")
        shape = given.shape(
            matrix[:, :split],
            np.ones(split),
            "shapedirs",
            f"columns 0 to {split - 1} are shape, the others expression; one unit of a coefficient "
            "is one standard deviation, as in the file",
        )
        expression = given.expression(
            None, matrix[:, split:], np.ones(matrix.shape[1] - split), "shapedirs"
        )
        faces = given.faces(_array(path, fields, "f"), 0, "f")
        return given.model(shape, faces, expression if len(expression) else None)


def _fields(path: Path) -> dict[str, Any]:
    if read_bytes(path, _EXPECTED, 256).startswith(b"PK"):
        # The joint regressor may be an array of objects, which is left alone.
        return dict(read_archive(path, _EXPECTED, NEEDED))
    found = read_arrays(path, read_bytes(path, _EXPECTED))
    if not isinstance(found, dict):
        raise FileFormatError(
            f"{path}: expected {_EXPECTED} holding a dict, got a {type(found).__name__}."
        )
    return found


def _array(path: Path, fields: dict[str, Any], name: str) -> np.ndarray:
    """Return an array of the pickle; a chumpy object has its array under "x"."""
    value = fields[name]
    if isinstance(value, dict):
        require_fields(path, value, ("x",), f"{name} as a chumpy array")
        value = value["x"]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise FileFormatError(
            f"{path}: {name}: expected an array of numbers, got a {type(value).__name__}."
        )
    return value
