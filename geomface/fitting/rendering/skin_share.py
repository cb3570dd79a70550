"""Which pixels show the skin of the face, and which hair, glasses or a hand in front of it."""

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from geomface.arrays import FloatArray, IndexArray
from geomface.fitting.rendering.picture import lengths
from geomface.mesh import Template
from geomface.mesh.multi_pie import SCHEME

_INSIDE, _OUTSIDE = 4.0, -1.0
_RIM, _FADE_MM = 2.0, 12.0
_LIKELIEST, _UNLIKELIEST = 2.0, -4.0
_TRUST = 3.0
_SMOOTH_MM = 2.5


def skin_prior(template: Template) -> FloatArray:
    """Return (V,) log-odds that nothing is in front of a vertex, before a picture is seen.

    2 at the border of the 68 landmarks seen from the front (brows and jaw), one more with every
    12 mm inside and one less with every 12 mm outside, from 4 (nose and cheeks) to -1 (where hair
    begins). 4 for all vertices of a template without these landmarks.
    """
    marks, vertices = template.landmarks, template.mesh.vertices
    if marks is None or marks.scheme != SCHEME:
        return np.full(len(vertices), _INSIDE)
    sides = ConvexHull(marks.positions(vertices)[:, :2]).equations
    outside = (vertices[:, :2] @ sides[:, :2].T + sides[:, 2]).max(axis=1)
    return np.clip(_RIM - outside / _FADE_MM, _OUTSIDE, _INSIDE)


def skin_shares(
    residuals: FloatArray,
    prior: FloatArray,
    places: IndexArray,
    size: tuple[int, int],
    sigma: float,
    pixels_per_mm: float,
) -> FloatArray:
    """Return (S,) in [0, 1], how likely each pixel shows skin.

    logit p_s = prior_s + 3 mean_near clip(log N(r; 0, sigma^2) - log 1, -4, 2),

    any other thing having any colour alike. The mean over 2.5 mm around lets single hairs and
    moles pass, and finds the pixels of a hand that have the colour of the face by chance.

    Parameters
    ----------
    residuals : (S, C) float64, picture against model, sRGB values of [0, 1]
    prior : (S,) log-odds, see `skin_prior`
    places : (S,) int64 on the flattened grid
    size : (height, width) of the grid
    sigma : standard deviation of skin around the model's, root mean square over channels
    pixels_per_mm : of the grid

    Source
    ------
    A generative model of occlusion as in Egger et al. 2018, "Occlusion-aware 3D morphable models
    and an illumination prior for face image analysis", without its random field.
    """
    # Channels err together, so they count as one.
    misfit = lengths(residuals) / sigma
    likelihood = -0.5 * misfit**2 - np.log(np.sqrt(2 * np.pi) * sigma)
    grid, known = np.zeros(size[0] * size[1]), np.zeros(size[0] * size[1])
    grid[places] = np.clip(likelihood, _UNLIKELIEST, _LIKELIEST)
    known[places] = 1.0
    width = _SMOOTH_MM * pixels_per_mm
    near = ndimage.gaussian_filter(grid.reshape(size), width, truncate=2.0).ravel()[places]
    count = ndimage.gaussian_filter(known.reshape(size), width, truncate=2.0).ravel()[places]
    return 1.0 / (1.0 + np.exp(-prior - _TRUST * near / np.maximum(count, 1e-6)))
