"""What tells a network where landmarks are to be: heatmaps, or the lines of a face."""

import math

import numba
import numpy as np
import torch

from geomface.errors import SettingsError
from geomface.gan.landmark_reenactment.points import to_66, to_68
from geomface.gan.landmark_reenactment.settings import NetworkSettings
from geomface.gan.landmark_reenactment.warps import warp_field

_BROWS = ([17, 18, 19, 20, 21], [22, 23, 24, 25, 26])
_EYES = ([*range(36, 42), 36], [*range(42, 48), 42])
_LIPS = ([*range(48, 60), 48], [*range(60, 68), 60])
LINES = (
    ([*range(17)], [27, 28, 29, 30], [31, 32, 33, 34, 35]),
    (*_EYES, _LIPS[0]),
    (*_BROWS, _LIPS[1]),
)
"""Lines of the three channels: neighbours that nearly touch are apart."""
_REACH = 5.0
"""Sigmas from a line beyond which a channel is 0: there it would be 4e-6 at most."""


def condition_map(
    points: torch.Tensor, settings: NetworkSettings, source: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the condition (N, C, S, S) that networks of these settings take.

    Parameters
    ----------
    points : (N, 68, 2) or (N, 66, 2) pixels, centres at whole numbers
    settings : condition, size, landmarks, sigma, warp
    source : landmarks of the pictures that are to move, alike; only for a warp, whose field is then
        the last two channels

    Raises
    ------
    SettingsError : a warp without landmarks of the pictures
    """
    if settings.condition == "contours":
        shown = contours(points, settings.size, settings.sigma)
    else:
        marks = to_66(points) if settings.points == 66 else to_68(points)
        shown = heatmaps(marks, settings.size, settings.sigma)
    if not settings.warp:
        return shown
    if source is None:
        raise SettingsError(
            "landmarks: expected those of the given pictures, by which these networks move them, "
            "got none. Give them too."
        )
    field = warp_field(to_68(source), to_68(points), settings.size)
    return torch.cat([shown, field.to(shown.dtype)], dim=1)


def heatmaps(points: torch.Tensor, size: int, sigma: float = 1.75) -> torch.Tensor:
    """Return a Gaussian for each landmark, exact at places between pixels.

    H_k(x, y) = exp(-((x - x_k)^2 + (y - y_k)^2) / (2 sigma^2))

    Differentiable in the points. Those outside of the picture, or not known (NaN), are skipped:
    their map is 0.

    Parameters
    ----------
    points : (N, P, 2) pixels, x right, y down, pixel centres at whole numbers
    size : of the picture, S
    sigma : pixels

    Returns
    -------
    (N, P, S, S) in [0, 1]

    Source
    ------
    Sanchez & Valstar 2018, Sec. 3.1 and 4, print a unit Gaussian of 6 pixels; sigma 1.75 is what
    the 7 x 7 patch of the released code comes down to.
    """
    inside = ((points > -0.5) & (points < size - 0.5)).all(dim=-1, keepdim=True)
    known = torch.where(inside, points, torch.zeros_like(points))
    steps = torch.arange(size, dtype=points.dtype, device=points.device)
    gaps = (steps - known[..., None]) / sigma
    across, down = torch.exp(-0.5 * gaps.square()).unbind(dim=2)
    down = down * inside.to(down.dtype)
    return down[..., :, None] * across[..., None, :]


def contours(points: torch.Tensor, size: int, sigma: float = 1.0) -> torch.Tensor:
    """Return the lines of a face in three channels, soft across.

    C(x, y) = max over the segments of exp(-d^2 / (2 sigma^2)),  d the distance to a segment

    Jaw and nose; eyes and outer lips; brows and inner lips. Differentiable in the points. A line
    runs on to the rim where a landmark lies outside; where one is not known (NaN), it is left out.

    Parameters
    ----------
    points : (N, 68, 2) or (N, 66, 2) pixels, x right, y down, pixel centres at whole numbers
    size : of the picture, S
    sigma : pixels

    Returns
    -------
    (N, 3, S, S) in [0, 1]
    """
    full = to_68(points)
    if not full.requires_grad and full.device.type == "cpu":
        gaps = np.full((len(full), 3, size, size), np.inf, full.numpy().dtype)
        for channel, (starts, ends) in enumerate(_SEGMENTS):
            _measure(full.numpy(), starts, ends, _REACH * sigma, gaps[:, channel])
        return torch.from_numpy(gaps).mul_(-0.5 / sigma**2).exp_()
    gaps = [_gaps(full[:, starts], full[:, ends], size).amin(dim=1) for starts, ends in _SEGMENTS]
    return torch.exp(-torch.stack(gaps, dim=1) / (2.0 * sigma**2))


def _gaps(start: torch.Tensor, end: torch.Tensor, size: int) -> torch.Tensor:
    """Return the squares of the distances of all pixels to segments, (N, L, S, S)."""
    edge = end - start
    known = torch.isfinite(start + edge).all(dim=-1)[..., None]
    start, edge = (torch.where(known, item, torch.zeros_like(item)) for item in (start, edge))
    length = edge.square().sum(dim=-1, keepdim=True).clamp_min(1e-8).sqrt()
    # A unit vector; of a segment of no length it is 0, and the distance is that to a point.
    (x, y), (u, v) = start.unbind(dim=-1), (edge / length).unbind(dim=-1)
    steps = torch.arange(size, dtype=start.dtype, device=start.device)
    right, below = steps - x[..., None], steps - y[..., None]
    # Position along the segment and across it are sums of a row's share and a column's.
    s = (v[..., None] * below)[..., None] + (u[..., None] * right)[..., None, :]
    beyond = s - torch.minimum(s.clamp_min(0.0), length[..., None])
    across = (right.square()[..., None, :] + below.square()[..., None]) - s.square()
    return torch.where(known[..., None], across.clamp_min(0.0) + beyond.square(), torch.inf)


@numba.njit(cache=True, nogil=True)
def _measure(
    points: np.ndarray, starts: np.ndarray, ends: np.ndarray, reach: float, gaps: np.ndarray
) -> None:
    """Lower `gaps` (N, S, S) to the squares of the distances to segments, near these."""
    count, size = gaps.shape[:2]
    for n in range(count):
        for k in range(len(starts)):
            x, y = points[n, starts[k]]
            u, v = points[n, ends[k], 0] - x, points[n, ends[k], 1] - y
            if not (math.isfinite(x + u) and math.isfinite(y + v)):
                continue
            length = u * u + v * v
            left, right = max(min(x, x + u) - reach, 0.0), min(max(x, x + u) + reach, size - 1.0)
            top, bottom = max(min(y, y + v) - reach, 0.0), min(max(y, y + v) + reach, size - 1.0)
            for row in range(math.ceil(top), math.floor(bottom) + 1):
                for column in range(math.ceil(left), math.floor(right) + 1):
                    p, q = column - x, row - y
                    share = (p * u + q * v) / length if length > 0 else 0.0
                    share = min(max(share, 0.0), 1.0)
                    p, q = p - share * u, q - share * v
                    gaps[n, row, column] = min(gaps[n, row, column], p * p + q * q)


def _segments(lines: tuple[list[int], ...]) -> tuple[np.ndarray, np.ndarray]:
    pairs = np.array([pair for line in lines for pair in zip(line, line[1:], strict=False)])
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


_SEGMENTS = [_segments(lines) for lines in LINES]
