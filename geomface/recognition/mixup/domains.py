"""Domain mixup: drawn pictures blended with photographs, at one ratio a batch."""

import torch

from geomface.errors import SettingsError
from geomface.learning.randomness import stream_generator
from geomface.recognition.margins.soft_targets import SoftTargets, blend
from geomface.synthesis.mixup_ratios import MixupSettings


def domain_ratio(seed: int, step: int, settings: MixupSettings | None = None) -> float:
    """Return psi of a step's batch, a function of seed and step: a resumed run draws the same.

    Parameters
    ----------
    seed : of the run
    step : counted from 0
    settings : ratios, default 0, 0.05, ..., 1

    Source
    ------
    Qiu et al. 2021, SynFace, Sec. 3.4.

    Example
    -------
    >>> from geomface.recognition import domain_ratio
    >>> domain_ratio(0, 7) == domain_ratio(0, 7)
    True
    """
    grid = (settings or MixupSettings()).grid
    generator = stream_generator(seed, f"domain mixup/{step}")
    return float(grid[int(torch.randint(len(grid), (), generator=generator))])


def blend_domains(
    ratio: float,
    drawn: tuple[torch.Tensor, SoftTargets],
    photographed: tuple[torch.Tensor, SoftTargets],
) -> tuple[torch.Tensor, SoftTargets]:
    """Return the blend of a batch of drawn faces and one of photographs, and its targets.

    X = psi X_S + (1 - psi) X_R,  Y = psi Y_S + (1 - psi) Y_R

    Parameters
    ----------
    ratio : psi in [0, 1]
    drawn, photographed : pictures (B, 3, H, W) and targets of each; their classes are those of one
        joint table of people

    Raises
    ------
    SettingsError : pictures of different shapes

    Source
    ------
    Qiu et al. 2021, SynFace, Eq. 3.

    Example
    -------
    >>> import torch
    >>> from geomface.recognition import blend_domains, one_hot
    >>> drawn = torch.ones(1, 3, 8, 8), one_hot(torch.tensor([0]))
    >>> photographed = torch.zeros(1, 3, 8, 8), one_hot(torch.tensor([1]))
    >>> images, targets = blend_domains(0.75, drawn, photographed)
    >>> float(images.mean()), targets.masses.tolist()
    (0.75, [[0.75, 0.25]])
    """
    (one, one_targets), (other, other_targets) = drawn, photographed
    if one.shape != other.shape:
        raise SettingsError(
            f"domain mixup: expected batches of one shape, got {tuple(one.shape)} drawn and "
            f"{tuple(other.shape)} photographed."
        )
    return torch.lerp(other, one, ratio), blend(ratio, one_targets, other_targets)
