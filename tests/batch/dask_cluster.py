"""A Dask cluster on one machine as if it were on several: processes, folders and mounts apart."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from geomface.batch.shared_paths import ROOT

START_SECONDS = 120.0


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What a test needs of a running cluster.

    Parameters
    ----------
    address : of the scheduler
    storage : the shared storage, where the client has it; the workers have links to it elsewhere
    scheduler, workers : their processes
    """

    address: str
    storage: Path
    scheduler: subprocess.Popen
    workers: tuple[subprocess.Popen, ...]


@contextlib.contextmanager
def running_cluster(
    folder: Path, workers: int = 2, *, storage: Path | None = None
) -> Iterator[Cluster]:
    """Start a scheduler and workers by Dask's own commands, and end them after the block."""
    told = folder / "scheduler.json"
    if storage is None:
        storage = folder / "storage"
        storage.mkdir()
    with contextlib.ExitStack() as running:
        words = ("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        scheduler = running.enter_context(
            _program(folder, *words, "--no-dashboard", "--scheduler-file", str(told))
        )
        _wait_for(told)
        address = json.loads(told.read_text())["address"]
        started = tuple(
            running.enter_context(start_worker(folder / f"worker{number}", address, storage))
            for number in range(workers)
        )
        yield Cluster(address, storage, scheduler, started)


@contextlib.contextmanager
def start_worker(
    place: Path, address: str, storage: Path, *words: str
) -> Iterator[subprocess.Popen]:
    """Start a worker in a folder of its own, where it has the storage under another name."""
    place.mkdir()
    (place / "mounted").symlink_to(storage, target_is_directory=True)
    words = words or ("--nthreads", "1")
    local = ("--no-dashboard", "--local-directory", str(place / "scratch"))
    environment = {ROOT: str(place / "mounted")}
    with _program(place, "dask_worker", address, *words, *local, **environment) as process:
        yield process


@contextlib.contextmanager
def _program(folder: Path, name: str, *words: str, **variables: str) -> Iterator[subprocess.Popen]:
    environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(sys.path)}
    with open(folder / f"{name}.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{name}", *words],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.is_file():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path}: the scheduler did not start")
        time.sleep(0.1)
