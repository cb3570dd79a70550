"""Optimisers and schedules of their rates, as settings that a run keeps."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

import torch

from geomface.errors import SettingsError
from geomface.ranges import BELOW_ONE, NOT_NEGATIVE, POSITIVE, SHARE, require_numbers


@dataclasses.dataclass(frozen=True)
class Schedule:
    """A factor of the learning rate, as a function of the share of the training that is done.

    constant  1
    linear    1 - t,  t = (share - begin) / (end - begin) in [0, 1]
    cosine    (1 + cos(pi t)) / 2
    steps     factor^k,  k the milestones passed

    none above share / warm_up, none below the floor.

    Example
    -------
    >>> halving = Schedule("steps", milestones=(0.5, 0.75), factor=0.5)
    >>> [halving.rate(share) for share in (0.0, 0.5, 0.8)]
    [1.0, 0.5, 0.25]
    """

    kind: Literal["constant", "linear", "cosine", "steps"] = "constant"
    """Course of the factor."""
    warm_up: float = 0.0
    """Share over which the factor rises from 0."""
    begin: float = 0.0
    """Share at which linear and cosine begin to fall."""
    end: float = 1.0
    """Share at which they reach 0, or the floor."""
    floor: float = 0.0
    """Smallest factor."""
    milestones: tuple[float, ...] = ()
    """Shares at which steps multiplies by `factor`."""
    factor: float = 0.1
    """Of one step."""

    def __post_init__(self) -> None:
        if self.kind not in ("constant", "linear", "cosine", "steps"):
            raise SettingsError(
                f"schedule: expected constant, linear, cosine or steps, got {self.kind!r}."
            )
        require_numbers(
            self,
            warm_up=SHARE,
            begin=NOT_NEGATIVE,
            end=POSITIVE,
            floor=NOT_NEGATIVE,
            milestones=NOT_NEGATIVE,
            factor=NOT_NEGATIVE,
        )
        if not self.begin < self.end:
            raise SettingsError(f"schedule: expected begin < end, got {self.begin} and {self.end}.")

    def rate(self, share: float) -> float:
        """Return the factor after a share of the training; no less after its end."""
        course = min(max((share - self.begin) / (self.end - self.begin), 0.0), 1.0)
        value = 1.0
        if self.kind == "linear":
            value = min(max((self.end - share) / (self.end - self.begin), 0.0), 1.0)
        elif self.kind == "cosine":
            value = 0.5 * (1.0 + math.cos(math.pi * course))
        elif self.kind == "steps":
            value = self.factor ** sum(share >= item for item in self.milestones)
        if self.warm_up:
            value = min(value, share / self.warm_up)
        return max(value, self.floor)


@dataclasses.dataclass(frozen=True)
class ParameterGroup:
    """Weights that learn at another rate than the others."""

    prefix: str
    """Of the weights' names, such as "classifier.head."; a weight goes to the first that fits."""
    lr_factor: float = 1.0
    """Of the learning rate."""
    weight_decay: float | None = None
    """Of this group; None takes the optimiser's."""

    def __post_init__(self) -> None:
        require_numbers(self, lr_factor=NOT_NEGATIVE, weight_decay=NOT_NEGATIVE)


@dataclasses.dataclass(frozen=True)
class OptimizerSettings:
    """One optimiser."""

    kind: Literal["adam", "adamw", "sgd"] = "adam"
    """adamw decays weights apart from the gradient."""
    lr: float = 1e-3
    """Learning rate where the schedule is 1."""
    beta1: float = 0.9
    """Adam's first decay."""
    beta2: float = 0.999
    """Adam's second decay."""
    eps: float = 1e-8
    """Adam's smallest divisor."""
    momentum: float = 0.9
    """Of sgd."""
    nesterov: bool = False
    """Of sgd."""
    weight_decay: float = 0.0
    """Of all weights."""
    clip: float | None = None
    """Largest norm of a phase's gradient; None lets it be."""
    schedule: Schedule = Schedule()
    """Course of the rate."""
    groups: tuple[ParameterGroup, ...] = ()
    """Weights with rates of their own."""

    def __post_init__(self) -> None:
        if self.kind not in ("adam", "adamw", "sgd"):
            raise SettingsError(f"optimizer: expected adam, adamw or sgd, got {self.kind!r}.")
        require_numbers(
            self,
            lr=POSITIVE,
            beta1=BELOW_ONE,
            beta2=BELOW_ONE,
            eps=NOT_NEGATIVE,
            momentum=NOT_NEGATIVE,
            weight_decay=NOT_NEGATIVE,
            clip=POSITIVE,
        )


def make_optimizer(
    settings: OptimizerSettings, weights: Mapping[str, torch.nn.Parameter]
) -> torch.optim.Optimizer:
    """Return the optimiser of some weights, given by their names."""
    sorted_out: list[list[torch.nn.Parameter]] = [[] for _ in range(len(settings.groups) + 1)]
    for name, weight in weights.items():
        fits = [name.startswith(group.prefix) for group in settings.groups]
        sorted_out[fits.index(True) if True in fits else -1].append(weight)
    groups: list[dict[str, Any]] = []
    for members, decay in zip(
        sorted_out, [*(group.weight_decay for group in settings.groups), None], strict=True
    ):
        own = settings.weight_decay if decay is None else decay
        groups.append({"params": members, "weight_decay": own})
    if settings.kind == "sgd":
        return torch.optim.SGD(
            groups, settings.lr, momentum=settings.momentum, nesterov=settings.nesterov
        )
    kind = torch.optim.Adam if settings.kind == "adam" else torch.optim.AdamW
    betas = (settings.beta1, settings.beta2)
    return kind(groups, settings.lr, betas=betas, eps=settings.eps, fused=True)


def set_rates(optimizer: torch.optim.Optimizer, settings: OptimizerSettings, share: float) -> None:
    """Set the rates of all groups for a share of the training."""
    rate = settings.lr * settings.schedule.rate(share)
    factors = [*(group.lr_factor for group in settings.groups), 1.0]
    for group, factor in zip(optimizer.param_groups, factors, strict=True):
        group["lr"] = rate * factor
