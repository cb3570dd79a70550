"""The finder: where faces may be in a picture, looked for at every size by one small network."""

import dataclasses

import numpy as np
import torch
from torch import nn

from geomface.arrays import FloatArray
from geomface.learning.residual import ResidualBlock

STRIDE = 4
"""Pixels of a level a cell."""
RADIUS = 7.6
"""Radius of the faces that the network is made for, pixels of a level."""
RATIO = 1.5
"""Size of a level relative to the next coarser one."""
MARGIN = 16
"""Pixels that go on around a level, for faces that the picture cuts."""
_REACH = 15
"""Side of the neighbourhood that contrast is evened out over, pixels."""


def even_contrast(levels: torch.Tensor) -> torch.Tensor:
    """Return pictures (N, 1, H, W) less their local mean, over their local deviation."""

    def local(values: torch.Tensor) -> torch.Tensor:
        half = _REACH // 2
        padded = nn.functional.pad(values, (half, half, half, half), mode="replicate")
        rows = nn.functional.avg_pool2d(padded, (1, _REACH), 1)
        return nn.functional.avg_pool2d(rows, (_REACH, 1), 1)

    mean = local(levels)
    variance = (local(levels**2) - mean**2).clamp_min(0.0)
    return (levels - mean) / (variance.sqrt() + 0.03)


class FinderNetwork(nn.Module):
    """Face or no face around every fourth pixel, and the frame of the face.

    Convention
    ----------
    Input (N, 1, H, W) float32 grey in [0, 1], sides of multiples of 4. Output (N, 6, H/4, W/4):
    logit, centre (x, y) from the middle of the cell in `RADIUS`, log(radius / `RADIUS`), and
    cosine and sine of the roll.

    Source
    ------
    A fully convolutional network on a pyramid, as Zhang et al. 2016 (MTCNN) use it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 16, 5, 2, 2, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
        )
        self.near = ResidualBlock(32, 32, nn.BatchNorm2d)
        self.around = nn.Sequential(
            nn.Conv2d(32, 48, 3, 1, 2, dilation=2, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.Conv2d(48, 64, 3, 1, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
        )
        self.answer = nn.Conv2d(64, 6, 1)

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        """Return (N, 6, H / 4, W / 4)."""
        return self.answer(self.around(self.near(self.stem(even_contrast(levels)))))


@dataclasses.dataclass(frozen=True)
class Candidates:
    """Frames (F, 4) where faces may be, surest first, and their scores (F,) in [0, 1]."""

    frames: FloatArray
    scores: FloatArray


def decoded(answer: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the frames (N, cells, 4) in pixels of the level, and the logits (N, cells)."""
    rows, columns = answer.shape[2:]
    x = (torch.arange(columns, dtype=answer.dtype) + 0.5) * STRIDE
    y = (torch.arange(rows, dtype=answer.dtype) + 0.5) * STRIDE
    frames = torch.stack(
        [
            x + RADIUS * answer[:, 1],
            y[:, None] + RADIUS * answer[:, 2],
            RADIUS * torch.exp(answer[:, 3].clamp(-1.0, 1.0)),
            torch.atan2(answer[:, 5], answer[:, 4]),
        ],
        dim=3,
    )
    return frames.flatten(1, 2), answer[:, 0].flatten(1)


def find_candidates(
    network: FinderNetwork,
    picture: torch.Tensor,
    *,
    smallest: float,
    threshold: float,
    most: int,
) -> Candidates:
    """Look for faces at every size.

    Parameters
    ----------
    picture : (H, W) float32 grey in [0, 1]
    smallest : radius of the smallest faces, pixels of the picture
    threshold : least score
    most : candidates at most
    """
    height, width = picture.shape
    found: list[tuple[np.ndarray, np.ndarray]] = []
    factor = RADIUS / smallest
    level = picture[None, None]
    # The largest face fills the picture: its radius is about a third of the picture's side.
    while factor * max(height, width) > 2.0 * RADIUS:
        size = [max(4, round(factor * side)) for side in (height, width)]
        level = resized(level, size)
        scale = (width / size[1], height / size[0])
        below = [-(side + 2 * MARGIN) % STRIDE for side in size]
        padding = (MARGIN, MARGIN + below[1], MARGIN, MARGIN + below[0])
        padded = nn.functional.pad(level, padding, mode="replicate")
        frames, logits = decoded(network(padded))
        frames, scores = frames[0].numpy().astype(np.float64), logits[0].sigmoid().numpy()
        sure = scores >= threshold
        frames = frames[sure]
        frames[:, :2] = (frames[:, :2] - MARGIN) * scale
        frames[:, 2] *= np.sqrt(scale[0] * scale[1])
        found.append((frames, scores[sure]))
        factor /= RATIO
    if not found:
        return Candidates(np.zeros((0, 4)), np.zeros(0))
    frames = np.concatenate([item[0] for item in found])
    scores = np.concatenate([item[1] for item in found]).astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    kept = distinct(frames[order])[:most]
    return Candidates(frames[order][kept], scores[order][kept])


def resized(level: torch.Tensor, size: list[int]) -> torch.Tensor:
    """Return pictures at another size, averaged where that is smaller."""
    coarser = min(level.shape[2] // size[0], level.shape[3] // size[1])
    if coarser > 1:  # most of a large picture's pixels go here, quickly
        level = nn.functional.avg_pool2d(level, coarser)
    return nn.functional.interpolate(level, size=size, mode="bilinear", antialias=True)


def distinct(frames: FloatArray, apart: float = 1.2) -> list[int]:
    """Return the frames that lie apart from all kept ones before them.

    Parameters
    ----------
    frames : (F, 4), best first
    apart : least distance of centres, in the larger of two radii
    """
    kept: list[int] = []
    for index, frame in enumerate(frames):
        others = frames[kept]
        gap = np.linalg.norm(others[:, :2] - frame[:2], axis=1)
        if not (gap < apart * np.maximum(others[:, 2], frame[2])).any():
            kept.append(index)
    return kept
