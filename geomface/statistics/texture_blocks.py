"""A texture model from textures that do not fit in memory: a block of places at a time.

Everything that the fit needs is a sum over places: means, products of images, regressions of
single places. So all images are read together, but only some of their places at once.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray
from geomface.errors import MeshError
from geomface.statistics.decomposition.exact import GRAM_FLOOR, LOST_ORTHOGONALITY
from geomface.statistics.decomposition.result import (
    choose_modes,
    require_choice,
    require_found,
    require_possible,
    rounding_level,
)

MOST_SCORES = 8
RIDGE = 0.03
BLOCK_ENTRIES = 1 << 20
"""Places times images that are in memory at once."""
FEWEST_PLACES = 256

PlaceBlocks = Callable[[int, int], tuple[ImageArray, BoolArray]]
"""From first and last place, colours (N, n, 3) float32 and what was seen of them (N, n) bool."""


@dataclasses.dataclass(frozen=True, eq=False)
class TextureRows:
    """Textures that are read a block of places at a time.

    Parameters
    ----------
    count : N, number of textures
    places : P, number of texels or vertices of each
    read : see `PlaceBlocks`; colours that were not seen may be anything finite
    """

    count: int
    places: int
    read: PlaceBlocks

    def blocks(self) -> Iterator[tuple[slice, ImageArray, BoolArray]]:
        """Yield (places, colours, seen) of all places, one after the other."""
        step = max(FEWEST_PLACES, BLOCK_ENTRIES // self.count)
        for start in range(0, self.places, step):
            part = slice(start, min(start + step, self.places))
            yield part, *self.read(part.start, part.stop)


@dataclasses.dataclass(frozen=True, eq=False)
class FlatTextures:
    """A linear model of P places.

    Parameters
    ----------
    mean : (P, 3) float64
    basis : (P, 3, K) float32, one standard deviation each
    valid : (P,) bool, places that at least one texture saw
    noise_sigma, total_variance : as in `LinearModel`
    """

    mean: FloatArray
    basis: np.ndarray
    valid: BoolArray
    noise_sigma: float
    total_variance: float


def fit_texture_rows(
    rows: TextureRows,
    *,
    components: int | None = None,
    variance: float | None = None,
    most: int | None = None,
) -> FlatTextures:
    """Fit the principal components of textures with holes in three passes over their places.

    The first pass finds the means of what was seen and the leading scores of the images, the
    second fills what was hidden (see `_filled`) and sums the products of images, G = X X^T; the
    third makes the modes X^T u / sqrt(N - 1) of its eigenvectors u. Memory: N^2 numbers, the
    result, and a block.

    Parameters
    ----------
    components, variance : as in `fit_pca`
    most : keep at most so many modes, whatever the share of the variance asks for

    Raises
    ------
    MeshError : no place was seen at all, or colours that are not finite.
    SettingsError : components and variance together, or outside their range.
    """
    from scipy.linalg import eigh

    require_choice(components, variance, "n-1")
    require_possible(components, rows.count, 3 * rows.places)
    mean, valid, scores = _seen(rows)
    products = np.zeros((rows.count, rows.count))
    middle = np.zeros_like(mean)
    for part, filled in _filled_blocks(rows, mean, valid, scores):
        middle[part] = mean[part] + filled.mean(axis=0, dtype=np.float64)
        products += _products(filled - filled.mean(axis=0, dtype=np.float64))
    total = float(np.trace(products))
    values, vectors = eigh(products, overwrite_a=True, check_finite=False)
    squares, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    largest = float(squares[0])
    nothing = np.zeros(3 * rows.places)
    level = rounding_level(np.dtype(np.float32), rows.count, nothing, total, np.sqrt(largest))
    resolved = int(np.count_nonzero(squares > max(level**2, GRAM_FLOOR * largest)))
    squares = squares[: min(rows.count - 1, resolved)]
    require_found(components, len(squares))
    kept = choose_modes(squares, total, components, variance)
    kept = kept if most is None else min(kept, most)
    weights = vectors[:, :kept] / np.sqrt(rows.count - 1)
    basis = np.empty((rows.places, 3, kept), np.float32)
    for part, filled in _filled_blocks(rows, mean, valid, scores):
        centred = (filled - filled.mean(axis=0, dtype=np.float64)).reshape(rows.count, -1)
        basis[part] = (centred.T @ weights).reshape(-1, 3, kept)
    variances = squares[:kept] / (rows.count - 1)
    if kept and np.finfo(np.float64).eps * largest > LOST_ORTHOGONALITY * squares[kept - 1]:
        _orthogonalise(basis, variances)
    _turn(basis)
    left_out = max(total - float(squares[:kept].sum()), 0.0) / (rows.count - 1)
    size = 3 * rows.places
    return FlatTextures(
        mean=middle,
        basis=basis,
        valid=valid,
        noise_sigma=float(np.sqrt(left_out / (size - kept))) if size > kept else 0.0,
        total_variance=float(variances.sum()) + left_out,
    )


def _seen(rows: TextureRows) -> tuple[FloatArray, BoolArray, FloatArray | None]:
    """Return the mean (P, 3) of what was seen, where that is, and scores (N, 1 + k) if holes are.

    Scores are the leading eigenvectors of the pairwise-complete Gram matrix, G_nm = <x_n, x_m> /
    (number of places both saw), as long as the root of their eigenvalue says; a column of ones
    goes before.
    """
    mean, valid = np.zeros((rows.places, 3)), np.zeros(rows.places, bool)
    products, both = np.zeros((rows.count, rows.count)), np.zeros((rows.count, rows.count))
    whole = True
    for part, colors, seen in rows.blocks():
        if not np.isfinite(colors).all():
            raise MeshError("textures hold NaN or infinity. Repair or remove such textures first.")
        valid[part] = seen.any(axis=0)
        whole &= bool((seen | ~valid[part]).all())
        shown = np.where(seen[..., None], colors, np.float32(0))
        mean[part] = shown.sum(axis=0, dtype=np.float64) / np.maximum(seen.sum(axis=0), 1)[:, None]
        shown -= np.where(seen[..., None], mean[part], 0.0).astype(np.float32)
        products += _products(shown)
        flags = seen.astype(np.float32)
        both += flags @ flags.T
    if not valid.any():
        raise MeshError("textures: no texel was seen in any of them. Check the bakes and masks.")
    mean[~valid] = mean[valid].mean(axis=0)
    if whole:
        return mean, valid, None
    values, vectors = np.linalg.eigh(products / np.maximum(both, 1))
    leading = max(1, min(rows.count // 4, MOST_SCORES))
    relative = np.clip(values[-leading:], 0, None) / max(values[-1], 1e-300)
    scores = np.ones((rows.count, 1 + leading))
    scores[:, 1:] = vectors[:, -leading:] * np.sqrt(rows.count * relative)
    return mean, valid, scores


def _filled_blocks(
    rows: TextureRows, mean: FloatArray, valid: BoolArray, scores: FloatArray | None
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield (places, (N, n, 3) float64 differences from the mean), what was hidden filled in.

    A hidden place is what the image's scores z say: min sum_n seen_n |x_n - a - b z_n|^2 +
    RIDGE |b|^2 (which leaves out scores that explain little), and a + b z_n stands in. A place
    that none saw differs by nothing.
    """
    for part, colors, seen in rows.blocks():
        differences = np.where(seen[..., None], colors - mean[part], 0.0)
        partly = np.flatnonzero(~seen.all(axis=0) & valid[part])
        if scores is not None and len(partly):
            ridge = np.diag([1e-9] + [RIDGE] * (scores.shape[1] - 1))
            weight = seen[:, partly].astype(np.float64)
            products = scores[:, :, None] * scores[:, None, :]
            normal = np.tensordot(weight.T, products, 1) + ridge
            right = np.einsum("nk,npc->pkc", scores, differences[:, partly], optimize=True)
            found = np.linalg.solve(normal, right)
            predicted = np.einsum("nk,pkc->npc", scores, found, optimize=True)
            differences[:, partly] = np.where(
                weight[..., None] > 0, differences[:, partly], predicted
            )
        yield part, differences


