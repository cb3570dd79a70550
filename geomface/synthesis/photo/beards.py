"""Beards, moustaches and stubble of single hairs that go with the skin they grow on."""

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.faces.albedo_fields import SkinFields
from geomface.faces.traits import Traits
from geomface.synthesis.photo.roots import scatter_roots
from geomface.synthesis.photo.strands import Strands

_LEAST = 0.08
"""Density below which somebody counts as shaven."""


def grow_beard(
    face: FloatArray,
    faces: IndexArray,
    landmarks: FloatArray,
    fields: SkinFields,
    traits: Traits,
    rng: np.random.Generator,
) -> Strands | None:
    """Return the hairs of a beard, or None for the shaven.

    Parameters
    ----------
    face : (V, 3) neutral, mm
    faces : (m, 3)
    landmarks : (68, 3)
    fields : of the V vertices
    """
    if max(traits.moustache, traits.chin_beard, traits.jaw_beard) < _LEAST:
        return None
    density = beard_density(face, landmarks, fields, traits)
    length = traits.beard_length
    # Few long hairs cover what many short ones do.
    spacing = 0.55 + 0.03 * min(length, 12.0)
    roots = scatter_roots(face, faces, np.clip(1.25 * density, 0, 1), spacing, rng)
    count = len(roots)
    if count < 30:
        return None
    lips = roots.values(fields.moustache) > 0.4
    grown = length * rng.uniform(0.45, 1.1, count) * np.where(lips, min(1.0, 9.0 / length), 1.0)
    side = np.sign(roots.places[:, 0] - landmarks[33, 0])
    fall = np.stack([np.where(lips, 0.8 * side, 0.1 * side), -np.ones(count), 0 * side], axis=1)
    fall = fall - 0.85 * (fall * roots.normals).sum(axis=1, keepdims=True) * roots.normals
    first = 0.75 * roots.normals + 0.6 * fall + rng.normal(0, 0.3, (count, 3))
    steps = 3 if length < 4 else 5
    heading = _unit(first)
    points = np.empty((count, steps, 3))
    points[:, 0] = roots.places
    bend = rng.normal(0, 0.25 + 0.5 * traits.curl, (count, 3))
    for k in range(1, steps):
        points[:, k] = points[:, k - 1] + (grown / (steps - 1))[:, None] * heading
        heading = _unit(heading + 0.35 * fall + 0.6 * bend * (-1) ** k)
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


def beard_density(
    face: FloatArray, landmarks: FloatArray, fields: SkinFields, traits: Traits
) -> FloatArray:
    """Return (V,) how densely a beard covers each place of a face (V, 3), in [0, 1]."""
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    chin = np.exp(-(((face[:, 0] - landmarks[57, 0]) / (0.17 * width)) ** 4))
    jaw = fields.jaw * (traits.jaw_beard + chin * (traits.chin_beard - traits.jaw_beard))
    return np.maximum(fields.moustache * traits.moustache, jaw)


def bearded_skin(
    skin: FloatArray,
    face: FloatArray,
    landmarks: FloatArray,
    fields: SkinFields,
    traits: Traits,
) -> FloatArray:
    """Return (V, 3) sRGB skin in the shade of the hairs on it, darker under long ones."""
    shade = min(0.15 + 0.1 * traits.beard_length, 0.85)
    share = shade * np.clip(1.5 * beard_density(face, landmarks, fields, traits) - 0.15, 0, 1)
    under = np.clip(_mean_color(traits), 0.02, 1) * 0.7
    return skin + share[:, None] * (np.minimum(under, skin) - skin)


def _mean_color(traits: Traits) -> FloatArray:
    """Return (3,) sRGB; beards are redder than hair, and greyer than brows."""
    color = np.array(traits.brow_color) * [1.08, 0.97, 0.9]
    return color + min(1.1 * traits.grey, 1.0) * (0.6 - color)


def _colors(traits: Traits, count: int, rng: np.random.Generator) -> FloatArray:
    """Return (N, 3) in linear light; each line stands for a few hairs, some of them grey."""
    color = np.array(traits.brow_color) * [1.08, 0.97, 0.9]
    grey = rng.binomial(4, min(1.1 * traits.grey, 1.0), (count, 1)) / 4
    base = color + grey * (rng.uniform(0.52, 0.68, (count, 1)) - color)
    return np.clip(base, 0.02, 1) ** 2.2 * np.exp(rng.normal(0, 0.12, (count, 1)))


def _unit(vectors: FloatArray) -> FloatArray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
