"""Writing statismo 0.9 (.h5), for scalismo, statismo and what reads the Basel Face Model 2017."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from geomface.arrays import IndexArray
from geomface.files.atomic import atomic_path
from geomface.files.reading import as_singles
from geomface.mesh import Mesh
from geomface.model_files.hdf5 import require_h5py
from geomface.model_files.template_record import (
    describe,
    linear_parts,
    unit_columns,
    vertex_parts_only,
)
from geomface.statistics import LinearModel, MorphableModel

_REPRESENTERS = {
    "shape": ("shape", "gravis::MeshShapeRepresenter"),
    "expression": ("expression", "gravis::MeshExpressionRepresenter"),
    "texture": ("color", "gravis::MeshColorRepresenter"),
}
_STANDARD = "itkStandardMeshRepresenter"


def write_statismo(path: Path | str, model: MorphableModel) -> None:
    """Write a statismo 0.9 file, float32 as its readers expect.

    A model of shape alone lies at the root. With vertex colours or expressions each part is a
    statismo model of its own under /shape, /color and /expression, listed in /catalog, as in the
    Basel Face Model 2017. pcaBasis has columns of length 1, pcaVariance their variances; the
    reference is the mean face.

    Parameters
    ----------
    path : the file, usually *.h5
    model : a texture image is left out (the format holds a colour a vertex) and this is logged

    Raises
    ------
    OutputError : the place cannot be written.
    MeshError : numbers beyond float32.
    MissingBackendError : h5py is not installed.

    Notes
    -----
    The columns are written as they are. Readers that need them orthogonal want a model whose
    parts are `canonical()`. Blendshapes are written as modes: weight 1 is one standard deviation.
    """
    h5py = require_h5py()
    model = vertex_parts_only(path, model)
    record, arrays = describe(model)
    parts = linear_parts(model)
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        _write_version(file)
        if len(parts) == 1:
            _write_part(file, parts["shape"], model.mesh, _STANDARD)
        else:
            _write_catalog(file, parts)
            for part, linear in parts.items():
                name, representer = _REPRESENTERS[part]
                group = file.create_group(name)
                _write_version(group)
                _write_part(group, linear, model.mesh, representer)
        _write_landmarks(file, model)
        own = file.create_group("geomface")
        own["record"] = np.bytes_(json.dumps(record, allow_nan=False))
        for name, array in arrays.items():
            own[name] = array


def _write_version(group: Any) -> None:
    group["version/majorVersion"] = np.int32(0)
    group["version/minorVersion"] = np.int32(9)


def _write_part(group: Any, linear: LinearModel, mesh: Mesh, representer: str) -> None:
    unit, deviations = unit_columns(linear)
    group["model/mean"] = as_singles(linear.mean.ravel(), mesh.name)
    group["model/pcaBasis"] = as_singles(unit, mesh.name)
    group["model/pcaVariance"] = as_singles(deviations**2, mesh.name)
    group["model/noiseVariance"] = np.array([linear.noise_sigma**2], np.float32)
    group["modelinfo/build-time"] = np.bytes_("not recorded")
    group["modelinfo/scores"] = np.zeros((1, 1), np.float32)
    cells: IndexArray = mesh.faces.T
    group["representer/points"] = as_singles(mesh.vertices.T, mesh.name)
    group["representer/cells"] = cells.astype(np.int32)
    attributes = {"name": representer, "version": "0.1", "datasetType": "POLYGON_MESH"}
    for key, value in attributes.items():
        group["representer"].attrs[key] = np.bytes_(value)
    if representer == _REPRESENTERS["texture"][1]:
        group["representer/colorspace"] = np.bytes_("RGB")


def _write_catalog(file: Any, parts: dict[str, LinearModel]) -> None:
    entries = {"MorphableModel": ("CUSTOM_MODEL", "/")}
    for part in parts:
        name = _REPRESENTERS[part][0]
        kind = "POLYGON_MESH_MODEL" if part == "shape" else "POLYGON_MESH_DATA_MODEL"
        entries[f"MorphableModel.{name}"] = (kind, f"/{name}")
    for entry, (kind, place) in entries.items():
        file[f"catalog/{entry}/modelType"] = np.bytes_(kind)
        file[f"catalog/{entry}/modelPath"] = np.bytes_(place)


def _write_landmarks(file: Any, model: MorphableModel) -> None:
    landmarks = model.template.landmarks
    if landmarks is None:
        return
    places = landmarks.positions(model.shape.mean)
    entries = [
        {"id": f"{landmarks.scheme}.{number}", "coordinates": place.tolist()}
        for number, place in enumerate(places)
    ]
    file["metadata/landmarks/json"] = np.bytes_(json.dumps(entries))
