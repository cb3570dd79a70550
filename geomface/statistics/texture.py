"""Linear models of colours, and their fit to baked textures with holes."""

import dataclasses
from typing import Self

import numpy as np

from geomface.arrays import BoolArray, ImageArray, IndexArray, frozen, require_shape
from geomface.errors import MeshError
from geomface.statistics.decomposition import decompose_rows
from geomface.statistics.linear_model import LinearModel

MOST_SCORES = 8
RIDGE = 0.03


@dataclasses.dataclass(frozen=True, eq=False)
class TextureModel(LinearModel):
    """A linear model of colours: one a vertex, (V, 3), or a texture image, (H, W, 3).

    Parameters
    ----------
    valid : (H, W) or (V,) bool, texels or vertices that at least one example saw; None when all

    Convention
    ----------
    Colours lie in [0, 1], image row 0 at the top. `reconstruct` clips to [0, 1]: a sample is an
    image.
    """

    valid: BoolArray | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mean.shape[-1:] != (3,):
            raise MeshError(
                f"texture mean: expected (V, 3) or (H, W, 3) colours, got {self.mean.shape}."
            )
        if self.valid is not None:
            valid = require_shape(self.valid, self.mean.shape[:-1], "valid texels")
            object.__setattr__(self, "valid", frozen(valid, np.bool_))

    @property
    def is_image(self) -> bool:
        """True for a texture image, False for a colour a vertex."""
        return self.mean.ndim == 3

    def reconstruct(self, coefficients: np.ndarray) -> np.ndarray:
        """Return colours (..., *mean) of coefficients (..., k), float32 clipped to [0, 1]."""
        colors = super().reconstruct(coefficients)
        return np.clip(colors, 0.0, 1.0).astype(np.float32)

    def marginal(self, rows: IndexArray) -> Self:
        """Return the model of some vertices; a texture image has none."""
        if self.is_image:
            raise MeshError(
                "marginal: this model holds a texture image, not a colour a vertex. Bake to "
                "vertices first."
            )
        valid = None if self.valid is None else self.valid[rows]
        return dataclasses.replace(
            super(TextureModel, dataclasses.replace(self, valid=None)).marginal(rows), valid=valid
        )


def _fill_hidden(rows: ImageArray, masks: BoolArray) -> None:
    """Fill hidden texels of rows (N, P, 3), zero there, by what the images' leading scores say.

    Scores z (N, k) are the leading eigenvectors of the pairwise-complete Gram matrix,
    G_nm = <x_n, x_m> / (number of texels both saw), as long as the root of their eigenvalue says.
    Every texel is then regressed on them over the images that saw it,
    min sum_n seen_n |x_n - a - b z_n|^2 + RIDGE |b|^2 (which leaves out scores that explain
    little), and a + b z_n stands in where it is hidden. `rows` is changed in place.
    """
    count = len(rows)
    flat = rows.reshape(count, -1)
    seen = masks.reshape(count, -1).astype(np.float32)
    gram = (flat @ flat.T).astype(np.float64) / np.maximum(seen @ seen.T, 1)
    values, vectors = np.linalg.eigh(gram)
    leading = max(1, min(count // 4, MOST_SCORES))
    relative = np.clip(values[-leading:], 0, None) / max(values[-1], 1e-300)
    scores = np.ones((count, 1 + leading))
    scores[:, 1:] = vectors[:, -leading:] * np.sqrt(count * relative)
    ridge = np.diag([1e-9] + [RIDGE] * leading)
    partly = np.flatnonzero((seen == 0).any(axis=0))
    for start in range(0, len(partly), 1 << 16):
        places = partly[start : start + (1 << 16)]
        weight = seen[:, places].astype(np.float64)
        normal = np.einsum("np,nk,nl->pkl", weight, scores, scores, optimize=True) + ridge
        right = np.einsum("nk,npc->pkc", scores, rows[:, places], optimize=True)
        predicted = np.einsum("nk,pkc->npc", scores, np.linalg.solve(normal, right), optimize=True)
        rows[:, places] = np.where(weight[..., None] > 0, rows[:, places], predicted)


def fit_texture_pca(
    images: ImageArray,
    masks: BoolArray | None = None,
    *,
    components: int | None = None,
    variance: float | None = None,
) -> TextureModel:
    """Fit a texture model to images of which some texels were not seen.

    Where an image did not see a texel, the value that its leading scores predict stands in (a
    regression over the images that saw it), so that a hole in a dark face is filled dark. A texel
    that none saw gets the mean colour.

    Parameters
    ----------
    images : (N, H, W, 3) texture images or (N, V, 3) vertex colours, float32 in [0, 1], N >= 2
    masks : (N, H, W) or (N, V) bool, True where the place was seen, default everywhere
    components, variance : as in `fit_pca`

    Raises
    ------
    MeshError : fewer than two images, wrong shapes, or no texel seen at all.

    Notes
    -----
    The variance of texels that are often hidden comes out too small.

    Example
    -------
    >>> import numpy as np
    >>> import geomface as gf
    >>> images = np.random.default_rng(1).random((12, 8, 8, 3), np.float32)
    >>> seen = np.random.default_rng(2).random((12, 8, 8)) > 0.2  # the rest is filled
    >>> texture = gf.fit_texture_pca(images, seen, components=4)
    >>> texture.mean.shape, len(texture)
    ((8, 8, 3), 4)
    """
    images = np.asarray(images)
    places = (None,) * 2 if images.ndim == 4 else (None,)
    images = require_shape(images, (None, *places, 3), "textures")
    count = len(images)
    if count < 2:
        raise MeshError(f"a texture model needs at least 2 textures, got {count}.")
    if masks is None:
        masks = np.ones(images.shape[:-1], dtype=bool)
    masks = require_shape(masks, images.shape[:-1], "texture masks").astype(bool)
    valid = np.any(masks, axis=0, keepdims=False)
    if not valid.any():
        raise MeshError("textures: no texel was seen in any of them. Check the bakes and masks.")
    # Image by image: a stack of textures is large, and so is every copy of it.
    total = np.zeros(images.shape[1:])
    for image, mask in zip(images, masks, strict=True):
        np.add(total, image, out=total, where=mask[..., None])
    mean = total / np.maximum(masks.sum(axis=0), 1)[..., None]
    mean[~valid] = mean[valid].mean(axis=0)
    mean = mean.astype(np.float32)
    rows = np.zeros((count, mean.size), np.float32)
    for row, image, mask in zip(rows.reshape(images.shape), images, masks, strict=True):
        np.subtract(image, mean, out=row, where=mask[..., None])
    if not masks.all():
        _fill_hidden(rows.reshape(count, -1, 3), masks | ~valid)
        shift = rows.mean(axis=0)
        rows -= shift
        mean = mean + shift.reshape(mean.shape)
    found = decompose_rows(rows, components=components, variance=variance, method="dual")
    scale = np.sqrt(found.variances).astype(np.float32)
    basis = np.ascontiguousarray((found.directions * scale[:, None]).T)
    return TextureModel(
        mean=mean + found.mean.reshape(mean.shape),
        basis=basis.reshape(*mean.shape, len(scale)),
        noise_sigma=float(np.sqrt(found.noise_variance)),
        sample_count=count,
        total_variance=found.total_variance,
        valid=valid,
    )
