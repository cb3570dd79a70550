"""What a process of a command does to itself: the variable GEOMFACE_FAULT says what, and when.

A fault of an item is "KIND NAME": it strikes once, where the work of the item of this name has
written its files; a file beside the folder remembers that it did. Those of a process are "clock"
and "memory MEGABYTES", which it may take beyond what it has.
"""

import ctypes
import datetime
import functools
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

VARIABLE = "GEOMFACE_FAULT"
ALWAYS = "GEOMFACE_FAULT_ALWAYS"
"""Set: the fault strikes each time."""
MINE = "GEOMFACE_FAULT_UNPRIVILEGED"
"""Set: permissions bind this process, though it is root's."""
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2
_DROP_BOUNDING = 24
_CAPABILITY_VERSION = 0x20080522


def begin() -> None:
    """Prepare what the environment asks for."""
    if os.environ.get(MINE):
        obey_permissions()
    kind, _, name = os.environ.get(VARIABLE, "").partition(" ")
    if kind == "clock":
        bend_clock()
    elif kind == "memory":
        ctypes.CDLL(None).malloc_trim(0)  # what is free already would serve for long
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = (int(name) << 20) + pages * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    elif kind:
        disturb_item(kind, name)


def obey_permissions() -> None:
    """Give up the right to write and read what permissions forbid, here and in what is started."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for right in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
        libc.prctl(_DROP_BOUNDING, right, 0, 0, 0)
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    data = (ctypes.c_uint32 * 6)()
    libc.capget(head, data)
    mask = ~((1 << _DAC_OVERRIDE) | (1 << _DAC_READ_SEARCH)) & 0xFFFFFFFF
    for index in (0, 1, 2):
        data[index] &= mask
    if libc.capset(head, data):
        raise OSError(ctypes.get_errno(), "capset")


def bend_clock() -> None:
    """Let the clock of the day jump a day forth, and back again, at every second look."""
    real, real_ns, now = time.time, time.time_ns, datetime.datetime
    looks = iter(range(1 << 62))

    def jump() -> int:
        return (0, 86400, -86400, 3600)[next(looks) // 2 % 4]

    class Jumping(now):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            """Return a time that jumps."""
            return now.fromtimestamp(real() + jump(), tz)

    time.time = lambda: real() + jump()
    time.time_ns = lambda: real_ns() + jump() * 10**9
    from geomface.batch import attempts

    # The type itself stays as it is for those who compare with it.
    attempts.datetime = type(sys)("datetime")  # type: ignore[assignment]
    attempts.datetime.datetime = Jumping  # type: ignore[misc]


def disturb_item(kind: str, name: str) -> None:
    """Let the work of an item of this name go wrong."""
    from geomface.batch import attempts

    if hasattr(attempts.attempt_item, "__wrapped__"):
        return
    real = attempts.attempt_item

    @functools.wraps(real)
    def attempt_item(work: Callable, task: Any) -> Any:
        if task.name != name:
            return real(work, task)
        if kind == "garbage":
            return {"status": "done"} if strikes(task.out) else real(work, task)
        return real(functools.partial(_spoiled, work, kind), task)

    attempts.attempt_item = attempt_item
    if "geomface.batch.run" in sys.modules:
        sys.modules["geomface.batch.run"].attempt_item = attempt_item  # type: ignore[attr-defined]


def _spoiled(work: Callable, kind: str, task: Any, folder: Path) -> Any:
    outcome = work(task, folder)
    if not strikes(task.out):
        return outcome
    if kind == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif kind == "hang":
        ctypes.PyDLL(None).sleep(3600)  # holds the interpreter's lock
    elif kind == "memory-error":
        raise MemoryError
    elif kind == "out-of-memory":
        os.kill(os.getpid(), signal.SIGKILL)  # as the system does
    return outcome


def strikes(out: Path) -> bool:
    """Say whether the fault strikes: once a folder, or each time."""
    if os.environ.get(ALWAYS):
        return True
    try:
        out.with_name(f"{out.name}.struck").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
