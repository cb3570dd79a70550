"""Spoiled files through the readers, in processes that may end or hang: what came of each.

An input is a number: its reader, file and change are drawn from the seed and it alone, so each can
be done again. A worker process reads many, bounded in memory; one that ends or takes too long is
ended, the input is blamed, and another goes on behind it.
"""

import collections
import contextlib
import dataclasses
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

SECONDS, BYTES = 10.0, 2 * 2**30
"""What one input may take: time of the processor, and memory above that of the process."""
_SILENCE = 120.0
"""Seconds without a word after which a process is blocked; a busy machine may need as many."""
_START = 600.0
_GOOD = ("read", "refused")
WORKER = Path(__file__).with_name("fuzz_worker.py")


@dataclasses.dataclass(frozen=True)
class Finding:
    """How one input ended.

    Parameters
    ----------
    number : of the input
    reader, file, change : what read it, which file was spoiled and how
    outcome : "read" or "refused" (by an error of geomface); "bare" (any other exception), "memory"
        (more than it may take, or the error of that), "hang", "crash", "outside" (a file beyond the
        samples was opened) and "code" (a pickle was loaded or a program run) are failures
    error : class of the exception
    told : message and place of the exception
    seconds : time of the processor that it took
    peak : bytes of memory above what the process held before
    """

    number: int
    reader: str
    file: str
    change: str
    outcome: str
    error: str = ""
    told: str = ""
    seconds: float = 0.0
    peak: int = 0

    @property
    def good(self) -> bool:
        """Whether it ended in a value or in a sentence."""
        return self.outcome in _GOOD and self.seconds <= SECONDS

    def __str__(self) -> str:
        text = f"{self.number} {self.reader} {self.file} [{self.change}]: {self.outcome}"
        return f"{text} {self.error} {self.told} ({self.seconds:.1f} s, {self.peak / 2**20:.0f} MB)"


def fuzz(
    samples: Path,
    numbers: Sequence[int],
    seed: int,
    readers: Sequence[str] = (),
    *,
    worker: Path = WORKER,
) -> Iterator[Finding]:
    """Yield the finding of each input.

    Parameters
    ----------
    samples : folder that `fuzz_readers.write_samples` filled
    numbers : of the inputs, in ascending order
    seed : of the changes
    readers : names; without any, all
    worker : script of the processes
    """
    waiting = list(numbers)
    while waiting:
        found = 0
        for finding in _one_process(samples, waiting, seed, readers, worker):
            found += 1
            yield finding
        waiting = waiting[found:]
        if not found:
            log = (samples / "worker.log").read_text(errors="replace")
            raise RuntimeError(f"a worker of the fuzzing could not begin:\n{log[-3000:]}")


def _one_process(
    samples: Path, numbers: Sequence[int], seed: int, readers: Sequence[str], script: Path
) -> Iterator[Finding]:
    """Yield findings until all are done, or until one ends the process."""
    log = samples / "worker.log"
    with (
        tempfile.TemporaryDirectory() as own,  # a process that ends leaves its last file spoiled
        open(log, "wb") as errors,
        subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        ) as worker,
    ):
        place = shutil.copytree(samples, Path(own).resolve() / "samples")
        asked = json.dumps(
            {
                "samples": str(place),
                "own": str(samples),
                "numbers": list(numbers),
                "seed": seed,
                "readers": [*readers],
            }
        )
        try:
            worker.stdin.write(asked.encode())
            worker.stdin.close()
            yield from _listen(worker, log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)


def _listen(worker: subprocess.Popen, log: Path) -> Iterator[Finding]:
    begun: Finding | None = None
    lines = _lines(worker.stdout.fileno())
    next(lines)
    while True:
        try:
            line = lines.send(_START if begun is None else _SILENCE)
        except StopIteration:
            break
        if line is None:  # silent for too long
            if begun is not None:
                yield dataclasses.replace(begun, outcome="hang", seconds=SECONDS)
            return
        finding = Finding(**json.loads(line))
        if finding.outcome == "begun":
            begun = finding
        else:
            begun = None
            yield finding
    if begun is not None and worker.wait(10) != 0:
        if worker.returncode == -signal.SIGPROF:  # of the timer that the worker set
            yield dataclasses.replace(begun, outcome="hang", seconds=SECONDS)
            return
        told = f"exit {worker.returncode}: {log.read_text(errors='replace')[-1500:]}"
        yield dataclasses.replace(begun, outcome="crash", told=told)


def _lines(stream: int) -> Generator[bytes | None, float, None]:
    """Yield the lines of a pipe; None where nothing comes for the seconds that are sent."""
    rest, line = b"", b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            end = time.monotonic() + (yield line)
            while b"\n" not in rest:
                if not selector.select(max(end - time.monotonic(), 0)):
                    yield None
                    return
                part = os.read(stream, 2**16)
                if not part:
                    return
                rest += part
            line, _, rest = rest.partition(b"\n")


def summary(findings: Sequence[Finding]) -> str:
    """Return a table of the readers, and of the errors by type."""
    rows = collections.defaultdict(collections.Counter)
    errors = collections.Counter()
    for finding in findings:
        row = rows[finding.reader]
        row["inputs"] += 1
        row[finding.outcome] += 1
        row["slowest"] = max(row["slowest"], finding.seconds)
        row["peak"] = max(row["peak"], finding.peak)
        if finding.error:
            errors[finding.error] += 1
    kinds = ("inputs", "read", "refused", "bare", "memory", "hang", "crash", "outside", "code")
    head = f"{'reader':28}" + "".join(f"{kind:>8}" for kind in kinds) + f"{'s':>7}{'MB':>6}"
    lines = [head]
    for name in sorted(rows):
        row = rows[name]
        lines.append(
            f"{name:28}"
            + "".join(f"{row[kind]:8}" for kind in kinds)
            + f"{row['slowest']:7.2f}{row['peak'] / 2**20:6.0f}"
        )
    total = collections.Counter(finding.outcome for finding in findings)
    total["inputs"] = len(findings)
    slowest = max((finding.seconds for finding in findings), default=0.0)
    peak = max((finding.peak for finding in findings), default=0)
    lines.append(
        f"{'all':28}" + "".join(f"{total[kind]:8}" for kind in kinds) + f"{slowest:7.2f}"
        f"{peak / 2**20:6.0f}"
    )
    lines.append("")
    lines += [f"{count:8} {name}" for name, count in errors.most_common()]
    return "\n".join(lines)
