"""What the networks are shown: windows of face pictures, cut, turned, covered and developed."""

import functools
import math

import torch

from geomface.landmarks.photographs.finder import RADIUS, STRIDE
from geomface.landmarks.photographs.frames import (
    WINDOW,
    from_window,
    sample_pictures,
    to_window,
    window_places,
)
from geomface.landmarks.photographs.training.developing import cover_windows, develop_windows
from geomface.learning.stream import Batch, Draws
from geomface.mesh.multi_pie import mirror_order

FIELD = 96
"""Pixels a side of the windows that the finder learns from."""
_FIELD_SPAN = FIELD / RADIUS
"""Their side in radii of a face that is as large as the finder expects."""


def landmark_windows(batch: Batch, draws: Draws) -> Batch:
    """Return windows (N, 1, 128, 128), their points (N, 68, 2), and which show no face there.

    Every eighth window lies beside the face, or shows it far too large, too small or upside down:
    these are no faces for the score and teach no landmarks.

    Parameters
    ----------
    batch : "pictures" (N, 1, S, S) in [0, 1], "points" (N, 68, 2) pixels, "frames" (N, 4), and
        "around" (N, 1, S, S), what may lie around the pictures or before them
    """
    pictures, points, frames = _mirrored(batch, draws)
    count = len(pictures)
    radius = frames[:, 2]
    close = (draws.uniform() < 0.5).to(radius.dtype)  # as a second look has it
    wide = 1.0 - 0.6 * close
    shift = 0.22 * wide[:, None] * draws.normal(2) * radius[:, None]
    size = torch.exp(0.16 * wide * draws.normal())
    turn = (wide * draws.normal() * math.radians(13.0)).clamp(-0.9, 0.9)
    wrong = draws.uniform() < 0.125
    how = draws.integers(4)
    far = draws.uniform()
    away = 2.0 * math.pi * draws.uniform()
    aside = torch.stack([torch.cos(away), torch.sin(away)], dim=1)
    aside = aside * (1.6 + 1.2 * far)[:, None] * radius[:, None]
    misplaced = wrong & ((how == 0) | (how == 1))
    shift = torch.where(misplaced[:, None], aside, shift)
    size = torch.where(wrong & (how == 2), 0.25 + 0.15 * far, size)
    size = torch.where(wrong & (how == 1), size * torch.exp(1.6 * far - 0.8), size)
    turn = torch.where(wrong & (how == 3), math.pi * (0.65 + 0.7 * far), turn)
    seen = torch.stack(
        [frames[:, 0] + shift[:, 0], frames[:, 1] + shift[:, 1], radius * size, turn], dim=1
    )
    seen[:, 3] += frames[:, 3]
    places = window_places(seen)
    inside = places.clamp(*_rim(frames, pictures.shape[3], draws))
    # A share is shown as coarse as small faces are.
    coarse = 1.0 + 4.0 * draws.uniform() * (draws.uniform() < 0.3)
    windows = sample_smaller(pictures, inside, coarse)
    outside = ((inside - places).abs().amax(dim=3) > 0)[:, None]
    filled = (draws.uniform(1, 1, 1) < 0.3) & outside
    others = batch["around"][:, :, :WINDOW, :WINDOW]
    windows = torch.where(filled, others, windows)
    windows = develop_windows(cover_windows(windows, others.flip(2), draws, 0.35), draws)
    within = to_window(points, seen)
    known = ((within > 1.0) & (within < WINDOW - 1.0)).all(dim=2) & ~wrong[:, None]
    face = (~wrong).to(radius.dtype)
    return {
        "windows": windows,
        "points": within,
        "known": known.to(radius.dtype),
        "face": face.reshape(count),
    }


def finder_windows(batch: Batch, draws: Draws) -> Batch:
    """Return windows (N, 1, 96, 96) with a face of any size somewhere, and the frame (N, 4) of it.

    Parameters
    ----------
    batch : as for `landmark_windows`
    """
    pictures, _, frames = _mirrored(batch, draws)
    fitting = draws.uniform() < 0.65
    right = RADIUS * torch.exp(0.56 * draws.uniform() - 0.28)
    other = RADIUS * torch.exp(3.0 * draws.uniform() - 1.3)
    radius = torch.where(fitting, right, other)
    usual = draws.uniform() < 0.85
    turn = torch.where(
        usual, math.radians(60.0) * (2.0 * draws.uniform() - 1.0), 6.2832 * draws.uniform()
    )
    turn = torch.where(draws.uniform() < 0.5, 0.3 * turn, turn)
    place = 8.0 + (FIELD - 16.0) * draws.uniform(2)
    # The window's frame in the picture: the face lies at `place`, turned and sized as drawn.
    scale = frames[:, 2] / radius
    seen = torch.stack([frames[:, 0], frames[:, 1], scale * RADIUS, frames[:, 3] - turn], dim=1)
    middle = from_window((FIELD - place)[:, None], seen, FIELD, _FIELD_SPAN)[:, 0]
    seen = torch.cat([middle, seen[:, 2:]], dim=1)
    places = window_places(seen, FIELD, _FIELD_SPAN)
    inside = places.clamp(*_rim(frames, pictures.shape[3], draws))
    windows = sample_smaller(pictures, inside, scale)
    outside = ((inside - places).abs().amax(dim=3) > 0)[:, None]
    filled = (draws.uniform(1, 1, 1) < 0.5) & outside
    middle = pictures.shape[3] / 2 + (places - frames[:, None, None, :2]) * 0.4
    windows = torch.where(filled, sample_pictures(batch["around"], middle), windows)
    others = batch["around"][:, :, -FIELD:, -FIELD:]
    windows = develop_windows(cover_windows(windows, others, draws, 0.15), draws)
    target = torch.cat([place, radius[:, None], turn[:, None]], dim=1)
    return {"windows": windows, "frames": target}


