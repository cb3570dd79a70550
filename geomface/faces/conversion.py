"""A face model of displacements as a morphable model, and back."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.face_model import FaceModel
from geomface.statistics import ExpressionModel, LinearModel, MorphableModel


def from_face_model(face: FaceModel, name: str | None = None) -> MorphableModel:
    """Return a face model as a morphable model: identity becomes shape, expressions blendshapes.

    Parameters
    ----------
    face : its identity coefficients are N(0, 1) and its expression weights in [0, 1], as there
    name : of the result, by default that of the face model

    Returns
    -------
    MorphableModel on the same template; modes that are zero everywhere are left out, and the card
    says which. Eyeballs stay with the face model.
    """
    neutral = face.mesh.vertices
    identity, gone = _columns(face.identity_modes)
    basis, missing = _columns(face.expression_modes)
    names = tuple(
        item for place, item in enumerate(face.expression_names) if place not in set(missing)
    )
    card = {
        "source": f"face model {face.name}",
        "modes": "identity modes as shape, one standard deviation each; expressions as blendshapes",
    }
    labels = [face.identity_names[k] if face.identity_names else f"identity {k}" for k in gone]
    labels += [face.expression_names[k] for k in missing]
    if labels:
        card["left_out"] = "modes that are zero everywhere: " + ", ".join(labels)
    expression = None
    if basis.shape[-1]:
        expression = ExpressionModel(np.zeros_like(neutral), basis, names=names, kind="blendshapes")
    return MorphableModel(
        face.template,
        LinearModel(neutral, identity),
        expression,
        name=face.name if name is None else name,
        card=card,
    )


def to_face_model(model: MorphableModel) -> FaceModel:
    """Return shape and blendshapes of a morphable model as a face model, to simulate with.

    Gaussian expressions have no names and no neutral end, so they stay behind; so do colours.
    """
    basis = np.moveaxis(np.asarray(model.shape.basis, np.float64), -1, 0)
    expression = model.expression
    modes, names = np.zeros((0, *model.shape.mean.shape)), ()
    if expression is not None and expression.kind == "blendshapes":
        modes = np.moveaxis(np.asarray(expression.basis, np.float64), -1, 0)
        names = expression.names or tuple(f"expression{k}" for k in range(len(expression)))
    return FaceModel(model.template, basis, modes, names, name=model.name)


def _columns(modes: FloatArray) -> tuple[FloatArray, list[int]]:
    """Return (V, 3, K) of modes (K, V, 3) without the empty ones, and the places of those."""
    full = np.abs(modes).max(axis=(1, 2), initial=0.0) > 0
    return np.moveaxis(modes[full], 0, -1), np.flatnonzero(~full).tolist()
