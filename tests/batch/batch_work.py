"""Pieces of work that the pipeline tests send to worker processes."""

import os
import signal
import time
from pathlib import Path

from geomface.batch.attempts import ItemTask, Outcome
from geomface.errors import MeshError


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
        raise MeshError("scan: expected a surface,\n  got nothing.")
    if task.payload == "defect":
        raise ZeroDivisionError("division by zero")
    if task.payload == "interrupt":
        raise KeyboardInterrupt
    return Outcome({"length": len(task.name)}, ("a note",))


def fake_item(task: ItemTask, folder: Path) -> Outcome:
    """Stand in for the real work on a scan: fails for a scan file that says so."""
    text = task.payload.scan.read_text()
    if "kill" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "interrupt" in text:
        raise KeyboardInterrupt
    if "bad" in text:
        raise MeshError(f"{task.payload.scan.name}: bad scan.")
    (folder / "copy.txt").write_text(text)
    return Outcome({"size": len(text)})


def end_process() -> None:
    """End the worker while it starts."""
    os._exit(3)
