"""Training on several devices: one process each; they share every batch, average their gradients.

Everything random is drawn for the whole batch by every process, which then takes its share. So all
processes hold the same weights, the same optimiser and the same streams; the first one alone
writes, and a run may go on with another number of devices.
"""

import contextlib
import dataclasses
import datetime
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import torch
import torch.distributed as torch_distributed
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from geomface.errors import SettingsError
from geomface.learning.device import ComputeSettings, check_compute
from geomface.learning.errors import LostPeerError
from geomface.learning.metrics_log import Metrics
from geomface.processes import end_with_parent

_GONE = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "ncclRemoteError")
"""What gloo and NCCL say when another process has ended."""
_PARTING = datetime.timedelta(seconds=5)
"""How long processes that have ended well wait for each other before they leave."""
GROUP = 4
"""Images of one group of the minibatch deviation; groups stay whole where the batch allows it."""


@dataclasses.dataclass(frozen=True)
class Ranks:
    """This process among those that train together.

    Parameters
    ----------
    rank : number of this process; 0 writes
    count : processes in all
    control : torch's process group for small messages between the processors
    """

    rank: int = 0
    count: int = 1
    control: torch_distributed.ProcessGroup | None = None

    @property
    def first(self) -> bool:
        """Whether this process writes the run directory."""
        return self.rank == 0

    def shard(self, batch: int) -> torch.Tensor:
        """Return which rows of a batch are this process's.

        Image j of group g is number j n / G + g of the n of a step. Process r of R takes the groups
        r m to (r + 1) m - 1, m = n / (G R), so that the images whose deviation enters a score are
        the same as on one device; where n is no multiple of G R, it takes the r-th of R parts.

        Parameters
        ----------
        batch : images a step, of all processes

        Returns
        -------
        (batch / count,) int64

        Raises
        ------
        SettingsError : the batch cannot be shared evenly
        """
        if batch % self.count:
            raise SettingsError(
                f"devices: expected a divisor of the {batch} images of a step, got {self.count}. "
                "Use fewer devices."
            )
        group = GROUP if batch % (GROUP * self.count) == 0 else 1
        return torch.arange(batch).reshape(group, self.count, -1)[:, self.rank].flatten()

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        """Return the sum of a tensor over the processes, differentiable to any order.

        A gradient reaches every process's tensor from the losses of all of them.
        """
        return value if self.count == 1 else cast(torch.Tensor, _SumOverProcesses.apply(value))

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """Return the mean of a tensor over the processes, as `sum`."""
        return value if self.count == 1 else self.sum(value) / self.count

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows of the whole batch in its order, from each process's, as `sum`.

        Parameters
        ----------
        rows : (n, ...) those of `shard(n * count)`

        Returns
        -------
        (n * count, ...)
        """
        if self.count == 1:
            return rows
        places = self.shard(len(rows) * self.count).to(rows.device)
        empty = rows.new_zeros((len(rows) * self.count, *rows.shape[1:]))
        return self.sum(empty.index_copy(0, places, rows))

    def average_gradients(self, parameters: Iterable[torch.Tensor]) -> None:
        """Replace every gradient by its mean over the processes, in one message.

        A gradient that this process lacks and another has counts as zeros; one that all lack stays
        None, which an optimiser passes over.

        Source
        ------
        Karras et al. 2020 (StyleGAN2-ADA), the authors' training loop, does the same by hand:
        torch's DistributedDataParallel does not work with several losses of one graph, nor with
        the penalties' `torch.autograd.grad`.
        """
        if self.count == 1:
            return
        weights = list(parameters)
        present = torch.tensor([item.grad is not None for item in weights], dtype=torch.uint8)
        torch_distributed.all_reduce(present, torch_distributed.ReduceOp.MAX, self.control)
        weights = [item for item, somewhere in zip(weights, present, strict=True) if somewhere]
        if not weights:
            return
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        together = torch.cat([item.flatten() for item in gradients])
        torch_distributed.all_reduce(together)
        together /= self.count
        parts = together.split([item.numel() for item in gradients])
        for weight, gradient, part in zip(weights, gradients, parts, strict=True):
            weight.grad = gradient.copy_(part.view_as(gradient))

    def average_metrics(self, metrics: Metrics) -> Metrics:
        """Return the means of the metrics over the processes."""
        if self.count == 1:
            return metrics
        tensors = {k: v.detach() for k, v in metrics.items() if isinstance(v, torch.Tensor)}
        if not tensors:
            return metrics
        together = torch.stack([item.float() for item in tensors.values()])
        torch_distributed.all_reduce(together)
        return {**metrics, **dict(zip(tensors, together / self.count, strict=True))}

    def agree(self, choices: Sequence[str], own: str) -> str:
        """Return the last of `choices` that any process has chosen."""
        if self.count == 1:
            return own
        vote = torch.tensor([choices.index(own)])
        torch_distributed.all_reduce(vote, torch_distributed.ReduceOp.MAX, self.control)
        return choices[int(vote)]

    @contextlib.contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Let the first process do the block before the others do it.

        What fails there, such as reading a folder, then fails once and is told once.
        """
        if self.count > 1 and not self.first:
            torch_distributed.barrier(self.control)
        yield
        if self.count > 1 and self.first:
            torch_distributed.barrier(self.control)


