"""The face model that ships with geomface."""

import numpy as np

from geomface.errors import FileFormatError
from geomface.files.assets import asset_path
from geomface.files.records import read_json
from geomface.files.tensors import load_tensors
from geomface.mesh import LandmarkEmbedding, Mesh, Template
from geomface.statistics import ExpressionModel, Eyeballs, LinearModel, MorphableModel

FOLDER = "templates/face"
KIND = "face-model"
SCHEMA = 1
CARD = {
    "source": "face model builtin",
    "modes": "identity modes as shape, one standard deviation each; expressions as blendshapes",
}


def load_builtin_face() -> MorphableModel:
    """Return the built-in face: a symmetric quad mask with identity modes and ARKit expressions.

    Returns
    -------
    MorphableModel : landmarks "multi-pie-68", the regions of `face.regions.json`, names for all
        modes, eyeballs

    Raises
    ------
    FileFormatError : the shipped files are missing, damaged or do not belong together.

    Source
    ------
    Own modelling (`tools/make_builtin_face.py`); see `card.md` beside the files.

    Example
    -------
    >>> import geomface as gf
    >>> model = gf.load_builtin_face()
    >>> model.name, len(model.template.landmarks), "jawOpen" in model.expression.names
    ('builtin', 68, True)
    """
    path = asset_path(f"{FOLDER}/face_model.safetensors")
    arrays, header = load_tensors(path, kind=KIND, schema=SCHEMA)
    config = header["config"]
    mesh = Mesh(arrays["vertices"], quads=arrays["quads"].astype(np.int64), name="builtin face")
    if mesh.topology_id != header["topology_id"]:
        raise FileFormatError(
            f"{path}: expected topology {header['topology_id']}, its quads give "
            f"{mesh.topology_id}. Reinstall geomface, or rebuild with "
            "`python tools/make_builtin_face.py`."
        )
    landmarks = read_json(asset_path(f"{FOLDER}/face.landmarks.json"), "a landmark file")
    regions = read_json(asset_path(f"{FOLDER}/face.regions.json"), "a region file")
    embedding = LandmarkEmbedding.on_vertices(
        np.array(landmarks["vertices"], np.int64), landmarks["scheme"]
    )
    template = Template(
        mesh, embedding, {name: np.array(ids, np.int64) for name, ids in regions.items()}
    )
    identity, expressions = (
        np.moveaxis(arrays[name].astype(np.float64), 0, -1)
        for name in ("identity_modes", "expression_modes")
    )
    neutral = mesh.vertices
    return MorphableModel(
        template,
        LinearModel(neutral, identity, names=config["identity_names"]),
        ExpressionModel(
            np.zeros_like(neutral),
            expressions,
            names=config["expression_names"],
            kind="blendshapes",
        ),
        name="builtin",
        card=CARD,
        eyeballs=Eyeballs(arrays["eyeball_centers"], float(config["eyeball_radius"])),
    )
