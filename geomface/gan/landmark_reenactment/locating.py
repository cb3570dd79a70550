"""Landmarks found in crops, which are small and cut close."""

import numpy as np
import torch
import torch.nn.functional as F

from geomface.arrays import FloatArray
from geomface.landmarks.photographs.detect import PhotographLandmarks

_AROUND = 0.25
"""Rim added on each side, a share of the crop's: the detector wants to see the whole head."""
_LEAST_SIDE = 128
"""Pixels that a crop is enlarged to."""
_FACES = np.array([[x, 0.46, 0.295, 0.0] for x in (0.38, 0.51, 0.64)])
"""x, y and radius of faces in crops by their landmarks' box, shares of the side: a face that is
turned away lies beside the middle."""


def locate_in_crops(images: torch.Tensor) -> FloatArray:
    """Return landmarks (N, 68, 2) in pixels of crops (N, 3, S, S) in [-1, 1]; NaN without a face.

    The photograph detector looks at each, enlarged and with its rim going on: where faces are in
    crops, and where it sees none there, everywhere.

    Convention
    ----------
    The first pixel's centre at (0, 0).
    """
    detector, size = PhotographLandmarks(), images.shape[-1]
    rim = round(_AROUND * size)
    factor = max(-(-_LEAST_SIDE // size), 1)
    wide = F.pad(images, (rim,) * 4, mode="replicate")
    side = factor * wide.shape[-1]
    wide = F.interpolate(wide, (side, side), mode="bicubic", align_corners=False)
    pictures = (0.5 * wide + 0.5).clamp(0.0, 1.0).permute(0, 2, 3, 1).numpy()
    near = factor * (size * _FACES + [rim, rim, 0.0, 0.0])
    found = np.full((len(images), 68, 2), np.nan)
    for row, picture in enumerate(map(np.ascontiguousarray, pictures)):
        faces = detector.detect_near(picture, near).faces or detector.detect(picture).faces
        if faces:
            found[row] = faces[0].points / factor - rim - 0.5
    return found
