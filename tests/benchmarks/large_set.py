"""Peak memory and time of a whole `pipeline run` over sets of growing size: is it flat?

    python tests/benchmarks/large_set.py [--counts 100 250 500] [--workers 2]

Small simulated scans (1,500 vertices), the built-in template, textures of 128 texels, two levels
of stiffness. The memory is that of all processes of the run together: pages that processes share
count once (PSS, read every 0.2 s), and what has been swapped out counts too.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from geomface.faces.builtin import load_builtin_face
from geomface.scans.settings import ScanSettings
from geomface.scans.simulate import save_simulated_scan, simulate_scan

SMALL = ScanSettings(vertices=1500, surround=False)
QUICK = ["--texture-size", "128", "--geometry-image-size", "64", "--stiffness", "1e5", "1.3e3"]
LIMIT_MB, GROWTH = 2000.0, 1.1
"""What the whole run may take, and how much more than with the smallest set."""


def tree(root: int) -> list[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, left = [], [root]
    while left:
        found.append(left.pop())
        left += children.get(found[-1], [])
    return found


def held_mb(process: int) -> float:
    """Return the share of memory of a process, shared pages in parts, MB."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return (
        sum(int(line.split()[1]) for line in lines if line.startswith(("Pss:", "SwapPss:"))) / 1e3
    )


def simulate(folder: Path, start: int, stop: int) -> None:
    """Write scans start .. stop."""
    model = load_builtin_face()
    for index in range(start, stop):
        scan = simulate_scan(model, rng=np.random.default_rng([7, index]), settings=SMALL)
        save_simulated_scan(folder, index, scan)


def run(scans: Path, out: Path, count: int, workers: int) -> tuple[float, float, float]:
    """Return the peak of all processes and of the first one, MB, and the seconds of a run."""
    words = ["--scans", scans, "--out", out, "--limit", count, "--workers", workers]
    command = [sys.executable, "-m", "geomface", "pipeline", "run", *map(str, words), *QUICK]
    command += ["--samples", "2", "--quiet"]
    started, peak, own = time.perf_counter(), 0.0, 0.0
    process = subprocess.Popen(command)
    while process.poll() is None:
        held = [held_mb(member) for member in tree(process.pid)]
        peak, own = max(peak, sum(held)), max(own, held[0])
        time.sleep(0.2)
    if process.returncode not in (0, 3):
        raise SystemExit(f"the run of {count} ended with {process.returncode}")
    return peak, own, time.perf_counter() - started


def main() -> None:
    """Simulate the largest set once, run all sizes, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 250, 500])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep scans and results here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="large-set-") as temporary:
        root = options.folder or Path(temporary)
        scans = root / "scans"
        scans.mkdir(parents=True, exist_ok=True)
        simulate(scans, len(list(scans.glob("*.ply"))), max(options.counts))
        print(f"{os.cpu_count()} cores, {options.workers} workers")
        print("scans   all processes MB   first process MB   seconds", flush=True)
        first = None
        for count in options.counts:
            out = root / f"out{count}"
            peak, own, seconds = run(scans, out, count, options.workers)
            first = peak if first is None else first
            flat = "" if peak <= GROWTH * first else "   not flat"
            over = "" if peak <= LIMIT_MB else "   over the limit"
            line = f"{count:5d}   {peak:16.0f}   {own:16.0f}   {seconds:7.0f}{flat}{over}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
