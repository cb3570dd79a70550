"""The albedo that a picture shows: the light taken out, vertex by vertex."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from geomface.arrays import FloatArray, ImageArray, IndexArray
from geomface.fitting.rendering.energy import Skin
from geomface.fitting.rendering.shading import lambert_basis, to_linear, to_srgb
from geomface.fitting.rendering.unknowns import Unknowns
from geomface.fitting.rendering.visible_pixels import VisiblePixels

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
    rendered = (to_linear(pixels.mix(colors))[0] @ skin.mix.T) * shading
    wanted = np.log(to_linear(picture.clip(_DARKEST))[0] / rendered.clip(1e-4))
    wanted = wanted.clip(-np.log(_LARGEST_GAIN), np.log(_LARGEST_GAIN))
    count = len(colors)
    rows = np.repeat(np.arange(len(pixels)), 3)
    reading = sparse.csr_matrix(
        (pixels.weights.ravel(), (rows, pixels.corners.ravel())), shape=(len(pixels), count)
    )
    matrix = reading.T @ reading + _STAY * sparse.identity(count)
    matrix = matrix + _SMOOTH * _graph_laplacian(_edges(faces), count)
    if mirror is not None:
        pairs = np.column_stack([np.arange(count), mirror])
        matrix = matrix + 0.5 * _MIRROR * _graph_laplacian(pairs[pairs[:, 0] != mirror], count)
    right = reading.T @ wanted
    diagonal = sparse.diags(1.0 / matrix.diagonal())
    gains = [cg(matrix.tocsr(), column, rtol=1e-5, M=diagonal)[0] for column in right.T]
    linear = to_linear(colors)[0] * np.exp(np.stack(gains, axis=1))
    return to_srgb(linear)[0].clip(0.0, 1.0).astype(np.float32)


def _edges(faces: IndexArray) -> IndexArray:
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    return np.unique(pairs, axis=0)


def _graph_laplacian(pairs: IndexArray, count: int) -> sparse.csr_matrix:
    """Return L with x^T L x = sum over pairs of (x_i - x_j)^2."""
    ones = np.ones(len(pairs))
    rows = np.repeat(np.arange(len(pairs)), 2)
    values = np.column_stack([ones, -ones]).ravel()
    incidence = sparse.csr_matrix((values, (rows, pairs.ravel())), shape=(len(pairs), count))
    return (incidence.T @ incidence).tocsr()
