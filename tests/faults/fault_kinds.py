"""Faults other than a kill: each disturbs one run of a command, which is then done again."""

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from fault_bench import Bench, Finding, prepared, stop
from fault_commands import LongCommand
from fault_injection import ALWAYS, MINE, VARIABLE
from fault_kit import Started

HUNG_SECONDS = 8.0
"""What an item may take where one hangs."""
Runs = Iterator[Started]
"""The commands that are disturbed, mostly one."""


def disturb(bench: Bench, command: LongCommand, executor: str, fault: str) -> Finding:
    """Disturb a command, do it again undisturbed, compare."""
    bench.seconds(command, "serial")  # before anything is started that is measured by it
    finding, out = Finding(command.name, executor, fault), bench.new_out()
    with ExitStack() as held:
        for started in FAULTS[fault](bench, command, executor, out, held):
            finding.code, finding.sentence = started.wait(), started.sentence()
            if finding.code is None:
                finding.wrong = ("it hung",)
            bench.count_left(finding, started)
            if finding.code is not None and finding.code < 0:
                finding.sentence = ""
            if finding.code == 3:
                finding.sentence = first_reason(bench.server.seen(out)) or finding.sentence
        if fault == "full disk":  # what there is of it is in the mount: it becomes larger
            bench.server.call("mount", "-o", "remount,size=1g", out)
            bench.finish(command, executor, out, finding)
        else:
            held.close()
            bench.finish(command, executor, out, finding)
    return finding


def first_reason(out: Path) -> str:
    """Return the message of the first failed record."""
    for path in sorted((out / "records").glob("*.json")):
        with contextlib.suppress(ValueError, AttributeError):
            data = json.loads(path.read_text())
            if data.get("status") == "failed":
                return f"{data['error']}: {data['message']}"
    return ""


def full_disk(
    bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack
) -> Runs:
    """The disk holds half of what the command makes."""
    room = max(bench.whole(command).size // 2, 16 << 10)
    prepared(out)
    if bench.server.call("mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", out):
        raise RuntimeError("tmpfs cannot be mounted")
    held.callback(bench.server.call, "umount", "-l", out)
    yield bench.start(command, executor, out)


def read_only(
    bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack
) -> Runs:
    """The folder lies on a disk that may only be read, from the beginning."""
    _bind(bench, prepared(out), held)
    bench.server.call("mount", "-o", "remount,bind,ro", out)
    yield bench.start(command, executor, out)


def read_only_later(
    bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack
) -> Runs:
    """The disk becomes one that may only be read while the command writes."""
    _bind(bench, prepared(out), held)
    started = bench.start(command, executor, out)
    _wait_for_half(bench, command, out, started)
    while started.kill(signal.SIGSTOP):
        refused = bench.server.call("mount", "-o", "remount,bind,ro", out)
        started.kill(signal.SIGCONT)
        if not refused:
            break
        time.sleep(0.002)  # a file was open
    yield started


def _bind(bench: Bench, out: Path, held: ExitStack) -> None:
    if bench.server.call("mount", "--bind", out, out):
        raise RuntimeError("a folder cannot be mounted")
    held.callback(bench.server.call, "umount", "-l", out)


def no_permission(
    bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack
) -> Runs:
    """The right to write into the folder is lost while the command writes."""
    started = bench.start(command, executor, prepared(out), **{MINE: "1"})
    _wait_for_half(bench, command, out, started)

    def change(mode: int) -> None:
        for path in (out, *(path for path in out.rglob("*") if path.is_dir())):
            with contextlib.suppress(FileNotFoundError):
                path.chmod(mode)

    held.callback(change, 0o755)
    change(0o555)
    yield started


def too_little_memory(
    bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack
) -> Runs:
    """The process may take little more memory than it has in the beginning."""
    yield bench.start(command, executor, out, **{VARIABLE: "memory 0"})


def interrupt(
    bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack
) -> Runs:
    """Ctrl-C."""
    started = bench.start(command, executor, out)
    _wait_for_half(bench, command, out, started)
    started.kill(signal.SIGINT)
    yield started


def crash(bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack) -> Runs:
    """The command itself ends by a segmentation fault."""
    started = bench.start(command, executor, out)
    _wait_for_half(bench, command, out, started)
    started.kill(signal.SIGSEGV)
    yield started


def stand_still(
    bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack
) -> Runs:
    """The command itself hangs and is killed by somebody."""
    started = bench.start(command, executor, out)
    _wait_for_half(bench, command, out, started)
    stop(started)
    yield started


def clock(bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack) -> Runs:
    """The clock jumps by a day and an hour, forth and back, all the time."""
    yield bench.start(command, executor, out, **{VARIABLE: "clock"})


def two_runs(bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack) -> Runs:
    """The same command is started a second time while it runs."""
    first = bench.start(command, executor, out)
    while first.code is None and not (out / ".running.json").is_file():
        time.sleep(0.005)
    first.kill(signal.SIGSTOP)
    yield bench.server.start(
        command.line(bench.sets, out, executor), out.with_name(f"{out.name}.second.log")
    )
    first.kill(signal.SIGCONT)
    if first.wait() != 0:
        raise RuntimeError(f"the first run was disturbed by the second: {first.sentence()}")


def of_an_item(kind: str, *more: str, always: bool = True) -> Callable[..., Runs]:
    """Return a fault that strikes where one of the items is done."""

    def strike(
        bench: Bench, command: LongCommand, executor: str, out: Path, held: ExitStack
    ) -> Runs:
        items = bench.whole(command).items
        env = {VARIABLE: f"{kind} {items[len(items) // 2]}", **({ALWAYS: "1"} if always else {})}
        yield bench.start(command, executor, out, *more, **env)

    return strike


FAULTS: dict[str, Callable[..., Runs]] = {
    "full disk": full_disk,
    "read-only": read_only,
    "read-only half-way": read_only_later,
    "permission lost": no_permission,
    "little memory": too_little_memory,
    "interrupt": interrupt,
    "segfault": crash,
    "hang": stand_still,
    "clock": clock,
    "two runs": two_runs,
    "item: no memory": of_an_item("memory-error"),
    "item: killed for memory": of_an_item("out-of-memory"),
    "item: segfault": of_an_item("segfault"),
    "item: hang": of_an_item("hang", "--item-timeout", f"{HUNG_SECONDS:g}"),
    "item: garbage": of_an_item("garbage"),
}
"""By name; those of an item are for batches."""
MOUNTED = ("full disk", "read-only", "read-only half-way")
"""What wants a name space with mounts."""
WORKERS = ("item: killed for memory", "item: segfault", "item: hang")
"""What wants workers."""


def faults_of(command: LongCommand, executor: str) -> list[str]:
    """Return the faults that a command can meet where its items are done by an executor."""
    names = [name for name in FAULTS if command.batch or not name.startswith("item")]
    if "{out}/" in command.words:  # of a single file, which the last one writes whole
        names.remove("two runs")
    if executor == "serial":
        return [name for name in names if name not in WORKERS]
    return [name for name in names if name.startswith("item")]


def _wait_for_half(bench: Bench, command: LongCommand, out: Path, started: Started) -> None:
    """Wait until half of the items have a record, or a training its first checkpoint."""
    out, items = bench.server.seen(out), bench.whole(command).items
    seconds = bench.seconds(command, "serial") / 3
    if not items and "train" not in command.name:
        started.sleep(seconds)
        return
    place, count = ("records/*.json", len(items) // 2) if items else ("checkpoints/*", 1)
    while started.code is None and len(list(out.glob(place))) < max(1, count):
        time.sleep(0.002)
