"""The eyeballs that a face model may have."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, frozen, require_shape


@dataclasses.dataclass(frozen=True, eq=False)
class Eyeballs:
    """Spheres behind the lids, used in pictures only.

    Parameters
    ----------
    centers : (2, 3) float64, millimetres; the subject's left eye first
    radius : millimetres
    """

    centers: FloatArray
    radius: float

    def __post_init__(self) -> None:
        centers = require_shape(self.centers, (None, 3), "eyeballs: centers")
        object.__setattr__(self, "centers", frozen(centers, np.float64))