def empty_windows(batch: Batch, draws: Draws) -> Batch:
    """Return developed windows (N, 1, 96, 96) of pictures without a face at some scale."""
    pictures = batch["pictures"]
    size = pictures.shape[3]
    scale = torch.exp(math.log(0.4) + math.log(size / FIELD / 0.4) * draws.uniform())
    room = (size - scale * FIELD).clamp_min(0.0)
    middle = size / 2 + room[:, None] * (draws.uniform(2) - 0.5)
    turn = math.pi * (draws.uniform() - 0.5) * 0.6
    seen = torch.cat([middle, (scale * RADIUS)[:, None], turn[:, None]], dim=1)
    places = window_places(seen, FIELD, _FIELD_SPAN)
    windows = develop_windows(sample_smaller(pictures, places, scale), draws)
    return {"windows": windows, "pictures": pictures, "frames": seen}


def sample_smaller(
    pictures: torch.Tensor, places: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """Return pictures at places, from averages of 2 x 2 or 4 x 4 pixels where steps are so large.

    Parameters
    ----------
    scale : (N,) pixels of the picture a step
    """
    result = sample_pictures(pictures, places)
    for factor in (2, 4):
        coarse = scale >= 0.8 * factor
        if bool(coarse.any()):
            pooled = torch.nn.functional.avg_pool2d(pictures[coarse], factor)
            result[coarse] = sample_pictures(pooled, places[coarse] / factor)
    return result


def finder_targets(frames: torch.Tensor, cells: int) -> tuple[torch.Tensor, ...]:
    """Return what the finder should say in windows of cells x cells cells.

    Parameters
    ----------
    frames : (N, 4) of the only face in each window, pixels of the window

    Returns
    -------
    face (N, cells, cells) in {0, 1}, counts (N, cells, cells), 0 where nothing is asked, and the
    other five answers (N, 5, cells, cells)
    """
    side = (torch.arange(cells, dtype=frames.dtype) + 0.5) * STRIDE
    x, y, radius, roll = (item[:, None, None] for item in frames.unbind(dim=1))
    right, down = x - side, y - side[:, None]
    right, down = right.expand(-1, cells, -1), down.expand(-1, -1, cells)
    gap = torch.sqrt(right**2 + down**2)
    large = (radius / RADIUS).log().abs()
    tilt = torch.atan2(torch.sin(roll), torch.cos(roll)).abs()
    face = (gap < 0.55 * RADIUS) & (large < 0.26) & (tilt < math.radians(70))
    beside = gap > 1.1 * radius.clamp_min(RADIUS)
    never = (large > 0.55) | (tilt > math.radians(110)) | beside
    counts = face | never
    ones = torch.ones_like(right)
    others = torch.stack(
        [
            right / RADIUS,
            down / RADIUS,
            ones * (radius / RADIUS).log(),
            ones * torch.cos(roll),
            ones * torch.sin(roll),
        ],
        dim=1,
    )
    return face.to(frames.dtype), counts.to(frames.dtype), others


@functools.cache
def _order() -> torch.Tensor:
    return torch.from_numpy(mirror_order())


def _mirrored(batch: Batch, draws: Draws) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mirror half of the pictures, where landmarks change their names."""
    pictures, points, frames = batch["pictures"], batch["points"], batch["frames"]
    size = pictures.shape[3]
    mirrored = draws.uniform() < 0.5
    pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
    swapped = points[:, _order()] * torch.tensor([-1.0, 1.0]) + torch.tensor([float(size), 0.0])
    points = torch.where(mirrored[:, None, None], swapped, points)
    x, y, radius, roll = frames.unbind(dim=1)
    turned = torch.stack([size - x, y, radius, -roll], dim=1)
    return pictures, points, torch.where(mirrored[:, None], turned, frames)


def _rim(frames: torch.Tensor, size: int, draws: Draws) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the corners (N, 1, 1, 2) of what the picture shows: all, or cut near the face.

    A third are portraits, cut on all sides; of the others any side may be cut by itself.
    """
    chance = draws.uniform(4)
    portrait = draws.uniform(1) < 0.33
    reach = 1.1 + 2.0 * draws.uniform(4)
    near = portrait | (chance < 0.25)
    reach = torch.where(portrait, 0.5 + 0.6 * reach, reach)
    reach = torch.where(chance < 0.03, 0.9 * reach - 0.8, reach)  # half a face is missing
    reach = reach * frames[:, 2:3]
    low = torch.where(near[:, :2], frames[:, :2] - reach[:, :2], torch.zeros_like(reach[:, :2]))
    high = torch.full_like(reach[:, 2:], float(size))
    high = torch.where(near[:, 2:], frames[:, :2] + reach[:, 2:], high)
    low, high = low.clamp(0.0, size - 2.0) + 0.5, high.clamp(2.0, size) - 0.5
    return low[:, None, None], torch.maximum(high, low + 0.5)[:, None, None]
