"""Two workers against one on scans, beside two processes that know nothing of each other.

python tests/benchmarks/two_workers.py [--scans 16] [--repeats 3] [--out FILE]

Each repeat runs, one after the other, so that whatever else the machine does meets all alike:

one          `pipeline run` with one worker process over all scans
two          the same with two worker processes
independent  two processes at once, each with one worker process over half of the scans, each in a
             folder of its own: what this machine gives to two of anything

`whole` is the time of the run with the start of its workers; `rate` is scans a second between the
first and the last scan's end. The gain of two workers is to be 1.7 or more, or 0.95 of that of the
independent processes.
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from simulated_cluster import make_scans

from geomface.batch.events import JobEvent
from geomface.batch.run import run_job
from geomface.datasets import layout
from geomface.files.marker import claim_folder
from geomface.files.records import write_json
from geomface.pipeline import ModelSettings, PipelineSettings, scan_job
from geomface.pipeline.scans import KIND


def run(scans: Path, out: Path, workers: int, template: Path | None) -> tuple[float, list[float]]:
    """Run a folder of scans; return the moments of the start and of every scan's end."""
    if template is not None:
        claim_folder(out, KIND.folder)
        shutil.copytree(template, out / layout.TEMPLATE)
    ends: list[float] = []

    def note(event: JobEvent) -> None:
        if event.kind in ("done", "failed"):
            ends.append(time.monotonic())

    settings = PipelineSettings(
        scans, out, workers=workers, executor="processes", model=ModelSettings(enabled=False)
    )
    job = scan_job(settings)
    started = time.monotonic()
    report = run_job(job, on_event=note)
    if report.failed:
        raise SystemExit(f"{report.failed} scans failed: {report.reasons}")
    return started, ends


def _alone(scans: Path, out: Path, template: Path, pipe) -> None:
    pipe.recv()  # both start at one word
    pipe.send(run(scans, out, 1, template))


def independent(halves: list[Path], out: Path, template: Path) -> list[tuple[float, list[float]]]:
    """Run two processes at once, each over its half."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for index, half in enumerate(halves):
        ours, theirs = context.Pipe()
        place = out.with_name(f"{out.name}-{index}")
        process = context.Process(target=_alone, args=(half, place, template, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.send("go")
    found = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join()
    return found


def figures(runs: list[tuple[float, list[float]]]) -> dict[str, float]:
    """Return the time of runs at once, and their scans a second while all of them run."""
    whole = max(ends[-1] for _, ends in runs) - min(started for started, _ in runs)
    first, last = max(ends[0] for _, ends in runs), min(ends[-1] for _, ends in runs)
    # Of one run alone this is all but its first scan; of two, what ends while both are at work.
    rate = sum(sum(first < end <= last for end in ends) for _, ends in runs) / (last - first)
    return {"whole": whole, "rate": rate}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scans", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="JSON of the figures")
    options = parser.parse_args()
    if options.scans < 4 or options.scans % 2:
        raise SystemExit(f"--scans: expected an even number from 4 on, got {options.scans}.")
    rows: dict[str, list[dict[str, float]]] = {"one": [], "two": [], "independent": []}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        make_scans(root / "scans", options.scans)
        halves = [root / "half0", root / "half1"]
        for half in halves:
            half.mkdir()
        for index, path in enumerate(sorted((root / "scans").glob("*.ply"))):
            for file in path.parent.glob(f"{path.stem}.*"):
                os.link(file, halves[index % 2] / file.name)
        run(halves[0], root / "template", 1, None)  # also warms what is compiled and read once
        template = root / "template" / layout.TEMPLATE
        for repeat in range(options.repeats):
            for name, workers in (("one", 1), ("two", 2), ("independent", 0)):
                out = root / f"{name}{repeat}"
                if workers:
                    found = [run(root / "scans", out, workers, template)]
                else:
                    found = independent(halves, out, template)
                row = figures(found) | {"load": round(os.getloadavg()[0], 1)}
                rows[name].append(row)
                print(
                    f"{name:12} {row['whole']:7.1f} s  {row['rate']:6.3f} scans a second  "
                    f"load {row['load']}",
                    flush=True,
                )
    summary = {}
    for figure, better in (("whole", -1), ("rate", 1)):
        middle = {name: statistics.median(row[figure] for row in rows[name]) for name in rows}
        gain = {name: (middle[name] / middle["one"]) ** better for name in ("two", "independent")}
        summary[figure] = gain | {"two of independent": gain["two"] / gain["independent"]}
        print(
            f"{figure}: two workers {gain['two']:.2f} x one, independent processes "
            f"{gain['independent']:.2f} x, the former {summary[figure]['two of independent']:.3f} "
            "of the latter"
        )
    if options.out:
        write_json(options.out, {"scans": options.scans, "rows": rows, "gains": summary})


if __name__ == "__main__":
    main()
