"""What a fit to a picture looks for, and the prior on it."""

import dataclasses
import math

import numpy as np

from geomface.arrays import BoolArray, FloatArray
from geomface.fitting.linear_face import LinearFace
from geomface.fitting.rendering.shading import HARMONICS
from geomface.rendering.camera import CAMERA_COUNT, Camera

_WHITE_LIGHT = math.sqrt(4 * math.pi)
# The camera has no prior; this keeps its equations solvable when nothing measures it.
_CAMERA_PRECISION = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class Unknowns:
    """Camera, face, albedo and light of one picture.

    Parameters
    ----------
    camera : projects the model's frame to pixels
    face : (P,) float64, shape and expression coefficients
    albedo : (T,) float64, coefficients of the colours
    light : (9, C) float64, spherical harmonics of each channel
    """

    camera: Camera
    face: FloatArray
    albedo: FloatArray
    light: FloatArray

    def __len__(self) -> int:
        return CAMERA_COUNT + len(self.face) + len(self.albedo) + self.light.size

    @property
    def blocks(self) -> dict[str, slice]:
        """Where each part lies in a step: "camera", "face", "albedo", "light"."""
        ends = np.cumsum([0, CAMERA_COUNT, len(self.face), len(self.albedo), self.light.size])
        names = ("camera", "face", "albedo", "light")
        return {name: slice(*ends[k : k + 2]) for k, name in enumerate(names)}

    def linear(self) -> FloatArray:
        """Return the unknowns as a row, zeros for the camera, channels of the light in turn."""
        return np.concatenate(
            [np.zeros(CAMERA_COUNT), self.face, self.albedo, self.light.T.ravel()]
        )

    def moved(self, step: FloatArray) -> "Unknowns":
        """Return the unknowns after a step of the same layout."""
        blocks = self.blocks
        light = step[blocks["light"]].reshape(-1, HARMONICS).T
        return Unknowns(
            self.camera.moved(step[blocks["camera"]]),
            self.face + step[blocks["face"]],
            self.albedo + step[blocks["albedo"]],
            self.light + light,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class UnknownsPrior:
    """-log p = face prior + |albedo|^2 / 2 + (l - m)^T Q (l - m) / 2, l the light in a row.

    The channels follow each other in l. A harmonic's mean over the channels is N(m_k, sigma_k^2),
    each channel's difference from it N(0, (color_sigma u_k)^2); m is white light from all around,
    and u_k its size, sqrt(4 pi), for the first harmonic and 1 for the others.

    Parameters
    ----------
    face : its prior and bounds are used
    albedo_count : T
    channels : C
    ambient_sigma, light_sigma, color_sigma : standard deviations, see the settings
    """

    face: LinearFace
    albedo_count: int
    channels: int
    ambient_sigma: float
    light_sigma: float
    color_sigma: float

    def light_mean(self) -> FloatArray:
        """Return (9, C), white light of radiance 1 from all around."""
        mean = np.zeros((HARMONICS, self.channels))
        mean[0] = _WHITE_LIGHT
        return mean

    def light_precision(self) -> FloatArray:
        """Return Q (9 C, 9 C)."""
        count = self.channels
        together = np.full((count, count), 1.0 / count**2)
        apart = (np.eye(count) - 1.0 / count) / self.color_sigma**2
        precision = np.zeros((count, HARMONICS, count, HARMONICS))
        for k in range(HARMONICS):
            sigma = self.ambient_sigma if k == 0 else self.light_sigma
            precision[:, k, :, k] = together / sigma**2 + apart / (1.0 if k else _WHITE_LIGHT**2)
        return precision.reshape(count * HARMONICS, -1)

    def energy(self, at: Unknowns) -> float:
        """Return -log p without its constant."""
        gap = (at.light - self.light_mean()).T.ravel()
        light = 0.5 * float(gap @ self.light_precision() @ gap)
        return self.face.prior_energy(at.face) + 0.5 * float(at.albedo @ at.albedo) + light

    def equations(self, at: Unknowns) -> tuple[FloatArray, FloatArray]:
        """Return the matrix (n, n) of the energy and its gradient (n,)."""
        blocks = at.blocks
        matrix, gradient = np.zeros((len(at), len(at))), np.zeros(len(at))
        diagonal = np.ones(len(at))
        diagonal[blocks["camera"]] = _CAMERA_PRECISION
        diagonal[blocks["face"]] = self.face.precision
        diagonal[blocks["light"]] = 0.0
        np.fill_diagonal(matrix, diagonal)
        matrix[blocks["light"], blocks["light"]] = self.light_precision()
        gradient[blocks["face"]] = self.face.precision * at.face + self.face.slope
        gradient[blocks["albedo"]] = at.albedo
        gap = (at.light - self.light_mean()).T.ravel()
        gradient[blocks["light"]] = self.light_precision() @ gap
        return matrix, gradient

    def bounds(self, at: Unknowns) -> tuple[FloatArray, FloatArray]:
        """Return the lower and upper bounds of `at.linear()` after a step."""
        lower, upper = np.full(len(at), -np.inf), np.full(len(at), np.inf)
        lower[at.blocks["face"]], upper[at.blocks["face"]] = self.face.lower, self.face.upper
        return lower, upper


def free_covariance(matrix: FloatArray, inside: BoolArray) -> FloatArray:
    """Return H^-1 (n, n) of the unknowns that no bound holds; 0 where one does.

    Parameters
    ----------
    matrix : (n, n) float64, H of all unknowns
    inside : (n,) bool, unknowns that no bound holds
    """
    chosen = np.ix_(inside, inside)
    scale = 1.0 / np.sqrt(np.diag(matrix)[inside])
    covariance = np.zeros_like(matrix)
    covariance[chosen] = np.linalg.inv(matrix[chosen] * scale * scale[:, None])
    covariance[chosen] *= scale * scale[:, None]
    return covariance


def determined_count(covariance: FloatArray, data: FloatArray, counted: BoolArray) -> float:
    """Return how many coefficients of the face a picture determines: sum_k (H^-1 H_data)_kk.

    E + count log(scale) is what to minimise instead of E, scale the pixels a millimetre. A small
    face before a near camera looks like a large one far away, but needs smaller coefficients, so E
    alone prefers it. Integrated over the coefficients (Laplace's approximation, exp(-E) /
    sqrt(det H)) it does not: the data's part of H grows with the square of the scale in every
    determined direction.

    Parameters
    ----------
    covariance : (n, n) float64, see `free_covariance`
    data : (n, n) float64, the picture's part of H
    counted : (n,) bool, which of them are coefficients of the face

    Source
    ------
    MacKay 1992, "Bayesian interpolation": the effective number of parameters.
    """
    shares = np.einsum("kj,jk->k", covariance[counted], data[:, counted])
    return float(shares.clip(0.0, 1.0).sum())
