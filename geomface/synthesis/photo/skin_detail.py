"""Skin as a camera sees it: relief, blemishes, brows of single hairs."""

import numpy as np

from geomface.arrays import FloatArray, ImageArray
from geomface.faces.albedo_fields import SkinFields
from geomface.scans.fields import random_field

_MOST_MOLES = 9


def skin_relief(
    face: FloatArray, normals: FloatArray, strength: float, rng: np.random.Generator
) -> FloatArray:
    """Return a (V, 3) displacement, mm: folds of a centimetre and roughness of some millimetres.

    Far below a pixel in size, it shows in the shading only.
    """
    rough = 0.02 * random_field(face, 6.0, rng, waves=12)
    folds = 0.06 * random_field(face, 14.0, rng, waves=12)
    return (strength * (rough + folds))[:, None] * normals


def photo_skin(
    colors: ImageArray,
    face: FloatArray,
    fields: SkinFields,
    hair: FloatArray,
    strength: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Return (V, 3) sRGB skin with mottling, moles, and brows of the hair's colour.

    Parameters
    ----------
    colors : (V, 3) of the plain preset
    face : (V, 3) neutral shape, mm
    fields : what each place of the template is
    hair : (3,) sRGB
    """
    skin = colors.astype(np.float64)
    fine = random_field(face, 5.0, rng, waves=12)
    patches = random_field(face, 22.0, rng, waves=10)
    skin *= 1.0 + strength * (0.016 * fine + 0.014 * patches)[:, None]
    skin *= 1.0 + strength * (0.012 * patches)[:, None] * [1.0, 0.1, -0.1]
    for _ in range(int(rng.integers(_MOST_MOLES))):
        place = face[int(rng.integers(len(face)))]
        size = rng.uniform(0.8, 2.0)
        spot = np.exp(-((face - place) ** 2).sum(axis=1) / size**2)
        depth = min(strength, 1.5) * rng.uniform(0.2, 0.6)
        skin += (depth * spot)[:, None] * (skin * [0.45, 0.3, 0.25] - skin)
    brow = np.exp(-((fields.brow_distance / 1.05) ** 2)) * fields.brow_taper
    hairs = np.clip(0.62 + 0.3 * random_field(face * [1.0, 0.5, 1.0], 3.5, rng, waves=12), 0.1, 1)
    brow *= hairs * rng.uniform(0.5, 0.95)
    skin += brow[:, None] * (0.8 * hair - skin)
    return np.clip(skin, 0.0, 1.0)
