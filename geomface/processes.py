"""How processes end: a worker with its parent, and Ctrl-C and SIGTERM where it is safe."""

import _thread
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

_MOMENT = 0.02
"""Seconds between two looks whether an interrupt that waits is safe by now."""
_GLANCE = 0.2
"""Seconds between two looks whether the parent is there."""
LAUNCHER = "GEOMFACE_LAUNCHER"
"""Environment variable with the process number of the parent that started a program."""
_OURS = ("geomface", "__main__")
_HARMLESS = ("concurrent", "distributed", "multiprocessing", "numpy", "queue", "scipy", "selectors")
_HARMLESS += ("subprocess", "threading", "torch")
"""Packages that pass an error on, wherever it is raised in them."""


def end_with_parent() -> None:
    """End this worker process as soon as the one that started it is gone, killed ones included.

    The parent is that of multiprocessing, or the one that `LAUNCHER` names. Others do not end.

    Workers of a killed parent would go on for minutes, hold their memory, and write into a folder
    in which another run may work by then.
    """
    import multiprocessing  # the command line does without it

    parent = multiprocessing.parent_process()
    # What this process starts has another parent.
    launcher = os.environ.pop(LAUNCHER, None)
    if parent is None and launcher is None:
        return

    def watch() -> None:
        if parent is not None:
            parent.join()
        else:
            while str(os.getppid()) == launcher:
                time.sleep(_GLANCE)
        os._exit(1)  # nobody is left to hear of it

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def birth(pid: int) -> str | None:
    """Return what tells a process from another one that had its number before; None if unknown.

    Empty for one that has ended, which keeps its number until its parent asks how.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            state = stream.read().rpartition(")")[2].split()
        return "" if state[0] in "ZX" else state[19]
    except (OSError, IndexError):  # only Linux has it
        return None


@contextlib.contextmanager
def orderly_interrupts() -> Iterator[None]:
    """Inside the block Ctrl-C and SIGTERM raise KeyboardInterrupt, and only where that is safe.

    By itself Python raises it wherever it is, in functions too that a native library calls: the
    import of an extension or a compiled kernel then crashes, or the interrupt is lost. Here it
    waits until this package's own code runs, or what that waits in. A second one does not wait.

    Outside of the main thread, and for a signal that is ignored or has a handler already, nothing
    changes.
    """
    default = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: found for number, found in default.items() if _handler(number) == found}
    if threading.current_thread() is not threading.main_thread():
        before = {}
    orderly = _OrderlyInterrupt()
    for number in before:
        signal.signal(number, orderly)
    try:
        yield
    finally:
        orderly.forget()
        for number, handler in before.items():
            signal.signal(number, handler)


def _handler(number: signal.Signals) -> object:
    return signal.getsignal(number)


class _OrderlyInterrupt:
    """A signal handler that raises where it is safe, or looks again in a moment."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._rang = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        second = self._timer is not None and not self._rang
        self.forget()
        if second or _is_safe(frame):
            raise KeyboardInterrupt
        self._timer = threading.Timer(_MOMENT, self._ring, (signal.Signals(number),))
        self._timer.daemon = True
        self._timer.start()

    def forget(self) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._rang = None, False

    def _ring(self, number: signal.Signals) -> None:
        self._rang = True
        _thread.interrupt_main(number)


def _is_safe(frame: FrameType | None) -> bool:
    """Say whether our code runs, with nothing below it that could not pass an error on."""
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).split(".")[0]
        if package in _OURS:
            return True
        if package not in _HARMLESS:
            return False
        frame = frame.f_back
    return True
