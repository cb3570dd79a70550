"""The engine's bookkeeping for very many items: each step timed in a process of its own.

python tests/benchmarks/many_items.py [--items 100000] [--workers 1] [--folder DIR] [--out FILE]

The work is a stub: it links the files that one registered scan leaves, so a folder of 100,000 items
takes little space and every item has the files, sizes, hashes and figures of a real one. Steps:

first    `run_job` of all items, nothing done before
list     the scans of the folder, their landmark files and content keys
plan     what a dry run does: the same, and which items are done (all are)
second   a second run that finds all done
status   `geomface pipeline status`
report   `geomface report`, with the real scans and their truth under the names of all items

Peak memory is the largest resident memory of that process alone.
"""

import argparse
import functools
import json
import multiprocessing
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from geomface.batch.attempts import ItemTask, Outcome
from geomface.batch.job import Job
from geomface.batch.plan import plan_job
from geomface.batch.run import run_job
from geomface.cli.main import main as command
from geomface.datasets import find_scans, layout
from geomface.files.records import read_json, write_json
from geomface.pipeline import ItemSettings, ModelSettings, PipelineSettings, scan_job

STEPS = ("first", "list", "plan", "second", "status", "report")


def make_scans(folder: Path, count: int) -> None:
    """Write small scan files of different bytes, each with a landmark file."""
    folder.mkdir()
    for index in range(count):
        stem = folder / f"scan{index:06d}"
        stem.with_suffix(".ply").write_text(f"ply {index}")
        Path(f"{stem}{layout.SCAN_LANDMARKS}").write_text(f"{index}")


def make_models(root: Path, count: int) -> None:
    """Register a few simulated scans for real: what the stub links."""
    from geomface.faces.builtin import load_builtin_face
    from geomface.scans.simulate import save_simulated_scan, simulate_scan

    scans, face = root / "real", load_builtin_face()
    scans.mkdir()
    for index in range(count):
        scan = simulate_scan(face, rng=np.random.default_rng(index))
        save_simulated_scan(scans, index, scan)
    settings = PipelineSettings(
        scans,
        root / "real-out",
        item=ItemSettings(texture_size=64, geometry_image_size=32),
        model=ModelSettings(enabled=False),
    )
    run_job(scan_job(settings))


def make_raw(root: Path) -> Path:
    """Link the real scans and their truth under the names of all items, for the report alone."""
    raw, real = root / "raw", root / "real"
    if not raw.is_dir():
        raw.mkdir()
        names = sorted(path.stem for path in real.glob("*.ply"))
        files = [sorted(real.glob(f"{name}.*")) for name in names]
        for index, path in enumerate(sorted((root / "scans").glob("*.ply"))):
            name = names[index % len(names)]
            for file in files[index % len(names)]:
                os.link(file, raw / file.name.replace(name, path.stem, 1))
    return raw


def link(source: Path, task: ItemTask, folder: Path) -> Outcome:
    """The stub: links the files of one of the real items and tells its figures, a little changed.

    Every thousandth item fails.
    """
    number = int(task.name.removeprefix("scan"))
    if number % 1000 == 999:
        raise ValueError(f"{task.name}: a stand-in for a scan that fails.")
    real = sorted((source / layout.ITEMS).iterdir())
    chosen = real[number % len(real)]
    for path in sorted(chosen.iterdir()):
        os.link(path, folder / path.name)
    figures = dict(read_json(source / layout.RECORDS / f"{chosen.name}.001.json")["figures"])
    factor = float(np.random.default_rng(number).lognormal(0.0, 0.4))
    residual = figures.get("residual_mm", {})
    figures["residual_mm"] = {name: value * factor for name, value in residual.items()}
    return Outcome(figures, ("a note of a stand-in",) if number % 100 == 0 else ())


def stub_job(root: Path, workers: int) -> Job:
    """Return the job over the small scan files."""
    settings = PipelineSettings(
        root / "scans",
        root / "out",
        workers=workers,
        model=ModelSettings(enabled=False),
    )
    return scan_job(settings, work=functools.partial(link, root / "real-out"))


def first(root: Path, workers: int) -> str:
    job = stub_job(root, workers)
    report = run_job(job)
    template = root / "out" / layout.TEMPLATE
    if not template.exists():  # what the job's beginning makes, which a stub leaves out
        shutil.copytree(root / "real-out" / layout.TEMPLATE, template)
    return report.message


def list_all(root: Path, workers: int) -> str:
    return f"{len(stub_job(root, workers).items)} items of {len(find_scans(root / 'scans'))} scans"


def plan(root: Path, workers: int) -> str:
    return plan_job(stub_job(root, workers)).sentence()


def second(root: Path, workers: int) -> str:
    return run_job(stub_job(root, workers)).message


def status(root: Path, workers: int) -> str:
    code = command(["pipeline", "status", str(root / "out")])
    return f"exit code {code}"


def report(root: Path, workers: int) -> str:
    code = command(["report", str(root / "out"), "--scans", str(root / "raw"), "--quiet"])
    return f"exit code {code}, {(root / 'out' / layout.REPORT_PAGE).stat().st_size / 1e6:.2f} MB"


CALLS: dict[str, Callable[[Path, int], str]] = {
    "first": first,
    "list": list_all,
    "plan": plan,
    "second": second,
    "status": status,
    "report": report,
}


def measured(step: str, root: Path, workers: int) -> dict[str, object]:
    """Do one step in a fresh process; return seconds, peak memory and what it said."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(step, root, workers, theirs))
    process.start()
    theirs.close()
    try:
        return {"step": step} | ours.recv()
    except EOFError:
        process.join()
        raise SystemExit(f"{step}: the process ended with {process.exitcode}") from None
    finally:
        process.join()


def _child(step: str, root: Path, workers: int, pipe) -> None:
    with open(os.devnull, "w") as nowhere:
        out, sys.stdout = sys.stdout, nowhere
        started, used = time.perf_counter(), time.process_time()
        said = CALLS[step](root, workers)
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
        sys.stdout = out
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send({"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak, "said": said})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--folder", type=Path, help="kept, and used again")
    parser.add_argument("--out", type=Path, help="JSON of the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = options.folder or Path(scratch)
        root.mkdir(parents=True, exist_ok=True)
        if not (root / "scans").is_dir():
            make_models(root, 4)
            make_scans(root / "scans", options.items)
        rows = []
        for step in options.steps:
            if step == "report":
                make_raw(root)
            row = measured(step, root, options.workers) | {"load": round(os.getloadavg()[0], 1)}
            rows.append(row)
            print(
                f"{step:7} {row['seconds']:7.1f} s {row['cpu_seconds']:7.1f} s of the processor "
                f"{row['peak_mb']:6.0f} MB  load {row['load']}  {row['said']}",
                flush=True,
            )
        figures = {"items": options.items, "processors": os.cpu_count(), "steps": rows}
        if options.out:
            write_json(options.out, figures | {"machine": platform.machine()})
        else:
            print(json.dumps(figures))


if __name__ == "__main__":
    main()
