"""Whitening: orthonormal columns that span centred data, and the way back."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray
from geomface.errors import MeshError

WELL_CONDITIONED = 1e-6


@dataclasses.dataclass(frozen=True, eq=False)
class Whitened:
    """Rows X (N, P) whose columns were made orthonormal: X - mean = left S right * scale.

    Parameters
    ----------
    mean : (P,) float64
    left : (N, k) float64, orthonormal, mean 0
    back : (P, k) float64: (X - mean) back = left * shrink * sqrt(N - 1)
    shrink : (k,) float64, S / sqrt(S^2 + (N - 1) ridge), 1 without a ridge
    constant : number of columns left out because they are constant
    dependent : number of further columns less the rank k
    """

    mean: FloatArray
    left: FloatArray
    back: FloatArray
    shrink: FloatArray
    constant: int
    dependent: int


def _thin(
    rows: FloatArray, gram: FloatArray | None, scale: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return left (N, k), singular (k,) and right (k, P): left * singular @ right = rows / scale.

    From the products of the columns where their eigenvalues lie so close (`WELL_CONDITIONED`) that
    squaring the data costs no more than 1e-9; otherwise from a singular value decomposition, which
    takes ten times as long.
    """
    if gram is not None:
        values, vectors = np.linalg.eigh(gram / np.multiply.outer(scale, scale))
        if values[0] > WELL_CONDITIONED * values[-1]:
            singular = np.sqrt(values)
            return rows @ (vectors / singular / scale[:, None]), singular, vectors.T
    left, singular, right = np.linalg.svd(rows / scale, full_matrices=False)
    keep = singular > max(rows.shape) * np.finfo(np.float64).eps * 8 * singular[0]
    return left[:, keep], singular[keep], right[keep]


def whiten_rows(rows: FloatArray, ridge: float, name: str) -> Whitened:
    """Return orthonormal columns that span the centred rows, and the way back to directions.

    Parameters
    ----------
    rows : (N, P) float64, finite, N >= 2
    ridge : added to the covariance, in units of its mean variance a column
    name : for the message

    Raises
    ------
    MeshError : no column varies.
    """
    count = len(rows)
    mean = rows.mean(axis=0)
    centred = rows - mean
    gram = centred.T @ centred if count > rows.shape[1] else None
    squares = np.einsum("np,np->p", centred, centred) if gram is None else np.diag(gram)
    spread = np.sqrt(squares / (count - 1))
    # The mean of equal numbers is off by rounding: such a column is constant all the same.
    varies = spread > 1e-13 * np.abs(mean)
    constant = int(len(varies) - varies.sum())
    if constant == len(varies):
        raise MeshError(f"{name}: every column is constant, so nothing can correlate with it.")
    # Without a ridge the result does not depend on the units of the columns, so none may decide
    # the rank; a ridge is measured by the mean variance and must see the true ones.
    scale = spread if ridge == 0 else np.full(len(spread), np.sqrt((spread @ spread) / len(spread)))
    if constant:
        centred, scale = centred[:, varies], scale[varies]
        gram = None if gram is None else gram[np.ix_(varies, varies)]
    left, singular, right = _thin(centred, gram, scale)
    length = np.sqrt(singular**2 + ridge * (count - 1))
    back = np.zeros((rows.shape[1], len(singular)))
    back[varies] = (right / scale).T * (np.sqrt(count - 1) / length)
    return Whitened(
        mean=mean,
        left=left,
        back=back,
        shrink=singular / length,
        constant=constant,
        dependent=len(scale) - len(singular),
    )
