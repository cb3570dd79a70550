"""The lock of a folder: owners that died, that another process is called like, and races."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from geomface.errors import OutputError
from geomface.files.lock import NAME, run_lock
from geomface.processes import birth

LINUX = pytest.mark.skipif(birth(os.getpid()) is None, reason="only Linux tells of processes")


def leave(out: Path, **owner: object) -> None:
    """Leave the lock of somebody of this machine."""
    (out / NAME).write_text(json.dumps({"host": os.uname().nodename, **owner}))


@LINUX
def test_an_owner_whose_number_another_process_has_is_gone(tmp_path: Path) -> None:
    pid = os.getppid()
    leave(tmp_path, pid=pid, born=birth(pid))
    with pytest.raises(OutputError, match=f"process {pid}"), run_lock(tmp_path):
        pass
    leave(tmp_path, pid=pid, born="1")
    with run_lock(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["born"] == birth(os.getpid())
    assert not (tmp_path / NAME).exists()


@LINUX
def test_an_owner_that_ended_and_is_waited_for_by_nobody_is_gone(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    born = birth(child.pid)
    child.stdout.read()  # it has closed its output: it ends
    while birth(child.pid):
        pass
    leave(tmp_path, pid=child.pid, born=born)
    with run_lock(tmp_path):
        pass
    child.stdout.close()
    child.wait()


_RACER = """
import sys, time
from pathlib import Path
from geomface.errors import OutputError
from geomface.files.lock import run_lock

out = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    with run_lock(out):
        print("held", flush=True)
        sys.stdin.readline()
except OutputError as error:
    print(f"refused: {error}", flush=True)
"""


@pytest.mark.parametrize("text", [None, "", "dead"])
def test_one_of_many_that_start_at_once_gets_the_folder(tmp_path: Path, text: str | None) -> None:
    """Whether there is no lock, one that is empty, or one of a process that is gone."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for _ in range(5)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    if text == "dead":
        leave(tmp_path, pid=2**22 + 7, session="0")
    elif text is not None:
        (tmp_path / NAME).write_text(text)
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    said = [racer.stdout.readline() for racer in racers]
    assert said.count("held\n") == 1, said
    assert sum("another run (process" in line for line in said) == 4, said
    for racer in racers:
        racer.communicate("\n", timeout=60)
    assert not (tmp_path / NAME).exists()
