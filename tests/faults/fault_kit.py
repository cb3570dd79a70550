"""Commands started, disturbed and watched: the other side of `fault_server`."""

import contextlib
import dataclasses
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
SECONDS = 240.0
"""How long a command may take on a busy machine before it counts as hung."""


@dataclasses.dataclass
class Server:
    """A running `fault_server`.

    Parameters
    ----------
    process : it
    mounts : whether it has a name space of its own, in which file systems may be mounted
    exits : codes of the commands that ended, by process number
    """

    process: subprocess.Popen
    mounts: bool
    exits: dict[int, int] = dataclasses.field(default_factory=dict)
    _rest: bytes = b""

    def ask(self, **request: object) -> dict:
        """Send a request and return its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        while (found := self._answer(SECONDS)) is None:
            pass
        return found

    def _answer(self, seconds: float) -> dict | None:
        """Return the next answer, or None where it told of an end, or of nothing in time."""
        assert self.process.stdout is not None
        file = self.process.stdout.fileno()
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(file, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(max(0.0, end - time.monotonic())):
                    return None
                data = os.read(file, 1 << 16)
                if not data:
                    raise RuntimeError("the server of the commands ended")
                self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        told = json.loads(line)
        if "ended" in told:
            self.exits[told["ended"]] = told["code"]
            return None
        return told

    def do_here(self, words: list[str], log: Path) -> int:
        """Do a command in the server itself, for the sake of what it imports."""
        return self.ask(here=words, log=str(log))["code"]

    def call(self, *words: object) -> int:
        """Run a program in the name space of the server; return its exit code."""
        return self.ask(call=[str(word) for word in words])["called"]

    def start(self, words: list[str], log: Path, **env: str) -> "Started":
        """Start a command."""
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")
        pid = self.ask(words=words, env=env, log=str(log))["started"]
        return Started(self, pid, log, time.monotonic())

    def seen(self, path: Path) -> Path:
        """Return where this process finds a path of the server's name space."""
        return Path(f"/proc/{self.process.pid}/root{path}") if self.mounts else path


@dataclasses.dataclass(frozen=True)
class Started:
    """A command that was started, the first process of its session."""

    server: Server
    pid: int
    log: Path
    began: float

    @property
    def code(self) -> int | None:
        """Its exit code, minus the signal that killed it, or None while it runs."""
        if self.pid not in self.server.exits:
            self.server._answer(0.0)
        return self.server.exits.get(self.pid)

    def wait(self, seconds: float = SECONDS) -> int | None:
        """Wait for its end; None where it takes longer."""
        end = time.monotonic() + seconds
        while self.code is None and time.monotonic() < end:
            self.server._answer(max(0.0, min(0.5, end - time.monotonic())))
        return self.code

    def sleep(self, seconds: float) -> bool:
        """Wait so long from its start on; say whether it still runs."""
        return self.wait(max(0.0, self.began + seconds - time.monotonic())) is None

    def kill(self, number: int = signal.SIGKILL) -> bool:
        """Send a signal to its first process; say whether that was there."""
        return self.code is None and send(self.pid, number)

    def processes(self) -> list[int]:
        """Return the processes of its session that run."""
        return [pid for pid, (session, _) in sessions().items() if session == self.pid]

    def workers(self) -> list[int]:
        """Return those that are not the first one."""
        return [pid for pid in self.processes() if pid != self.pid]

    def end(self) -> None:
        """End all of it."""
        for pid in self.processes():
            send(pid, signal.SIGKILL)
        self.wait(10)

    def said(self) -> str:
        """Return what it told, without the progress."""
        return self.log.read_text(errors="replace")

    def sentence(self) -> str:
        """Return its error, or else its last line."""
        lines = [line for line in self.said().splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        return (errors or lines or [""])[-1]


def send(pid: int, number: int) -> bool:
    """Send a signal; say whether there was somebody."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def sessions() -> dict[int, tuple[int, int]]:
    """Return session and parent of all processes that run."""
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                state, parent, _, session, *_ = (
                    (place / "stat").read_text(errors="replace").rpartition(")")[2].split()
                )
                if state not in "ZX":
                    found[int(place.name)] = int(session), int(parent)
    return found


@contextlib.contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Start a server, with mounts of its own where the system lets it, and end it after."""
    hooks = [str(TESTS / "faults" / "hooks"), str(TESTS / "faults"), str(ROOT)]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join([*hooks, *sys.path])}
    apart = next((words for words in _APART if _works(words)), ())
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(
            [*apart, sys.executable, str(TESTS / "faults" / "fault_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            cwd=folder,
        )
    assert process.stdin is not None and process.stdout is not None
    server = Server(process, bool(apart))
    try:
        yield server
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


_APART = (
    ("unshare", "--mount", "--propagation", "private"),
    ("unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"),
)


def _works(words: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*words, "true"], capture_output=True).returncode == 0
    except OSError:
        return False
