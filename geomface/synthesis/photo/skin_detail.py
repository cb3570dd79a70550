"""The relief of skin between its vertices."""

import numpy as np

from geomface.arrays import FloatArray
from geomface.scans.fields import random_field


def skin_relief(
    face: FloatArray, normals: FloatArray, strength: float, rng: np.random.Generator
) -> FloatArray:
    """Return a (V, 3) displacement, mm: folds of a centimetre and roughness of some millimetres.

    Far below a pixel in size, it shows in the shading only.
    """
    rough = 0.02 * random_field(face, 6.0, rng, waves=12)
    folds = 0.06 * random_field(face, 14.0, rng, waves=12)
    return (strength * (rough + folds))[:, None] * normals
