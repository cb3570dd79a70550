"""Commands disturbed in every way, done again, and compared with undisturbed ones."""

import contextlib
import dataclasses
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from dask_cluster import Cluster, running_cluster
from fault_commands import LongCommand, leftovers, make_sets, tree
from fault_kit import Server, Started, running_server, sessions

from geomface.batch.shared_paths import ROOT
from geomface.pipeline.jobs import read_status, verify_outputs

LEFT_SECONDS = 10.0
"""After which nothing of a command that was killed may be left."""


@dataclasses.dataclass
class Finding:
    """How one disturbed command ended.

    Parameters
    ----------
    command, executor : what was disturbed, and where its items were done
    fault : what happened, such as "kill client"
    kills : how many processes were killed
    code, sentence : of the command that was disturbed, at its first end
    resumed : exit code of the same command, undisturbed
    wrong : files that are lost or differ from those of an undisturbed run
    stale : locks and temporary names in the folder
    left : processes that were there when they should long be gone
    """

    command: str
    executor: str
    fault: str
    kills: int = 0
    code: int | None = None
    sentence: str = ""
    resumed: int | None = None
    wrong: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    left: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing is lost and nothing left."""
        return self.resumed == 0 and not (self.wrong or self.stale or self.left)

    def __str__(self) -> str:
        text = f"{self.command} [{self.executor}] {self.fault}: {self.kills} kills, first end "
        text += f"{self.code} {self.sentence!r}; again {self.resumed}"
        return text + f", wrong {self.wrong[:4]}, stale {self.stale[:4]}, left {self.left}"


@dataclasses.dataclass(frozen=True)
class Whole:
    """An undisturbed run: its files, the names of its items, the bytes it takes on the disk."""

    files: dict[str, str]
    items: tuple[str, ...]
    size: int


@dataclasses.dataclass
class Bench:
    """Where commands are disturbed.

    Parameters
    ----------
    folder : that all files are in
    server : starts the commands
    held : what ends with the bench
    cluster : one with a scheduler and two workers of their own, or None
    clusters : how many there were before it
    """

    folder: Path
    server: Server
    held: contextlib.ExitStack
    cluster: Cluster | None = None
    clusters: int = 0
    _wholes: dict[str, Whole] = dataclasses.field(default_factory=dict)
    _seconds: dict[tuple[str, str], float] = dataclasses.field(default_factory=dict)
    _number: int = 0

    @property
    def sets(self) -> Path:
        """Folder of the inputs."""
        return self.folder / "storage" / "sets"

    def whole(self, command: LongCommand) -> Whole:
        """Return what an undisturbed run makes; the first time it is done, in the server."""
        if command.name not in self._wholes:
            log = self.folder / "wholes.log"
            make_sets(
                self.sets, command.needs, lambda line: self.server.do_here([*line, "--quiet"], log)
            )
            out = self.folder / "wholes" / command.name.replace(" ", "-")
            line = command.line(self.sets, prepared(out))
            code = self.server.do_here([*line, "--quiet"], log)
            if code:
                raise RuntimeError(f"{command.name}: exit code {code}: {log.read_text()[-2000:]}")
            records = sorted((out / "records").glob("*.001.json"))
            names = tuple(path.name.removesuffix(".001.json") for path in records)
            size = sum(path.stat().st_blocks * 512 for path in out.rglob("*"))
            self._wholes[command.name] = Whole(tree(out), names, size)
        return self._wholes[command.name]

    def seconds(self, command: LongCommand, executor: str) -> float:
        """Return how long an undisturbed command takes, started as all others are."""
        self.whole(command)
        for _ in range(0 if (command.name, executor) in self._seconds else 2):
            out = self.new_out()
            started = self.start(command, executor, out)
            if started.wait() != 0:
                raise RuntimeError(f"{command.name} [{executor}]: {started.said()[-2000:]}")
            self._seconds[command.name, executor] = time.monotonic() - started.began
            shutil.rmtree(out)
            if executor != "cluster":  # whose workers import everything the first time
                break
        return self._seconds[command.name, executor]

    def new_out(self) -> Path:
        """Return a folder that does not exist yet."""
        self._number += 1
        return self.folder / "storage" / f"out{self._number}"

    def start(
        self, command: LongCommand, executor: str, out: Path, *more: str, **env: str
    ) -> Started:
        """Start a command; executor "cluster" is one with a scheduler of its own."""
        prepared(out)
        where = executor
        if executor == "cluster":
            if self.cluster is None:
                raise RuntimeError("there is no cluster")
            where = self.cluster.address
            env = {ROOT: str(self.folder / "storage"), **env}
        line = [*command.line(self.sets, out, where), *more]
        return self.server.start(line, out.with_name(f"{out.name}.log"), **env)

    def finish(self, command: LongCommand, executor: str, out: Path, finding: Finding) -> None:
        """Do the command again until it is through, and compare."""
        for _ in range(3):
            again = self.start(command, executor, out)
            finding.resumed = again.wait()
            self.count_left(finding, again)
            if finding.resumed == 0:
                break
            if finding.resumed != 3:  # 3: items that a killed worker had are tried again
                finding.sentence += f" | again: {again.sentence()}"
        self.compare(command, self.server.seen(out), finding)
        if finding.good:
            shutil.rmtree(self.server.seen(out), ignore_errors=True)

    def compare(self, command: LongCommand, out: Path, finding: Finding) -> None:
        """Compare a folder with that of an undisturbed run."""
        expected, found = self.whole(command).files, tree(out)
        names = {*expected, *found}
        wrong = sorted(name for name in names if found.get(name) != expected.get(name))
        if command.batch and not wrong:
            if read_status(out).exit_code:
                wrong.append("its status")
            wrong += [path for paths in verify_outputs(out).values() for path in paths]
        finding.wrong += tuple(wrong)
        finding.stale = tuple(leftovers(out))

    def count_left(self, finding: Finding, *started: Started) -> None:
        """Wait until nothing of commands is left, ten seconds from now at most, and count."""
        end = time.monotonic() + LEFT_SECONDS
        own = {one.pid for one in started}
        while left := [pid for pid, (session, _) in sessions().items() if session in own]:
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        finding.left += len(left)
        for one in started:
            one.end()


def prepared(out: Path) -> Path:
    """Return a folder, made where the command wants it made: of files in it."""
    out.mkdir(parents=True, exist_ok=True)
    return out


@contextlib.contextmanager
def running_bench(folder: Path, *, cluster: bool = False) -> Iterator[Bench]:
    """Start all that a bench needs."""
    (folder / "storage").mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        bench = Bench(folder, held.enter_context(running_server(folder)), held)
        if cluster:
            (folder / "cluster").mkdir()
            bench.cluster = held.enter_context(
                running_cluster(folder / "cluster", storage=folder / "storage")
            )
        yield bench


def stop(started: Started) -> None:
    """Let a command stand still, as if it hung, and kill it."""
    started.kill(signal.SIGSTOP)
    time.sleep(0.2)
    started.kill()
