"""Items on a Dask cluster: an existing one, or one of processes of this machine."""

import asyncio
import contextlib
import functools
import itertools
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from geomface.batch.chunks import ChunkSize, do_chunk
from geomface.batch.executors import DIED, BatchError, Results, WorkerDied
from geomface.batch.shared_paths import arrived, for_travel
from geomface.batch.threads import single_threaded_children
from geomface.batch.worker_check import Needed, complaint, needed_by
from geomface.errors import MissingBackendError

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster, as_completed

CONNECT_SECONDS = 15.0
"""How long a scheduler may take to answer."""
_LOOK_SECONDS = 2.0
"""Between two looks at how many workers there are: clusters grow and shrink."""
_SPARE = 16
"""Chunks beyond two a worker that wait at the scheduler, so that a cluster sees what to grow to."""
_MOMENT = 0.01
"""Between two looks whether a chunk is done."""
_GONE = 120.0
"""How long a local cluster may be without a worker: Dask starts those anew that end."""
_CLOSE_SECONDS = 20.0
_LOG = logging.getLogger("geomface")


class DaskExecutor:
    """Runs tasks on a Dask cluster, some at a time; all that is known stays in files.

    Dask hands out the chunks, does those of a lost worker again, restarts workers, and keeps each
    within its memory limit. A task that takes its workers down again and again is given up once it
    ran alone. On Ctrl-C no new task starts and those that run are waited for; a second one does not
    wait. Workers that go on after their run is lost write nothing once another run has the folder.

    Parameters
    ----------
    workers : processes of a local cluster, at least 1; a scheduler's own number counts instead
    scheduler : address such as "tcp://10.0.0.1:8786", or "" for a local cluster
    prepare : called without arguments in every worker that is there, to import what tasks need
    """

    def __init__(
        self, workers: int, scheduler: str = "", prepare: Callable[[], Any] | None = None
    ) -> None:
        self.workers = workers
        self.scheduler = scheduler
        self.prepare = prepare
        self._cluster: LocalCluster | None = None
        self._client: Client | None = None
        self._first: list[Future] = []

    def warm_up(self) -> None:
        """Connect, compare versions, and let the workers import what they need."""
        self.connected()

    def connected(self) -> "Client":
        """Return the client of the cluster, whose workers fit; connects at the first call."""
        if self._client is None:
            if self.scheduler:
                self._client = _connect(self.scheduler)
            else:
                self._cluster, self._client = _start_cluster(self.workers)
            _require_fit(self._client, needed_by(()))
            workers = threads_of(self._client)
            if not workers:
                _LOG.warning("%s has no workers yet: the run waits for them.", self._place)
            if self.prepare is not None:
                self._first = [
                    self._client.submit(_prepare, self.prepare, workers=[one], pure=False)
                    for one in workers
                ]
        return self._client

    @property
    def _place(self) -> str:
        return f"the scheduler at {self.scheduler}" if self.scheduler else "the local cluster"

    def run(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Results:
        """Yield (index, result) as chunks of tasks finish; a `WorkerDied` for a lost task."""
        from distributed import KilledWorker, as_completed

        client = self.connected()
        needed = needed_by(tasks)
        _require_fit(client, needed)
        work = functools.partial(do_travelled_chunk, needed, for_travel(function))
        waiting = list(reversed(range(len(tasks))))
        suspects: list[int] = []
        trial: Future | None = None
        flying: dict[Future, list[int]] = {}
        finished = as_completed(loop=client.loop)
        size, threads, token = ChunkSize(), _Threads(client), secrets.token_hex(4)
        numbers = itertools.count()
        try:
            while waiting or suspects or flying:
                # Who is suspect runs alone: nobody else is then to blame.
                room = 2 * max(threads.count(), 1) + _SPARE if waiting else 0
                while (waiting and len(flying) < room) or (suspects and not flying):
                    queue, most = waiting, size.choose(len(waiting), max(threads.last, 1))
                    if not waiting:
                        queue, most = suspects, 1
                    chunk = [queue.pop() for _ in range(most)]
                    call = functools.partial(work, for_travel([tasks[index] for index in chunk]))
                    key = f"geomface-{token}-{next(numbers)}"
                    future = client.submit(call, key=key, pure=False)
                    flying[future] = chunk
                    finished.add(future)
                    trial = future if queue is suspects else None
                self._wait(finished, threads)
                future = next(finished)
                chunk = flying.pop(future)
                if future.status == "cancelled" or client.status != "running":
                    raise self._lost()
                if isinstance(future.exception(), KilledWorker):
                    if future is trial:
                        yield chunk[0], WorkerDied(DIED)
                    else:
                        suspects += reversed(chunk)
                    continue
                results, seconds = future.result()
                size.learn(len(results), seconds)
                waiting += reversed(chunk[len(results) :])
                yield from zip(chunk, results, strict=False)
        except BaseException as error:
            if isinstance(error, OSError) and client.status != "running":
                raise self._lost() from error
            _drain(client, list(flying))
            raise

    def _wait(self, finished: "as_completed", threads: "_Threads") -> None:
        """Wait for the next chunk, but not for workers of this machine that do not come back."""
        while not finished.has_ready():
            time.sleep(_MOMENT)
            if self._cluster is not None and not threads.count() and threads.gone_for() > _GONE:
                raise BatchError(
                    f"no worker of the local cluster is left, and none came back within {_GONE:g} "
                    "s. What is finished is kept. Run the same command with fewer workers."
                )

    def _lost(self) -> BatchError:
        return BatchError(
            f"{self._place} ended or cannot be reached any more. What is finished is kept, and the "
            "same command goes on when it is back."
        )

    def close(self) -> None:
        """Let go of the cluster; one of this machine ends."""
        self._first = []
        for held in (self._client, self._cluster):
            if held is not None:
                with contextlib.suppress(OSError, TimeoutError):
                    held.close(timeout=_CLOSE_SECONDS)
        self._client = self._cluster = None


def require_dask() -> None:
    """Refuse to run on a cluster where Dask is not installed.

    Raises
    ------
    MissingBackendError : with the line that installs it
    """
    import importlib.util

    if importlib.util.find_spec("distributed") is None:
        raise MissingBackendError(
            "executor dask: expected the package distributed, which is not installed. Install it "
            "with: pip install 'geomface[cluster]'"
        )


def do_travelled_chunk(
    needed: Needed, function: Callable[[Any], Any], tasks: Sequence[Any]
) -> tuple[list[Any], float]:
    """Do tasks in a worker, which may have joined the cluster a moment ago.

    Raises
    ------
    BatchError : this worker does not fit the run
    """
    from distributed import get_worker

    worker = get_worker()
    if found := _complaint_once(needed, worker):
        raise BatchError(f"worker {worker.address}: {found}")
    return do_chunk(arrived(function), arrived(tasks))


_complaint_once = functools.lru_cache(maxsize=8)(complaint)


def _prepare(prepare: Callable[[], Any]) -> None:
    with contextlib.suppress(Exception):  # the task will meet the same error and report it
        prepare()


class _Threads:
    """How many threads all workers have, asked for now and then."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._asked = -_LOOK_SECONDS
        self._seen = time.monotonic()
        self.last = 0

    def count(self) -> int:
        """Return the number, at most some seconds old."""
        now = time.monotonic()
        if now - self._asked > _LOOK_SECONDS:
            self.last, self._asked = sum(threads_of(self._client).values()), now
        if self.last:
            self._seen = now
        return self.last

    def gone_for(self) -> float:
        """Return the seconds since there was any."""
        return time.monotonic() - self._seen


def threads_of(client: "Client") -> dict[str, int]:
    """Return the number of threads of every worker, by address."""
    return cast(Any, client.nthreads())  # typed as a coroutine, which it is for other clients


def _connect(address: str) -> "Client":
    from distributed import Client

    # Of a scheduler that is gone this tells tracebacks; what they mean is a sentence of ours.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        # A client that cannot connect stays half alive, and blocks the next one when it goes.
        asyncio.run(_ask(address))
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise BatchError(
            f"--scheduler {address}: no Dask scheduler answered there within "
            f"{CONNECT_SECONDS:g} s. Check the address, and that 'dask scheduler' runs there."
        ) from error


async def _ask(address: str) -> None:
    from distributed.comm.core import connect

    comm = await connect(address, timeout=CONNECT_SECONDS)
    await comm.close()


def _start_cluster(workers: int) -> "tuple[LocalCluster, Client]":
    from distributed import Client, LocalCluster

    with single_threaded_children():
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
    return cluster, Client(cluster, set_as_default=False)


def _require_fit(client: "Client", needed: Needed) -> None:
    """Refuse a cluster with a worker that does not fit, before anything is done.

    Raises
    ------
    BatchError : says which worker and why
    """
    answers = cast(Any, client.run(complaint, needed, on_error="return"))
    for address, found in answers.items():
        if isinstance(found, ModuleNotFoundError):
            found = f"{found}. Install geomface there, with the versions of this machine."
        if found:
            raise BatchError(f"worker {address}: {found}")


def _drain(client: "Client", futures: "list[Future]") -> None:
    """Wait for the chunks that run, and for no others."""
    from distributed import as_completed

    if client.status != "running" or not futures:
        return
    try:
        stacks = cast(Any, client.call_stack()) or {}
        running = {key for stack in stacks.values() for key in stack}
        client.cancel([future for future in futures if future.key not in running])
        left = [future for future in futures if future.key in running]
        list(as_completed(left, loop=client.loop))
    except KeyboardInterrupt:
        client.cancel(futures)
        raise
