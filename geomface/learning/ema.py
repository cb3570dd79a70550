"""The exponential moving average of a network's weights, from which samples are drawn."""

import copy
import dataclasses

import torch

from geomface.ranges import BELOW_ONE, POSITIVE, require_numbers


@dataclasses.dataclass(frozen=True)
class EmaSettings:
    """How slowly an average follows its network.

    d = decay, or 2^(-batch / half life) where a half-life is given

    Source
    ------
    Karras et al. 2020 (StyleGAN2-ADA) for the half-life in images; TensorFlow's averages for the
    warm-up, as Gecer et al. 2018 use it.
    """

    decay: float = 0.999
    """Of one step."""
    half_life_images: float | None = None
    """Images after which old weights count half, whatever the batch; goes before `decay`."""
    warm_up: bool = False
    """No more than (1 + t) / (10 + t) after t steps, so that the first weights are soon gone."""

    def __post_init__(self) -> None:
        require_numbers(self, decay=BELOW_ONE, half_life_images=POSITIVE)

    def at(self, step: int, batch: int) -> float:
        """Return d for a step, counted from 0, that shows a batch of so many images."""
        value = self.decay
        if self.half_life_images is not None:
            value = 0.5 ** (batch / self.half_life_images)
        return min(value, (1 + step) / (10 + step)) if self.warm_up else value


def make_ema(network: torch.nn.Module) -> torch.nn.Module:
    """Return a frozen copy of `network` in evaluation mode, to be averaged into."""
    return copy.deepcopy(network).eval().requires_grad_(False)


@torch.no_grad()
def update_ema(ema: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move the average towards the network, in place.

    a <- d a + (1 - d) w for weights and for floating-point buffers; other buffers are copied.

    Parameters
    ----------
    ema : made by `make_ema`
    network : of the same class
    decay : d in [0, 1)

    Source
    ------
    Karras et al. 2018 (Progressive Growing of GANs), Appendix A.2: d = 0.999. Averaging the
    buffers too is our choice: batch statistics should belong to the averaged weights.
    """
    for mean, value in zip(ema.parameters(), network.parameters(), strict=True):
        mean.lerp_(value, 1.0 - decay)
    for mean, value in zip(ema.buffers(), network.buffers(), strict=True):
        if value.is_floating_point():
            mean.lerp_(value, 1.0 - decay)
        else:
            mean.copy_(value)
