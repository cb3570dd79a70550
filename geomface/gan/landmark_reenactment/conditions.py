"""What tells a network where landmarks are to be: heatmaps, or the lines of a face."""

import numpy as np
import torch

from geomface.gan.landmark_reenactment.points import to_66, to_68
from geomface.gan.landmark_reenactment.settings import NetworkSettings

_BROWS = ([17, 18, 19, 20, 21], [22, 23, 24, 25, 26])
_EYES = ([*range(36, 42), 36], [*range(42, 48), 42])
_LIPS = ([*range(48, 60), 48], [*range(60, 68), 60])
LINES = (
    ([*range(17)], [27, 28, 29, 30], [31, 32, 33, 34, 35]),
    (*_EYES, _LIPS[0]),
    (*_BROWS, _LIPS[1]),
)
"""Lines of the three channels: neighbours that nearly touch are apart."""


def condition_map(points: torch.Tensor, settings: NetworkSettings) -> torch.Tensor:
    """Return the condition (N, C, S, S) that networks of these settings take.

    Parameters
    ----------
    points : (N, 68, 2) or (N, 66, 2) pixels, centres at whole numbers
    settings : condition, size, landmarks, sigma
    """
    if settings.condition == "contours":
        return contours(points, settings.size, settings.sigma)
    shown = to_66(points) if settings.points == 66 else to_68(points)
    return heatmaps(shown, settings.size, settings.sigma)


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
    steps = torch.arange(size, dtype=points.dtype, device=points.device)
    channels = []
    for lines in LINES:
        starts, ends = _segments(lines)
        start, edge = full[:, starts], full[:, ends] - full[:, starts]
        known = torch.isfinite(start + edge).all(dim=-1)[..., None, None]
        start, edge = (
            torch.where(known[..., 0], item, torch.zeros_like(item)) for item in (start, edge)
        )
        length = edge.square().sum(dim=-1, keepdim=True).clamp_min(1e-8).sqrt()
        along = edge / length  # unit vector; for a segment of no length 0: the distance to a point
        (x, y), (u, v) = (item.unbind(dim=-1) for item in (start, along))
        right, below = steps - x[..., None], steps - y[..., None]
        # Position along the segment and across it are sums of a row's share and a column's.
        s = (v[..., None] * below)[..., None] + (u[..., None] * right)[..., None, :]
        beyond = s - torch.minimum(s.clamp_min(0.0), length[..., None])
        point = (right.square()[..., None, :] + below.square()[..., None]) - s.square()
        gap = torch.where(known, point + beyond.square(), torch.inf)
        channels.append(gap.amin(dim=1))
    return torch.exp(-torch.stack(channels, dim=1).clamp_min(0.0) / (2.0 * sigma**2))


def _segments(lines: tuple[list[int], ...]) -> tuple[torch.Tensor, torch.Tensor]:
    pairs = np.array([pair for line in lines for pair in zip(line, line[1:], strict=False)])
    return torch.from_numpy(pairs[:, 0]), torch.from_numpy(pairs[:, 1])
