"""How a job of 100,000 scans would go on 64 and 512 workers: a model, and real runs beside it.

python tests/benchmarks/simulated_cluster.py [--records RUN] [--scans 6] [--out FILE]

1. Costs of the engine on this machine are measured on stub items that sleep: the start of workers,
   what an item costs besides its work, and of Dask, where it is installed, what a task costs the
   scheduler.
2. The model is checked: the same stub job, and a job over a few simulated scans, really run on 1, 2
   and 4 workers (scans on 1 and 2), and the model's time beside theirs. The stub's items sleep for
   times as uneven as the scans', so that four workers need not four processors.
3. The model runs 100,000 scans with times drawn from real records: those of `--records`, a folder
   that `geomface pipeline run` wrote, else of the few scans of the check.

What no measurement on one machine can tell are assumptions and printed as such: the shared store
takes `--store-operations` file operations a second from all workers together, of which an item
needs `--item-operations`.
"""

import argparse
import contextlib
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "batch"))

from cluster_model import Cluster, simulate  # noqa: E402
from job_cases import TOY  # noqa: E402

from geomface.batch.attempts import ItemTask, Outcome  # noqa: E402
from geomface.batch.events import JobEvent  # noqa: E402
from geomface.batch.job import Item, Job  # noqa: E402
from geomface.batch.keys import content_key  # noqa: E402
from geomface.batch.records import DONE, latest_records  # noqa: E402
from geomface.batch.run import run_job  # noqa: E402
from geomface.datasets import layout  # noqa: E402
from geomface.files.records import write_json  # noqa: E402
from geomface.pipeline import ModelSettings, PipelineSettings, scan_job  # noqa: E402

SCANS = 100_000
WORKERS = (64, 512)
CHUNKS = (1, 4, 16, 64)
STUB_ITEMS, STUB_SECONDS = 120, 0.25


def sleep(task: ItemTask, folder: Path) -> Outcome:
    """The stub: sleeps and leaves one file."""
    time.sleep(task.payload)
    (folder / "word.txt").write_text(task.name)
    (folder / "row.json").write_text("{}\n")
    return Outcome()


def sleepers(out: Path, times: list[float], workers: int) -> Job:
    """Return a job of items that sleep for these times, in worker processes even for one."""
    head = {"kind": TOY.name, "schema": 1, "count": len(times), "settings": {}}
    items = tuple(
        Item(f"{index}", content_key("sleep", 1, seconds), seconds)
        for index, seconds in enumerate(times)
    )
    return Job(TOY, out, head, items, sleep, workers=workers, executor="processes")


@contextlib.contextmanager
def clock() -> Iterator[list[float]]:
    """Give a list that holds the seconds of the block once it is over."""
    taken: list[float] = []
    started = time.perf_counter()
    yield taken
    taken.append(time.perf_counter() - started)


def run_sleepers(root: Path, times: list[float], workers: int) -> float:
    with tempfile.TemporaryDirectory(dir=root) as folder, clock() as taken:
        report = run_job(sleepers(Path(folder) / "out", times, workers))
        if report.failed:
            raise SystemExit(f"{report.failed} stub items failed: {report.reasons}")
    return taken[0]


def engine_costs(root: Path, workers: int) -> tuple[float, float]:
    """Return (start of workers, what an item costs besides its work), seconds."""
    few, many = 2 * workers, 2 * workers + 40 * workers
    short = min(run_sleepers(root, [0.0] * few, workers) for _ in range(2))
    long = min(run_sleepers(root, [0.0] * many, workers) for _ in range(2))
    each = max(long - short, 0.0) / (many - few) * workers
    return max(short - each * few / workers, 0.0), each


