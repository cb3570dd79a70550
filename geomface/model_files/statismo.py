"""Statismo (.h5) and the Basel Face Models 2017 and 2019, which are written in it."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError
from geomface.files.reading import as_doubles
from geomface.mesh import Mesh, Template
from geomface.model_files.hdf5 import attribute, field, open_hdf5, text
from geomface.model_files.parts import (
    AXES,
    Card,
    colours,
    columns,
    facing_out,
    numbers,
    points,
    refusals,
    triangles,
    unit_factor,
)
from geomface.model_files.statismo_landmarks import read_landmarks
from geomface.model_files.template_record import assemble, require_record
from geomface.statistics import (
    ExpressionModel,
    LinearModel,
    MorphableModel,
    TextureModel,
    without_empty,
)

_EXPECTED = "a statismo model (HDF5)"
_SOURCES = {
    "statismo": "statismo file",
    "bfm2017": "Basel Face Model 2017 (Gerig et al. 2018), for research only",
    "bfm2019": "Basel Face Model 2019, for research only",
}
_GROUPS = {"shape": "shape", "expression": "expression", "texture": "color"}
_MESHES = ("POLYGON_MESH", "POLYGON_MESH_DATA", "TRIANGLE_MESH", "")


def read_statismo(
    path: Path | str, *, unit: str | None = None, source: str = "statismo"
) -> MorphableModel:
    """Read a statismo model: one shape model, or shape, colour and expression as in BFM 2017.

    Parameters
    ----------
    path : groups model (mean, pcaBasis, pcaVariance, noiseVariance), representer (points (3, V),
        cells (3, F) from 0) and version; at the root, or each under /shape, /color, /expression
    unit : of its numbers; the format names none, by default the size of the mean tells
    source : "statismo", "bfm2017" or "bfm2019", for the card

    Raises
    ------
    FileFormatError : no HDF5, missing fields, an unknown version, no triangle mesh.
    MissingBackendError : h5py is not installed.

    Source
    ------
    Luethi et al. 2012, Statismo; the versions as scalismo reads them. Up to 0.8 pcaBasis holds the
    columns times their standard deviation, from 0.9 on the orthonormal columns.
    """
    path = Path(path)
    with open_hdf5(path, _EXPECTED) as root, refusals(path):
        groups = _groups(root, path)
        parts = {part: _read_part(groups[part], root, path) for part in groups}
        shape = parts["shape"]
        faces = _cells(groups["shape"], root, path, len(shape.mean))
        if "geomface" in root:
            return _read_own(root, path, parts, faces)
        return _read_foreign(root, path, parts, faces, unit, source)


@dataclasses.dataclass(frozen=True)
class _Part:
    """One statismo model in the numbers of its file; columns of one standard deviation."""

    mean: FloatArray
    basis: np.ndarray
    noise_variance: float
    said: str


def _groups(root: Any, path: Path) -> dict[str, Any]:
    """Return the groups of shape, expression and colour, wherever this file keeps them."""
    if "shape/model" in root:
        found = {part: root[name] for part, name in _GROUPS.items() if f"{name}/model" in root}
    elif "model" in root:
        found = {"shape": root}
    else:
        found = {}
        for entry in root["catalog"].values() if "catalog" in root else ():
            if text(field(entry, "modelType", path)) == "POLYGON_MESH_MODEL":
                place = text(field(entry, "modelPath", path))
                found = {"shape": root[place]} if place in root else {}
                break
    if not found:
        raise FileFormatError(
            f"{path}: expected {_EXPECTED} with the group /model or /shape/model, found "
            f"{', '.join(sorted(root)[:8]) or 'nothing'}. Check that it is what its name says."
        )
    return found


def _version(group: Any, root: Any, path: Path) -> tuple[int, int] | None:
    """Return (major, minor) of the statismo format, None when it is not written."""
    for place in (group, root):
        if "version/majorVersion" in place:
            numbers_ = [
                int(np.ravel(field(place, f"version/{name}", path))[0])
                for name in ("majorVersion", "minorVersion")
            ]
            version = (numbers_[0], numbers_[1])
            if version not in ((0, 8), (0, 9)) and version[0] != 1:
                raise FileFormatError(
                    f"{path}: statismo version {version[0]}.{version[1]} is unknown; versions 0.8, "
                    "0.9 and 1.x are read. Convert it with a tool that knows it."
                )
            return version
    return None


def _read_part(group: Any, root: Any, path: Path) -> _Part:
    label = f"{group.name.rstrip('/')}/model"
    mean = points(path, field(group, "model/mean", path), f"{label}/mean")
    matrix = numbers(path, field(group, "model/pcaBasis", path), f"{label}/pcaBasis")
    variance = numbers(path, field(group, "model/pcaVariance", path), f"{label}/pcaVariance")
    variance = as_doubles(variance).ravel()
    if not (np.isfinite(variance).all() and (variance >= 0).all()):
        raise FileFormatError(f"{path}: {label}/pcaVariance: a variance is negative or no number.")
    version = _version(group, root, path)
    scaled = version is None or version == (0, 8)
    if scaled and matrix.ndim == 2 and matrix.shape[1] == len(variance):
        # Such files exist in both scalings; the lengths of the columns tell which this is.
        length = np.maximum(np.einsum("dk,dk->k", matrix, matrix, dtype=np.float64), 1e-300)
        known = variance > 0
        closer = np.abs(np.log(length[known] / variance[known])).sum()
        scaled = bool(closer <= np.abs(np.log(length[known])).sum())
    deviation = np.ones(len(variance)) if scaled else np.sqrt(variance)
    basis = columns(path, matrix, deviation, len(mean), f"{label}/pcaBasis")
    written = "no version" if version is None else f"version {version[0]}.{version[1]}"
    said = f"{written}: " + (
        "columns of pcaBasis as they are, one standard deviation each"
        if scaled
        else "orthonormal columns of pcaBasis times the square roots of pcaVariance"
    )
    noise = 0.0
    if "model/noiseVariance" in group:
        noise = float(np.ravel(field(group, "model/noiseVariance", path))[0])
    return _Part(mean, basis, max(noise, 0.0), said)


def _cells(group: Any, root: Any, path: Path, count: int) -> IndexArray:
    place = group if "representer" in group else root
    if "representer" not in place:
        raise FileFormatError(f"{path}: expected the group {group.name.rstrip('/')}/representer.")
    representer = place["representer"]
    if "reference-mesh/triangle-list" in representer:
        cells = field(representer, "reference-mesh/triangle-list", path)
        return triangles(path, cells, count, base=0, label="triangle-list")
    kind = attribute(representer, "datasetType")
    if kind not in _MESHES:
        raise FileFormatError(
            f"{path}: expected a model of triangle meshes (POLYGON_MESH), got {kind}."
        )
    cells = field(representer, "cells", path)
    if cells.ndim == 2 and len(cells) == 3:
        cells = cells.T
    return triangles(path, cells, count, base=0, label="representer/cells")


def _read_own(root: Any, path: Path, parts: dict[str, _Part], faces: IndexArray) -> MorphableModel:
    try:
        record = json.loads(text(field(root["geomface"], "record", path)))
    except ValueError as error:
        raise FileFormatError(
            f"{path}: its record is not readable ({error}). It is damaged: write it again."
        ) from error
    require_record(path, record)
    arrays = {name: np.asarray(item[()]) for name, item in root["geomface"].items()}
    linear = {part: (item.mean, item.basis) for part, item in parts.items()}
    return assemble(path, record, arrays, faces, linear)


def _read_foreign(
    root: Any,
    path: Path,
    parts: dict[str, _Part],
    faces: IndexArray,
    unit: str | None,
    source: str,
) -> MorphableModel:
    shape = parts["shape"]
    factor, said = unit_factor(path, shape.mean, unit)
    mean = factor * shape.mean
    faces, winding = facing_out(mean, faces)
    card: Card = {
        "source": _SOURCES[source],
        "unit": said,
        "modes": shape.said,
        "indices": "triangles counted from 0 in the file",
        "winding": winding,
        "axes": AXES,
    }
    basis, _, gone = without_empty(shape.basis)
    if gone:
        card["left_out"] = gone
    expression = texture = None
    if "expression" in parts:
        part = parts["expression"]
        expression = ExpressionModel(
            factor * part.mean,
            _times(without_empty(part.basis)[0], factor),
            noise_sigma=factor * part.noise_variance**0.5,
        )
    if "texture" in parts:
        part = parts["texture"]
        scale, card["colours"] = colours(part.mean)
        texture = TextureModel(
            scale * part.mean,
            _times(without_empty(part.basis)[0], scale),
            noise_sigma=scale * part.noise_variance**0.5,
        )
    linear = LinearModel(
        mean, _times(basis, factor), noise_sigma=factor * shape.noise_variance**0.5
    )
    mesh = Mesh(mean, faces, name=path.stem)
    landmarks = read_landmarks(root, path, mesh, factor, card)
    template = Template(mesh, landmarks)
    return MorphableModel(template, linear, expression, texture, name=path.stem, card=card)


def _times(basis: np.ndarray, factor: float) -> np.ndarray:
    return basis if factor == 1.0 else basis * basis.dtype.type(factor)
