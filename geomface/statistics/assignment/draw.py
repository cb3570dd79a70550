"""Assignments that take a geometry as a whole: a random one, or that of the nearest texture."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, require_generator
from geomface.statistics.assignment.pairs import FacePairs


@dataclasses.dataclass(frozen=True, eq=False)
class RandomAssignment:
    """A geometry that has nothing to do with the texture: alpha_i ~ N(0, sigma_i^2).

    Parameters
    ----------
    pairs : the training faces
    rng : generator of the coefficients; every prediction draws new ones
    """

    pairs: FacePairs
    rng: np.random.Generator

    def predict(self, textures: np.ndarray) -> FloatArray:
        """Return one random geometry (n, *geometry) for each texture (n, *texture)."""
        count = len(self.pairs.textures.flatten(textures))
        sigma = np.sqrt(self.pairs.geometries.variances)
        drawn = self.rng.standard_normal((count, len(sigma))) * sigma
        return self.pairs.geometries.reconstruct(drawn)


def fit_random(pairs: FacePairs, rng: np.random.Generator) -> RandomAssignment:
    """Return the assignment of random geometries, alpha_i ~ N(0, sigma_i^2).

    Parameters
    ----------
    pairs : the training faces, see `pair_faces`
    rng : generator of the coefficients

    Raises
    ------
    SettingsError : something else than a generator.

    Source
    ------
    Shamai et al. 2018, equation 7, with the unbiased variance delta_i^2 / (n - 1).
    """
    require_generator(rng, "random assignment")
    return RandomAssignment(pairs, rng)


@dataclasses.dataclass(frozen=True, eq=False)
class NearestAssignment:
    """The geometry of the training face whose texture is nearest."""

    pairs: FacePairs

    def nearest(self, textures: np.ndarray) -> np.ndarray:
        """Return (n,) int64, the training face whose texture coefficients are nearest."""
        from scipy.spatial.distance import cdist

        found = self.pairs.textures.project(textures)
        return cdist(found, self.pairs.textures.coefficients).argmin(axis=1)

    def predict(self, textures: np.ndarray) -> FloatArray:
        """Return geometries (n, *geometry) of textures (n, *texture), from the kept components."""
        geometries = self.pairs.geometries
        return geometries.reconstruct(geometries.coefficients[self.nearest(textures)])


def fit_nearest(pairs: FacePairs) -> NearestAssignment:
    """Return the assignment of the nearest texture's geometry: argmin_j |alpha_t - alpha_t,j|.

    Source
    ------
    Shamai et al. 2018, section 7.2.2.
    """
    return NearestAssignment(pairs)
