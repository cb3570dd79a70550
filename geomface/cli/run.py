"""One run of one command: notes, progress, the record, and who prints what where.

Results go to standard output; notes and progress go to standard error, so that a pipe sees the
result only.
"""

import contextlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from geomface.cli.options import CommonOptions
from geomface.cli.record import build_record
from geomface.errors import MissingBackendError, printable

BREAKS = "\n\t"
"""What our own texts break lines and columns with."""
PLAIN_INTERVAL = 2.0
"""Seconds between two progress lines when the output is not a terminal."""


class Step(Protocol):
    """Moves the progress to `done`; `total` corrects what was announced."""

    def __call__(self, done: int, what: str = "", total: int | None = None) -> None:
        """Move the progress."""
        ...


class Run:
    """What a command uses to talk: it collects notes, shows progress and ends with a record.

    Parameters
    ----------
    title : the command as typed, such as "geomface register"
    options : its parsed options; a field `common` holds the `CommonOptions`
    words : the command line behind the title, for commands that start themselves again
    """

    def __init__(self, title: str, options: Any, words: Sequence[str] = ()) -> None:
        self.title = title
        self.words = tuple(words)
        self.options = options
        self.common: CommonOptions = getattr(options, "common", CommonOptions())
        self.notes: list[str] = []
        self._started = time.perf_counter()
        _send_log_to(self._log_note)

    @property
    def seconds(self) -> float:
        """Wall time since the command began."""
        return time.perf_counter() - self._started

    def require_cpu(self) -> None:
        """Refuse `--device cuda` where nothing would run on it."""
        if self.common.device == "cuda":
            raise MissingBackendError(
                f"--device cuda: {self.title} has no GPU path, so nothing would run there. "
                "Use --device auto or --device cpu."
            )

    def note(self, text: str) -> None:
        """Tell the user what was done about imperfect input; it also goes into the record."""
        text = printable(text)
        if text not in self.notes:
            self.notes.append(text)
            if not self.common.quiet:
                sys.stderr.write(f"note: {text}\n")

    def warn(self, text: str) -> None:
        """Tell the user something at once that belongs to an item's own record."""
        if not self.common.quiet:
            sys.stderr.write(f"{printable(text, BREAKS)}\n")

    def add_notes(self, texts: Iterable[str]) -> None:
        """Note every text."""
        for text in texts:
            self.note(text)

    def say(self, text: str = "") -> None:
        """Print a line of the human-readable result."""
        if not (self.common.quiet or self.common.json):
            sys.stdout.write(printable(text, BREAKS) + "\n")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table of the human-readable result, numbers to the right."""
        if self.common.quiet or self.common.json:
            return
        rows = [[printable(cell) for cell in row] for row in rows]
        widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
        for index, row in enumerate([header, *rows]):
            cells = [
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            sys.stdout.write("  ".join(cells).rstrip() + "\n")
            if index == 0:
                sys.stdout.write("-" * (sum(widths) + 2 * (len(widths) - 1)) + "\n")

    @contextlib.contextmanager
    def progress(self, label: str, total: int) -> Iterator["Step"]:
        """Yield `step(done, what, total)`: a bar with time left, plain lines if no terminal."""
        if self.common.quiet:
            yield lambda done, what="", total=None: None
        elif sys.stderr.isatty():
            with _rich_bar(label, total) as step:
                yield step
        else:
            yield _plain_progress(label, total)

    @contextlib.contextmanager
    def stage(self, label: str, what: str = "") -> Iterator[None]:
        """Tell that a step begins that takes seconds, and at its end how long it took."""
        with self.progress(label, 1) as step:
            step(0, what)
            yield
            step(1, what)

    def plan(self, lines: Sequence[str], figures: Mapping[str, Any] | None = None) -> int:
        """End a dry run: print the plan and return 0."""
        if self.common.json:
            record = build_record(self.title, self.options, self.seconds, self.notes)
            print(json.dumps(record | {"dry_run": True, "plan": list(lines)} | dict(figures or {})))
        else:
            self.say(f"{self.title} would:")
            for line in lines:
                self.say(f"  {line}")
            self.say("Nothing was written (--dry-run).")
        return 0

    def finish(self, figures: Mapping[str, Any], report: Path | None = None) -> dict[str, Any]:
        """Build the record, write it to `report`, print it under --json, and return it."""
        from geomface.files.records import plain, write_json

        record = build_record(self.title, self.options, self.seconds, self.notes)
        record |= plain(figures)
        if report is not None:
            write_json(report, record)
        if self.common.json:
            print(json.dumps(record))
        return record

    def _log_note(self, text: str) -> None:
        self.note(text)


@contextlib.contextmanager
def _rich_bar(label: str, total: int) -> Iterator[Step]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total, what="")
        yield lambda done, what="", total=None: progress.update(
            task, completed=done, what=escape(printable(what)), total=total
        )


def _plain_progress(label: str, announced: int) -> Step:
    started = time.perf_counter()
    last = [started - PLAIN_INTERVAL]

    def step(done: int, what: str = "", total: int | None = None) -> None:
        total = total or announced
        now = time.perf_counter()
        if done < total and now - last[0] < PLAIN_INTERVAL:
            return
        last[0] = now
        left = "" if not done else f", {(now - started) / done * (total - done):.0f} s left"
        if done >= total:
            left = f", {now - started:.1f} s in all"
        sys.stderr.write(f"{label}: {done}/{total}{left}{'  ' + printable(what) if what else ''}\n")

    return step


class _NoteHandler(logging.Handler):
    """Hands the library's warnings to the running command."""

    def __init__(self, sink: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        self.sink(record.getMessage())


def _send_log_to(sink: Callable[[str], None]) -> None:
    logger = logging.getLogger("geomface")
    # A library that configures logging may have switched off all loggers that were there before.
    logger.disabled = False
    for handler in [item for item in logger.handlers if isinstance(item, _NoteHandler)]:
        logger.removeHandler(handler)
    logger.addHandler(_NoteHandler(sink))
