"""Many small descents at once: Adam on rows that know nothing of each other, begun anew if lost."""

import math
from collections.abc import Callable

import torch

Energy = Callable[[torch.Tensor], torch.Tensor]
"""Codes (R, D) to energies (R,), each of its own row alone."""
DIVERGED = 2.0
"""A row is lost when after half of the steps its energy is so many times that of the code 0."""
_EPSILON = 1e-8
_SHIFT, _DAMPING = 0.05, 0.1


def descend(
    energy: Energy,
    codes: torch.Tensor,
    *,
    steps: int,
    lr: float,
    last_lr: float,
    betas: tuple[float, float],
    redraw: Callable[[int, int], torch.Tensor],
    axes: torch.Tensor | None = None,
    on_step: Callable[[int], None] | None = None,
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Minimise an energy from every row of `codes` by Adam.

    Rates fall along a cosine. A row is lost when its energy or slope is not finite, or its energy
    is `DIVERGED` times that of the code 0 after half of the steps; it then goes on from a code of
    `redraw` as if it had just begun.

    Parameters
    ----------
    energy : of rows
    codes : (R, D) where they begin
    steps, lr, last_lr, betas : of Adam
    redraw : (row, how often it was lost) to a new code (D,)
    axes : (D, D) W: Adam goes in y, codes are y W^T; None goes in the codes themselves
    on_step : called with the steps done

    Returns
    -------
    (R, D) codes, (R,) energies, inf where not finite, and how many rows were begun anew
    """
    axes = torch.eye(codes.shape[1]) if axes is None else axes
    axes = axes.to(codes.dtype)
    back = torch.linalg.inv(axes)
    with torch.no_grad():
        usual = energy(torch.zeros_like(codes))
    places = codes @ back.T
    attempts = torch.zeros(len(codes), dtype=torch.int64)
    age = torch.zeros(len(codes), 1, dtype=codes.dtype)
    moment, spread = torch.zeros_like(codes), torch.zeros_like(codes)
    for step in range(steps):
        places.requires_grad_()
        values = energy(places @ axes.T)
        (slope,) = torch.autograd.grad(values.sum(), places)
        places, values = places.detach(), values.detach()
        lost = ~torch.isfinite(values) | ~torch.isfinite(slope).all(dim=1)
        if step == steps // 2:
            lost |= values > DIVERGED * usual
        for row in torch.nonzero(lost)[:, 0].tolist():
            attempts[row] += 1
            places[row] = redraw(row, int(attempts[row])).to(codes.dtype) @ back.T
            age[row], moment[row], spread[row], slope[row] = 0.0, 0.0, 0.0, 0.0
        age += 1
        moment.lerp_(slope, 1 - betas[0])
        spread.lerp_(slope.square(), 1 - betas[1])
        deviation = (spread / (1 - betas[1] ** age)).sqrt() + _EPSILON
        rate = last_lr + (lr - last_lr) * 0.5 * (1 + math.cos(math.pi * step / steps))
        places = places - rate * (moment / (1 - betas[0] ** age)) / deviation
        if on_step is not None:
            on_step(step + 1)
    codes = places @ axes.T
    with torch.no_grad():
        values = energy(codes)
    return codes, values.nan_to_num(nan=torch.inf), int(attempts.sum())


@torch.no_grad()
def even_axes(generator: torch.nn.Module, codes: torch.Tensor) -> torch.Tensor:
    """Return axes W (D, D) along which a generator's images change about evenly.

    M = mean over codes of J^T J = U diag(s^2) U^T, W = U diag(1 / (s / mean(s) + 0.1)): where a
    step along one direction of the codes moves a face a hundred times as far as along another,
    Adam in the codes waits for the slow ones.

    Parameters
    ----------
    generator : codes (N, D) to images
    codes : (N, D) at which J is taken, by central differences
    """
    shifts = _SHIFT * torch.eye(codes.shape[1], dtype=codes.dtype)
    products = torch.zeros_like(shifts)
    for code in codes:
        ahead, behind = generator(code + shifts), generator(code - shifts)
        columns = ((ahead - behind) / (2 * _SHIFT)).flatten(1)
        if torch.isfinite(columns).all():
            products += columns @ columns.T
    values, vectors = torch.linalg.eigh(products)
    sizes = values.clamp(min=0.0).sqrt()
    return vectors / (sizes / sizes.mean().clamp(min=1e-12) + _DAMPING)
