"""Compactness: how much of the variance the first modes hold."""

import dataclasses

import numpy as np

from geomface.arrays import FloatArray, require_finite
from geomface.errors import MeshError, SettingsError
from geomface.statistics.evaluation.curve import Curve, Interval, shape_part
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.morphable import MorphableModel


@dataclasses.dataclass(frozen=True, eq=False)
class Compactness:
    """Cumulative variance by the number of components.

    Parameters
    ----------
    variance : Curve in mm^2, summed over all coordinates
    share : Curve of the part of the total variance, in [0, 1]
    """

    variance: Curve
    share: Curve


def compactness(
    model: LinearModel | MorphableModel,
    vertices: FloatArray | None = None,
    *,
    interval: Interval | None = None,
    rng: np.random.Generator | None = None,
) -> Compactness:
    """Return the variance of the first k modes, and what share of the whole it is.

    C(k) = sum_{j <= k} lambda_j,   S(k) = C(k) / C(all).

    With the meshes the model was fitted to, the interval comes from the influence of each mesh on
    the eigenvalues: C(k) is the mean over n of q_n(k) = N / (N - 1) sum_{j <= k} (d_j . x_n)^2, and
    to first order the share is the mean of S(k) + (q_n(k) - S(k) q_n(all)) / C(all).

    Parameters
    ----------
    model : in PCA form (orthogonal columns); its shape is judged
    vertices : (N, V, 3) float64, mm, the aligned meshes that the model was fitted to; without them
        the intervals are NaN
    interval : how the confidence interval over the meshes is found
    rng : generator of the bootstrap

    Raises
    ------
    MeshError : meshes of another shape, fewer than two, NaN or infinity.
    SettingsError : meshes that are not those of the fit, a bootstrap without rng.

    Notes
    -----
    The interval says how C(k) would vary between samples of N faces. It does not mend its bias:
    with fewer faces than coordinates, the first modes of a sample hold more than those of the
    population. `generalization` shows what that costs.

    Source
    ------
    Styner et al. 2003, section 2.3 (a mode counts with its variance, not its singular value);
    influence of an observation on an eigenvalue: Critchley 1985.

    Example
    -------
    >>> import geomface as gf
    >>> share = gf.compactness(gf.load_builtin_face()).share
    >>> bool(share.mean[-1] > 0.999)  # all modes together hold all of the variance
    True
    """
    shape, _ = shape_part(model, None)
    interval = interval or Interval()
    components = np.arange(1, len(shape) + 1)
    variances = shape.variances
    cumulative = np.cumsum(variances)
    total = max(shape.total_variance, float(variances.sum()), 1e-300)
    share = cumulative / total
    if vertices is None or not len(shape):
        nothing, missing = np.zeros((len(shape), 0)), np.full(len(shape), np.nan)
        return Compactness(
            Curve(components, cumulative, missing, missing, nothing, "", "mm^2", interval),
            Curve(components, share, missing, missing, nothing, "", "", interval),
        )
    parts, whole = _parts(shape, np.asarray(vertices, np.float64), float(cumulative[-1]))
    shares = share[:, None] + (parts - share[:, None] * whole) / total
    # Together, so that a bootstrap judges both by the same drawn meshes.
    low, high = interval.bounds(np.vstack([parts, shares]), rng)
    size = len(shape)
    return Compactness(
        Curve(components, cumulative, low[:size], high[:size], parts, "", "mm^2", interval),
        Curve(components, share, low[size:], high[size:], shares, "", "", interval),
    )


def _parts(
    shape: LinearModel, vertices: FloatArray, expected: float
) -> tuple[FloatArray, FloatArray]:
    """Return q (K, N), the part of each mesh in the variance of k modes, and (N,) in all of it."""
    require_finite(np.atleast_1d(vertices), "compactness: meshes")
    coefficients = shape.coefficients(vertices)
    count = len(vertices)
    if coefficients.ndim != 2 or count < 2:
        raise MeshError(f"compactness: expected (N, V, 3) meshes, N >= 2, got {vertices.shape}.")
    squares = np.cumsum(coefficients**2 * shape.variances, axis=1).T
    found = max(float(squares[-1].mean()), 1e-300)
    growth = expected / found
    # The model may have divided by N - 1 or by N; anything else means other meshes.
    if min(abs(growth - 1.0), abs(growth - count / (count - 1))) > 1e-3:
        raise SettingsError(
            f"compactness: these {count} meshes hold a variance of {found:.4g} mm^2 in the modes, "
            f"the model {expected:.4g}. Give the aligned meshes that the model was fitted to."
        )
    difference = vertices - shape.mean
    return growth * squares, growth * np.einsum("nvc,nvc->n", difference, difference)
