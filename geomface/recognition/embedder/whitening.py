"""What differs between pictures of one person counts less: descriptors, whitened within people."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import SettingsError
from geomface.ranges import POSITIVE, require_number

SHRINKAGE = 0.1
"""Share of an even scatter that is mixed in: a direction hardly met counts no more than is safe."""


@dataclasses.dataclass(frozen=True, eq=False)
class Whitening:
    """A linear map of descriptors.

    y = W (x - m) / |W (x - m)|

    Parameters
    ----------
    mean : (D,) float64 m
    matrix : (D, D) float64 W

    Raises
    ------
    SettingsError : other shapes, NaN or infinity
    """

    mean: FloatArray
    matrix: FloatArray

    def __post_init__(self) -> None:
        size = self.mean.shape[0] if self.mean.ndim == 1 else -1
        if self.matrix.shape != (size, size):
            raise SettingsError(
                f"whitening: expected a mean (D,) and a matrix (D, D), got {self.mean.shape} and "
                f"{self.matrix.shape}."
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.matrix).all()):
            raise SettingsError("whitening: expected finite numbers, got NaN or infinity.")

    def apply(self, descriptors: FloatArray) -> FloatArray:
        """Return (N, D) descriptors of length 1, from others; NaN where there is no direction."""
        moved = (descriptors - self.mean) @ self.matrix.T
        with np.errstate(invalid="ignore"):
            return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def fit_whitening(
    descriptors: FloatArray, identities: IndexArray, *, shrinkage: float = SHRINKAGE
) -> Whitening | None:
    """Return the map after which pictures of one person scatter alike in all directions.

    S = sum_i (x_i - c_k(i)) (x_i - c_k(i))^T / (N - K),  W = (S + a tr(S) / D I)^(-1/2)

    with c_k the mean of person k's pictures, m the mean of all, a the shrinkage

    Networks bring all photographs of a kind they have not seen near each other, along directions
    in which light and camera also move one person's pictures. Those count less hereafter.

    Parameters
    ----------
    descriptors : (N, D) float64
    identities : (N,) int64, -1 for who is not known
    shrinkage : a

    Returns
    -------
    None where there are too few pictures to tell: N - K < D

    Raises
    ------
    SettingsError : a shrinkage that is not positive

    Source
    ------
    Hatch, Kajarekar, Stolcke 2006, Within-class covariance normalization for SVM-based speaker
    recognition, Eq. 10. The symmetric root and the shrinkage are ours.

    Example
    -------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> people = np.repeat(np.arange(50), 4)
    >>> noise = rng.normal(size=(200, 2)) * [0.1, 1.0]  # of no use along the second axis
    >>> whitening = fit_whitening(rng.normal(size=(50, 2))[people] + noise, people)
    >>> bool(whitening.matrix[0, 0] > 2 * whitening.matrix[1, 1])
    True
    """
    require_number("shrinkage", shrinkage, POSITIVE)
    known = identities >= 0
    rows, who = descriptors[known], np.unique(identities[known], return_inverse=True)[1]
    counts = np.bincount(who)
    size = descriptors.shape[1]
    if len(rows) - len(counts) < size:
        return None
    centres = np.zeros((len(counts), size))
    np.add.at(centres, who, rows)
    off = rows - (centres / counts[:, None])[who]
    scatter = off.T @ off / (len(rows) - len(counts))
    values, vectors = np.linalg.eigh(scatter)
    even = shrinkage * values.mean()
    if not even > 0.0:
        return None
    return Whitening(rows.mean(axis=0), (vectors / np.sqrt(values + even)) @ vectors.T)
