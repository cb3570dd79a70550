"""The losses of the two translators and of those who judge them, in closed form."""

from collections.abc import Callable

import torch


def reconstruction_errors(
    draw: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor
) -> torch.Tensor:
    """Return how badly an autoencoder draws pictures again: (N,) means of |x - D(x)|.

    Parameters
    ----------
    draw : D
    images : (N, 3, S, S)

    Source
    ------
    Gecer et al. 2018, Eqs. 2 to 5, after Berthelot et al. 2017; means in place of norms, as in all
    released code.
    """
    return picture_errors(images, draw(images))


def picture_errors(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return (N,), the mean of |a - b| over each picture."""
    return (first - second).abs().mean(dim=(1, 2, 3))


def input_loss(
    images: torch.Tensor, translated: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Return how far a translation leaves its input, mean of m |x - G(x)| over all pixels.

    Parameters
    ----------
    images, translated : (N, 3, S, S)
    mask : (N, 1, S, S), 1 on the face, so that a black background holds nobody back; None is 1

    Source
    ------
    Gecer et al. 2018, Sec. 4, after Zhu et al. 2017; the mask is the released code's, which takes
    it from pixels that are not black.
    """
    gap = (images - translated).abs()
    return (gap if mask is None else mask * gap).mean()


def balance_measure(real: torch.Tensor, fake: torch.Tensor, gamma: float) -> torch.Tensor:
    """Return how far a game is from its end: L(x) + |gamma L(x) - L(G(z))|; falls in training.

    Parameters
    ----------
    real, fake : mean errors
    gamma : wanted ratio of the second to the first

    Source
    ------
    Berthelot et al. 2017, Sec. 3.4.1.
    """
    return real + (gamma * real - fake).abs()
