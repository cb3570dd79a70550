"""Still pictures as triplets: each is turned, sheared and mirrored into three of a kind."""

import torch
import torch.nn.functional as F

from geomface.gan.landmark_reenactment.crops import MARGIN
from geomface.gan.landmark_reenactment.points import mirror_points
from geomface.learning.stream import Batch, Draws

TURN, MOST = 15.0, 40.0
"""Degrees: deviation of the turns of the source, two and three times as much for target and next;
and the most, as in the released code."""
SHEAR = 0.1
"""Deviation of the shear."""
_FRAMES = ("source", "target", "next")


def vary_triplets(
    batch: Batch, draws: Draws, *, mirror: float = 0.5, margin: float = MARGIN
) -> Batch:
    """Move still pictures, each of their three by itself; mirror a share of all others as they are.

    What is moved is cropped anew by its landmarks.

    Parameters
    ----------
    batch : of `TripletSet`
    draws : of its rows
    mirror : share that is mirrored; of stills, each of the three
    margin : of the new crops

    Source
    ------
    Sanchez & Valstar 2018, Sec. 4: random affine maps and mirroring of unpaired pictures.
    """
    still = batch["still"] > 0.5
    bend, flip = draws.normal(3, 2), draws.uniform(3)
    flipped = torch.where(still[:, None], flip, flip[:, :1]) < mirror
    varied = dict(batch)
    for k, name in enumerate(_FRAMES):
        points = batch[f"{name}_points"]
        images = batch.get(name)
        size = batch["source"].shape[-1]
        if still.any():
            turn = ((k + 1) * TURN * bend[:, k, 0]).clamp(-MOST, MOST).deg2rad()
            there, moved = _new_crops(points, turn, SHEAR * bend[:, k, 1], size, margin)
            points = torch.where(still[:, None, None], moved, points)
            if images is not None:
                images = torch.where(still.view(-1, 1, 1, 1), _look(images, there), images)
        mirrored = flipped[:, k]
        varied[f"{name}_points"] = torch.where(
            mirrored[:, None, None], mirror_points(points, size), points
        )
        if images is not None:
            varied[name] = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(3), images)
    return varied


def _new_crops(
    points: torch.Tensor, turn: torch.Tensor, shear: torch.Tensor, size: int, margin: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return maps (B, 2, 3) from new crops back to pictures, and landmarks in the new crops."""
    c, s = turn.cos(), turn.sin()
    bend = torch.stack([c, shear * c - s, s, shear * s + c], dim=1).view(-1, 2, 2)
    bent = points @ bend.mT
    known = torch.isfinite(bent).all(dim=2, keepdim=True)
    low = torch.where(known, bent, torch.inf).amin(dim=1)
    high = torch.where(known, bent, -torch.inf).amax(dim=1)
    around = margin * (high - low).mean(dim=1, keepdim=True)
    scale = size / (high - low + 2.0 * around)
    shift = -scale * (low - around) - 0.5
    matrix = scale[..., None] * bend
    back = torch.linalg.inv(matrix)
    there = torch.cat([back, -(back @ shift[..., None])], dim=2)
    return there, bent * scale[:, None] + shift[:, None]


def _look(images: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Return what maps from new pixels to old ones show of pictures; their rim goes on."""
    size = images.shape[-1]
    steps = torch.arange(size, dtype=there.dtype, device=there.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    pixels = torch.stack([x, y], dim=2).view(-1, 2)
    seen = pixels @ there[:, :, :2].mT + there[:, None, :, 2]
    grid = ((2.0 * seen + 1.0) / size - 1.0).view(-1, size, size, 2)
    return F.grid_sample(images, grid.to(images.dtype), padding_mode="border", align_corners=False)
