"""Brightness and contrast of faces in the frame: plain figures that renders get wrong."""

import numpy as np

from geomface.arrays import BoolArray, FloatArray, ImageArray, require_finite, require_shape
from geomface.errors import SettingsError
from geomface.metrics.face_frame import HEIGHT, WIDTH, ellipse_of_frame

BAND_EDGES = (0.0, 0.7, 1.4, 2.8, 5.6)
"""Standard deviations of the blurs between which bands of contrast lie, pixels of the frame."""
DARKEST = 2.0
"""Per cent of a face."""
_EYE_WHITE = 99.0
_LEFT, _RIGHT = ellipse_of_frame(31, 70, 8, 8), ellipse_of_frame(61, 70, 8, 8)
SKIN = _LEFT | _RIGHT | ellipse_of_frame(46, 64, 5, 12)
"""Cheeks and nose."""
FACE = ellipse_of_frame(46, 66, 24, 30)
"""From the brows to the chin, without hair and background."""
EYES = ellipse_of_frame(28.5, 51, 9, 5) | ellipse_of_frame(63.5, 51, 9, 5)


def face_statistics(pictures: FloatArray) -> dict[str, FloatArray]:
    """Return brightness and contrast of faces, one figure a picture each.

    Parameters
    ----------
    pictures : (N, 112, 92) grey in [0, 1], as `frame_face` makes them

    Returns
    -------
    {name: (N,)}: bands of contrast over cheeks and nose (see `contrast_bands`); contrast of the
    face, sd / mean; its darkest 2 % over its median; the brightest 1 % about the eyes over the
    median of the skin; how much brighter one cheek is, |left - right| / mean; brightness, the
    median of the face in [0, 1]

    Raises
    ------
    SettingsError : other shapes, NaN, or a picture that is black
    """
    pictures = _checked(pictures)
    bands = contrast_bands(pictures, SKIN)
    face, skin = pictures[:, FACE], pictures[:, SKIN]
    median = np.median(face, axis=1)
    left, right = pictures[:, _LEFT].mean(axis=1), pictures[:, _RIGHT].mean(axis=1)
    eye_white = np.percentile(pictures[:, EYES], _EYE_WHITE, axis=1)
    return {
        **{
            f"contrast {low:g} to {high:g} px": bands[:, index]
            for index, (low, high) in enumerate(zip(BAND_EDGES, BAND_EDGES[1:], strict=False))
        },
        "contrast of the face": face.std(axis=1) / face.mean(axis=1),
        "darkest 2 % over median": np.percentile(face, DARKEST, axis=1) / median,
        "eye white over skin": eye_white / np.median(skin, axis=1),
        "side light": np.abs(left - right) / (0.5 * (left + right)),
        "brightness": median,
    }


def black_faces(pictures: FloatArray | ImageArray) -> BoolArray:
    """Return (N,) which of framed faces (N, 112, 92) have no light: nothing is relative to it."""
    medians = [np.median(pictures[:, region], axis=1) for region in (FACE, SKIN)]
    return np.minimum(*medians) <= 0


def contrast_bands(
    pictures: FloatArray, region: BoolArray, edges: tuple[float, ...] = BAND_EDGES
) -> FloatArray:
    """Return the contrast of pictures by size of what is seen.

    c_k = sd(G(s_k) x - G(s_(k+1)) x) / mean(x) over the region, G(s) a Gaussian blur, G(0) = 1

    Parameters
    ----------
    pictures : (N, H, W), the region not black
    region : (H, W)
    edges : s_0 < s_1 < ..., pixels

    Returns
    -------
    (N, len(edges) - 1)
    """
    from scipy.ndimage import gaussian_filter

    blurred = [
        gaussian_filter(pictures, (0, edge, edge), mode="nearest")[:, region]
        if edge
        else pictures[:, region]
        for edge in edges
    ]
    mean = pictures[:, region].mean(axis=1)
    bands = [
        (fine - coarse).std(axis=1) for fine, coarse in zip(blurred, blurred[1:], strict=False)
    ]
    return np.stack(bands, axis=1) / mean[:, None]


def _checked(pictures: FloatArray) -> FloatArray:
    pictures = require_shape(pictures, (None, HEIGHT, WIDTH), "framed faces", SettingsError)
    pictures = pictures.astype(np.float64)
    require_finite(pictures, "framed faces", SettingsError)
    black = np.flatnonzero(black_faces(pictures))
    if len(black):
        raise SettingsError(
            f"framed faces: expected some light on every face, picture {black[0]} is black there."
        )
    return pictures
