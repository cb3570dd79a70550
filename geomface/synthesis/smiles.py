"""Smiles: what people show a camera far more often than chance moves these muscles together."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray
from geomface.statistics.muscle_groups import without_side

_MOUTH = ("mouth", "jaw", "cheek", "tongue")
"""How the names of muscles begin that a smile takes the place of."""
_BESIDE = {
    "cheekSquint": (0.5, 1.0),
    "eyeSquint": (0.0, 0.5),
    "mouthDimple": (0.0, 0.5),
    "mouthUpperUp": (0.1, 0.5),
}
"""(low, high) share of the smile that moves with it: cheeks rise, lids narrow."""
_STRENGTH, _UNEVEN = (0.35, 1.0), 0.9
_OPEN, _JAW = 0.45, (0.05, 0.25)
"""Share of smiles that show teeth, and how far the jaw opens then."""


def smiling(weights: FloatArray, names: Sequence[str], rng: np.random.Generator) -> FloatArray:
    """Return an expression (K,) that smiles: brows and eyes are kept, the rest is a smile.

    The corners of the mouth go out and up (zygomaticus major), the cheeks rise, the lids narrow,
    and in some smiles the jaw opens.

    Parameters
    ----------
    weights : (K,) of named blendshapes
    names : K names as in ARKit; a model without mouthSmile keeps its expression
    rng : of this picture

    Source
    ------
    Ekman and Friesen 1982: felt smiles are action units 12 and 6 together.
    """
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(without_side(name), []).append(index)
    strength, opened = rng.uniform(*_STRENGTH), rng.random() < _OPEN
    jaw, sides = rng.uniform(*_JAW), rng.uniform(_UNEVEN, 1.0, size=2)
    beside = {name: strength * rng.uniform(*share) for name, share in _BESIDE.items()}
    if "mouthSmile" not in groups:
        return weights
    moved = weights.copy()
    moved[[k for k, name in enumerate(names) if name.startswith(_MOUTH)]] = 0.0
    wanted = {"mouthSmile": strength, **beside, "jawOpen": jaw if opened else 0.0}
    for name, value in wanted.items():
        for place, index in enumerate(groups.get(name, ())):
            moved[index] = max(value * sides[place % 2], moved[index])
    return moved
