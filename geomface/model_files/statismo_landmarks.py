"""Landmarks in statismo files, as the Basel Face Models 2017 and 2019 have them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.reading import as_doubles
from geomface.mesh import LandmarkEmbedding, Mesh
from geomface.mesh.closest import ClosestPointIndex
from geomface.model_files.hdf5 import field, text
from geomface.model_files.parts import Card, numbers

SCHEME = "statismo"


def read_landmarks(
    root: Any, path: Path, mesh: Mesh, factor: float, card: Card
) -> LandmarkEmbedding | None:
    """Return the landmarks of /metadata, which lie on the reference, as places on the mesh.

    Parameters
    ----------
    root : the HDF5 file
    path : for messages
    mesh : the mean face in mm
    factor : millimetres a unit of the file
    card : gets the names, in the order of the landmarks

    Returns
    -------
    An embedding of scheme "statismo", None when the file has no landmarks.

    Raises
    ------
    FileFormatError : landmarks that are not readable.

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
    reference = mesh.vertices
    for name in ("shape/representer/points", "representer/points"):
        if name in root:
            stored = as_doubles(numbers(path, field(root, name, path), name))
            reference = factor * stored.T if stored.shape == mesh.vertices.T.shape else reference
            break
    found = ClosestPointIndex((reference, mesh.faces)).query(factor * places)
    card["landmarks"] = (
        f"{len(names)}, at most {found.distances.max():.3g} mm from the surface, in this order: "
        + ", ".join(names)
    )
    return LandmarkEmbedding(mesh.faces[found.faces], found.barycentric, SCHEME)
