"""A picture for a fit: checked, at several sizes, and how its pixels err."""

import dataclasses

import numpy as np
from scipy import ndimage

from geomface.arrays import FloatArray, IndexArray
from geomface.errors import LandmarkError, SettingsError
from geomface.mesh.robust import geman_mcclure_weights

_FACE_INSIDE = 0.8
_SMALLEST_FACE = 16.0
# Median of the root mean square of 1 or 3 standard normal numbers.
_MEDIAN = {1: 0.6745, 3: 0.8880}
_CUTOFF = 3.0
_LEAST_CORRELATION = 0.05


def check_picture(image: np.ndarray, name: str = "image") -> FloatArray:
    """Return a picture as (H, W, C) float64, C = 3 or 1; equal channels become one.

    Parameters
    ----------
    image : (H, W), (H, W, 1) or (H, W, 3), floats in [0, 1] or uint8

    Raises
    ------
    SettingsError : another shape, values that are not finite or outside [0, 1], no contrast.
    """
    picture = np.asarray(image)
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.ndim != 3 or picture.shape[2] not in (1, 3) or min(picture.shape[:2]) < 1:
        raise SettingsError(
            f"{name}: expected a picture (H, W), (H, W, 1) or (H, W, 3), got shape "
            f"{np.shape(image)}. Leave out alpha, and put channels last."
        )
    if picture.dtype == np.uint8:
        picture = picture / 255.0
    if not np.issubdtype(picture.dtype, np.floating):
        raise SettingsError(
            f"{name}: expected floats in [0, 1] or uint8, got {picture.dtype}. Divide by its "
            "largest value."
        )
    picture = picture.astype(np.float64)
    if not np.isfinite(picture).all():
        bad = int((~np.isfinite(picture)).sum())
        raise SettingsError(f"{name}: expected finite values, got {bad} that are NaN or infinite.")
    if picture.min() < 0 or picture.max() > 1:
        raise SettingsError(
            f"{name}: expected values in [0, 1], got {picture.min():g} to {picture.max():g}. "
            "Divide by 255, or clip."
        )
    if np.ptp(picture) < 1e-3:
        raise SettingsError(f"{name}: expected a picture of a face, got one flat colour.")
    if picture.shape[2] == 3 and np.ptp(picture, axis=2).max() < 1.5 / 255:
        picture = picture[..., :1]
    return picture


def check_face_inside(points: FloatArray, image_size: tuple[int, int], name: str) -> float:
    """Return the size of the face: the longer side of the landmarks' box, pixels.

    Parameters
    ----------
    points : (L, 2) pixels, NaN where missing

    Raises
    ------
    LandmarkError : many landmarks outside the picture, or a face too small to look at.
    """
    present = points[np.isfinite(points).all(axis=1)]
    extent = np.array([image_size[1], image_size[0]], np.float64)
    inside = ((present >= 0) & (present <= extent)).all(axis=1)
    if inside.mean() < _FACE_INSIDE:
        raise LandmarkError(
            f"{name}: {int((~inside).sum())} of {len(present)} landmarks lie outside the image of "
            f"{image_size[1]} x {image_size[0]} pixels. Expected pixels of this image, x first."
        )
    size = float(np.ptp(present, axis=0).max())
    if size < _SMALLEST_FACE:
        raise LandmarkError(
            f"{name}: expected a face of at least {_SMALLEST_FACE:g} pixels, the landmarks span "
            f"{size:.1f}. Enlarge the picture, or check the landmarks."
        )
    return size


@dataclasses.dataclass(frozen=True, eq=False)
class PictureLevel:
    """A smoothed picture on a coarser grid.

    Parameters
    ----------
    values : (h, w, C) float64 sRGB at the grid's pixel centres
    pixel : width of a grid pixel, pixels of the picture

    Convention
    ----------
    The centre of grid pixel (row, column) lies at ((column + 0.5), (row + 0.5)) x pixel.
    """

    values: FloatArray
    pixel: float

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the grid."""
        return self.values.shape[0], self.values.shape[1]

    def centres(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Return (n, 2) centres of grid pixels in the picture."""
        return (np.stack([columns, rows], axis=1) + 0.5) * self.pixel


def picture_level(picture: FloatArray, pixel: float) -> PictureLevel:
    """Return a picture (H, W, C) with pixels `pixel` times as wide; below 1 it is enlarged.

    Smoothed by a Gaussian of about the new pixel's width, then read at the new centres.
    """
    if pixel == 1.0:
        return PictureLevel(picture, 1.0)
    sigma = 0.5 * np.sqrt(max(pixel**2 - 1.0, 0.0))
    smooth = ndimage.gaussian_filter(picture, (sigma, sigma, 0), mode="nearest")
    height, width = (max(1, int(side / pixel)) for side in picture.shape[:2])
    rows = (np.arange(height) + 0.5) * pixel - 0.5
    columns = (np.arange(width) + 0.5) * pixel - 0.5
    places = np.meshgrid(rows, columns, indexing="ij")
    values = np.stack(
        [
            ndimage.map_coordinates(smooth[..., c], places, order=1, mode="nearest")
            for c in range(picture.shape[2])
        ],
        axis=-1,
    )
    return PictureLevel(values, pixel)


def lengths(residuals: FloatArray) -> FloatArray:
    """Return (S,) root mean squares over the channels of residuals (S, C)."""
    return np.sqrt((residuals**2).mean(axis=1))


def pixel_sigma(residuals: FloatArray, least: float, most: float) -> float:
    """Return the standard deviation of the well behaved pixels of residuals (S, C), C = 1 or 3.

    1.48 median |r| (for one channel), kept between `least` and `most`.
    """
    median = float(np.median(lengths(residuals))) / _MEDIAN[residuals.shape[1]]
    return min(max(median, least), most)


def independent_pixels(
    residuals: FloatArray, places: IndexArray, size: tuple[int, int], sigma: float, longest: int
) -> float:
    """Return the area in pixels that errs in common: 1 for white noise.

    A = a_x a_y,   a = 1 + 2 sum_l max(rho(l), 0)

    with rho the covariance of residuals l pixels apart along rows or columns, over the larger of
    their variance and sigma^2, summed until it falls below 0.05. Skin that no model knows, hair and
    shadows make a large area; what errs less than is expected anyway does not.

    Parameters
    ----------
    residuals : (S, C) float64
    places : (S,) int64 on the flattened grid
    size : (height, width) of the grid
    sigma : standard deviation; residuals beyond a few of it lose their weight
    longest : largest distance looked at, pixels
    """
    trust = np.sqrt(geman_mcclure_weights(lengths(residuals) / sigma, _CUTOFF))
    grid = np.zeros((size[0] * size[1], residuals.shape[1]))
    grid[places] = residuals * trust[:, None]
    known = np.zeros(size[0] * size[1], bool)
    known[places] = True
    grid, known = grid.reshape(*size, -1), known.reshape(size)
    variance = max(float((grid[known] ** 2).mean()), sigma**2)
    along = _length(grid, known, longest, variance)
    return along * _length(grid.transpose(1, 0, 2), known.T, longest, variance)


def _length(grid: FloatArray, known: np.ndarray, longest: int, variance: float) -> float:
    """Return 1 + 2 sum_l rho(l) along the first axis."""
    total = 1.0
    for lag in range(1, min(longest, len(grid) - 1) + 1):
        both = known[:-lag] & known[lag:]
        if not both.any():
            break
        product = float((grid[:-lag][both] * grid[lag:][both]).mean())
        if product < _LEAST_CORRELATION * variance:
            break
        total += 2.0 * product / variance
    return total