def _products(block: np.ndarray) -> FloatArray:
    """Return the (N, N) products of images in a block (N, n, 3), summed in float64."""
    flat = block.reshape(len(block), -1).astype(np.float64, copy=False)
    return flat @ flat.T


def _orthogonalise(basis: np.ndarray, variances: FloatArray) -> None:
    """Make nearly orthogonal modes (P, 3, K) orthogonal in place; the leading ones move least."""
    from scipy.linalg import solve_triangular

    flat = basis.reshape(-1, basis.shape[-1])
    scale = np.sqrt(variances)
    step = max(1, BLOCK_ENTRIES // len(variances))
    matrix = np.zeros((len(variances), len(variances)))
    for start in range(0, len(flat), step):
        part = flat[start : start + step] / scale
        matrix += part.T @ part
    inverse = solve_triangular(np.linalg.cholesky(matrix), np.eye(len(matrix)), lower=True)
    turn = (inverse / scale).T * scale
    for start in range(0, len(flat), step):
        flat[start : start + step] = flat[start : start + step] @ turn


def _turn(basis: np.ndarray) -> None:
    """Make the largest entry of every mode by size positive, in place."""
    flat = basis.reshape(-1, basis.shape[-1])
    flip = -flat.min(axis=0, initial=0) > flat.max(axis=0, initial=0)
    flat *= np.where(flip, -1.0, 1.0).astype(np.float32)
