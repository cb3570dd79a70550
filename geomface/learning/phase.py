"""A phase: one loss, the networks that it trains, their optimiser; a system is a row of them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from geomface.errors import SettingsError
from geomface.learning.distributed import Ranks
from geomface.learning.metrics_log import Metrics
from geomface.learning.optimizers import OptimizerSettings

Loss = torch.Tensor | tuple[torch.Tensor, Metrics]
"""What is minimised, alone or with metrics to log."""


@dataclasses.dataclass(frozen=True, eq=False)
class Phase:
    """One loss and the networks that it trains.

    Phases of one group are simultaneous: one forward makes what all of them judge, every loss is
    differentiated towards the weights of its own networks only, and no optimiser steps before all
    gradients are there. So a loss may run through networks that others train, and nothing is ever
    frozen or detached for it.

    Parameters
    ----------
    name : of the phase, of its optimiser in checkpoints, and of its loss in the log
    networks : names of the networks that it trains
    forward : () -> context, whatever the losses need; it draws the batch
    loss : context -> loss, or (loss, metrics)
    optimizer : its settings
    every, offset : due at the steps with step mod every = offset, counted from 0
    group : of simultaneous phases, which stand next to each other; by default a phase is alone

    Source
    ------
    The phases with intervals of Karras et al. 2020 (StyleGAN2-ADA); the simultaneous steps from one
    forward of Gecer et al. 2018.
    """

    name: str
    networks: tuple[str, ...]
    forward: Callable[[], Any]
    loss: Callable[[Any], Loss]
    optimizer: OptimizerSettings = OptimizerSettings()
    every: int = 1
    offset: int = 0
    group: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.offset < self.every:
            raise SettingsError(
                f"phase {self.name}: expected 0 <= offset < every, got {self.offset} and "
                f"{self.every}."
            )

    def is_due(self, step: int) -> bool:
        """Say whether the phase has a part in a step."""
        return step % self.every == self.offset


def take_step(
    phases: Sequence[Phase],
    optimizers: Mapping[str, torch.optim.Optimizer],
    ranks: Ranks,
) -> dict[str, torch.Tensor | float]:
    """Take one step of simultaneous phases, and return their metrics.

    g_p = d loss_p / d theta_p for all p, then theta_p <- optimizer_p(theta_p, g_p) for all p

    Parameters
    ----------
    phases : of one group
    optimizers : by the names of the phases
    ranks : this process among several; gradients are averaged over them
    """
    context = phases[0].forward()
    losses: list[torch.Tensor] = []
    metrics: dict[str, torch.Tensor | float] = {}
    for phase in phases:
        result = phase.loss(context)
        loss, further = result if isinstance(result, tuple) else (result, {})
        losses.append(loss)
        metrics |= {f"loss/{phase.name}": loss.detach()} | _detached(further)
    weights = [
        [item for group in optimizers[phase.name].param_groups for item in group["params"]]
        for phase in phases
    ]
    for place, loss in enumerate(losses):
        if loss.requires_grad:  # not so where a batch holds nothing that the loss is about
            loss.backward(retain_graph=place + 1 < len(losses), inputs=weights[place])
    ranks.average_gradients([item for own in weights for item in own])
    for phase, own in zip(phases, weights, strict=True):
        if phase.optimizer.clip is not None:
            torch.nn.utils.clip_grad_norm_(own, phase.optimizer.clip)
        optimizers[phase.name].step()
        optimizers[phase.name].zero_grad(set_to_none=True)
    return metrics


def _detached(metrics: Metrics) -> dict[str, torch.Tensor | float]:
    return {k: v.detach() if isinstance(v, torch.Tensor) else v for k, v in metrics.items()}


def frozen(network: torch.nn.Module) -> Callable[..., Any]:
    """Return a network as a function of its input alone.

    Gradients go through it to its input, and no time is spent on those of its weights.
    """
    weights = {name: item.detach() for name, item in network.named_parameters()}

    def call(*inputs: Any, **named: Any) -> Any:
        return torch.func.functional_call(network, weights, inputs, named)

    return call
