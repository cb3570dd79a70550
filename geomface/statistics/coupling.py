"""How shape and colour of one person belong together: the coupling of a morphable model."""

import numpy as np

from geomface.arrays import FloatArray, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.statistics.correlation import canonical_correlation

FACES_A_COEFFICIENT = 4
"""The coupling looks at so few leading coefficients that each side has this many faces apiece."""

SIGNIFICANCE = 0.05


def fit_coupling(shape: FloatArray, texture: FloatArray) -> FloatArray:
    """Return the covariance of shape and texture coefficients, cleared of what chance adds.

    C = S_a D_a diag(r) D_t^T S_t with the canonical directions D and the canonical correlations r
    of the population: those of the sample less the bias of few faces, and 0 from the first pair on
    that unrelated faces would show as well (Rao's F, 5 %). Only the leading (N - 2) / 4
    coefficients of each side take part, since more of them always correlate fully; the others are
    independent.

    Parameters
    ----------
    shape, texture : (N, K) and (N, T) float64, coefficients of the same N faces, in standard
        deviations

    Returns
    -------
    (K, T) float64 for `MorphableModel.coupling`

    Raises
    ------
    SettingsError : different N, fewer than ten faces, NaN.
    """
    shape = require_shape(shape, (None, None), "shape coefficients", SettingsError)
    texture = require_shape(texture, (len(shape), None), "texture coefficients", SettingsError)
    for name, values in (("shape", shape), ("texture", texture)):
        require_finite(values, f"{name} coefficients", SettingsError)
    if len(shape) < 10:
        raise SettingsError(f"coupling: expected at least 10 faces, got {len(shape)}.")
    most = max(1, (len(shape) - 2) // FACES_A_COEFFICIENT)
    k, t = min(most, shape.shape[1]), min(most, texture.shape[1])
    coupling = np.zeros((shape.shape[1], texture.shape[1]))
    if k == 0 or t == 0:
        return coupling
    found = canonical_correlation(shape[:, :k], texture[:, :t])
    kept, p_values = found.population, found.p_values
    if kept is None or p_values is None:
        return coupling
    strength = kept * np.logical_and.accumulate(p_values < SIGNIFICANCE)
    pairs = min(len(strength), len(found))
    left = np.atleast_2d(np.cov(shape[:, :k].T)) @ found.first_directions[:, :pairs]
    right = np.atleast_2d(np.cov(texture[:, :t].T)) @ found.second_directions[:, :pairs]
    block = (left * strength[:pairs]) @ right.T
    # Coefficients of new faces are not exactly white: keep the joint Gaussian possible.
    largest = float(np.linalg.norm(block, 2))
    coupling[:k, :t] = block / max(1.0, largest)
    return coupling
