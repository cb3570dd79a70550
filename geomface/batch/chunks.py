"""Tasks by the chunk: handing over half a second of work costs nothing beside doing it."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from geomface.threads import one_blas_thread

CHUNK_SECONDS = 0.5
_LEAST = 0.05
"""Seconds of work that are worth a chunk at the end of a run, where chunks become smaller."""


def do_chunk(function: Callable[[Any], Any], tasks: Sequence[Any]) -> tuple[list[Any], float]:
    """Return the results of the first tasks, as many as half a second holds, and the seconds.

    At least one is done.
    """
    started = time.perf_counter()
    results = []
    with one_blas_thread():
        for task in tasks:
            results.append(function(task))
            if time.perf_counter() - started > CHUNK_SECONDS:
                break
    return results, time.perf_counter() - started


class ChunkSize:
    """How many tasks make a chunk, by what the tasks took so far; one before that is known."""

    def __init__(self) -> None:
        self._seconds = math.inf

    def learn(self, tasks: int, seconds: float) -> None:
        """Take in how long some tasks took."""
        each = seconds / tasks
        self._seconds = each if math.isinf(self._seconds) else (self._seconds + each) / 2

    def choose(self, left: int, threads: int) -> int:
        """Return the size of the next chunk of what is left; every thread gets some of the last."""
        most = CHUNK_SECONDS / max(self._seconds, 1e-9)
        least = _LEAST / max(self._seconds, 1e-9)
        return max(1, int(min(most, left, max(least, left / (2 * threads)))))
