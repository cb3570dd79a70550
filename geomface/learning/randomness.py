"""Random streams by name: one for each concern, each a function of the seed."""

import contextlib
import functools
import hashlib
from collections.abc import Iterator

import torch


def stream_seed(seed: int, name: str) -> int:
    """Return the seed of the stream `name`, in [0, 2^63).

    Streams of different names are independent, so that drawing more latents leaves the order of
    the data as it was.
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def stream_generator(seed: int, name: str) -> torch.Generator:
    """Return a CPU generator for the stream `name`; the same bytes on every device."""
    return torch.Generator().manual_seed(stream_seed(seed, name))


@contextlib.contextmanager
def seeded_initialisation(seed: int, name: str) -> Iterator[None]:
    """Let the block draw initial weights from the stream `name`; torch's own state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, name))
        yield


@functools.lru_cache(maxsize=16)
def _epoch_order(seed: int, name: str, epoch: int, count: int) -> torch.Tensor:
    stream = f"{name}/order/{epoch}" if name else f"order/{epoch}"
    return torch.randperm(count, generator=stream_generator(seed, stream))


def batch_indices(seed: int, count: int, start: int, batch: int, name: str = "") -> torch.Tensor:
    """Return which samples are shown after `start` have been shown.

    The order is a new permutation for every epoch, and a pure function of the seed, the stream's
    name and how many samples were shown: a resumed run has nothing to restore, and a changed
    batch size skips none.

    Parameters
    ----------
    seed : of the run
    count : samples in the set
    start : samples shown so far
    batch : samples wanted; more than `count` runs into the next epochs
    name : of the stream; two streams of one size differ by it

    Returns
    -------
    (batch,) int64
    """
    parts, position = [], start
    while position < start + batch:
        epoch, offset = divmod(position, count)
        length = min(count - offset, start + batch - position)
        parts.append(_epoch_order(seed, name, epoch, count)[offset : offset + length])
        position += length
    return torch.cat(parts)
