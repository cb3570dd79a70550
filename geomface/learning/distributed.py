"""Training on several devices: one process each; they share every batch, average their gradients.

Everything random is drawn for the whole batch by every process, which then takes its share. So all
processes hold the same weights, the same optimiser and the same streams; the first one alone
writes, and a run may go on with another number of devices.
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import torch
import torch.distributed as torch_distributed

from geomface.errors import SettingsError
from geomface.learning.device import ComputeSettings, check_compute
from geomface.learning.errors import LostPeerError
from geomface.learning.metrics_log import Metrics

_GONE = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "ncclRemoteError")
"""What gloo and NCCL say when another process has ended."""
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
        """Return which images of a batch are this process's.

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

    def average_gradients(self, parameters: Iterable[torch.Tensor]) -> None:
        """Replace every gradient by its mean over the processes, in one message.

        Source
        ------
        Karras et al. 2020 (StyleGAN2-ADA), the authors' training loop, does the same by hand:
        torch's DistributedDataParallel does not work with `torch.autograd.grad`, which the
        penalties need.
        """
        gradients = [item.grad for item in parameters if item.grad is not None]
        if self.count == 1 or not gradients:
            return
        together = torch.cat([item.flatten() for item in gradients])
        torch_distributed.all_reduce(together)
        together /= self.count
        parts = together.split([item.numel() for item in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

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


ALONE = Ranks()
"""One process, one device."""


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
    if settings.devices == started == 1:
        yield ALONE
        return
    if torch_distributed.is_initialized():
        yield _present(settings.devices)
        return
    if started != settings.devices:
        raise SettingsError(
            f"devices: expected one process for each of {settings.devices} devices, got {started}. "
            f"Use --devices {started} where a launcher such as torchrun starts {started}."
        )
    device = check_compute(settings)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    torch_distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield _present(settings.devices)
    except RuntimeError as error:
        if not any(word in str(error) for word in _GONE):
            raise
        raise LostPeerError(
            "training: expected all its processes, but another one has ended. See what it said."
        ) from error
    finally:
        torch_distributed.destroy_process_group()


def _present(count: int) -> Ranks:
    group = torch_distributed.new_group(backend="gloo")
    return Ranks(torch_distributed.get_rank(), count, cast(torch_distributed.ProcessGroup, group))
