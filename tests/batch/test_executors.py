"""Executors: order, single-threaded workers, workers that die, Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from batch_work import die_at_three, end_process, environment, square, wait_then_return

from geomface.batch.executors import (
    BatchError,
    ProcessExecutor,
    SerialExecutor,
    WorkerDied,
    make_executor,
)
from geomface.batch.threads import THREAD_VARIABLES
from geomface.errors import SettingsError
from geomface.threads import one_blas_thread


@pytest.fixture
def two_workers():
    executor = ProcessExecutor(2)
    yield executor
    executor.close()


def test_serial_runs_in_order():
    assert list(SerialExecutor().run(square, [3, 1, 2])) == [(0, 9), (1, 1), (2, 4)]


def test_processes_give_the_same_results(two_workers):
    two_workers.warm_up()
    results = dict(two_workers.run(square, list(range(7))))
    assert results == {index: index**2 for index in range(7)}
    assert dict(two_workers.run(square, [5])) == {0: 25}  # the pool serves again


def test_workers_have_one_thread_and_the_parent_keeps_its_own(two_workers, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    results = dict(two_workers.run(environment, list(THREAD_VARIABLES)))
    assert set(results.values()) == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "7" and "MKL_NUM_THREADS" not in os.environ


def test_a_worker_that_dies_costs_only_its_item(two_workers):
    results = dict(two_workers.run(die_at_three, list(range(6))))
    assert isinstance(results.pop(3), WorkerDied)
    assert results == {index: index for index in (0, 1, 2, 4, 5)}


def test_workers_that_cannot_start_are_an_error_of_the_run():
    executor = ProcessExecutor(1, prepare=end_process)
    with pytest.raises(BatchError, match="__main__"):
        list(executor.run(square, [1, 2]))
    executor.close()


_PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from batch_work import tell_and_wait
from geomface.batch.executors import ProcessExecutor

if __name__ == "__main__":
    list(ProcessExecutor(1).run(tell_and_wait, [Path(sys.argv[2])]))
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    script, told = tmp_path / "parent.py", tmp_path / "worker"
    script.write_text(_PARENT)
    parent = subprocess.Popen([sys.executable, script, str(Path(__file__).parent), str(told)])
    _wait_for(lambda: told.exists() and told.read_text())
    worker = int(told.read_text())
    os.kill(worker, 0)
    parent.kill()
    parent.wait()
    _wait_for(lambda: not _runs(worker))


def _wait_for(happened, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid):
    """Say whether a process runs; one that nobody waits for stays as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_one_blas_thread_is_given_back():
    pools = pytest.importorskip("threadpoolctl").threadpool_info

    def threads():
        return [pool["num_threads"] for pool in pools() if pool["internal_api"] == "openblas"]

    before = threads()
    with one_blas_thread():
        assert set(threads()) <= {1}
    assert threads() == before


@pytest.fixture
def interruptible():
    """A shell starts what runs in its background deaf to interrupts; the test is not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupt_lets_the_items_in_flight_finish(two_workers, interruptible):
    two_workers.warm_up()
    list(two_workers.run(square, [1, 2]))
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.perf_counter()
    seen = []
    with pytest.raises(KeyboardInterrupt):
        for index, _ in two_workers.run(wait_then_return, [0.01, 1.2, 1.2, 9.0, 9.0]):
            seen.append(index)
    assert seen == [0]
    assert 1.0 < time.perf_counter() - started < 8


def test_unknown_executors_are_refused():
    assert isinstance(make_executor("serial", 2, 9), SerialExecutor)
    assert isinstance(make_executor("processes", 1, 9), ProcessExecutor)
    with pytest.raises(SettingsError, match="auto, serial, processes"):
        make_executor("cloud", 2, 9)
    with pytest.raises(SettingsError, match="at least 1"):
        make_executor("serial", 0, 9)


def test_auto_takes_processes_for_several_workers_and_no_more_than_there_are_tasks():
    assert isinstance(make_executor("auto", 1, 9), SerialExecutor)
    for workers, tasks, expected in ((2, 9, 2), (4, 3, 3), (4, 0, 1)):
        executor = make_executor("auto", workers, tasks)
        assert isinstance(executor, ProcessExecutor) and executor.workers == expected
