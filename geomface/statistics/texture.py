"""Principal component analysis of baked textures with holes."""

import dataclasses
from pathlib import Path

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, frozen, require_shape
from geomface.errors import MeshError, SettingsError
from geomface.statistics.pca import choose_components

SCHEMA = 1
KIND = "texture-model"
MOST_SCORES = 8
RIDGE = 0.03


@dataclasses.dataclass(frozen=True, eq=False)
class TextureModel:
    """A Gaussian model of textures: image = mean + sum_k c_k sqrt(variance_k) mode_k.

    Parameters
    ----------
    mean : (H, W, 3) float32 in [0, 1]
    modes : (K, H, W, 3) float32, orthonormal as vectors
    variances : (K,) float64 > 0, decreasing
    valid : (H, W) bool, texels that at least one texture saw
    """

    mean: ImageArray
    modes: ImageArray
    variances: FloatArray
    valid: BoolArray

    def __post_init__(self) -> None:
        mean = require_shape(self.mean, (None, None, 3), "texture mean")
        modes = require_shape(self.modes, (None, *mean.shape), "texture modes")
        require_shape(self.variances, (len(modes),), "texture variances")
        require_shape(self.valid, mean.shape[:2], "valid texels")
        object.__setattr__(self, "mean", frozen(mean, np.float32))
        object.__setattr__(self, "modes", frozen(modes, np.float32))
        object.__setattr__(self, "variances", frozen(self.variances, np.float64))
        object.__setattr__(self, "valid", frozen(self.valid, np.bool_))

    def __len__(self) -> int:
        return len(self.modes)

    def coefficients(self, image: ImageArray) -> FloatArray:
        """Project an image (H, W, 3) onto the modes: (K,), in standard deviations."""
        image = require_shape(image, self.mean.shape, "image")
        flat = np.asarray(image - self.mean, dtype=np.float64).ravel()
        modes = self.modes.reshape(len(self), -1)
        return (modes @ flat) / np.sqrt(self.variances)

    def reconstruct(self, coefficients: FloatArray) -> ImageArray:
        """Return the image (H, W, 3) of coefficients (k,), k <= K, clipped to [0, 1]."""
        coefficients = require_shape(coefficients, (None,), "coefficients", SettingsError)
        count = len(coefficients)
        if count > len(self):
            raise SettingsError(f"coefficients: expected at most {len(self)}, got {count}.")
        weights = (coefficients * np.sqrt(self.variances[:count])).astype(np.float32)
        flat = weights @ self.modes[:count].reshape(count, -1)
        return np.clip(self.mean + flat.reshape(self.mean.shape), 0, 1).astype(np.float32)

    def sample(self, rng: np.random.Generator, *, sigma: float = 1.0) -> ImageArray:
        """Draw a new texture (H, W, 3), float32 in [0, 1]."""
        return self.reconstruct(sigma * rng.standard_normal(len(self)))


def _decompose_wide(rows: ImageArray) -> tuple[FloatArray, FloatArray]:
    """Return (weights (K, N), variances (K,)): weights @ rows are the orthonormal directions.

    The Gram matrix X X^T / (N - 1) is N x N however many texels there are. It squares the
    condition number, so directions under 1e-7 of the largest variance are dropped as noise.
    """
    gram = np.zeros((len(rows), len(rows)))
    for start in range(0, rows.shape[1], 1 << 18):  # float64 in blocks: textures are large
        block = rows[:, start : start + (1 << 18)].astype(np.float64)
        gram += block @ block.T
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = min(int(np.count_nonzero(values > 1e-7 * max(values[0], 1e-300))), len(rows) - 1)
    values, vectors = values[:keep], vectors[:, :keep]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(keep)])
    return (vectors * signs / np.sqrt(values)).T, values / (len(rows) - 1)


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
    images : (N, H, W, 3) float32 in [0, 1], N >= 2
    masks : (N, H, W) bool, True where the texel was seen, default everywhere
    components, variance : as in `fit_pca`

    Raises
    ------
    MeshError : fewer than two images, wrong shapes, or no texel seen at all.

    Notes
    -----
    The variance of texels that are often hidden comes out too small.
    """
    images = require_shape(images, (None, None, None, 3), "textures")
    count = len(images)
    if count < 2:
        raise MeshError(f"a texture model needs at least 2 textures, got {count}.")
    if masks is None:
        masks = np.ones(images.shape[:3], dtype=bool)
    masks = require_shape(masks, images.shape[:3], "texture masks").astype(bool)
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
    weights, variances = _decompose_wide(rows)
    keep = choose_components(variances, components, variance)
    modes = (weights[:keep].astype(np.float32) @ rows).reshape(keep, *mean.shape)
    return TextureModel(mean, modes, variances[:keep], valid)


def save_texture_model(path: Path | str, model: TextureModel) -> None:
    """Write a texture model to one safetensors file (kind "texture-model")."""
    from geomface.mesh.io.tensors import save_tensors

    arrays = {
        "mean": model.mean,
        "modes": model.modes,
        "variances": model.variances,
        "valid": model.valid.astype(np.uint8),
    }
    save_tensors(path, arrays, kind=KIND, schema=SCHEMA, topology_id="", units="", config={})


def load_texture_model(path: Path | str) -> TextureModel:
    """Read a texture model written by `save_texture_model`."""
    from geomface.mesh.io.tensors import load_tensors

    arrays, _ = load_tensors(path, kind=KIND, schema=SCHEMA)
    return TextureModel(
        arrays["mean"], arrays["modes"], arrays["variances"], arrays["valid"].astype(bool)
    )
