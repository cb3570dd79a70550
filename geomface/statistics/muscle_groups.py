"""Random expressions as seen in scans: few muscles, both sides alike."""

from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray

# Shapes that mean something on top of another one only (the lips closed over an open jaw).
_NEVER_ALONE = ("mouthClose",)
# Left and right are directions here, not sides.
_DIRECTIONS = ("mouthLeft", "mouthRight", "jawLeft", "jawRight")


def draw_muscles(names: Sequence[str], rng: np.random.Generator) -> FloatArray:
    """Draw (K,) weights of named blendshapes.

    One to three groups (a name without its side is one group) are active with a strength in
    [0.2, 0.9], at most one of each part of the face; the sides of a group differ by at most 15 %.
    One draw in five is neutral.

    Parameters
    ----------
    names : K names, such as "jawOpen", "mouthSmileLeft" or "mouthSmile_L"
    """
    weights = np.zeros(len(names))
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if name not in _NEVER_ALONE:
            groups.setdefault(without_side(name), []).append(index)
    known = sorted(groups)
    if not known or rng.random() < 0.2:
        return weights
    size = min(int(rng.integers(1, 4)), len(known))
    moved: set[str] = set()
    for chosen in rng.choice(len(known), size=size, replace=False):
        part = _part(known[chosen])
        strength = rng.uniform(0.2, 0.9)
        sides = rng.uniform(0.85, 1.0, size=len(groups[known[chosen]]))
        if part not in moved:
            moved.add(part)
            weights[groups[known[chosen]]] = strength * sides
    return weights


def without_side(name: str) -> str:
    """Return an expression name without its side: Left or Right, _L or _R at the end."""
    if name not in _DIRECTIONS:
        for ending in ("Left", "Right", "_L", "_R"):
            if name.endswith(ending):
                return name[: -len(ending)]
    return name


def _part(name: str) -> str:
    """Return the part of the face that a group moves; two groups of one part would fight."""
    for part in ("eye", "brow", "mouth", "jaw"):
        if name.startswith(part):
            return part
    return name
