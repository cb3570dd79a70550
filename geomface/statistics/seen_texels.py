"""The coefficients of a texture of which some places were not seen."""

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, require_shape
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.posterior import posterior
from geomface.statistics.texture import TextureModel


def seen_coefficients(
    model: TextureModel, colors: ImageArray, seen: BoolArray, *, sigma: float = 0.02
) -> FloatArray:
    """Return the most probable coefficients given the places seen; what is hidden has no say.

    min_z sum_seen |mean + B z - c|^2 / sigma^2 + |z|^2

    Parameters
    ----------
    model : of images (H, W, 3) or of colours a vertex (V, 3)
    colors : (H, W, 3) or (V, 3) float32 in [0, 1]
    seen : (H, W) or (V,) bool; places that no example of the model saw are left out as well
    sigma : standard deviation of a colour, of the range

    Returns
    -------
    (K,) float64, in standard deviations of the model

    Raises
    ------
    MeshError : shapes that are not the model's, NaN at a seen place.
    """
    colors = require_shape(colors, model.mean.shape, "colours")
    seen = require_shape(seen, model.mean.shape[:-1], "places seen")
    if model.valid is not None:
        seen = seen & model.valid
    flat = LinearModel(model.mean.reshape(-1, 3), model.basis.reshape(seen.size, 3, -1))
    rows = np.flatnonzero(seen)
    values = colors.reshape(-1, 3)[rows].astype(np.float64)
    return posterior(flat, rows, values, sigma).coefficients
