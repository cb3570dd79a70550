"""Ending between two steps: a wall-clock budget, or the user's interrupt."""

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any


class StopRequest:
    """A context in which an interrupt or a spent budget only sets a flag.

    Half a step must never be saved: the loop asks `reason` between steps, saves and ends.
    A second interrupt ends at once.

    Parameters
    ----------
    budget_seconds : wall-clock time from entering the context; None is unlimited
    """

    def __init__(self, budget_seconds: float | None = None) -> None:
        self._budget = budget_seconds
        self._started = time.perf_counter()
        self._interrupted = False
        self._before: dict[int, Any] = {}

    @property
    def seconds(self) -> float:
        """Wall time since the context was entered."""
        return time.perf_counter() - self._started

    @property
    def reason(self) -> str:
        """Why to stop: "interrupt", "budget", or "" to go on."""
        if self._interrupted:
            return "interrupt"
        return "budget" if self._budget is not None and self.seconds >= self._budget else ""

    def __enter__(self) -> "StopRequest":
        self._started = time.perf_counter()
        # Only the main thread may set handlers; elsewhere the budget still holds.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
