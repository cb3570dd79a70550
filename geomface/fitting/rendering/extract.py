"""The albedo that a picture shows: the light taken out, vertex by vertex."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.files.color import linear_to_srgb, srgb_to_linear
from geomface.fitting.rendering.energy import Skin
from geomface.fitting.rendering.shading import lambert_basis
from geomface.fitting.rendering.unknowns import Unknowns
from geomface.fitting.rendering.visible_pixels import VisiblePixels
from geomface.mesh.laplacian import graph_laplacian, laplacian_from_weights

_DARKEST = 0.02
_LARGEST_GAIN = 4.0
_SMOOTH, _MIRROR, _STAY = 0.3, 0.05, 0.003


def extract_colors(
    skin: Skin,
    at: Unknowns,
    normals: FloatArray,
    faces: IndexArray,
    mirror: IndexArray | None,
    pixels: VisiblePixels,
    picture: FloatArray,
) -> ImageArray:
    """Return (V, 3) float32 sRGB colours that show the picture under the fitted light.

    albedo_v = albedo of the model x exp(g_v),
    min over g of sum_s |g(x_s) - log(picture_s / rendering_s)|^2
        + smooth sum_edges |g_v - g_w|^2 + mirror sum_v |g_v - g_v'|^2 + stay |g|^2,

    in linear light, so that what the picture does not show is that of the other half of the face,
    or the model.

    Parameters
    ----------
    normals : (V, 3) float64, unit
    faces : (F, 3) int64
    mirror : (V,) int64 or None
    pixels : what each pixel sees
    picture : (S, C) float64 sRGB
    """
    colors = skin.colors(at.albedo).clip(_DARKEST, 1.0)
    seen = pixels.mix(normals)
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    shading = (lambert_basis(seen) @ at.light).clip(_DARKEST)
    rendered = (srgb_to_linear(pixels.mix(colors)) @ skin.mix.T) * shading
    wanted = np.log(srgb_to_linear(picture.clip(_DARKEST)) / rendered.clip(1e-4))
    wanted = wanted.clip(-np.log(_LARGEST_GAIN), np.log(_LARGEST_GAIN))
    count = len(colors)
    rows = np.repeat(np.arange(len(pixels)), 3)
    reading = sparse.csr_matrix(
        (pixels.weights.ravel(), (rows, pixels.corners.ravel())), shape=(len(pixels), count)
    )
    matrix = reading.T @ reading + _STAY * sparse.identity(count)
    matrix = matrix + _SMOOTH * graph_laplacian(faces, count)
    if mirror is not None:
        pairs = np.column_stack([np.arange(count), mirror])[mirror != np.arange(count)]
        weights = np.full(len(pairs), 0.5 * _MIRROR)
        matrix = matrix + laplacian_from_weights(pairs, weights, count)
    right = reading.T @ wanted
    diagonal = sparse.diags(1.0 / matrix.diagonal())
    gains = [cg(matrix.tocsr(), column, rtol=1e-5, M=diagonal)[0] for column in right.T]
    linear = srgb_to_linear(colors) * np.exp(np.stack(gains, axis=1))
    return linear_to_srgb(linear).clip(0.0, 1.0).astype(np.float32)
