"""The losses of one picture: people, textures, smoothness; and the game in both its signs."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from geomface.gan.landmark_reenactment.settings import Game
from geomface.learning import discriminator_loss
from geomface.learning.consistency import gap

STYLE = "relu3_3"
"""The map whose Gram matrix is compared, where a network has it."""


def judge_loss(game: Game, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Return what the discriminator minimises.

    hinge    E[max(0, 1 - D(I))] + E[max(0, 1 + D(G))]
    printed  E[max(0, 1 + D(I))] + E[max(0, 1 - D(G))]

    Parameters
    ----------
    game : hinge, or the sign that the paper prints, by which both players want the same and nobody
        judges
    real, fake : scores

    Source
    ------
    Lim & Ye 2017; Sanchez & Valstar 2018, Eq. 3, has the second.
    """
    if game == "printed":
        real, fake = fake, real
    return discriminator_loss("hinge", real, fake)


def feature_loss(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return mean 1 - cos of features (N, D): 0 of equal ones, 1 of orthogonal, 2 of opposite.

    Source
    ------
    Sanchez & Valstar 2018, Eq. 8, have the L1 norm at two layers of another network; the angle is
    what ours is trained by, and has no scale.
    """
    return (1.0 - F.cosine_similarity(first, second, dim=1)).mean()


def perceptual_loss(
    found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]
) -> torch.Tensor:
    """Return how far maps of features are apart: textures place by place, and their style.

    sum_l mean |F_l - F'_l| + |Gram(F) - Gram(F')|_F, the style at relu3_3 where there is one

    Parameters
    ----------
    found, wanted : maps (N, C, H, W) by name, of what was made and of the target

    Source
    ------
    Sanchez & Valstar 2018, Eq. 9, compare the first part with the input, which shows another pose;
    their code has the target throughout, as here. Johnson et al. 2016.
    """
    loss = torch.stack([gap(found[name], wanted[name]) for name in found]).sum()
    if STYLE in found:
        apart = gram(found[STYLE]) - gram(wanted[STYLE])
        loss = loss + apart.square().sum(dim=(1, 2)).clamp_min(1e-12).sqrt().mean()
    return loss


def gram(maps: torch.Tensor) -> torch.Tensor:
    """Return (N, C, C), the products of channels over their number and size: F F^T / (C H W)."""
    flat = maps.flatten(2)
    return flat @ flat.mT / flat[0].numel()


def variation(images: torch.Tensor) -> torch.Tensor:
    """Return the total variation, mean |dI/dx| + mean |dI/dy|: 0 of a constant.

    Source
    ------
    Aly & Dubois 2005, the anisotropic form; the released code has squares.
    """
    return gap(images[..., 1:], images[..., :-1]) + gap(images[..., 1:, :], images[..., :-1, :])
