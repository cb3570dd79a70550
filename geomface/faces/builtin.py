"""The face model that ships with geomface."""

import numpy as np

from geomface.errors import FileFormatError
from geomface.faces.face_model import Eyeballs, FaceModel
from geomface.files.assets import asset_path
from geomface.files.records import read_json
from geomface.files.tensors import load_tensors
from geomface.mesh import LandmarkEmbedding, Mesh, Template

FOLDER = "templates/face"
KIND = "face-model"
SCHEMA = 1


def load_builtin_face() -> FaceModel:
    """Return the built-in face: a symmetric quad mask with identity modes and ARKit expressions.

    Returns
    -------
    FaceModel : landmarks "multi-pie-68", the regions of `face.regions.json`, names for all modes

    Raises
    ------
    FileFormatError : the shipped files are missing, damaged or do not belong together.

    Source
    ------
    Own modelling (`geomface.faces.sculpt`); see `card.md` beside the files.
    """
    path = asset_path(f"{FOLDER}/face_model.safetensors")
    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    config = header["config"]
    mesh = Mesh(arrays["vertices"], quads=arrays["quads"].astype(np.int64), name="builtin face")
    if mesh.topology_id != header["topology_id"]:
        raise FileFormatError(
            f"{path}: expected topology {header['topology_id']}, its quads give "
            f"{mesh.topology_id}. Reinstall geomface, or rebuild with "
            "`python -m geomface.faces.sculpt`."
        )
    landmarks = read_json(asset_path(f"{FOLDER}/face.landmarks.json"), "a landmark file")
    regions = read_json(asset_path(f"{FOLDER}/face.regions.json"), "a region file")
    embedding = LandmarkEmbedding.on_vertices(
        np.array(landmarks["vertices"], np.int64), landmarks["scheme"]
    )
    template = Template(
        mesh, embedding, {name: np.array(ids, np.int64) for name, ids in regions.items()}
    )
    return FaceModel(
        template=template,
        identity_modes=arrays["identity_modes"].astype(np.float64),
        expression_modes=arrays["expression_modes"].astype(np.float64),
        expression_names=tuple(config["expression_names"]),
        identity_names=tuple(config["identity_names"]),
        name="builtin",
        eyeballs=Eyeballs(arrays["eyeball_centers"], float(config["eyeball_radius"])),
    )