class _SumOverProcesses(torch.autograd.Function):
    """y = sum over r of x_r on every process; its own adjoint."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
        total = value.detach().clone(memory_format=torch.contiguous_format)
        torch_distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return cast(torch.Tensor, _SumOverProcesses.apply(slope))


ALONE = Ranks()
"""One process, one device."""
_current = [ALONE]


def current_ranks() -> Ranks:
    """Return this process among those that it has joined; `ALONE` outside of `join_ranks`."""
    return _current[-1]


@contextlib.contextmanager
def acting_as(ranks: Ranks) -> Iterator[Ranks]:
    """Let `current_ranks` return something else inside the block, such as `ALONE`."""
    _current.append(ranks)
    try:
        yield ranks
    finally:
        _current.pop()


def is_started() -> bool:
    """Say whether a launcher, such as torchrun, has started this process as one of several."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


@contextlib.contextmanager
def join_ranks(settings: ComputeSettings) -> Iterator[Ranks]:
    """Join the other processes of a training, for the length of a `with` block.

    Parameters
    ----------
    settings : device, and the number of them in all

    Yields
    ------
    `ALONE` for one device; inside another such block, the same processes again

    Raises
    ------
    SettingsError : this process is not one of as many as there are devices
    DeviceError : fewer GPUs than processes on this machine
    LostPeerError : another process ended
    """
    started = int(os.environ["WORLD_SIZE"]) if is_started() else 1
    if settings.devices == started == 1 or current_ranks().count > 1:
        yield current_ranks()
        return
    if started != settings.devices:
        raise SettingsError(
            f"devices: expected one process for each of {settings.devices} devices, got {started}. "
            f"Use --devices {started} where a launcher such as torchrun starts {started}."
        )
    end_with_parent()
    device = check_compute(settings)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store, rank, count = next(rendezvous("env://"))
    backend = "nccl" if device.type == "cuda" else "gloo"
    torch_distributed.init_process_group(backend, store=store, rank=rank, world_size=count)
    group = cast(torch_distributed.ProcessGroup, torch_distributed.new_group(backend="gloo"))
    own = Ranks(torch_distributed.get_rank(), settings.devices, group)
    lost = False
    try:
        with acting_as(own):
            yield own
        _part(PrefixStore("parting", store), count)
    except RuntimeError as error:
        lost = any(word in str(error) for word in _GONE)
        if not lost:
            raise
        raise LostPeerError(
            "training: expected all its processes, but another one has ended. See what it said."
        ) from error
    finally:
        # With a peer gone, taking the group down can abort the process: it is left as it is.
        if not lost:
            torch_distributed.destroy_process_group()


def _part(store: Store, count: int) -> None:
    """Wait until all processes are here.

    One that leaves while another still reads or answers its last message can abort that other.
    """
    # Where the store is gone, its keeper has seen all others arrive; where one never comes, this
    # process has no reason to stay.
    with contextlib.suppress(RuntimeError):
        if store.add("here", 1) == count:
            store.set("all", "")
        store.wait(["all"], _PARTING)
