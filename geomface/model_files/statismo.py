"""Statismo (.h5) and the Basel Face Models 2017 and 2019, which are written in it."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import FileFormatError
from geomface.files.reading import as_doubles
from geomface.mesh import LandmarkEmbedding
from geomface.mesh.closest import ClosestPointIndex
from geomface.model_files.conversion import Conversion
from geomface.model_files.hdf5 import attribute, field, open_hdf5, text
from geomface.model_files.parts import columns, numbers, points, refusals, triangles
from geomface.model_files.template_record import assemble, parse_record
from geomface.statistics import MorphableModel

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
        cells = _cells(groups["shape"], root, path)
        if "geomface" in root:
            return _read_own(root, path, parts, cells)
        return _read_foreign(root, path, parts, cells, unit, source)


@dataclasses.dataclass(frozen=True)
class _Part:
    """One statismo model in the numbers of its file: matrix times deviations, and noise."""

    mean: FloatArray
    matrix: np.ndarray
    deviations: FloatArray
    noise: float
    label: str
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
    written = "no version" if version is None else f"version {version[0]}.{version[1]}"
    said = f"{written}: " + (
        "columns of pcaBasis as they are, one standard deviation each"
        if scaled
        else "orthonormal columns of pcaBasis times the square roots of pcaVariance"
    )
    noise = 0.0
    if "model/noiseVariance" in group:
        noise = float(np.ravel(field(group, "model/noiseVariance", path))[0])
    return _Part(mean, matrix, deviation, max(noise, 0.0) ** 0.5, f"{label}/pcaBasis", said)


def _cells(group: Any, root: Any, path: Path) -> np.ndarray:
    place = group if "representer" in group else root
    if "representer" not in place:
        raise FileFormatError(f"{path}: expected the group {group.name.rstrip('/')}/representer.")
    representer = place["representer"]
    if "reference-mesh/triangle-list" in representer:
        return field(representer, "reference-mesh/triangle-list", path)
    kind = attribute(representer, "datasetType")
    if kind not in _MESHES:
        raise FileFormatError(
            f"{path}: expected a model of triangle meshes (POLYGON_MESH), got {kind}."
        )
    cells = field(representer, "cells", path)
    return cells.T if cells.ndim == 2 and len(cells) == 3 else cells


def _read_own(root: Any, path: Path, parts: dict[str, _Part], cells: np.ndarray) -> MorphableModel:
    record = parse_record(path, text(field(root["geomface"], "record", path)))
    arrays = {name: np.asarray(item[()]) for name, item in root["geomface"].items()}
    count = len(parts["shape"].mean)
    faces = triangles(path, cells, count, base=0, label="representer/cells")
    linear = {
        name: (part.mean, columns(path, part.matrix, part.deviations, count, part.label))
        for name, part in parts.items()
    }
    return assemble(path, record, arrays, faces, linear)


def _read_foreign(
    root: Any,
    path: Path,
    parts: dict[str, _Part],
    cells: np.ndarray,
    unit: str | None,
    source: str,
) -> MorphableModel:
    part = parts["shape"]
    given = Conversion(path, _SOURCES[source], part.mean, unit=unit)
    noise = given.factor * part.noise
    shape = given.shape(part.matrix, part.deviations, part.label, part.said, noise_sigma=noise)
    faces = given.faces(cells, 0, "representer/cells")
    expression = texture = None
    if "expression" in parts:
        part = parts["expression"]
        noise = given.factor * part.noise
        expression = given.expression(
            part.mean, part.matrix, part.deviations, part.label, noise_sigma=noise
        )
    if "texture" in parts:
        part = parts["texture"]
        texture = given.texture(
            part.mean, part.matrix, part.deviations, part.label, noise_sigma=part.noise
        )
    landmarks = _read_landmarks(root, path, given, faces)
    return given.model(shape, faces, expression, texture, landmarks=landmarks)


def _read_landmarks(
    root: Any, path: Path, given: Conversion, faces: IndexArray
) -> LandmarkEmbedding | None:
    """Return the landmarks of /metadata, which lie on the reference, as places on the mesh.

    Source
    ------
    LandmarkIO of scalismo: JSON [{"id", "coordinates": [x, y, z], ...}].
    """
    if "metadata/landmarks/json" not in root:
        return None
    try:
        entries = json.loads(text(field(root, "metadata/landmarks/json", path)))
        names = [str(entry["id"]) for entry in entries]
        places = np.array([entry["coordinates"] for entry in entries], np.float64)
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path}: the landmarks in /metadata/landmarks/json are not readable ({error})."
        ) from error
    if not names:
        return None
    if places.ndim != 2 or places.shape[1] != 3 or not np.isfinite(places).all():
        raise FileFormatError(f"{path}: the landmarks in /metadata need 3 coordinates each.")
    reference = given.mean
    for name in ("shape/representer/points", "representer/points"):
        if name in root:
            stored = as_doubles(numbers(path, field(root, name, path), name))
            reference = given.factor * stored.T if stored.T.shape == reference.shape else reference
            break
    found = ClosestPointIndex((reference, faces)).query(given.factor * places)
    given.card["landmarks"] = (
        f"{len(names)}, at most {found.distances.max():.3g} mm from the surface, in this order: "
        + ", ".join(names)
    )
    return LandmarkEmbedding(faces[found.faces], found.barycentric, "statismo")
