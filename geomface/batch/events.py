"""What a run says while it works."""

import dataclasses
import time
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class JobEvent:
    """One thing that happened.

    Parameters
    ----------
    kind : "plan", "template", "done", "failed", "model", "interrupted" or "finished"
    message : one line
    name : of the item, or empty
    finished, total : how much of this run is finished, and all of it
    failed : how much of the finished failed
    seconds_left : estimate for what is left, None before the first item is finished
    """

    kind: str
    message: str
    name: str = ""
    finished: int = 0
    total: int = 0
    failed: int = 0
    seconds_left: float | None = None


EventSink = Callable[[JobEvent], None]


class Progress:
    """Counts what is done, estimates the time left, and hands events to a sink.

    Parameters
    ----------
    total : how much there is to do
    sink : takes the events, or None
    """

    def __init__(self, total: int, sink: EventSink | None) -> None:
        self.total = total
        self.finished = 0
        self.failed = 0
        self._sink = sink
        self._started = time.perf_counter()

    def begin(self) -> None:
        """Start the clock of the items."""
        self._started = time.perf_counter()

    def count(self, name: str, size: int, failed: int, message: str) -> None:
        """Count one item and say so."""
        self.finished += size
        self.failed += failed
        self.say("failed" if failed else "done", message, name)

    def say(self, kind: str, message: str, name: str = "") -> None:
        """Hand an event to the sink."""
        if self._sink is None:
            return
        left = None
        if self.finished:
            elapsed = time.perf_counter() - self._started
            left = elapsed / self.finished * (self.total - self.finished)
        self._sink(JobEvent(kind, message, name, self.finished, self.total, self.failed, left))
