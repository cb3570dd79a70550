"""What differs between pictures of one person counts less: descriptors, whitened within people."""

import dataclasses

import numpy as np
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import splu

from geomface.arrays import FloatArray, IndexArray, require_shape
from geomface.errors import SettingsError
from geomface.ranges import POSITIVE, require_number

SHRINKAGE = 0.1
"""Least share of an even scatter that is mixed in: no direction hardly met counts for much."""


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
        """Return (N, D) descriptors of length 1, from others; NaN where there is no direction.

        Raises
        ------
        SettingsError : another shape
        """
        wanted = (None, len(self.mean))
        descriptors = require_shape(descriptors, wanted, "descriptors to whiten", SettingsError)
        moved = (descriptors - self.mean) @ self.matrix.T
        with np.errstate(invalid="ignore"):
            return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def fit_whitening(
    descriptors: FloatArray,
    identities: IndexArray,
    shares: FloatArray | None = None,
    *,
    shrinkage: float | None = None,
) -> Whitening | None:
    """Return the map after which pictures of one person scatter alike in all directions.

    S = sum_i r_i r_i^T / (N - K),  r_i = x_i - sum_k s_ik c_k,  c = argmin sum_i |r_i|^2
    W = (S + a tr(S) / D I)^(-1/2)

    a = max(0.1, D / (N - K))

    with c_k the centre of person k, s_ik his share in picture i, m the mean of all, a the shrinkage

    Networks bring all photographs of a kind they have not seen near each other, along directions
    in which light and camera also move one person's pictures. Those count less hereafter. Few
    pictures tell the scatter badly, its least directions worst: more of an even one is mixed in.

    Parameters
    ----------
    descriptors : (N, D) float64
    identities : (N,) or, where people are mixed, (N, L) int64; -1 for who is not known, or nobody
    shares : of the shape of `identities`, 0 for nobody; None is all of one person
    shrinkage : a; None as above

    Returns
    -------
    None where there are too few pictures to tell: N - K < D

    Raises
    ------
    SettingsError : a shrinkage that is not positive; other shapes; NaN or infinity among what is
        known of

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
    if shrinkage is not None:
        require_number("shrinkage", shrinkage, POSITIVE)
    rows, people, mass = _known(descriptors, identities, shares)
    place, column = np.nonzero(people >= 0)
    names, who = np.unique(people[place, column], return_inverse=True)
    freedom, size = len(rows) - len(names), descriptors.shape[1]
    if freedom < size:
        return None
    off = rows - _centred(rows, csr_array((mass[place, column], (place, who))))
    values, vectors = np.linalg.eigh(off.T @ off / freedom)
    even = (max(SHRINKAGE, size / freedom) if shrinkage is None else shrinkage) * values.mean()
    if not even > 1e-12 * np.square(rows).mean():
        return None  # no scatter but that of rounding
    return Whitening(rows.mean(axis=0), (vectors / np.sqrt(values + even)) @ vectors.T)


def _known(
    descriptors: FloatArray, identities: IndexArray, shares: FloatArray | None
) -> tuple[FloatArray, IndexArray, FloatArray]:
    """Return the rows of which is known who is in them, who, and their shares."""
    rows = require_shape(descriptors, (None, None), "descriptors", SettingsError)
    people = np.asarray(identities)
    people = people[:, None] if people.ndim == 1 else people
    if people.shape[:1] != rows.shape[:1] or people.ndim != 2 or people.dtype.kind not in "iu":
        raise SettingsError(
            f"identities: expected whole numbers ({len(rows)},) or ({len(rows)}, L), one row a "
            f"descriptor, got {people.dtype} of shape {np.shape(identities)}."
        )
    mass = np.ones(people.shape) if shares is None else np.asarray(shares)
    if mass.shape != people.shape:
        raise SettingsError(
            f"shares: expected the shape of the identities, {people.shape}, got {mass.shape}."
        )
    known = np.asarray((people >= 0).any(axis=1))
    rows, people, mass = rows[known], people[known], mass[known]
    if not (np.isfinite(rows).all() and np.isfinite(mass).all()):
        raise SettingsError(
            "whitening: expected finite descriptors and shares, got NaN or infinity. Leave out "
            "pictures without a face, or give them the identity -1."
        )
    return rows, people, mass


def _centred(rows: FloatArray, shares: csr_array) -> FloatArray:
    """Return M C with the centres C that come nearest to the rows, M the shares."""
    normal = csc_array(shares.T @ shares)
    # One who is in mixes only, always with the same other, has no centre of his own.
    diagonal = normal.diagonal()
    ridge = 1e-9 * diagonal.mean() * eye_array(len(diagonal), format="csc")
    solver = splu(csc_array(normal + ridge))
    return shares @ solver.solve(np.asarray(shares.T @ rows))
