"""Learning from images with holes: one wrapper that hides the same pixels of reals and fakes."""

import torch
import torch.nn.functional as F


def min_pool(mask: torch.Tensor) -> torch.Tensor:
    """Halve a mask (N, 1, H, W): a pixel is valid when the four below it all are."""
    return -F.max_pool2d(-mask, 2)


def hide(images: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return images * mask, with exact zeros where the mask is 0 whatever lies there (NaN too)."""
    return torch.where(mask > 0, images * mask, 0.0)


def halve_with_mask(images: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Halve images and their masks: colours by averaging, masks by minimum.

    A low-resolution pixel that a hidden one touches is hidden.

    Parameters
    ----------
    images : (N, C, H, W)
    mask : (N, 1, H, W), 1 valid, 0 hidden

    Returns
    -------
    (N, C, H/2, W/2) with zeros where hidden, (N, 1, H/2, W/2)
    """
    small = min_pool(mask)
    return hide(F.avg_pool2d(images, 2), small), small


def double(images: torch.Tensor) -> torch.Tensor:
    """Double the size by repeating pixels."""
    return F.interpolate(images, scale_factor=2, mode="nearest")


def fade_with_mask(
    images: torch.Tensor, mask: torch.Tensor, alpha: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-fade images and masks from their halved to their full resolution.

    x_a = (1 - a) up(c) + a x,  m_a = (1 - a) up(min-pool(m)) + a m

    c averages the valid pixels of a block only, so nothing hidden enters x_a where m_a > 0. At
    a = 0 the pair is exactly what `halve_with_mask` gives, doubled; at a = 1 it is the input; in
    between, a block that is partly hidden counts a.

    Parameters
    ----------
    images : (N, C, H, W)
    mask : (N, 1, H, W), 1 valid, 0 hidden
    alpha : a in [0, 1]

    Returns
    -------
    x_a (N, C, H, W), m_a (N, 1, H, W)

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 6, which leaves resolutions open; Karras et al. 2018,
    Sec. 2, for the fade of the reals.
    """
    if alpha >= 1.0:
        return images, mask
    clean = hide(images, mask)
    share = F.avg_pool2d(mask, 2)
    coarse = F.avg_pool2d(clean, 2) / share.clamp_min(0.25)
    faded = torch.lerp(double(coarse), clean, alpha)
    return faded, torch.lerp(double(min_pool(mask)), mask, alpha)


class MaskedDiscriminator(torch.nn.Module):
    """A discriminator that cannot see behind a mask.

    D(x, m) = network([x m, m]): the mask is multiplied into the image and stacked onto it. Use it
    with the same masks for a batch's reals and fakes; then neither the loss nor any gradient
    depends on hidden pixels, and the generator gets a gradient of exactly 0 there. The penalties
    see the wrapped network, so they are masked as well; minibatch statistics see masked features
    because nothing else enters the network.

    Parameters
    ----------
    network : takes (N, C + 1, H, W) and further arguments, returns (N,) scores

    Source
    ------
    Shamai, Slossberg, Kimmel 2018, Sec. 6.

    Example
    -------
    >>> import torch
    >>> import geomface as gf
    >>> judge = torch.nn.Sequential(torch.nn.Conv2d(4, 1, 8), torch.nn.Flatten(0))
    >>> discriminator = gf.MaskedDiscriminator(judge)
    >>> images = torch.rand(2, 3, 8, 8)
    >>> mask = (torch.rand(2, 1, 8, 8) > 0.5).float()
    >>> hidden = torch.where(mask > 0, images, torch.rand_like(images))  # behind the mask
    >>> torch.equal(discriminator(images, mask), discriminator(hidden, mask))
    True
    """

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, images: torch.Tensor, mask: torch.Tensor, *further: object, **named: object
    ) -> torch.Tensor:
        """Return (N,) scores of images (N, C, H, W) under masks (N, 1, H, W) in [0, 1]."""
        mask = mask.to(images.dtype)
        return self.network(torch.cat([hide(images, mask), mask], dim=1), *further, **named)
