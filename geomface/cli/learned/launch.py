"""One command as several processes, as torchrun does on one machine, with this tool's manners."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

_PATIENCE = 0.2
_LAST_WORDS = 10.0


def start_processes(words: Sequence[str], count: int) -> int:
    """Run `geomface WORDS` in `count` processes that find each other, and return its exit code.

    The first process speaks; what the others say on standard error is shown when one of them fails
    by itself. When one fails, the others are ended. An interrupt reaches all of them; they save and
    end by themselves.

    Parameters
    ----------
    words : noun, verb and options, which must ask for `count` devices
    count : how many

    Convention
    ----------
    Each gets RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as from
    torchrun.
    """
    command = [sys.executable, "-m", "geomface", *words]
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
        failed = _wait(running)
        if failed is None:
            return 0
        if failed:
            spoken[failed - 1].seek(0)
            shutil.copyfileobj(spoken[failed - 1], sys.stderr)
        return running[failed].returncode


def _wait(running: Sequence[subprocess.Popen[bytes]]) -> int | None:
    """Wait for all, or until one fails; then end the others and return who failed first."""
    failed = None
    while failed is None and any(process.poll() is None for process in running):
        # The interrupt that arrives here arrives at the children too, who save and end.
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(_PATIENCE)
        failed = next((rank for rank, process in enumerate(running) if process.poll()), None)
    deadline = time.monotonic() + _LAST_WORDS
    for process in running:
        if process.poll() is None and failed is not None:
            process.terminate()
    for process in running:
        try:
            process.wait(max(deadline - time.monotonic(), 0.0) if failed is not None else None)
        except subprocess.TimeoutExpired:
            process.kill()  # it hangs in a message to one that is gone
            process.wait()
    return failed


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
