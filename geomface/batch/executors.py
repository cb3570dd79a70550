"""Where items run: in this process, or in several; the state is never here but in the records."""

import concurrent.futures
import contextlib
import dataclasses
import functools
import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from geomface.batch.chunks import ChunkSize, do_chunk
from geomface.batch.threads import single_threaded_children
from geomface.errors import GeomfaceError, SettingsError
from geomface.processes import end_with_parent
from geomface.threads import one_blas_thread

_MOST_SILENT = 3
"""Pools in a row of which no worker came to work."""

Results = Generator[tuple[int, Any], None, None]


class BatchError(GeomfaceError):
    """A batch run cannot start or go on as a whole."""


@dataclasses.dataclass(frozen=True)
class WorkerDied:
    """Stands for the result of a task whose worker ended without an answer."""

    message: str


class Executor(Protocol):
    """Runs a function over tasks and yields (index, result) as they finish.

    Function and tasks can be pickled, results are small records, and what is done is known from
    the files alone: an executor keeps no state, so it may run anywhere that sees the folder.
    """

    def warm_up(self) -> None:
        """Start what takes long to start, in the background."""
        ...

    def run(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Results:
        """Yield results in the order in which they finish; a `WorkerDied` for a lost task."""
        ...

    def close(self) -> None:
        """Let go of all workers."""
        ...


class SerialExecutor:
    """Runs everything in this process, one after the other."""

    def warm_up(self) -> None:
        """Nothing to start."""

    def run(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Results:
        """Yield (index, function(task)) in order."""
        for index, task in enumerate(tasks):
            with one_blas_thread():
                result = function(task)
            yield index, result

    def close(self) -> None:
        """Nothing to let go."""


class ProcessExecutor:
    """Runs tasks in worker processes with one thread each.

    Workers are spawned, not forked: a fork of a process with threads can hang. They end with the
    process that started them, even when that is killed. They are given half a second of tasks at a
    time. A worker that dies costs only its own item: the tasks that were in flight run again, one
    at a time, and the one that kills its worker again is given up. On Ctrl-C no new tasks are given
    out, those in flight finish (their results are lost to the caller, not to the records), and
    KeyboardInterrupt goes on; a second Ctrl-C ends the workers at once.

    Parameters
    ----------
    workers : number of processes, at least 1
    prepare : called without arguments in every new worker, to import what tasks need
    """

    def __init__(self, workers: int, prepare: Callable[[], Any] | None = None) -> None:
        self.workers = workers
        self.prepare = prepare
        self._pool: ProcessPoolExecutor | None = None
        self._first: list[Future] = []
        self._silent = 0

    def warm_up(self) -> None:
        """Start all workers and their imports without waiting for them."""
        self._started()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(self.prepare,),
            )
            with single_threaded_children():
                # Workers inherit the environment when they start, which is at a submit.
                self._first = [self._pool.submit(_nothing) for _ in range(self.workers)]
        return self._pool

    def run(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Results:
        """Yield (index, result) as tasks finish; only as many chunks as workers are in flight."""
        call = functools.partial(do_chunk, function)
        waiting, size = list(reversed(range(len(tasks)))), ChunkSize()
        suspects: list[int] = []
        flying: dict[Future, list[int]] = {}
        try:
            while waiting or suspects or flying:
                broken = False
                room = 1 if suspects else self.workers
                while len(flying) < room and (suspects or waiting) and not broken:
                    queue, most = waiting, size.choose(len(waiting), self.workers)
                    if suspects:
                        queue, most = suspects, 1
                    chunk = queue[: -most - 1 : -1]
                    try:
                        work = [tasks[index] for index in chunk]
                        flying[self._started().submit(call, work)] = chunk
                        del queue[-most:]
                    except BrokenProcessPool:
                        broken = True
                alone = len(flying) == 1
                done, _ = concurrent.futures.wait(flying, return_when="FIRST_COMPLETED")
                for future in done:
                    chunk = flying.pop(future)
                    if not isinstance(future.exception(), BrokenProcessPool):
                        results, seconds = future.result()
                        size.learn(len(results), seconds)
                        waiting += reversed(chunk[len(results) :])
                        yield from zip(chunk, results, strict=False)
                        continue
                    broken = True
                    if alone and len(chunk) == 1 and self._answered():
                        yield chunk[0], WorkerDied(DIED)
                    else:
                        suspects += reversed(chunk)
                if broken:
                    # Nobody knows which task broke the pool: all in flight are suspect.
                    self._require_start()
                    for chunk in flying.values():
                        suspects += reversed(chunk)
                    flying.clear()
                    self._discard()
        except BaseException:
            self._drain(list(flying))
            raise

    def _answered(self) -> bool:
        """Say whether a worker of this pool ever answered."""
        answered = [item for item in self._first if item.done() and not item.cancelled()]
        return any(item.exception() is None for item in answered)

    def _require_start(self) -> None:
        """Raise where none of the last pools began to work: one may have met somebody's signal."""
        self._silent = 0 if self._answered() else self._silent + 1
        if self._silent == _MOST_SILENT:
            raise BatchError(
                "the worker processes ended while starting, again and again. A script that asks "
                'for workers needs its calls under `if __name__ == "__main__":`; where memory is '
                "short, give fewer workers or the serial executor."
            )

    def _drain(self, futures: list[Future]) -> None:
        try:
            concurrent.futures.wait(futures)
        except KeyboardInterrupt:
            processes = getattr(self._pool, "_processes", None) or {}
            for process in list(processes.values()):
                process.terminate()
            self._discard()
            raise

    def _discard(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def close(self) -> None:
        """Wait for the workers to end."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


DIED = (
    "the worker process died at this item (out of memory, or a crash in a native library); the "
    "others went on. Try it with fewer workers."
)


def _begin(prepare: Callable[[], Any] | None) -> None:
    """First thing a worker does: Ctrl-C is the parent's business; imports take a while."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    if prepare is not None:
        with contextlib.suppress(Exception):  # the task will meet the same error and report it
            prepare()


def _nothing() -> None:
    """A task that only makes the pool start its workers."""


def make_executor(
    name: str,
    workers: int,
    tasks: int,
    prepare: Callable[[], Any] | None = None,
    scheduler: str = "",
    *,
    mortal: bool = False,
) -> Executor:
    """Return the executor of this name.

    Parameters
    ----------
    name : one of `EXECUTORS`, or "auto": processes for two workers or more
    workers : number of processes, no more of them than there are tasks
    tasks : how many there will be
    prepare : called in every new worker, to import what tasks need
    scheduler : for "dask", address of a scheduler; "" is a cluster of processes of this machine
    mortal : tasks may end the process that they run in: auto takes processes then

    Raises
    ------
    SettingsError : an unknown name, fewer than one worker, or a scheduler that nobody asks.
    MissingBackendError : Dask is not installed.
    """
    require_executor(name, workers, scheduler, mortal=mortal)
    most = min(workers, max(tasks, 1))
    if name == "dask":
        from geomface.batch.dask_executor import DaskExecutor

        return DaskExecutor(most, scheduler, prepare)
    if name == "serial" or (name == "auto" and workers == 1 and not mortal):
        return SerialExecutor()
    return ProcessExecutor(most, prepare)


def require_executor(name: str, workers: int, scheduler: str = "", *, mortal: bool = False) -> None:
    """Refuse an executor that `make_executor` does not know.

    Raises
    ------
    SettingsError : an unknown name, fewer than one worker, a scheduler that nobody asks, or tasks
        that may end this process.
    MissingBackendError : Dask is not installed.
    """
    if workers < 1:
        raise SettingsError(f"workers: expected at least 1, got {workers}.")
    known = ("auto", *EXECUTORS)
    if name not in known:
        raise SettingsError(f"executor: expected one of {', '.join(known)}, got {name!r}.")
    if scheduler and name != "dask":
        raise SettingsError(
            f"scheduler: {scheduler} belongs to executor dask, got {name}. Ask for that, or give "
            "no scheduler."
        )
    if name == "serial" and mortal:
        raise SettingsError(
            "item timeout: expected workers, which can be ended, got executor serial. Ask for "
            "processes, or give no limit."
        )
    if name == "dask":
        from geomface.batch.dask_executor import require_dask

        require_dask()


EXECUTORS = ("serial", "processes", "dask")
"""Where items can run."""
