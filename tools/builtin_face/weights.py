"""Weights that know the topology: what belongs to the jaw, what to the lower lip."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from builtin_face.fairing import difference_operator
from builtin_face.fields import ramp
from builtin_face.layout import MOUTH_SEGMENTS, Layout
from geomface.arrays import FloatArray

LIP_RING = 6
CORNER = MOUTH_SEGMENTS // 2
# The corner of the mouth follows the jaw by this share.
CORNER_SHARE = 0.42


def spread(layout: Layout, values: FloatArray) -> FloatArray:
    """Return (V,) the smoothest weights in [0, 1] that take the finite entries of `values`.

    Minimises |L w|^2 with w = values where those are not NaN; L is the `difference_operator`.
    """
    fixed = np.isfinite(values)
    operator = difference_operator(layout)
    energy = sparse.csc_array(operator.T @ operator)
    free = np.flatnonzero(~fixed)
    known = np.flatnonzero(fixed)
    pull = -energy[free][:, known] @ values[known]
    weights = values.copy()
    weights[free] = splu(sparse.csc_array(energy[free][:, free])).solve(pull)
    weights = np.clip(weights, 0.0, 1.0)
    return 0.5 * (weights + weights[layout.mirror])


def _lip_shares() -> FloatArray:
    """Return the share of the jaw's motion along a lip ring: open jaws make an oval mouth."""
    reach = np.abs(np.arange(MOUTH_SEGMENTS + 1) - CORNER) / CORNER
    rise = np.sin(0.5 * np.pi * reach**0.6)
    below = np.arange(MOUTH_SEGMENTS + 1) >= CORNER
    return np.where(below, CORNER_SHARE + (1 - CORNER_SHARE) * rise, CORNER_SHARE * (1 - rise))


def lower_lip_weights(layout: Layout, vertices: FloatArray) -> FloatArray:
    """Return (V,) 1 on and below the lower lip, 0 on and above the upper lip."""
    values = ramp(-vertices[:, 1], 24.0, 47.0)
    values[layout.mouth[1:LIP_RING]] = np.nan
    values[layout.mouth[LIP_RING:]] = _lip_shares()
    _copy_to_right(layout, values)
    return spread(layout, values)


def jaw_weights(layout: Layout, vertices: FloatArray) -> FloatArray:
    """Return (V,) how far each vertex follows the mandible: 1 on the chin, 0 above the mouth."""
    y, z = vertices[:, 1], vertices[:, 2]
    values = np.full(layout.vertex_count, np.nan)
    below = y < -56.0
    values[below] = ramp(z[below], -20.0, 75.0)
    values[y > 0.0] = 0.0
    values[layout.grid[:14, :42]] = 0.0
    values[layout.mouth[LIP_RING:]] = _lip_shares()
    _copy_to_right(layout, values)
    return spread(layout, values)


def _copy_to_right(layout: Layout, values: FloatArray) -> None:
    values[layout.mirror[layout.left]] = values[layout.left]
