"""Textures and geometries whose relation is known, and the formulas as they were printed."""

import dataclasses

import numpy as np

from geomface.statistics.assignment import FacePairs

GEOMETRY_MM = 8.0
TEXTURE = 0.1


@dataclasses.dataclass(frozen=True)
class Faces:
    """Training and test faces: textures (n, P, 3) in about [0, 1], geometries (n, V, 3) in mm."""

    textures: np.ndarray
    geometries: np.ndarray
    test_textures: np.ndarray
    test_geometries: np.ndarray

    @property
    def all(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return self.textures, self.geometries, self.test_textures, self.test_geometries


RELATIONS = {
    "linear": lambda z: z,
    "quadratic": lambda z: z + 0.7 * (z**2 - 1),
    "only quadratic": lambda z: z**2 - 1,
    "sinusoid": lambda z: np.sin(1.5 * z),
    "saturating": lambda z: np.tanh(2 * z),
    "product": lambda z: z + np.roll(z, 1, axis=1) * z,
}


def paired_faces(
    rng: np.random.Generator,
    *,
    count: int = 400,
    tests: int = 200,
    latents: int = 30,
    decay: float = 0.85,
    correlation: float = 1.0,
    noise: float = 0.02,
    relation: str = "linear",
    texels: int = 60,
    vertices: int = 100,
) -> Faces:
    """Return faces of latents z: t = mean + A D z + e, g = mean + B D C y + e, D falling.

    y = correlation f(z) + sqrt(1 - correlation^2) e, f the relation; C cycles each three latents,
    so that the map from texture to geometry coefficients is not symmetric. The noise is relative
    to the first latent.
    """
    total = count + tests
    z = rng.standard_normal((total, latents))
    other = rng.standard_normal((total, latents))
    y = correlation * RELATIONS[relation](z) + np.sqrt(1 - correlation**2) * other
    y = np.roll(y.reshape(total, -1, 3), 1, axis=2).reshape(total, latents)
    sigma = decay ** np.arange(latents)
    towards_texture = np.linalg.qr(rng.standard_normal((3 * texels, latents)))[0]
    towards_geometry = np.linalg.qr(rng.standard_normal((3 * vertices, latents)))[0]
    textures = 0.5 + TEXTURE * np.sqrt(texels) * (z * sigma) @ towards_texture.T
    geometries = 40 + GEOMETRY_MM * np.sqrt(vertices) * (y * sigma) @ towards_geometry.T
    textures += TEXTURE * noise * rng.standard_normal(textures.shape)
    geometries += GEOMETRY_MM * noise * rng.standard_normal(geometries.shape)
    textures = textures.reshape(total, texels, 3)
    geometries = geometries.reshape(total, vertices, 3)
    return Faces(textures[:count], geometries[:count], textures[count:], geometries[count:])


def joint_basis(
    textures: np.ndarray, geometries: np.ndarray, components: int, weight: float
) -> tuple[np.ndarray, ...]:
    """Return U_t, U_g, Sigma_beta and S of equations 8-16, written out, for rows of one face.

    Textures count `weight` times in the basis; U_t and S are in their own unit.
    """
    mean_t, mean_g = textures.mean(axis=0), geometries.mean(axis=0)
    stacked = np.hstack([weight * (textures - mean_t), geometries - mean_g])
    basis = np.linalg.svd(stacked, full_matrices=False)[2][:components].T
    beta = stacked @ basis
    basis_t, basis_g = basis[: textures.shape[1]] / weight, basis[textures.shape[1] :]
    rest = textures - mean_t - beta @ basis_t.T
    covariance = beta.T @ beta / (len(beta) - 1)
    return basis_t, basis_g, covariance, (rest**2).sum(axis=0) / (len(beta) - 1)


def balance(textures: np.ndarray, geometries: np.ndarray) -> float:
    """Return the weight that gives rows of textures the total variance of the geometries."""
    return float(np.sqrt(geometries.var(axis=0).sum() / textures.var(axis=0).sum()))


def printed_maximum_likelihood(faces: Faces, components: int) -> np.ndarray:
    """Return test geometries by equation 14 as printed: Sigma_beta not inverted, t not centred."""
    textures = faces.textures.reshape(len(faces.textures), -1)
    geometries = faces.geometries.reshape(len(faces.geometries), -1)
    basis_t, basis_g, covariance, noise = joint_basis(
        textures, geometries, components, balance(textures, geometries)
    )
    tests = faces.test_textures.reshape(len(faces.test_textures), -1)
    matrix = (basis_t.T / noise) @ basis_t + covariance
    beta = np.linalg.solve(matrix, (tests / noise @ basis_t).T).T
    return (geometries.mean(axis=0) + beta @ basis_g.T).reshape(faces.test_geometries.shape)


def printed_least_squares(pairs: FacePairs, faces: Faces) -> np.ndarray:
    """Return test geometries by equation 21 as printed: W without its transpose."""
    known, wanted = pairs.textures.coefficients, pairs.geometries.coefficients
    weights = np.linalg.lstsq(known, wanted)[0]
    tests = pairs.textures.project(faces.test_textures)
    return pairs.geometries.reconstruct(tests @ weights.T)
