"""Linear models of colours, and their fit to baked textures with holes."""

import dataclasses
from typing import Self

import numpy as np

from geomface.arrays import BoolArray, ImageArray, IndexArray, frozen, require_shape
from geomface.errors import MeshError
from geomface.statistics.linear_model import LinearModel
from geomface.statistics.texture_blocks import TextureRows, fit_texture_rows


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
    flat, seen = images.reshape(count, -1, 3), masks.reshape(count, -1)
    rows = TextureRows(
        count,
        flat.shape[1],
        lambda start, stop: (flat[:, start:stop].astype(np.float32), seen[:, start:stop]),
    )
    return texture_model(rows, images.shape[1:-1], components=components, variance=variance)


def texture_model(
    rows: TextureRows,
    places: tuple[int, ...],
    *,
    components: int | None = None,
    variance: float | None = None,
    most: int | None = None,
) -> TextureModel:
    """Return the model of textures that are read a block at a time; see `fit_texture_rows`.

    Parameters
    ----------
    places : (H, W) of texture images or (V,) of colours a vertex
    """
    found = fit_texture_rows(rows, components=components, variance=variance, most=most)
    return TextureModel(
        mean=found.mean.reshape(*places, 3),
        basis=found.basis.reshape(*places, 3, -1),
        noise_sigma=found.noise_sigma,
        sample_count=rows.count,
        total_variance=found.total_variance,
        valid=found.valid.reshape(places),
    )
