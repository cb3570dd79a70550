"""What tells the face model of a set from other models."""

import hashlib

import numpy as np

from geomface.statistics import MorphableModel


def model_hash(model: MorphableModel) -> str:
    """Return 32 hex digits of everything about a model that pictures depend on."""
    digest = hashlib.sha256(model.mesh.topology_id.encode())
    landmarks = model.template.landmarks
    parts = [model.mesh.vertices, model.shape.modes, model.blendshapes.modes]
    if landmarks is not None:
        parts += [landmarks.vertices, landmarks.weights]
    if model.eyeballs is not None:
        parts += [model.eyeballs.centers, np.array([model.eyeballs.radius])]
    parts += [model.template.regions[name] for name in sorted(model.template.regions)]
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    names = [*model.blendshapes.names, "", *sorted(model.template.regions)]
    digest.update("\n".join(names).encode())
    return digest.hexdigest()[:32]
