"""Seven named expressions as weights of muscles, for every model with ARKit-like blendshapes."""

from collections.abc import Mapping

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import SettingsError
from geomface.statistics import MorphableModel
from geomface.statistics.muscle_groups import without_side

EXPRESSION_RECIPES: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "happy": {"mouthSmile": 0.9, "cheekSquint": 0.6},
    "sad": {"mouthFrown": 0.8, "browInnerUp": 0.8},
    "surprise": {"jawOpen": 0.6, "eyeWide": 0.9, "browOuterUp": 0.9, "browInnerUp": 0.9},
    "anger": {"browDown": 1.0, "mouthPress": 0.6, "noseSneer": 0.3},
    "fear": {"eyeWide": 0.8, "browInnerUp": 1.0, "mouthStretch": 0.8},
    "disgust": {"noseSneer": 1.0, "mouthUpperUp": 0.7, "browDown": 0.5},
}
"""{label: {muscle: weight}}; a muscle is a blendshape without its side, and moves on both."""


def recipe_weights(model: MorphableModel) -> FloatArray:
    """Return what each recipe is in the expressions of a model.

    Parameters
    ----------
    model : with named blendshapes, sides as mouthSmileLeft or mouthSmile_L

    Returns
    -------
    (R, K) float64, a row for each of `EXPRESSION_RECIPES` in its order

    Raises
    ------
    SettingsError : the model lacks a muscle that a recipe needs.
    """
    muscles = [without_side(name) for name in model.blendshapes.names]
    needed = {muscle for recipe in EXPRESSION_RECIPES.values() for muscle in recipe}
    missing = sorted(needed - set(muscles))
    if missing:
        raise SettingsError(
            f"{model.name}: expected blendshapes named as in ARKit; {', '.join(missing)} missing. "
            "Use the built-in face, ICT-FaceKit, or another model with these expressions."
        )
    rows = [
        [recipe.get(muscle, 0.0) for muscle in muscles] for recipe in EXPRESSION_RECIPES.values()
    ]
    return np.array(rows)
