"""Streams of batches: what is shown when depends on the seed, a name and how much was shown."""

import concurrent.futures
import dataclasses
import time
from collections.abc import Callable
from typing import Protocol

import torch

from geomface.errors import SettingsError
from geomface.learning.distributed import ALONE, Ranks
from geomface.learning.fingerprint import Fingerprint
from geomface.learning.randomness import batch_indices, stream_generator

Batch = dict[str, torch.Tensor]
"""Columns of B rows by name: images (B, C, H, W) in [-1, 1], labels (B,) with -1 for unknown,
masks, conditions, anything."""


class Dataset(Protocol):
    """Samples that can be had by their numbers."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def batch(self, indices: torch.Tensor) -> Batch:
        """Return the samples of the given (B,) int64 numbers."""
        ...

    def fingerprint(self) -> Fingerprint:
        """Return a hash for each sample by its name; a run goes on with the same ones only."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class Draws:
    """Random numbers for a batch, of which each process takes the rows of its shard.

    Parameters
    ----------
    generator : moves on with every draw, by as much as the whole batch takes
    count : rows of the whole batch
    ranks : this process among several
    device : where the numbers go
    """

    generator: torch.Generator
    count: int
    ranks: Ranks = ALONE
    device: torch.device = torch.device("cpu")

    def normal(self, *shape: int) -> torch.Tensor:
        """Return (rows, *shape) from N(0, 1)."""
        return self._own(torch.randn((self.count, *shape), generator=self.generator))

    def uniform(self, *shape: int) -> torch.Tensor:
        """Return (rows, *shape) from [0, 1)."""
        return self._own(torch.rand((self.count, *shape), generator=self.generator))

    def integers(self, high: int, *shape: int) -> torch.Tensor:
        """Return (rows, *shape) int64 from 0 to high - 1."""
        return self._own(torch.randint(high, (self.count, *shape), generator=self.generator))

    def _own(self, drawn: torch.Tensor) -> torch.Tensor:
        own = drawn if self.ranks.count == 1 else drawn[self.ranks.shard(self.count)]
        return own.to(self.device)


@dataclasses.dataclass(frozen=True, eq=False)
class Stream:
    """A data set as an endless row of batches.

    Parameters
    ----------
    name : tells its order from that of other streams of one seed
    data : the samples
    batch : rows of a batch, of all processes together
    order : (samples shown, rows) -> (rows,) numbers of samples, a pure function; by default every
        epoch is a new permutation. `class_batches` makes balanced ones.
    augment : (batch, draws) -> batch, changes samples at random, as a function of the draws
    prefetch : read the next batch in a thread while the networks compute
    """

    name: str
    data: Dataset
    batch: int
    order: Callable[[int, int], torch.Tensor] | None = None
    augment: Callable[[Batch, Draws], Batch] | None = None
    prefetch: bool = False

    def __post_init__(self) -> None:
        if self.batch < 1 or len(self.data) < 1:
            raise SettingsError(
                f"stream {self.name}: expected samples and a batch of 1 or more, got "
                f"{len(self.data)} and {self.batch}."
            )

    def take(self, seed: int, shown: int, count: int, ranks: Ranks = ALONE) -> Batch:
        """Return this process's rows of the `count` samples that follow the first `shown`."""
        if self.order is None:
            indices = batch_indices(seed, len(self.data), shown, count, self.name)
        else:
            indices = self.order(shown, count)
        batch = self.data.batch(indices if ranks.count == 1 else indices[ranks.shard(count)])
        if self.augment is None:
            return batch
        drawn = stream_generator(seed, f"{self.name}/augment/{shown}")
        return self.augment(batch, Draws(drawn, count, ranks))


class StreamReader:
    """Takes batches from a stream, the next one ahead of its time where the stream says so.

    `waited` counts the seconds that readers of batches have waited for them.
    """

    def __init__(self, stream: Stream, seed: int, ranks: Ranks = ALONE) -> None:
        self.stream, self._seed, self._ranks = stream, seed, ranks
        self._thread = concurrent.futures.ThreadPoolExecutor(1) if stream.prefetch else None
        self._ahead: tuple[tuple[int, int], concurrent.futures.Future[Batch]] | None = None
        self.waited = 0.0

    def read(self, shown: int, count: int) -> Batch:
        """Return what `Stream.take` returns."""
        ahead, self._ahead = self._ahead, None
        began = time.perf_counter()
        # A guess that was wrong, after a resume or at another size, costs time and nothing else.
        if ahead is not None and ahead[0] == (shown, count):
            batch = ahead[1].result()
        else:
            batch = self.stream.take(self._seed, shown, count, self._ranks)
        self.waited += time.perf_counter() - began
        if self._thread is not None:
            place = (shown + count, count)
            future = self._thread.submit(self.stream.take, self._seed, *place, self._ranks)
            self._ahead = (place, future)
        return batch


def class_batches(
    labels: torch.Tensor, classes: int, samples: int, *, seed: int, name: str
) -> Callable[[int, int], torch.Tensor]:
    """Return an order for `Stream` whose batches hold `samples` of each of `classes` classes.

    All classes come once before any comes twice; within one, samples are drawn without repeats
    where it has enough.

    Parameters
    ----------
    labels : (N,) int64, classes from 0, each present; samples of -1 are never shown
    classes : in a batch
    samples : of each class in a batch

    Raises
    ------
    SettingsError : fewer classes in the set than in a batch
    """
    members = [torch.nonzero(labels == k).flatten() for k in range(int(labels.max()) + 1)]
    members = [item for item in members if len(item)]
    if len(members) < classes:
        raise SettingsError(
            f"stream {name}: expected at least the {classes} classes of a batch, got "
            f"{len(members)} in the set. Show fewer."
        )

    def order(shown: int, count: int) -> torch.Tensor:
        number = shown // samples
        chosen = batch_indices(seed, len(members), number, count // samples, f"{name}/classes")
        generator = stream_generator(seed, f"{name}/samples/{shown}")
        picked = []
        for own in (members[item] for item in chosen.tolist()):
            rounds = range(-(-samples // len(own)))
            orders = [torch.randperm(len(own), generator=generator) for _ in rounds]
            picked.append(own[torch.cat(orders)[:samples]])
        return torch.cat(picked)

    return order
