"""What differs between pictures of one person counts less: descriptors, whitened within people."""

import dataclasses

import numpy as np
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import splu

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
    descriptors: FloatArray,
    identities: IndexArray,
    shares: FloatArray | None = None,
    *,
    shrinkage: float = SHRINKAGE,
) -> Whitening | None:
    """Return the map after which pictures of one person scatter alike in all directions.

    S = sum_i r_i r_i^T / (N - K),  r_i = x_i - sum_k s_ik c_k,  c = argmin sum_i |r_i|^2
    W = (S + a tr(S) / D I)^(-1/2)

    with c_k the centre of person k, s_ik his share in picture i, m the mean of all, a the shrinkage

    Networks bring all photographs of a kind they have not seen near each other, along directions
    in which light and camera also move one person's pictures. Those count less hereafter.

    Parameters
    ----------
    descriptors : (N, D) float64
    identities : (N,) or, where people are mixed, (N, L) int64; -1 for who is not known, or nobody
    shares : of the shape of `identities`, 0 for nobody; None is all of one person
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
    recognition, Eq. 10. The symmetric root, the shrinkage and the
    centres of mixed people are ours.

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
    people = identities[:, None] if identities.ndim == 1 else identities
    known = np.asarray((people >= 0).any(axis=1))
    rows, people = descriptors[known], people[known]
    mass = np.ones(people.shape) if shares is None else shares[known]
    place, column = np.nonzero(people >= 0)
    names, who = np.unique(people[place, column], return_inverse=True)
    freedom, size = len(rows) - len(names), descriptors.shape[1]
    if freedom < size:
        return None
    off = rows - _centred(rows, csr_array((mass[place, column], (place, who))))
    values, vectors = np.linalg.eigh(off.T @ off / freedom)
    even = shrinkage * values.mean()
    if not even > 1e-12 * np.square(rows).mean():
        return None  # no scatter but that of rounding
    return Whitening(rows.mean(axis=0), (vectors / np.sqrt(values + even)) @ vectors.T)


def _centred(rows: FloatArray, shares: csr_array) -> FloatArray:
    """Return M C with the centres C that come nearest to the rows, M the shares."""
    normal = csc_array(shares.T @ shares)
    # One who is in mixes only, always with the same other, has no centre of his own.
    diagonal = normal.diagonal()
    ridge = 1e-9 * diagonal.mean() * eye_array(len(diagonal), format="csc")
    solver = splu(csc_array(normal + ridge))
    return shares @ solver.solve(np.asarray(shares.T @ rows))
