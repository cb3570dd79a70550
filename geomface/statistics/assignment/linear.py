"""Linear assignments of a geometry to a texture: the mean, least squares, maximum likelihood."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, frozen
from geomface.errors import SettingsError
from geomface.statistics.assignment.held_out import choose_ridge, hold_out
from geomface.statistics.assignment.pairs import (
    FacePairs,
    centred_gram,
    column_blocks,
    project_rows,
)

MOST_FACES_TO_CHOOSE = 1000
SMALLEST_VARIANCE = 1e-6


@dataclasses.dataclass(frozen=True, eq=False)
class LinearAssignment:
    """A geometry that is linear in the texture: g = mean_g + (t - mean_t) encode^T matrix decode.

    Parameters
    ----------
    pairs : the training faces
    encode : (J, P) what is taken of a texture
    matrix : (J, K) float64
    decode : (K, Q) what is added to the mean geometry
    ridge : of least squares, as it was chosen; 0 for the others
    """

    pairs: FacePairs
    encode: np.ndarray
    matrix: FloatArray
    decode: np.ndarray
    ridge: float = 0.0

    def __post_init__(self) -> None:
        for name in ("encode", "matrix", "decode"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def predict(self, textures: np.ndarray) -> FloatArray:
        """Return geometries (n, *geometry) of textures (n, *texture)."""
        known, wanted = self.pairs.textures, self.pairs.geometries
        taken = project_rows(known.flatten(textures), known.mean, self.encode)
        flat = taken @ self.matrix @ self.decode
        flat += wanted.mean
        return flat.reshape(len(taken), *wanted.shape)


def fit_mean(pairs: FacePairs) -> LinearAssignment:
    """Return the assignment of the mean geometry to every texture, the level to beat."""
    encode = np.zeros((0, len(pairs.textures.mean)))
    decode = np.zeros((0, len(pairs.geometries.mean)))
    return LinearAssignment(pairs, encode, np.zeros((0, 0)), decode)


def solve_ridge(known: FloatArray, wanted: FloatArray, ridge: float) -> FloatArray:
    """Return W (K, J) of min |known W - wanted|^2 + N ridge tau |W|^2; the smallest without ridge.

    tau is the mean variance of the columns of `known`, so that the ridge has no unit.
    """
    left, singular, right = np.linalg.svd(known, full_matrices=False)
    keep = singular > len(known) * np.finfo(np.float64).eps * singular[0]
    left, right, kept = left[:, keep], right[keep], singular[keep]
    gain = kept / (kept**2 + ridge * float((singular**2).mean()))
    return (right.T * gain) @ (left.T @ wanted)


def fit_least_squares(pairs: FacePairs, *, ridge: float | str = 0.0) -> LinearAssignment:
    """Return the linear map of texture to geometry coefficients with the least squared error.

    alpha_g = W^T alpha_t,   W = argmin |A_t W - A_g|^2 + N ridge tau |W|^2, tau the mean variance
    of the texture coefficients; rows of A are faces.

    Parameters
    ----------
    pairs : the training faces, see `pair_faces`
    ridge : 0 or more; "auto" takes that of least error on faces held out (five folds)

    Raises
    ------
    SettingsError : a negative ridge or an unknown word.

    Source
    ------
    Shamai et al. 2018, equations 17-22. Printed equation 21, alpha_g = W alpha_t, misses the
    transpose.
    """
    known, wanted = pairs.textures, pairs.geometries
    if ridge == "auto":
        folds = hold_out(pairs, MOST_FACES_TO_CHOOSE)
        ridge = choose_ridge(folds)[0] * len(folds[0].train) / len(pairs)
    if isinstance(ridge, str) or not (np.isfinite(ridge) and ridge >= 0):
        raise SettingsError(f'ridge: expected 0 or more, or "auto", got {ridge!r}.')
    matrix = solve_ridge(known.coefficients, wanted.coefficients, float(ridge))
    return LinearAssignment(pairs, known.directions, matrix, wanted.directions, float(ridge))


def fit_maximum_likelihood(
    pairs: FacePairs, *, components: int | None = None, texture_weight: float | None = None
) -> LinearAssignment:
    """Return the most probable geometry under one basis of both, (g; t) = mean + (U_g; U_t) beta.

    beta* = (U_t^T S^-1 U_t + Sigma_beta^-1)^-1 U_t^T S^-1 (t - mean_t),   g = mean_g + U_g beta*,
    S the variance of what the basis leaves of each texture coordinate in the training faces,
    Sigma_beta = diag(delta_i^2 / (n - 1)).

    Parameters
    ----------
    pairs : the training faces, see `pair_faces`
    components : size of the joint basis, default as many as the texture has
    texture_weight : factor of the textures in the joint basis, mm per unit of colour; the default
        gives both sides the same total variance, so that the units do not matter

    Raises
    ------
    SettingsError : components below 1 or a weight that is not positive.

    Notes
    -----
    A coordinate that the basis reproduces exactly would have an endless weight: S is at least 1e-6
    of the mean variance of a texture coordinate.

    Source
    ------
    Shamai et al. 2018, equations 8-16, corrected: printed equation 14 has Sigma_beta in the place
    of its inverse and t that is not centred; equation 13 writes V_t for U_t and transposes the
    quadratic forms.
    """
    known, wanted = pairs.textures, pairs.geometries
    count = len(pairs)
    if components is not None and components < 1:
        raise SettingsError(f"components: expected at least 1, got {components}.")
    if texture_weight is not None and not (np.isfinite(texture_weight) and texture_weight > 0):
        raise SettingsError(f"texture_weight: expected a positive number, got {texture_weight}.")
    grams = centred_gram(known), centred_gram(wanted)
    weight = texture_weight or float(np.sqrt(np.trace(grams[1]) / np.trace(grams[0])))
    values, vectors = np.linalg.eigh(weight**2 * grams[0] + grams[1])
    values, vectors = values[::-1], vectors[:, ::-1]
    possible = int((values > 1e-12 * values[0]).sum())
    size = min(components or len(known.variances), possible, count - 1)
    delta, scores = np.sqrt(values[:size]), vectors[:, :size]
    # From here on the textures keep their own unit, and U_t is divided by the weight instead:
    # S^-1 undoes it.
    floor = SMALLEST_VARIANCE * np.trace(grams[0]) / (count - 1) / len(known.mean)
    encode = np.empty((size, len(known.mean)))
    decode = np.empty((size, len(wanted.mean)))
    information = np.zeros((size, size))
    for part, block in column_blocks(known):
        basis = scores.T @ block / delta[:, None]
        block -= (scores * delta) @ basis
        noise = np.einsum("np,np->p", block, block) / (count - 1)
        encode[:, part] = basis / np.maximum(noise, floor)
        information += basis @ encode[:, part].T
    for part, block in column_blocks(wanted):
        decode[:, part] = scores.T @ block / delta[:, None]
    # (A + Sigma^-1)^-1 = D (D A D + I)^-1 D with D = sqrt(Sigma), which is well conditioned.
    both = np.multiply.outer(delta, delta) / (count - 1)
    matrix = both * np.linalg.inv(information * both + np.eye(size))
    return LinearAssignment(pairs, encode, matrix, decode)
