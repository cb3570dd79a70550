"""What the batch engine costs an item: many items of a millisecond, on every executor.

    python tests/benchmarks/engine_overhead.py [--items 10000] [--workers 2] [--executors ...]

Every item keeps a core busy for a millisecond, writes a file and leaves a record. Beside the
executors stand as many bare processes that do the same work and write the same files without
records, folders of their own, or anybody who hands the work out. Columns: wall seconds of the run,
from before the processes start until after they end, and of the items alone; wall milliseconds an
item more than the ideal and more than the bare processes; and the milliseconds of processor time an
item that all processes took beside the work.
"""

import argparse
import dataclasses
import itertools
import math
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

from geomface.batch.attempts import ItemTask, Outcome
from geomface.batch.events import JobEvent
from geomface.batch.job import Item, Job, JobKind
from geomface.batch.keys import content_key
from geomface.batch.run import run_job

ITEM_SECONDS = 1e-3


def spin(task: ItemTask, folder: Path) -> Outcome:
    """Keep a core busy for a millisecond and write a file."""
    return Outcome({"busy": busy(folder / "word.txt", task.name)})


def busy(path: Path, word: str) -> float:
    """Write a file, wait for the millisecond to pass; return the processor's seconds."""
    until, used = time.perf_counter() + ITEM_SECONDS, time.process_time()
    path.write_text(word)
    while time.perf_counter() < until:
        pass
    return time.process_time() - used


def bare(folder: Path, first: int, last: int) -> None:
    """Do the work of some items and nothing else; say when it began and ended."""
    began = time.time()
    for index in range(first, last):
        busy(folder / f"{index:06d}.txt", f"{index:06d}")
    (folder / f"span{first}").write_text(f"{began} {time.time()}")


def stub_job(out: Path, items: int, workers: int, executor: str) -> Job:
    """Return a job of many short items."""
    names = [f"{index:06d}" for index in range(items)]
    listed = tuple(Item(name, content_key("spin", 1, name), None) for name in names)
    head = {"kind": KIND.name, "schema": KIND.schema, "count": items}
    return Job(KIND, out, head, listed, spin, workers=workers, executor=executor)


KIND = JobKind(
    name="spin",
    schema=1,
    what="a set of words",
    file="set.json",
    place="items",
    stage="spin",
    noun="words",
    items="words",
    command="engine_overhead.py",
    names=lambda head: [f"{index:06d}" for index in range(head["count"])],
    settings=Path,
    job=lambda settings: stub_job(settings.out, 1, 1, "serial"),
    rebuild=lambda out, head: out,
)


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds of a run: wall time of all, of the items, and processor time beside the work."""

    whole: float
    items: float
    beside: float


def measure_bare(items: int, workers: int, folder: Path) -> Cost:
    """Time bare processes."""
    started, used = time.perf_counter(), processor_seconds()
    edges = [round(items * part / workers) for part in range(workers + 1)]
    context = multiprocessing.get_context("spawn")
    parts = [
        context.Process(target=bare, args=(folder, *edge)) for edge in itertools.pairwise(edges)
    ]
    for part in parts:
        part.start()
    for part in parts:
        part.join()
    whole, used = time.perf_counter() - started, processor_seconds() - used
    spans = [tuple(map(float, path.read_text().split())) for path in folder.glob("span*")]
    between = max(end for _, end in spans) - min(begin for begin, _ in spans)
    return Cost(whole, between, used - items * ITEM_SECONDS)


def measure(executor: str, items: int, workers: int, folder: Path) -> Cost:
    """Time a run of the engine."""
    moments: list[float] = []

    def on_event(event: JobEvent) -> None:
        if event.kind == "done":
            moments.append(time.perf_counter())

    started, used = time.perf_counter(), processor_seconds()
    report = run_job(stub_job(folder / "out", items, workers, executor), on_event=on_event)
    whole, used = time.perf_counter() - started, processor_seconds() - used
    if report.done != items:
        raise SystemExit(f"{executor}: {report.message}")
    busy_seconds = sum(record.figures["busy"] for record in report.records)
    return Cost(whole, moments[-1] - moments[0], used - busy_seconds)


def processor_seconds() -> float:
    """Return what this process and those of it that ended have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Print a row for each executor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--executors", nargs="+", default=["bare", "serial", "processes", "dask"])
    parser.add_argument("--folder", type=Path, help="where to write; default the system's own")
    options = parser.parse_args()
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f"{options.items} items of {1e3 * ITEM_SECONDS:g} ms on {options.workers} workers")
    print(f"runnable processes a core at the start: {load:.1f}")
    print(f"{'':10} {'run s':>8} {'items s':>8} {'> ideal':>8} {'> bare':>8} {'processor':>10}")
    known: dict[int, Cost] = {}
    for executor in options.executors:
        workers = 1 if executor == "serial" else options.workers
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            if executor == "bare":
                cost = measure_bare(options.items, workers, Path(folder))
                known[workers] = cost
            else:
                cost = measure(executor, options.items, workers, Path(folder))
        each = 1e3 / options.items
        ideal = each * (cost.items - options.items * ITEM_SECONDS / workers)
        more = each * (cost.items - known[workers].items) if workers in known else math.nan
        print(
            f"{executor:10} {cost.whole:8.2f} {cost.items:8.2f} {ideal:8.3f} {more:8.3f} "
            f"{each * cost.beside:10.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
