"""Where a moved face came from: a smooth field through the landmarks."""

import torch
import torch.nn.functional as F

SMOOTHING = 0.03
"""Of the spline: landmarks are followed up to this, so that neighbours that change sides, as at the
jaw of a turned head, do not fold the field."""
_COARSE = 4
"""Pixels between the places where the spline itself is computed."""
_UNKNOWN, _HELD = 1e6, 1e-6


def warp_field(
    source: torch.Tensor, target: torch.Tensor, size: int, smoothing: float = SMOOTHING
) -> torch.Tensor:
    """Return where each pixel of the moved face is in the given one: a thin plate spline.

    f(p) = p + A p + b + sum_i w_i U(|p - t_i|),  U(r) = r^2 log r,
    least sum_i |f(t_i) - s_i|^2 + lambda * bending energy

    Computed on a grid four times as coarse, linear between.

    Parameters
    ----------
    source, target : s, t (N, P, 2) pixels, centres at whole numbers; NaN where not known
    size : of the pictures, a multiple of 4
    smoothing : lambda, in shares of the picture's side

    Returns
    -------
    (N, 2, S, S), x and y in [-1, 1] across the given picture, as `F.grid_sample` takes them without
    `align_corners`; beyond where they lie outside

    Source
    ------
    Bookstein 1989; Wahba 1990 for the smoothing. Not in Sanchez & Valstar 2018.
    """
    count = target.shape[1]
    here, there = (2.0 * (points + 0.5) / size - 1.0 for points in (target, source))
    known = torch.isfinite(here + there).all(dim=2, keepdim=True)
    here, there = (torch.where(known, item, torch.zeros_like(item)) for item in (here, there))
    affine = torch.cat([here, torch.ones_like(here[..., :1])], dim=2) * known
    system = here.new_zeros(len(here), count + 3, count + 3)
    system[:, :count, :count] = _kernel(here, here) * (known & known.mT)
    loose = torch.where(known[..., 0], smoothing, _UNKNOWN)
    system[:, :count, :count] += torch.diag_embed(loose)
    system[:, :count, count:] = affine
    system[:, count:, :count] = affine.mT
    # What too few landmarks do not decide stays as it is.
    system[:, range(count, count + 3), range(count, count + 3)] = -_HELD
    wanted = F.pad(there - here, (0, 0, 0, 3))
    weights = torch.linalg.solve(system.double(), wanted.double()).to(here.dtype)
    side = size // _COARSE
    steps = (2.0 * torch.arange(side, dtype=here.dtype, device=here.device) + 1.0) / side - 1.0
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    places = torch.stack([x, y], dim=2).view(1, -1, 2).expand(len(here), -1, -1)
    basis = torch.cat(
        [_kernel(places, here) * known.mT, places, torch.ones_like(places[..., :1])], dim=2
    )
    coarse = (places + basis @ weights).mT.unflatten(2, (side, side))
    return F.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)


def look(images: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    """Return what a field (N, 2, S, S) shows of pictures (N, C, S, S); their rim goes on."""
    places = field.to(images.dtype).permute(0, 2, 3, 1)
    return F.grid_sample(images, places, padding_mode="border", align_corners=False)


def _kernel(places: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    """Return r^2 log r, (N, K, P)."""
    square = (places[:, :, None] - centers[:, None]).square().sum(dim=3)
    return 0.5 * square * torch.log(square.clamp_min(1e-12))
