"""Where a face lies in a picture, and the upright window around it that a network is shown."""

import numpy as np
import torch

from geomface.arrays import FloatArray
from geomface.mesh.multi_pie import LEFT_EYE, MOUTH, RIGHT_EYE

WINDOW = 128
"""Pixels a side of the window that the landmark network sees."""
SPAN = 4.2
"""Side of that window, in radii of the face; the 68 points of a frontal face fill two thirds."""
EYE_DISTANCE = 1.25
"""Distance of the eyes of a frontal face, in radii."""


def frames_of(points: FloatArray) -> FloatArray:
    """Return the frames of faces: centre, radius and roll.

    c = mean p_i,   r = sqrt(mean |p_i - c|^2),   roll = atan2(-d_x, d_y)

    with d from the middle of the eyes to the middle of the mouth, which a turn of the head leaves
    nearly upright.

    Parameters
    ----------
    points : (..., 68, 2) pixels

    Returns
    -------
    (..., 4) float64: x, y and radius in pixels, roll in radians

    Convention
    ----------
    A positive roll turns the face clockwise in the picture; x right, y down.
    """
    points = np.asarray(points, np.float64)
    center = points.mean(axis=-2)
    radius = np.sqrt(((points - center[..., None, :]) ** 2).sum(axis=-1).mean(axis=-1))
    eyes = points[..., RIGHT_EYE.start : LEFT_EYE.stop, :].mean(axis=-2)
    down = points[..., MOUTH, :].mean(axis=-2) - eyes
    roll = np.arctan2(-down[..., 0], down[..., 1])
    return np.concatenate([center, radius[..., None], roll[..., None]], axis=-1)


def _axes(frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.cos(frames[:, 3]), torch.sin(frames[:, 3])


def from_window(
    places: torch.Tensor, frames: torch.Tensor, size: int = WINDOW, span: float = SPAN
) -> torch.Tensor:
    """Return the picture's pixels of places in the windows of frames.

    p = c + (span r / size) R(roll) (q - size / 2)

    Parameters
    ----------
    places : (N, L, 2) pixels of the windows
    frames : (N, 4) as `frames_of` gives them
    """
    cosine, sine = _axes(frames)
    step = (span * frames[:, 2] / size)[:, None]
    x, y = (step * (places[..., axis] - size / 2) for axis in (0, 1))
    cosine, sine = cosine[:, None], sine[:, None]
    turned = torch.stack([cosine * x - sine * y, sine * x + cosine * y], dim=2)
    return turned + frames[:, None, :2]


def to_window(
    points: torch.Tensor, frames: torch.Tensor, size: int = WINDOW, span: float = SPAN
) -> torch.Tensor:
    """Return the pixels (N, L, 2) in the windows of frames of pixels of pictures."""
    cosine, sine = (item[:, None] for item in _axes(frames))
    step = (span * frames[:, 2] / size)[:, None]
    x, y = ((points - frames[:, None, :2]) / step[..., None]).unbind(dim=2)
    return torch.stack([cosine * x + sine * y, cosine * y - sine * x], dim=2) + size / 2


def window_places(frames: torch.Tensor, size: int = WINDOW, span: float = SPAN) -> torch.Tensor:
    """Return where the pixels of windows lie in their pictures, (N, size, size, 2)."""
    side = torch.arange(size, dtype=frames.dtype) + 0.5
    grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=2).reshape(1, -1, 2)
    places = from_window(grid.expand(len(frames), -1, -1), frames, size, span)
    return places.reshape(len(frames), size, size, 2)


def sample_pictures(pictures: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return pictures (N, C, H, W) at places (N, h, w, 2) in pixels; the rim goes on outside."""
    height, width = pictures.shape[2:]
    size = torch.tensor([width, height], dtype=places.dtype)
    return torch.nn.functional.grid_sample(
        pictures, 2.0 * places / size - 1.0, padding_mode="border", align_corners=False
    )


def cut_window(
    picture: torch.Tensor, frame: FloatArray, size: int = WINDOW, span: float = SPAN
) -> torch.Tensor:
    """Return the window (1, 1, size, size) of a frame, averaged where the picture is finer.

    Parameters
    ----------
    picture : (H, W) float32 grey
    frame : (4,) as `frames_of` gives it
    """
    x, y, radius, roll = (float(value) for value in frame)
    step = span * radius / size
    height, width = picture.shape
    reach = 0.5 * span * radius * 1.4143 + 2.0 * step + 2.0
    left, top = (int(np.floor(np.clip(v - reach, 0, n - 1))) for v, n in ((x, width), (y, height)))
    right, bottom = (
        int(np.ceil(np.clip(v + reach, low + 1, n)))
        for v, low, n in ((x, left, width), (y, top, height))
    )
    part = picture[top:bottom, left:right][None, None]
    factor = max(1, min(int(step), *part.shape[2:]))
    if factor > 1:  # whole cells only: what is left over at the rim is less than one of them
        part = torch.nn.functional.avg_pool2d(part, factor)
    moved = torch.tensor([[(x - left) / factor, (y - top) / factor, radius / factor, roll]])
    return sample_pictures(part, window_places(moved.to(picture.dtype), size, span))
