"""The cosine after a margin, and its slope, finite and right up to cosines of 1 and -1."""

import math

import torch


def margin_cosine(
    cosines: torch.Tensor, m1: float, m2: float, m3: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the cosine with a margin, and its slope in the cosine.

    phi = cos(a) - m3,  a = m1 t + m2,  t = arccos(c);  slope m1 sin(a) / sin(t)

    Beyond a = pi, where the cosine would rise again: for m1 = 1, phi = c - m2 sin(m2) - m3; for
    others phi = (-1)^k cos(a) - 2 k - m3 with k = floor(a / pi).

    Parameters
    ----------
    cosines : any shape, float32 or float64; what rounding put beyond [-1, 1] counts as its end
    m1, m2, m3 : factor of the angle, radians added to it, and what is taken off the cosine

    Returns
    -------
    phi and slope, without gradients

    Convention
    ----------
    Where sin(t) is lost to rounding, the slope is that of the nearest angle at which it is not: the
    slope in the cosine is truly infinite there with m2 > 0, but that in the descriptor, which is
    sin(t) times it, is sin(a).

    Source
    ------
    m1 = 1: Deng et al. 2019, ArcFace (their code, "easy margin" off); k: Liu et al. 2017,
    SphereFace, Sec. 3.3.
    """
    with torch.no_grad():
        angle = torch.arccos(cosines.clamp(-1.0, 1.0))
        least = math.sqrt(torch.finfo(cosines.dtype).eps)
        inside = angle.clamp(least, math.pi - least)
        reached, near = m1 * angle + m2, m1 * inside + m2
        if m1 == 1:
            beyond = reached > math.pi
            phi = torch.where(beyond, cosines - m2 * math.sin(m2), torch.cos(reached))
            slope = torch.where(beyond, 1.0, torch.sin(near) / torch.sin(inside))
        else:
            turns, turns_near = (torch.floor(a / math.pi) for a in (reached, near))
            phi = (1.0 - 2.0 * (turns % 2)) * torch.cos(reached) - 2.0 * turns
            slope = (1.0 - 2.0 * (turns_near % 2)) * m1 * torch.sin(near) / torch.sin(inside)
    return phi - m3, slope
