"""One command as several processes, as torchrun does on one machine, with this tool's manners."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO

_PATIENCE = 0.2
_LAST_WORDS = 10.0


def start_processes(
    words: Sequence[str],
    count: int,
    *,
    program: Sequence[str] = (sys.executable, "-m", "geomface"),
) -> int:
    """Run `geomface WORDS` in `count` processes that find each other, and return its exit code.

    The first process speaks; what the others say on standard error is shown when one of them fails
    by itself and not because another did. Then all end. An interrupt reaches all of them; they save
    and end by themselves.

    Parameters
    ----------
    words : noun, verb and options, which must ask for `count` devices
    count : how many
    program : what gets the words

    Convention
    ----------
    Each gets RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as from
    torchrun.
    """
    from geomface.learning.distributed import LOST

    command = [*program, *words]
    shared = {
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
            for _ in range(1, count)
        ]
        running = []
        for rank in range(count):
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            running.append(
                subprocess.Popen(
                    command,
                    env=os.environ | shared | own,
                    stdout=None if rank == 0 else subprocess.DEVNULL,
                    stderr=None if rank == 0 else spoken[rank - 1],
                )
            )
        _wait(running)
        failed = [rank for rank, process in enumerate(running) if process.returncode]
        for rank in failed:
            words_of_rank = _read(spoken[rank - 1]) if rank else ""
            if words_of_rank and LOST not in words_of_rank:
                sys.stderr.write(words_of_rank)
                break
        return running[failed[0]].returncode if failed else 0


def _wait(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait for all, or until one fails; then the others may notice, and are ended."""
    deadline = None
    while any(process.poll() is None for process in running):
        # The interrupt that arrives here arrives at the children too, who save and end.
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(_PATIENCE)
        if deadline is None and any(process.poll() for process in running):
            deadline = time.monotonic() + _LAST_WORDS
        if deadline is not None and time.monotonic() > deadline:
            for process in running:
                process.kill()  # what still runs hangs in a message to one that is gone
                process.wait()


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
