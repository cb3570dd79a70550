"""A process that has imported everything and forks commands, so that one starts in a moment.

It takes requests as lines of JSON and answers in lines: {"words", "env", "log"} starts a command of
geomface in a session of its own and gives its number; {"here"} does one in this process, so that
what it imports and compiles is there for all after it; {"call"} runs a program, such as a mount in
the name space of this process. What ends is told by {"ended", "code"}.
"""

import atexit
import gc
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any


def answer(**values: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def serve() -> list[str] | None:
    """Serve until the input ends; in a new process, return the words of its command."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(writer)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(reader, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                data = os.read(key.fd, 1 << 16)
                if key.fd == reader:
                    reap()
                    continue
                if not data:
                    return None
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    request = json.loads(line)
                    if "call" in request:
                        done = subprocess.run(request["call"], capture_output=True, text=True)
                        answer(called=done.returncode, told=done.stderr)
                    elif "here" in request:
                        answer(code=do_here(request["here"], request["log"]))
                    elif (pid := fork()) == 0:
                        become(request)
                        return request["words"]
                    else:
                        answer(started=pid)


def fork() -> int:
    """Fork with nothing for the collector to look at, which would copy all memory."""
    gc.collect()
    gc.freeze()
    sys.stdout.flush()
    return os.fork()


def reap() -> None:
    """Tell of all that ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        answer(ended=pid, code=os.waitstatus_to_exitcode(status))


def do_here(words: list[str], log: str) -> int:
    """Do a command in this process."""
    from geomface.cli.main import main

    kept = os.dup(1), os.dup(2)
    redirect(log)
    try:
        return main(words)
    finally:
        sys.stdout.flush()
        for number, copy in enumerate(kept, 1):
            os.dup2(copy, number)
            os.close(copy)


def redirect(log: str) -> None:
    """Send output and errors to a file."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def become(request: dict) -> None:
    """Make this process one that a shell might have started."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM):
        default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, default)
    redirect(request["log"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(request["env"])
    from fault_injection import begin

    begin()


def leave(code: int) -> None:
    """End as an interpreter does, but for taking all apart that was imported: that takes seconds.

    Threads are waited for first, and then what was registered for the end is done.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    asked = serve()
    if asked is not None:
        from geomface.cli.main import main

        leave(main(asked))
