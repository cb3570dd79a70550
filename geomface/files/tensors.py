"""Arrays on disk: safetensors with a JSON header that says what they are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError, OutputError
from geomface.files.atomic import write_bytes
from geomface.files.reading import read_bytes, reading
from geomface.files.records import plain

_KEY = "geomface"
_LONGEST_HEADER = 100_000_000  # that of safetensors


def save_tensors(
    path: str | Path,
    arrays: Mapping[str, np.ndarray],
    *,
    kind: str,
    schema: int,
    topology_id: str | None = None,
    units: str | None = "mm",
    config: Any = None,
) -> None:
    """Write named arrays with the header {kind, schema, topology_id, units, config}.

    Parameters
    ----------
    path : the file, usually *.safetensors
    arrays : {name: array} of bool, integer or floating type; kept bit for bit
    kind : what the file holds, such as "point-model"
    schema : version of the kind's layout, counted from 1
    topology_id : of the mesh the arrays belong to, or None
    units : of the geometry in it, or None
    config : settings it was made with (anything `records.plain` takes)

    Raises
    ------
    OutputError : the place cannot be written, or a type cannot be stored
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save

    header = {
        "kind": kind,
        "schema": int(schema),
        "topology_id": topology_id,
        "units": units,
        "config": plain(config),
    }
    # asarray(order="C"), since ascontiguousarray would turn a scalar into a vector.
    stored = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    for name, array in stored.items():
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise OutputError(
                f"{path}: array {name!r} has type {array.dtype}, which safetensors cannot hold; "
                "use bool, integers or floats."
            )
    stored = {
        name: array.astype(array.dtype.newbyteorder("<"), copy=False)
        for name, array in stored.items()
    }
    metadata = {_KEY: json.dumps(header, sort_keys=True, allow_nan=False)}
    try:
        data = save(stored, metadata)
    except (SafetensorError, KeyError, ValueError) as error:
        raise OutputError(f"{path}: the arrays cannot be stored ({error}).") from error
    write_bytes(path, data)


def load_tensors(
    path: str | Path, *, kind: str, schema: int | tuple[int, ...]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read arrays and header written by `save_tensors`.

    Parameters
    ----------
    path : the file
    kind : the kind that the caller wants
    schema : the layout version, or versions, that the caller can read

    Returns
    -------
    ({name: array}, header) with the keys kind, schema, topology_id, units and config.

    Raises
    ------
    FileFormatError : missing, truncated, not safetensors, not ours, another kind, unknown schema
    """
    header, arrays = _read(path, f"a geomface {kind!r} file (safetensors)")
    if header["kind"] != kind:
        raise FileFormatError(
            f"{path}: expected a file of kind {kind!r}, got kind {header['kind']!r}. Give the file "
            "that belongs to this step."
        )
    known = (schema,) if isinstance(schema, int) else tuple(schema)
    if header["schema"] not in known:
        versions = " or ".join(str(version) for version in known)
        raise FileFormatError(
            f"{path}: this {kind!r} file has schema {header['schema']}, this version of geomface "
            f"reads schema {versions}. Write it again with this version, or install the version "
            "that wrote it."
        )
    return arrays, header


def read_header(path: str | Path) -> dict[str, Any]:
    """Return the header {kind, schema, topology_id, units, config} of any file of ours, alone."""
    expected = "a geomface safetensors file"
    size = int.from_bytes(read_bytes(path, expected, 8), "little")
    return _header(path, read_bytes(path, expected, 8 + min(size, _LONGEST_HEADER)), expected)


def _read(path: str | Path, expected: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = read_bytes(path, expected)
    header = _header(path, data, expected)
    try:
        with reading(path, expected):
            arrays = load(data)
    except (SafetensorError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise FileFormatError(
            f"{path}: expected {expected}, but it is truncated or not safetensors ({error}). "
            "Copy or write it again."
        ) from error
    return header, arrays


def _header(path: str | Path, data: bytes, expected: str) -> dict[str, Any]:
    """Parse the metadata ahead of the arrays: 8 bytes of length, then JSON."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8:
        raise FileFormatError(
            f"{path}: expected {expected}, but it is truncated or not safetensors. Copy or write "
            "it again."
        )
    try:
        table = json.loads(data[8 : 8 + size].decode("utf-8"))
        text = table["__metadata__"][_KEY]
        header = json.loads(text)
        complete = isinstance(header, dict) and {"kind", "schema"} <= set(header)
        complete = complete and isinstance(header["kind"], str) and type(header["schema"]) is int
    except (ValueError, KeyError, TypeError, RecursionError):
        complete = False
        header = {}
    if not complete:
        raise FileFormatError(
            f"{path}: expected {expected}, but it has no geomface header. It is damaged, or "
            "another program wrote it."
        )
    return {"topology_id": None, "units": None, "config": None} | header
