"""One command as several processes, as torchrun does on one machine, with this tool's manners."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO

from geomface.processes import LAUNCHER

LOST = 4
"""Exit code of a process that ends, without a word, because another one did."""
_PATIENCE = 0.2
_LAST_WORDS = 10.0


def start_processes(
    words: Sequence[str],
    count: int,
    *,
    program: Sequence[str] = (sys.executable, "-m", "geomface"),
) -> int:
    """Run `geomface WORDS` in `count` processes that find each other, and return its exit code.

    The first process speaks. The words of another are shown when that one failed by itself, rather
    than with `LOST`, and the first did not. Then all end. Interrupts and requests to terminate
    reach all of them; they save and end by themselves. When this process is killed they end, too.

    Parameters
    ----------
    words : noun, verb and options, which must ask for `count` devices
    count : how many
    program : what gets the words

    Convention
    ----------
    Each gets RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as from
    torchrun, and this process's number for `end_with_parent`.
    """
    command = [*program, *words]
    shared = {
        LAUNCHER: str(os.getpid()),
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")
        or str(max(1, (os.cpu_count() or 1) // count)),
    }
    with contextlib.ExitStack() as stack:
        spoken = [
            stack.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
            for _ in range(count)
        ]
        running: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, running)
        stack.enter_context(_terminate_too(running))
        for rank in range(count):
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            running.append(
                subprocess.Popen(
                    command,
                    env=os.environ | shared | own,
                    stdout=None if rank == 0 else subprocess.DEVNULL,
                    stderr=None if rank == 0 else spoken[rank],
                )
            )
        failed = _wait(running)
        if not failed:
            return 0
        # One that aborts has, as a rule, met the end of another.
        by_itself = [rank for rank in failed if failed[rank] != LOST]
        first = min(by_itself, key=lambda rank: failed[rank] == -signal.SIGABRT, default=None)
        if first is None:
            sys.stderr.write(
                "error: the processes of the training lost each other, and none says why. The last "
                "checkpoint is whole; the same command goes on.\n"
            )
            return 1
        if failed[first] < 0:
            name = signal.Signals(-failed[first]).name
            # What aborts by itself has often said why.
            sys.stderr.write(_read(spoken[first]) if first else "")
            sys.stderr.write(
                f"error: process {first} of the training was ended by {name}, from outside or for "
                "want of memory. The last checkpoint is whole; the same command goes on.\n"
            )
            return 1
        sys.stderr.write(_read(spoken[first]))
        return failed[first]


def _wait(running: Sequence[subprocess.Popen[bytes]]) -> dict[int, int]:
    """Wait for all, or until one fails and the others have had time to notice.

    Returns {rank: exit code} of those that failed by then, in order of their ranks.
    """
    deadline = None
    while any(process.poll() is None for process in running):
        # The interrupt that arrives here arrives at the children too, who save and end.
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(_PATIENCE)
        if deadline is None and any(process.poll() for process in running):
            deadline = time.monotonic() + _LAST_WORDS
        if deadline is not None and time.monotonic() > deadline:
            break  # what still runs hangs in a message to one that is gone
    return {rank: process.returncode for rank, process in enumerate(running) if process.returncode}


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


@contextlib.contextmanager
def _terminate_too(running: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Pass a request to terminate on to the processes, who save and end."""

    def pass_on(number: int, frame: object) -> None:
        for process in running:
            process.terminate()

    # Only the main thread may set handlers.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, pass_on)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
