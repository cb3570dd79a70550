"""How a face lies in the pictures that the embedder looks at; the same for training and use."""

import numpy as np
import torch
import torch.nn.functional as F

from geomface.arrays import ImageArray

PICTURE_SIZE = 64
"""Pixels a side of the pictures that the network looks at."""
FACE_SHARE = 0.88
"""Height of the mean face, forehead to chin, as a share of the picture."""


def frame_pictures(images: ImageArray, face_share: float) -> np.ndarray:
    """Return the middle of pictures, cut or framed in black, at the size that the embedder knows.

    Parameters
    ----------
    images : (N, H, W, 3) float32 in [0, 1]
    face_share : height of the mean face as a share of the pictures' shorter side

    Returns
    -------
    (N, 64, 64, 3) float32 in [0, 1], the face `FACE_SHARE` of them
    """
    height, width = images.shape[1:3]
    side = max(round(min(height, width) * face_share / FACE_SHARE), 1)
    if (height, width) == (side, side) == (PICTURE_SIZE, PICTURE_SIZE):
        return images
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
    # Negative padding cuts.
    top, left = (side - height) // 2, (side - width) // 2
    tensor = F.pad(tensor, (left, side - width - left, top, side - height - top))
    # The mean over a pixel is as sharp as a render; a wider filter would blur who it is.
    mode = "area" if side >= PICTURE_SIZE else "bilinear"
    tensor = F.interpolate(tensor, (PICTURE_SIZE, PICTURE_SIZE), mode=mode)
    return tensor.clamp(0.0, 1.0).permute(0, 2, 3, 1).numpy()
