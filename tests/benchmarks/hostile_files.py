"""Thousands of spoiled files through every reader: nothing may end but in a value or a sentence.

python tests/benchmarks/hostile_files.py [--count 5000] [--seed 0]

Each file is read in a process of its own kind with 1.5 GB of address space above what the program
takes, and 10 seconds. Counted are bare exceptions, hangs, ends by a signal, memory, and files
opened outside of the folder of the spoiled one (by Python; HDF5 opens files by itself).
"""

import argparse
import collections
import contextlib
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "files"))

from hostile_samples import spoiled, write_samples  # noqa: E402

from geomface.errors import GeomfaceError, OutOfMemoryError  # noqa: E402

SECONDS, BYTES = 10.0, 3 * 2**29


def outcome(read, path: Path) -> str:
    """Read a file and say how it ended."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read(path)
        return "read"
    except OutOfMemoryError:
        return "memory"
    except GeomfaceError as error:
        return "refused" if str(error) else "bare"
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"bare: {type(error).__name__} at {Path(place.filename).name}:{place.lineno} {error}"


def work(folder: Path, numbers: range, seed: int, pipe: Connection) -> None:
    """Spoil and read files, and report each: (number, name, outcome, seconds)."""
    samples = write_samples(folder)
    for path, read in samples.values():
        read(path)  # what is imported now needs no memory later
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (size + BYTES, size + BYTES))
    opened: list[str] = []
    own = (str(folder), sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), "/proc/self")

    def watch(event: str, values: tuple) -> None:
        if event == "open" and isinstance(values[0], str | bytes) and not opened:
            name = os.path.realpath(os.fsdecode(values[0]))
            if not name.startswith(own):
                opened.append(name)

    sys.addaudithook(watch)
    names = list(samples)
    for number in numbers:
        name = names[number % len(names)]
        path, read = samples[name]
        good = path.read_bytes()
        path.write_bytes(spoiled(good, np.random.default_rng([seed, number])))
        pipe.send((number, name, "begun", 0.0))
        opened.clear()
        start = time.perf_counter()
        found = outcome(read, path)
        found = f"outside: {opened[0]}" if opened else found
        pipe.send((number, name, found, time.perf_counter() - start))
        path.write_bytes(good)
    pipe.send(None)


def main() -> int:
    """Run, print the counts and every failure; the exit code says whether there was one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tally: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    slowest, following = 0.0, 0
    spawn = multiprocessing.get_context("spawn")
    while following < options.count:
        with tempfile.TemporaryDirectory() as folder:
            mine, theirs = spawn.Pipe(duplex=False)
            numbers = range(following, options.count)
            worker = spawn.Process(target=work, args=(Path(folder), numbers, options.seed, theirs))
            worker.start()
            theirs.close()
            number, name, last = following, "the samples", "begun"
            with contextlib.suppress(EOFError):
                while mine.poll(60.0 if name == "the samples" else SECONDS):
                    message = mine.recv()
                    if message is None:
                        number = options.count
                        break
                    number, name, last, seconds = message
                    slowest = max(slowest, seconds)
                    if last != "begun":
                        kind = last.partition(":")[0]
                        tally[kind] += 1
                        if kind not in ("read", "refused"):
                            failures.append(f"{number} {name}: {last}")
            alive = worker.is_alive() and number < options.count
            worker.kill() if alive else worker.join(5)
            if number < options.count:
                kind = "hang" if alive else f"end by signal {-(worker.exitcode or 0)}"
                tally[kind] += 1
                failures.append(f"{number} {name}: {kind}")
            following = number + 1
    for failure in failures:
        print(failure)
    print(f"{options.count} spoiled files, seed {options.seed}, slowest {slowest:.1f} s")
    for kind in ("read", "refused", "bare", "hang", "memory", "outside"):
        print(f"{kind:>8} {tally.pop(kind, 0)}")
    print("\n".join(f"{kind} {count}" for kind, count in tally.items()))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
