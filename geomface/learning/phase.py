"""Phases and the task made of them: what one step of a learned system is."""

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from geomface.errors import SettingsError
from geomface.learning.device import (
    ComputeSettings,
    autocast,
    check_compute,
    place_images,
    place_network,
)
from geomface.learning.distributed import Ranks, current_ranks
from geomface.learning.ema import EmaSettings, make_ema, update_ema
from geomface.learning.fingerprint import Fingerprint
from geomface.learning.layers import synchronize_layers
from geomface.learning.metrics_log import Metrics
from geomface.learning.optimizers import OptimizerSettings, make_optimizer, set_rates
from geomface.learning.randomness import seeded_initialisation, stream_generator
from geomface.learning.samples import Samples
from geomface.learning.state import TrainingState, weights_hash
from geomface.learning.stream import Batch, Draws, Stream, StreamReader

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


class PhasedTask:
    """The base of a system; its methods make what the phases judge, and judge it.

    Everything random belongs to the whole batch, of which each process has its shard, so that the
    number of processes changes no result. A network with weights that no phase trains is frozen:
    in evaluation mode, without gradients, and in checkpoints as a hash only.

    Parameters
    ----------
    seed : of weights, orders and draws
    build : makes the networks by name; runs under a seed of its own. A module without weights,
        such as `SetMemory` or `BeganBalance`, keeps its buffers in checkpoints
    phases : in the order of their steps
    streams : of data
    generators : names of the random streams that `draws` takes
    ema : networks of which averages are kept, as networks "<name>_ema"
    horizon : steps that schedules count shares of; not the loop's, which may be raised later
    compute : device and precision
    eager : networks that are never compiled, because penalties differentiate their gradients, which
        torch cannot do with compiled ones
    config : what a reader of a checkpoint needs to build the networks

    Example
    -------
    >>> class Line(PhasedTask):
    ...     def __init__(self):
    ...         phase = Phase("line", ("line",), self.points, self.error)
    ...         build = lambda: {"line": torch.nn.Linear(2, 1)}
    ...         super().__init__(seed=0, build=build, phases=[phase], generators=["points"])
    ...
    ...     def points(self):
    ...         return self.draws("points", 8).normal(2)
    ...
    ...     def error(self, points):
    ...         return (self.networks["line"](points) - 1).square().mean()
    >>> sorted(Line().step())
    ['loss/line']
    """

    def __init__(
        self,
        *,
        seed: int,
        build: Callable[[], Mapping[str, torch.nn.Module]],
        phases: Sequence[Phase],
        streams: Sequence[Stream] = (),
        generators: Sequence[str] = (),
        ema: Mapping[str, EmaSettings] | None = None,
        horizon: int = 1,
        compute: ComputeSettings | None = None,
        eager: Sequence[str] = (),
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.seed, self.horizon = seed, horizon
        self.compute = compute = ComputeSettings("cpu") if compute is None else compute
        self.ranks, self.device = current_ranks(), check_compute(compute)
        self.phases, self.ema = tuple(phases), dict(ema or {})
        with seeded_initialisation(seed, "weights"):
            built = build()
        if self.ranks.count > 1:
            built = {name: synchronize_layers(network) for name, network in built.items()}
        plain = dataclasses.replace(compute, compile=False)
        self.networks = {
            name: place_network(network, self.device, plain if name in eager else compute)
            for name, network in built.items()
        }
        trained = {name for phase in self.phases for name in phase.networks}
        self._frozen = [
            name
            for name, network in self.networks.items()
            if name not in trained and any(True for _ in network.parameters())
        ]
        for name in self._frozen:
            self.networks[name].eval().requires_grad_(False)
        self._hashes = {name: weights_hash(self.networks[name]) for name in self._frozen}
        self.config = dict(config or {})
        self.networks |= {f"{name}_ema": make_ema(self.networks[name]) for name in self.ema}
        self.optimizers = {
            phase.name: make_optimizer(phase.optimizer, self._weights(phase)) for phase in phases
        }
        self.scalars: dict[str, Any] = {
            "steps": 0,
            "shown": {stream.name: 0 for stream in streams},
        }
        self._generators = {name: stream_generator(seed, name) for name in generators}
        self._data = {stream.name: stream.data for stream in streams}
        self._readers = {stream.name: StreamReader(stream, seed, self.ranks) for stream in streams}
        self._batches: dict[str, Batch] = {}
        self._rows = 0  # of the largest batch of a step
        for group, members in itertools.groupby(self.phases, lambda p: p.group or p.name):
            if len({phase.forward for phase in members}) > 1:
                raise SettingsError(f"phases of {group}: expected one forward, got several.")

    @property
    def state(self) -> TrainingState:
        """All that the next step depends on."""
        modules = {k: v for k, v in self.networks.items() if k not in self._frozen}
        return TrainingState(
            modules, self.optimizers, self._generators, self.scalars, self.seed, self._hashes
        )

    @property
    def steps(self) -> int:
        """Steps done."""
        return self.scalars["steps"]

    @property
    def share(self) -> float:
        """How much of the training is done, in [0, 1]; schedules go by it."""
        return min(self.steps / self.horizon, 1.0)

    @property
    def waited(self) -> float:
        """Seconds that this process has waited for batches: all that no reading ahead hides."""
        return sum(reader.waited for reader in self._readers.values())

    def step(self) -> Metrics:
        """Take a step of every phase that is due, then of the averages."""
        due = [phase for phase in self.phases if phase.is_due(self.steps)]
        metrics: dict[str, torch.Tensor | float] = {}
        for _, group in itertools.groupby(due, lambda phase: phase.group or phase.name):
            phases = list(group)
            for phase in phases:
                set_rates(self.optimizers[phase.name], phase.optimizer, self.share)
            metrics |= take_step(phases, self.optimizers, self.ranks)
        for name, settings in self.ema.items():
            decay = settings.at(self.steps, self._rows)
            update_ema(self.networks[f"{name}_ema"], self.networks[name], decay)
        self._batches, self._rows = {}, 0
        self.scalars["steps"] += 1
        return metrics

    def samples(self) -> Samples:
        """Return what is to be looked at: pictures, meshes, tables; must not depend on chance."""
        return {}

    def evaluate(self) -> Mapping[str, float]:
        """Return numbers that tell how good the system is, by name."""
        return {}

    def fingerprints(self) -> dict[str, Fingerprint]:
        """Return the fingerprints of the data of all streams."""
        return {name: data.fingerprint() for name, data in self._data.items()}

    def batch(self, stream: str, count: int | None = None) -> Batch:
        """Return this step's batch of a stream, on the device; the same however often asked.

        Parameters
        ----------
        stream : its name
        count : rows in all, if not the stream's
        """
        if stream not in self._batches:
            reader, shown = self._readers[stream], self.scalars["shown"]
            count = count or reader.stream.batch
            self._rows = max(self._rows, count)
            batch = reader.read(shown[stream], count)
            self._batches[stream] = {name: self._place(item) for name, item in batch.items()}
            shown[stream] += count
        return self._batches[stream]

    def draws(self, name: str, count: int) -> Draws:
        """Return the random numbers of one of `generators` for a batch of `count` rows in all."""
        self._rows = max(self._rows, count)
        return Draws(self._generators[name], count, self.ranks, self.device)

    def fixed(self, name: str, count: int) -> Draws:
        """Return random numbers that are the same at every call, for samples."""
        return Draws(stream_generator(self.seed, name), count, device=self.device)

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """Return the context in which networks run in the chosen precision."""
        return autocast(self.device, self.compute)

    def reset_optimizers(self) -> None:
        """Forget all moments, such as when networks grow."""
        for optimizer in self.optimizers.values():
            optimizer.state.clear()

    def _place(self, item: torch.Tensor) -> torch.Tensor:
        if item.ndim == 4:
            return place_images(item, self.device, self.compute)
        return item.to(self.device, non_blocking=True)

    def _weights(self, phase: Phase) -> dict[str, torch.nn.Parameter]:
        return {
            f"{network}.{name}": weight
            for network in phase.networks
            for name, weight in self.networks[network].named_parameters()
        }


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
