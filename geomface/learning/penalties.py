"""Penalties on a discriminator's gradient; any function from images (N, C, H, W) to (N,) is one."""

from collections.abc import Callable

import torch

Score = Callable[[torch.Tensor], torch.Tensor]


def _input_gradient(score: Score, images: torch.Tensor) -> torch.Tensor:
    """Return d score / d images per image, kept differentiable."""
    # No score depends on another image's pixels except through minibatch statistics; the sum's
    # gradient then includes that part too, as in the authors' code.
    (gradient,) = torch.autograd.grad(score(images).sum(), images, create_graph=True)
    return gradient


def gradient_penalty(
    score: Score,
    real: torch.Tensor,
    fake: torch.Tensor,
    *,
    mix: torch.Tensor,
    target: float = 1.0,
) -> torch.Tensor:
    """Return the gradient penalty of WGAN-GP, without its weight.

    E[(|grad_u D(u)| - target)^2] / target^2,  u = x + t (G(z) - x)

    Parameters
    ----------
    score : masks, if there are any, are its own business: u is masked like every other image
    real, fake : (N, C, H, W)
    mix : (N,) t in [0, 1)
    target : norm wanted

    Source
    ------
    Gulrajani et al. 2017, Eq. 3; Karras et al. 2018, Appendix A.1 for the target. The norm is that
    of the image channels only: a mask that is stacked onto the image is not differentiated.
    """
    weight = mix.to(real).reshape(-1, *[1] * (real.ndim - 1))
    between = torch.lerp(real.detach(), fake.detach(), weight).requires_grad_(True)
    squares = _input_gradient(score, between).square().flatten(1).sum(dim=1)
    # sqrt has no finite slope at 0, where an image that is hidden as a whole lies.
    norms = (squares + 1e-16).sqrt()
    return ((norms - target) / target).square().mean()


def r1_penalty(score: Score, real: torch.Tensor) -> torch.Tensor:
    """Return R1 without its weight: E[|grad_x D(x)|^2] / 2.

    Parameters
    ----------
    score : as in `gradient_penalty`
    real : (N, C, H, W)

    Source
    ------
    Mescheder et al. 2018, Eq. 9.
    """
    images = real.detach().requires_grad_(True)
    return 0.5 * _input_gradient(score, images).square().flatten(1).sum(dim=1).mean()


def drift_penalty(real: torch.Tensor) -> torch.Tensor:
    """Return E[D(x)^2], which keeps the scores of WGAN-GP near 0, without its weight.

    Source
    ------
    Karras et al. 2018, Appendix A.1.
    """
    return real.square().mean()
