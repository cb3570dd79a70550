"""A discrete-event model of a batch job on a cluster: one scheduler, workers, one store of records.

The scheduler is one server: it spends `scheduler` seconds on every task, in the order in which
tasks end. A task is a chunk of items; a worker holds `ahead` tasks besides the one it does, so that
it need not wait for the scheduler. An item takes its measured time, then `record` seconds of the
worker alone, then `store` seconds of the one store that all workers share, first come first served.
Before the first item the client plans and after the last it ends: `plan` and `end` seconds an item.
"""

import dataclasses
import heapq
from collections import deque
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What a job on a cluster costs besides its items, seconds.

    Parameters
    ----------
    workers : number of them
    chunk : items a task
    ahead : tasks that wait at a worker
    scheduler : of the scheduler, a task
    record : of a worker, an item
    store : of the shared store, an item
    start : until a worker takes its first task
    plan, end : of the client, an item, before the first and after the last
    """

    workers: int
    chunk: int = 1
    ahead: int = 0
    scheduler: float = 0.0
    record: float = 0.0
    store: float = 0.0
    start: float = 0.0
    plan: float = 0.0
    end: float = 0.0


@dataclasses.dataclass(frozen=True)
class Simulated:
    """How a job went.

    Parameters
    ----------
    seconds : of the whole job
    items : seconds from the first worker's start to the last item's end
    efficiency : time of the items alone over workers times seconds
    lost : share of workers times seconds that went to each cause; with the efficiency they sum to 1
    scheduler_busy, store_busy : share of `items` in which the one server was at work
    """

    seconds: float
    items: float
    efficiency: float
    lost: dict[str, float]
    scheduler_busy: float
    store_busy: float


def simulate(times: Sequence[float], cluster: Cluster) -> Simulated:
    """Return how a job with these item times goes.

    Parameters
    ----------
    times : seconds of every item, in the order in which they are begun
    cluster : see `Cluster`
    """
    chunks = deque(
        range(first, min(first + cluster.chunk, len(times)))
        for first in range(0, len(times), cluster.chunk)
    )
    tasks = len(chunks)
    scheduler_free = store_free = cluster.start
    queues: list[deque[tuple[float, range]]] = [deque() for _ in range(cluster.workers)]
    idle: dict[str, float] = {"scheduler": 0.0, "store": 0.0}
    events: list[tuple[float, int, int, int, bool]] = []
    ended = [cluster.start] * cluster.workers

    def assign(now: float, worker: int) -> None:
        nonlocal scheduler_free
        if chunks:
            scheduler_free = max(now, scheduler_free) + cluster.scheduler
            queues[worker].append((scheduler_free, chunks.popleft()))

    def take(now: float, worker: int) -> None:
        """Begin the next chunk of a worker's queue, as soon as it is there."""
        if queues[worker]:
            arrived, chunk = queues[worker].popleft()
            begun = max(now, arrived)
            idle["scheduler"] += begun - now
            done = begun + times[chunk.start] + cluster.record
            heapq.heappush(events, (done, worker, chunk.start, chunk.stop, False))

    for _ in range(cluster.ahead + 1):
        for worker in range(cluster.workers):
            assign(cluster.start, worker)
    for worker in range(cluster.workers):
        take(cluster.start, worker)
    while events:
        now, worker, item, stop, stored = heapq.heappop(events)
        if not stored and cluster.store:
            store_free = max(now, store_free) + cluster.store
            idle["store"] += store_free - now
            heapq.heappush(events, (store_free, worker, item, stop, True))
            continue
        ended[worker] = now
        if item + 1 < stop:
            done = now + times[item + 1] + cluster.record
            heapq.heappush(events, (done, worker, item + 1, stop, False))
            continue
        assign(now, worker)
        take(now, worker)
    last = max(ended)
    outside = len(times) * (cluster.plan + cluster.end)
    whole = cluster.workers * (last + outside)
    parts = {
        "plan and end": cluster.workers * outside,
        "start": cluster.workers * cluster.start,
        "records": len(times) * cluster.record,
        "store": idle["store"],
        "scheduler": idle["scheduler"],
        "the last tasks": sum(last - one for one in ended),
    }
    during = max(last - cluster.start, 1e-12)
    return Simulated(
        seconds=last + outside,
        items=during,
        efficiency=sum(times) / whole,
        lost={name: value / whole for name, value in parts.items()},
        scheduler_busy=tasks * cluster.scheduler / during,
        store_busy=len(times) * cluster.store / during,
    )
