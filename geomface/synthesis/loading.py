"""The face model of a set, from a file or built in, and what tells it from other models."""

import hashlib
from pathlib import Path

import numpy as np

from geomface.faces.builtin import load_builtin_face
from geomface.faces.face_model import FaceModel


def read_face_model(path: Path | None) -> FaceModel:
    """Return the face model in a file of any known source; None is the built-in face.

    Raises
    ------
    FileFormatError : a file of another kind.
    """
    if path is None:
        return load_builtin_face()
    from geomface.faces.conversion import to_face_model
    from geomface.model_files import read_model

    return to_face_model(read_model(path))


def model_hash(model: FaceModel) -> str:
    """Return 32 hex digits of everything about a model that pictures depend on."""
    digest = hashlib.sha256(model.mesh.topology_id.encode())
    landmarks = model.template.landmarks
    parts = [model.mesh.vertices, model.identity_modes, model.expression_modes]
    if landmarks is not None:
        parts += [landmarks.vertices, landmarks.weights]
    if model.eyeballs is not None:
        parts += [model.eyeballs.centers, np.array([model.eyeballs.radius])]
    parts += [model.template.regions[name] for name in sorted(model.template.regions)]
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    names = [*model.expression_names, "", *sorted(model.template.regions)]
    digest.update("\n".join(names).encode())
    return digest.hexdigest()[:32]
