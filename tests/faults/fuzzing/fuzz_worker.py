"""One process of the fuzzing: takes numbers of inputs on its standard input, tells what came."""

import contextlib
import faulthandler
import io
import json
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_harness import BYTES, SECONDS
from fuzz_mutations import mutated
from fuzz_reader import Reader, schedule

from geomface.errors import GeomfaceError, OutOfMemoryError

ROOT = Path(__file__).resolve().parents[3]

_PAGE = os.sysconf("SC_PAGE_SIZE")
_RUNS = ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn")


class Watch:
    """What happens while a file is read and must not: files opened elsewhere, code that is run."""

    def __init__(self, *samples: str) -> None:
        self.own = (
            *samples,
            tempfile.gettempdir(),
            sys.prefix,
            sys.base_prefix,
            str(ROOT),
            "/proc/",
            "/dev/null",
        )
        self.own += ("/sys/", "/tmp/", "/etc/localtime", "/usr/share/", "/usr/lib/", "/opt/")
        self.seen: tuple[str, str] | None = None
        self.on = False
        sys.addaudithook(self.hook)

    def hook(self, event: str, values: tuple) -> None:
        """Take down the first thing of a kind."""
        if not self.on or self.seen:
            return
        if event in _RUNS:
            self.seen = "code", f"{event} {values}"[:200]
        elif event == "subprocess.Popen" and "ffmpeg" not in str(values[0]):
            self.seen = "code", f"{event} {values[0]}"[:200]
        elif event == "open" and isinstance(values[0], str | bytes):
            name = os.path.realpath(os.fsdecode(values[0]))
            if not name.startswith(self.own):
                self.seen = "outside", name


def memory() -> tuple[int, int]:
    """Return bytes of address space and of memory that this process has."""
    pages = Path("/proc/self/statm").read_text().split()
    return int(pages[0]) * _PAGE, int(pages[1]) * _PAGE


def peak() -> int:
    """Return the most memory since the mark was reset."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmHWM:")[2].split(maxsplit=1)[0]) * 1024


def call(reader: Reader, folder: Path) -> tuple[str, str, str]:
    """Read, and say how it ended: outcome, class of the error, its message and place."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("error")
            with contextlib.redirect_stderr(io.StringIO()):
                reader.read(folder)
        return "read", "", ""
    except (OutOfMemoryError, MemoryError) as error:
        return "memory", type(error).__name__, _told(error)
    except GeomfaceError as error:
        return ("refused" if str(error) else "bare"), type(error).__name__, str(error)[:300]
    except BaseException as error:
        return "bare", type(error).__name__, _told(error)


def _told(error: BaseException) -> str:
    """Return message and place of an error: where it was raised, and where our code called."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/geomface/" in frame.filename] or list(frames)
    places = dict.fromkeys(
        f"{Path(frame.filename).name}:{frame.lineno}" for frame in (frames[-1], *ours[:-4:-1])
    )
    return f"{str(error)[:160]!r} at {' < '.join(places)}"


def spoil(path: Path, change: str, data: bytes | None) -> None:
    """Put the new content, or no file, in the place of a file."""
    if data is not None:
        path.write_bytes(data)
        return
    path.unlink()
    if change == "folder":
        path.mkdir()
    elif change == "pipe":
        os.mkfifo(path)


def restore(path: Path, good: bytes) -> None:
    """Put the good file back."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():
        path.unlink()
    path.write_bytes(good)


Find = Callable[[Sequence[str]], Sequence[Reader]]


def main(find: Find, change: Any = mutated, allowed: float = SECONDS) -> int:
    """Read the numbers of the inputs, and tell of each on the standard output.

    Parameters
    ----------
    find : the readers of these names
    change : spoils a file, as `mutated`
    allowed : seconds of the processor for each
    """
    asked: dict[str, Any] = json.load(sys.stdin)
    faulthandler.enable()
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what readers print is no message of ours
    samples = Path(asked["samples"])
    os.chdir(samples)
    logging.getLogger("geomface").addHandler(logging.NullHandler())
    logging.getLogger("geomface").propagate = False
    readers = find(asked["readers"])
    order = schedule(readers)
    files = {reader.name: reader.files(samples / reader.name) for reader in readers}
    others = {
        f"{name}/{paths[0].name}": paths[0].read_bytes() for name, paths in files.items() if paths
    }
    others = {name: data for name, data in others.items() if len(data) < 2**20}
    warm: set[str] = set()
    watch = Watch(asked["samples"], asked["own"])

    def tell(**values: Any) -> None:
        pipe.write(json.dumps(values) + "\n")
        pipe.flush()

    for number in asked["numbers"]:
        reader = order[number % len(order)]
        folder = samples / reader.name
        if reader.name not in warm:
            reader.read(folder)  # what is imported and compiled now needs no memory later
            warm.add(reader.name)
        rng = np.random.default_rng([asked["seed"], number])
        paths = files[reader.name]
        path = paths[int(rng.integers(len(paths)))]
        good = path.read_bytes()
        how, data = change(good, path, rng, others)
        head = {
            "number": number,
            "reader": reader.name,
            "file": str(path.relative_to(folder)),
            "change": how,
        }
        spoil(path, how, data)
        tell(**head, outcome="begun")
        held, resident = memory()
        Path("/proc/self/clear_refs").write_text("5")
        resource.setrlimit(resource.RLIMIT_AS, (held + BYTES, resource.RLIM_INFINITY))
        watch.seen, watch.on = None, True
        signal.setitimer(signal.ITIMER_PROF, allowed)  # ends the process, which tells its parent
        start = time.process_time()
        outcome, error, told = call(reader, folder)
        seconds = time.process_time() - start
        signal.setitimer(signal.ITIMER_PROF, 0)
        watch.on = False
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        if watch.seen is not None:
            (outcome, told), error = watch.seen, ""
        restore(path, good)
        reader.tidy(folder)
        tell(
            **head,
            outcome=outcome,
            error=error,
            told=told,
            seconds=seconds,
            peak=max(peak() - resident, 0),
        )
        if outcome == "memory":
            break  # what a process holds after that says nothing of the next
    return 0


if __name__ == "__main__":
    from fuzz_readers import chosen_readers

    sys.exit(main(chosen_readers))
