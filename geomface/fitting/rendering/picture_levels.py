"""A picture at several sizes, on grids of pixels that stay in the picture's coordinates."""

import dataclasses

import numpy as np
from scipy import ndimage

from geomface.arrays import FloatArray


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
