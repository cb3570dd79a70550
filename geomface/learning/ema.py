"""The running average of a network's weights, from which samples are drawn."""

import copy

import torch


def make_ema(network: torch.nn.Module) -> torch.nn.Module:
    """Return a frozen copy of `network` in evaluation mode, to be averaged into."""
    average = copy.deepcopy(network).eval()
    return average.requires_grad_(False)


@torch.no_grad()
def update_ema(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move the average towards the network, in place.

    a <- d a + (1 - d) w for weights and for floating-point buffers; other buffers are copied.

    Parameters
    ----------
    average : made by `make_ema`
    network : of the same class
    decay : d in [0, 1)

    Source
    ------
    Karras et al. 2018 (Progressive Growing of GANs), Appendix A.2: d = 0.999. Averaging the
    buffers too is our choice: batch statistics should belong to the averaged weights.
    """
    for mean, value in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(value, 1.0 - decay)
    for mean, value in zip(average.buffers(), network.buffers(), strict=True):
        if value.is_floating_point():
            mean.lerp_(value, 1.0 - decay)
        else:
            mean.copy_(value)


def half_life_decay(batch: int, half_life_images: float) -> float:
    """Return d with d^(half life / batch) = 1/2, so that the batch size does not matter.

    Source
    ------
    Karras et al. 2020 (StyleGAN2-ADA), training code's convention of a half-life in images.
    """
    return 0.5 ** (batch / max(half_life_images, 1e-9))
