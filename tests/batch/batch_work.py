"""Pieces of work that the pipeline tests send to worker processes."""

import errno
import os
import signal
import time
from pathlib import Path

from geomface.batch.attempts import ItemTask, Outcome
from geomface.errors import FileFormatError, MeshError


def square(value: int) -> int:
    """Return the square."""
    return value * value


def environment(name: str) -> str:
    """Return an environment variable of the worker."""
    return os.environ.get(name, "")


def wait_then_return(seconds: float) -> float:
    """Sleep and return."""
    time.sleep(seconds)
    return seconds


def tell_and_wait(place: Path) -> None:
    """Leave the number of this process in a file and wait for long."""
    place.write_text(str(os.getpid()))
    time.sleep(60)


def die_at_three(value: int) -> int:
    """End the process without a word at 3."""
    time.sleep(0.05)
    if value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def write_file(task: ItemTask, folder: Path) -> Outcome:
    """Write one file; the payload says what goes wrong."""
    (folder / "result.txt").write_text(f"{task.name} {task.payload}")
    if task.payload == "broken scan":
        raise MeshError("scan: expected a surface, got nothing.")
    if task.payload == "defect":
        raise ZeroDivisionError("division by zero")
    if task.payload == "interrupt":
        raise KeyboardInterrupt
    if task.payload == "memory":
        raise MemoryError
    if task.payload == "disk":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if task.payload == "forbidden":
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    if task.payload == "cut":
        raise OSError("64512 requested and 40832 written")  # as numpy says it
    if task.payload == "open files":
        try:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        except OSError as error:
            raise FileFormatError("scan: cannot be read (Too many open files).") from error
    return Outcome({"length": len(task.name)}, ("a note",))


def fake_item(task: ItemTask, folder: Path) -> Outcome:
    """Stand in for the real work on a scan: fails for a scan file that says so."""
    text = task.payload.scan.read_text()
    if "kill" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "interrupt" in text:
        raise KeyboardInterrupt
    if "large" in text and not task.payload.scan.with_name("memory").exists():
        raise MemoryError
    if "bad" in text:
        raise MeshError(f"{task.payload.scan.name}: bad scan.")
    (folder / "copy.txt").write_text(text)
    return Outcome({"size": len(text)})


def end_process() -> None:
    """End the worker while it starts."""
    os._exit(3)
