"""Beards, moustaches and stubble of single hairs that go with the skin they grow on."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.faces.albedo_fields import SkinFields
from geomface.faces.traits import Traits
from geomface.mesh.normals import unit
from geomface.synthesis.photo.roots import scatter_roots
from geomface.synthesis.photo.strands import Strands

_LEAST = 0.08
"""Density below which somebody counts as shaven."""


def grow_beard(
    face: FloatArray,
    normals: FloatArray,
    faces: IndexArray,
    landmarks: FloatArray,
    fields: SkinFields,
    traits: Traits,
    rng: np.random.Generator,
) -> Strands | None:
    """Return the hairs of a beard, or None for the shaven.

    Parameters
    ----------
    face, normals : (V, 3) neutral, mm and unit
    faces : (m, 3)
    landmarks : (68, 3)
    fields : of the V vertices
    """
    if max(traits.moustache, traits.chin_beard, traits.jaw_beard) < _LEAST:
        return None
    zones = fields.hair
    jaw = np.maximum(zones.jaw * traits.jaw_beard, zones.chin * traits.chin_beard)
    density = np.maximum(zones.moustache * traits.moustache, jaw)
    length = traits.beard_length
    # Few long hairs cover what many short ones do.
    spacing = 0.55 + 0.03 * min(length, 12.0)
    roots = scatter_roots(face, normals, faces, np.clip(1.25 * density, 0, 1), spacing, rng)
    count = len(roots)
    if count < 30:
        return None
    lips = roots.values(zones.moustache) > 0.4
    grown = length * rng.uniform(0.45, 1.1, count) * np.where(lips, min(1.0, 9.0 / length), 1.0)
    side = np.sign(roots.places[:, 0] - landmarks[33, 0])
    fall = np.stack([np.where(lips, 0.8 * side, 0.1 * side), -np.ones(count), 0 * side], axis=1)
    fall = fall - 0.85 * (fall * roots.normals).sum(axis=1, keepdims=True) * roots.normals
    first = 0.75 * roots.normals + 0.6 * fall + rng.normal(0, 0.3, (count, 3))
    steps = 3 if length < 4 else 5
    heading = unit(first)
    points = np.empty((count, steps, 3))
    points[:, 0] = roots.places
    bend = rng.normal(0, 0.25 + 0.5 * traits.curl, (count, 3))
    for k in range(1, steps):
        points[:, k] = points[:, k - 1] + (grown / (steps - 1))[:, None] * heading
        heading = unit(heading + 0.35 * fall + 0.6 * bend * (-1) ** k)
    return Strands(
        points=points.astype(np.float32),
        outwards=roots.normals.astype(np.float32),
        colors=_colors(traits, count, rng).astype(np.float32),
        depth=rng.uniform(0.5, 1.0, count).astype(np.float32),
        width=rng.uniform(0.2, 0.3 + 0.025 * min(length, 12.0), count).astype(np.float32),
        gloss=0.12,
        corners=roots.corners,
        weights=roots.weights.astype(np.float32),
    )


def _colors(traits: Traits, count: int, rng: np.random.Generator) -> FloatArray:
    """Return (N, 3) in linear light; each line stands for a few hairs, some of them grey."""
    color = np.array(traits.brow_color) * [1.08, 0.97, 0.9]
    grey = rng.binomial(4, min(1.1 * traits.grey, 1.0), (count, 1)) / 4
    base = color + grey * (rng.uniform(0.52, 0.68, (count, 1)) - color)
    return np.clip(base, 0.02, 1) ** 2.2 * np.exp(rng.normal(0, 0.12, (count, 1)))