def dask_cost() -> float | None:
    """Return what a task costs Dask's scheduler, seconds; None without Dask."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        return None
    with (
        LocalCluster(1, threads_per_worker=1, dashboard_address=":0", processes=True) as cluster,
        Client(cluster) as client,
    ):
        client.gather(client.map(abs, range(50)))
        with clock() as taken:
            client.gather(client.map(abs, range(100, 3100)))
    return taken[0] / 3000


def make_scans(folder: Path, count: int) -> None:
    import geomface as gf

    folder.mkdir(parents=True)
    face = gf.load_builtin_face()
    for index in range(count):
        scan = gf.simulate_scan(face, rng=np.random.default_rng(index))
        gf.save_mesh(folder / f"scan{index:03d}.ply", scan.mesh)
        gf.save_landmarks(folder / f"scan{index:03d}{layout.SCAN_LANDMARKS}", scan.landmarks)


def run_scans(root: Path, out: str, workers: int) -> tuple[float, float]:
    """Run the scans; return the seconds of it, and those until the first item was begun."""
    moments: dict[str, float] = {}

    def note(event: JobEvent) -> None:
        if event.kind in ("done", "failed"):
            moments[event.name] = time.perf_counter()

    settings = PipelineSettings(
        root / "scans",
        root / out,
        workers=workers,
        executor="processes",
        model=ModelSettings(enabled=False),
    )
    job = scan_job(settings)
    started = time.perf_counter()
    report = run_job(job, on_event=note)
    seconds = time.perf_counter() - started
    if report.failed:
        raise SystemExit(f"{report.failed} scans failed: {report.reasons}")
    begun = min(moments[record.name] - record.seconds for record in report.records)
    return seconds, begun - started


def item_times(out: Path) -> list[float]:
    """Return the seconds of the items of a run that are done, by name."""
    records = latest_records(out / layout.RECORDS)
    return [record.seconds for record in records.values() if record.status == DONE]


def check_stub(root: Path, shape: np.ndarray) -> list[dict]:
    """Run the stub on 1, 2 and 4 workers beside the model."""
    rng = np.random.default_rng(0)
    times = (STUB_SECONDS * rng.choice(shape / shape.mean(), STUB_ITEMS)).tolist()
    rows = []
    for workers in (1, 2, 4):
        start, each = engine_costs(root, workers)
        cluster = Cluster(workers, start=start, record=each)
        real = run_sleepers(root, times, workers)
        rows.append(_row("stub", workers, real, simulate(times, cluster).seconds, cluster))
    return rows


def check_scans(root: Path) -> list[dict]:
    """Run scans on 1 and 2 workers beside the model, which takes the times of that run's records.

    The start of the workers is that run's, too: the schedule is checked, not a guess of the load.
    """
    rows = []
    for workers in (1, 2):
        real, start = run_scans(root, f"out{workers}", workers)
        times = item_times(root / f"out{workers}")
        cluster = Cluster(workers, start=start)
        rows.append(_row("scans", workers, real, simulate(times, cluster).seconds, cluster))
    return rows


def _row(job: str, workers: int, real: float, model: float, cluster: Cluster) -> dict:
    row = {
        "job": job,
        "workers": workers,
        "real_seconds": round(real, 2),
        "model_seconds": round(model, 2),
        "difference": round(model / real - 1, 3),
        "start": round(cluster.start, 2),
        "item_cost_ms": round(1000 * cluster.record, 2),
        "load": round(os.getloadavg()[0], 1),
    }
    print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    return row


def predict(times: np.ndarray, base: Cluster) -> list[dict]:
    """Run 100,000 scans with drawn times through the model."""
    drawn = np.random.default_rng(0).choice(times, SCANS).tolist()
    rows = []
    for workers in WORKERS:
        for chunk in CHUNKS:
            found = simulate(drawn, dataclasses.replace(base, workers=workers, chunk=chunk))
            limits = sorted(found.lost.items(), key=lambda pair: -pair[1])[:3]
            print(
                f"{workers} workers, chunks of {chunk:2}: {found.seconds / 3600:6.2f} h, "
                f"efficiency {found.efficiency:.3f}; lost to "
                + ", ".join(f"{name} {share:.1%}" for name, share in limits)
                + f"; scheduler busy {found.scheduler_busy:.1%}, store {found.store_busy:.1%}",
                flush=True,
            )
            rows.append({"workers": workers, "chunk": chunk} | dataclasses.asdict(found))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=Path, help="folder of a pipeline run, for item times")
    parser.add_argument("--scans", type=int, default=6, help="of the check, 0 for none")
    parser.add_argument("--scheduler-ms", type=float, help="a task; default: Dask's, measured")
    parser.add_argument("--store-operations", type=float, default=10_000.0, help="a second")
    parser.add_argument("--item-operations", type=float, default=60.0)
    parser.add_argument("--plan-ms", type=float, default=0.2, help="an item: see many_items.py")
    parser.add_argument("--worker-start", type=float, default=20.0, help="seconds")
    parser.add_argument("--out", type=Path, help="JSON of the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        checked = []
        if options.scans:
            make_scans(root / "scans", options.scans)
            checked = check_scans(root)
        source = options.records or root / "out1"
        times = np.array(item_times(source))
        if not len(times):
            raise SystemExit(f"{source}: no item times; give --records or --scans.")
        checked += check_stub(root, times)
    scheduler = dask_cost() if options.scheduler_ms is None else options.scheduler_ms / 1000
    if scheduler is None:
        raise SystemExit("Dask is not installed: give --scheduler-ms.")
    costs = Cluster(
        1,
        ahead=1,
        scheduler=scheduler,
        record=next(row["item_cost_ms"] for row in checked if row["job"] == "stub") / 1000,
        store=options.item_operations / options.store_operations,
        start=options.worker_start,
        plan=options.plan_ms / 1000,
        end=options.plan_ms / 1000,
    )
    print(
        f"{SCANS:,} scans: {len(times)} measured times, mean {times.mean():.2f} s, from "
        f"{times.min():.2f} to {times.max():.2f}; {costs}"
    )
    for name, store in (("a store without limit", 0.0), ("the assumed store", costs.store)):
        print(name)
        predict(times, dataclasses.replace(costs, store=store))
    worst = max(abs(row["difference"]) for row in checked)
    print(f"largest difference of the model to a real run: {worst:.1%}")
    if options.out:
        write_json(
            options.out,
            {
                "checked": checked,
                "costs": costs,
                "predicted": predict(times, costs),
                "mean_item_seconds": float(times.mean()),
            },
        )


if __name__ == "__main__":
    main()
