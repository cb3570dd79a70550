"""How windows of renders become like photographs: light, grey film, blur, grain, JPEG, covers."""

import functools
import math

import torch

from geomface.learning.stream import Draws

_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Steps of JPEG's luminance at quality 50, ITU-T T.81, table K.1."""


def develop_windows(windows: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Change light, contrast, sharpness and noise of windows (N, 1, S, S) in [0, 1] at random.

    Parameters
    ----------
    draws : of as many rows as there are windows
    """
    windows = _light(windows, draws)
    windows = _tone(windows, draws)
    windows = _sharpness(windows, draws)
    windows = _grain(windows, draws)
    return _jpeg(windows.clamp(0.0, 1.0), draws).clamp(0.0, 1.0)


def cover_windows(
    windows: torch.Tensor, others: torch.Tensor, draws: Draws, share: float
) -> torch.Tensor:
    """Put a disc or box of another picture, or of nearly one shade, before a share of the windows.

    Parameters
    ----------
    windows, others : (N, 1, S, S)
    draws : of as many rows
    share : of windows with something before them
    """
    size = windows.shape[3]
    u, v = _grid(size)
    place = draws.uniform(2, 1, 1) * 1.6 - 0.8
    half = torch.exp(-2.4 + 1.5 * draws.uniform(2, 1, 1))
    turn = 2.0 * math.pi * draws.uniform(1, 1)
    x, y = u - place[:, 0], v - place[:, 1]
    x, y = x * torch.cos(turn) + y * torch.sin(turn), y * torch.cos(turn) - x * torch.sin(turn)
    x, y = x / half[:, 0], y / half[:, 1]
    disc = x**2 + y**2 < 1.0
    box = (x.abs() < 0.9) & (y.abs() < 0.9)
    cover = torch.where(draws.uniform(1, 1) < 0.5, disc, box)
    cover = cover & (draws.uniform(1, 1) < share)
    shade = draws.uniform(1, 1, 1) + 0.3 * (others - 0.5) * draws.uniform(1, 1, 1)
    before = torch.where(draws.uniform(1, 1, 1) < 0.5, others, shade.clamp(0.0, 1.0))
    return torch.where(cover[:, None], before, windows)


@functools.cache
def _grid(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x and y in [-1, 1], (1, size, size)."""
    side = (2.0 * torch.arange(size) + 1.0) / size - 1.0
    x, y = torch.meshgrid(side, side, indexing="xy")
    return x[None], y[None]


def _light(windows: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Let light fall off across the window, and the shadow of something fall on half of it."""
    u, v = _grid(windows.shape[3])
    slope = 0.45 * draws.normal(2, 1, 1)
    fall = torch.exp(slope[:, 0] * u + slope[:, 1] * v)
    turn = 2.0 * math.pi * draws.uniform(1, 1)
    offset = 0.5 * draws.normal(1, 1)
    soft = torch.exp(-3.5 + 2.8 * draws.uniform(1, 1))
    depth = (0.8 * draws.uniform(1, 1)) * (draws.uniform(1, 1) < 0.4)
    edge = torch.sigmoid((u * torch.cos(turn) + v * torch.sin(turn) - offset) / soft)
    return windows * (fall * (1.0 - depth * edge))[:, None]


def _tone(windows: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Change the curve, the contrast and the exposure."""
    curve = torch.exp(0.35 * draws.normal(1, 1, 1))
    windows = windows.clamp(1e-4, 1.5) ** curve
    mean = windows.mean(dim=(2, 3), keepdim=True)
    contrast = torch.exp(0.3 * draws.normal(1, 1, 1))
    exposure = torch.exp(0.25 * draws.normal(1, 1, 1))
    return (exposure * (mean + contrast * (windows - mean))).clamp(0.0, 1.2)


def _blurred(windows: torch.Tensor, sigma: torch.Tensor, reach: int) -> torch.Tensor:
    """Return windows each under a Gaussian of its own sigma (N,), pixels."""
    count, _, size, _ = windows.shape
    steps = torch.arange(-reach, reach + 1, dtype=windows.dtype)
    kernel = torch.exp(-0.5 * (steps / sigma.clamp_min(0.05)[:, None]) ** 2)
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    row = windows.reshape(1, count, size, size)
    pad = torch.nn.functional.pad
    row = torch.nn.functional.conv2d(
        pad(row, (reach, reach, 0, 0), mode="replicate"), kernel[:, None, None], groups=count
    )
    row = torch.nn.functional.conv2d(
        pad(row, (0, 0, reach, reach), mode="replicate"), kernel[:, None, :, None], groups=count
    )
    return row.reshape(count, 1, size, size)


def _sharpness(windows: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Strengthen what is smaller than a few pixels, or blur, or both as cheap cameras do."""
    scale = windows.shape[3] / 128.0
    fine = scale * (0.6 + 2.5 * draws.uniform())
    amount = 1.8 * draws.uniform(1, 1, 1) * (draws.uniform(1, 1, 1) < 0.5)
    windows = windows + amount * (windows - _blurred(windows, fine, 6))
    sigma = scale * 2.2 * draws.uniform() ** 2
    return _blurred(windows, sigma, 5)


def _grain(windows: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Add fine and coarser noise."""
    size = windows.shape[3]
    strength = 0.06 * draws.uniform(2, 1, 1) ** 2
    coarse = draws.normal(1, size // 2, size // 2)
    coarse = torch.nn.functional.interpolate(coarse, scale_factor=2.0, mode="bilinear")
    noise = strength[:, :1] * draws.normal(1, size, size) + strength[:, 1:] * coarse
    visible = 4.0 * windows.std(dim=(2, 3), keepdim=True)  # a dark picture is a clean one, scaled
    return windows + visible.clamp_max(1.0) * noise


@functools.cache
def _cosines() -> torch.Tensor:
    """Return the 8 x 8 discrete cosine transform."""
    k, n = torch.arange(8.0)[:, None], torch.arange(8.0)[None]
    rows = torch.cos(math.pi * (2.0 * n + 1.0) * k / 16.0) * math.sqrt(0.25)
    rows[0] *= math.sqrt(0.5)
    return rows


def _jpeg(windows: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Round a third of the windows as JPEG does, at qualities from 15 to 80."""
    rounded = draws.uniform() < 0.33
    quality = 15.0 + 65.0 * draws.uniform()
    if not bool(rounded.any()):
        return windows
    chosen = windows[rounded]
    factor = torch.where(quality < 50.0, 50.0 / quality, 2.0 - quality / 50.0)[rounded]
    table = torch.tensor(_LUMINANCE, dtype=windows.dtype)
    steps = (factor[:, None, None] * table).clamp_min(1.0) / 255.0
    count, _, size, _ = chosen.shape
    cosines = _cosines().to(windows.dtype)
    blocks = chosen.reshape(count, size // 8, 8, size // 8, 8)
    spectrum = torch.einsum("ka,lb,niajb->nikjl", cosines, cosines, blocks)
    steps = steps[:, None, :, None, :]
    spectrum = torch.round(spectrum / steps) * steps
    blocks = torch.einsum("ka,lb,nikjl->niajb", cosines, cosines, spectrum)
    windows = windows.clone()
    windows[rounded] = blocks.reshape(count, 1, size, size)
    return windows
