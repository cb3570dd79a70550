"""The Dask executor: the same bytes as without, whoever dies, and sentences for what is wrong."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import job_cases
import job_kit
import pytest
from batch_work import die_at_three, square
from dask_cluster import Cluster, running_cluster, start_worker
from job_kit import Make

from geomface.batch import dask_executor, worker_check
from geomface.batch.dask_executor import DaskExecutor
from geomface.batch.executors import BatchError, WorkerDied
from geomface.batch.job import Job
from geomface.batch.run import run_job
from geomface.batch.shared_paths import ROOT
from geomface.errors import SettingsError
from geomface.files.lock import NAME as LOCK

CASES = (job_cases.toy, job_cases.scans, job_cases.pictures, job_cases.textures)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def cluster(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv(ROOT, str(running.storage))
    return running


def on(cluster: Cluster, job: Job) -> Job:
    return dataclasses.replace(job, executor="dask", scheduler=cluster.address)


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_same_bytes_as_serial(make: Make, cluster: Cluster) -> None:
    folder = cluster.storage / make.__name__
    folder.mkdir()
    run_job(make(folder / "serial"))
    report = run_job(on(cluster, make(folder / "dask")))
    assert report.exit_code == 0 and report.made == report.done
    assert job_kit.tree(folder / "dask") == job_kit.tree(folder / "serial")
    assert run_job(on(cluster, make(folder / "dask"))).did == 0
    assert not (folder / "dask" / LOCK).exists()


def test_tasks_run_in_chunks_and_each_gives_its_result(cluster: Cluster) -> None:
    executor = DaskExecutor(1, cluster.address)
    assert dict(executor.run(square, range(3000))) == {i: i * i for i in range(3000)}
    assert dict(executor.run(square, [5])) == {0: 25}
    executor.close()


def test_an_item_that_fails_leaves_its_record(cluster: Cluster) -> None:
    words = ("one", "bad", "three")
    report = run_job(on(cluster, job_cases.toy(cluster.storage / "bad", words=words)))
    assert (report.done, report.failed, report.exit_code) == (2, 1, 3)
    assert report.reasons == ("1: 1: bad word.",)
    assert report.records[1].error == "MeshError" and not report.records[1].retryable


def test_a_worker_that_is_killed_costs_nothing(cluster: Cluster) -> None:
    folder = cluster.storage / "killed"
    words = tuple(f"word {number}" for number in range(40))
    run_job(job_cases.toy(folder / "serial", words=words))
    job = job_cases.toy(folder / "dask", words=words, work=job_cases.die_once)
    report = run_job(on(cluster, job))
    assert (folder / "dask" / "died").is_file() and report.exit_code == 0
    assert {record.attempt for record in report.records} == {1}
    (folder / "dask" / "died").unlink()
    assert job_kit.tree(folder / "dask") == job_kit.tree(folder / "serial")


def test_an_item_that_kills_every_worker_is_given_up_and_no_other(cluster: Cluster) -> None:
    words = ("one", "kill", "three", "four", "five")
    job = job_cases.toy(cluster.storage / "deadly", words=words, work=job_cases.die_at_kill)
    report = run_job(on(cluster, job))
    assert (report.done, report.failed) == (4, 1)
    assert report.records[1].error == "WorkerDied" and report.records[1].retryable


_CLIENT = """
import dataclasses, sys
from pathlib import Path
import job_cases
from geomface.batch.run import run_job
from geomface.processes import orderly_interrupts

words = tuple(f"word {number}" for number in range(60))
job = job_cases.toy(Path(sys.argv[1]), words=words, work=job_cases.slowly)
job = dataclasses.replace(job, executor="dask", scheduler=sys.argv[2])
with orderly_interrupts():
    run_job(job, on_event=lambda event: print(event.kind, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
def test_a_run_goes_on_after_its_client_is_gone(cluster: Cluster, number: int) -> None:
    folder = cluster.storage / f"client{number}"
    words = tuple(f"word {number}" for number in range(60))
    run_job(job_cases.toy(folder / "serial", words=words))
    out = folder / "dask"
    client = subprocess.Popen(
        [sys.executable, "-c", _CLIENT, str(out), cluster.address],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert client.stdout is not None
    for line in client.stdout:
        if line.strip() == "done":
            break
    client.send_signal(number)
    _, said = client.communicate(timeout=120)
    assert client.returncode == -number, said
    if number == signal.SIGINT:
        assert not (out / LOCK).exists()
    done = len(list((out / "records").glob("*.001.json")))
    assert 0 < done < len(words)
    report = run_job(on(cluster, job_cases.toy(out, words=words)))
    assert report.did < len(words) and report.exit_code == 0
    assert job_kit.tree(out) == job_kit.tree(folder / "serial")
    assert not [path for path in out.rglob(".*") if ".part" in path.name]


def test_workers_of_other_versions_are_refused(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = (("geomface", "0.0.1"), *worker_check.own_versions()[1:])
    monkeypatch.setattr(worker_check, "own_versions", lambda: mine)
    executor = DaskExecutor(1, cluster.address)
    with pytest.raises(BatchError, match=r"worker tcp://\S+: geomface \S+ where the run has 0.0.1"):
        executor.warm_up()
    executor.close()


def test_storage_that_workers_do_not_see_is_refused(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = on(cluster, job_cases.toy(tmp_path / "set"))
    with pytest.raises(SettingsError, match=f"outside of .*which {ROOT} names"):
        run_job(job)
    monkeypatch.setenv(ROOT, str(tmp_path))
    with pytest.raises(BatchError, match=f"does not see .*mounted/set, .*set {ROOT}"):
        run_job(job)
    assert not (tmp_path / "set" / LOCK).exists()


@pytest.mark.slow
def test_workers_of_several_threads_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    words = ("--nthreads", "2", "--name", "wide")
    executor = DaskExecutor(1, cluster.address)
    with start_worker(tmp_path / "wide", cluster.address, cluster.storage, *words):
        _wait_for_workers(executor, 3)
        with pytest.raises(BatchError, match="expected a worker of one thread, this one has 2"):
            list(executor.run(square, [1]))
    _wait_for_workers(executor, 2)
    executor.close()


def _wait_for_workers(executor: DaskExecutor, count: int, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while len(dask_executor.threads_of(executor.connected())) != count:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_no_scheduler_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dask_executor, "CONNECT_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:9", "nowhere", "tcp://nowhere.invalid:8786"):
        job = job_cases.toy(tmp_path / "set", executor="dask", scheduler=address)
        with pytest.raises(BatchError, match=f"{address}: no Dask scheduler answered there within"):
            run_job(job)
        assert not (tmp_path / "set" / LOCK).exists()


@pytest.mark.slow
def test_a_scheduler_that_ends_is_one_sentence_and_the_run_goes_on(tmp_path: Path) -> None:
    words = tuple(f"word {number}" for number in range(60))
    out = tmp_path / "storage" / "set"
    job = job_cases.toy(out, words=words, work=job_cases.slowly, executor="dask")
    with running_cluster(tmp_path) as mortal:

        def end(event) -> None:
            if event.kind == "done" and event.finished == 3:
                mortal.scheduler.kill()

        with pytest.raises(BatchError, match="ended or cannot be reached any more"):
            run_job(dataclasses.replace(job, scheduler=mortal.address), on_event=end)
    assert not (out / LOCK).exists()
    report = run_job(job_cases.toy(out, words=words, executor="dask", workers=2))
    assert report.did < len(words) and report.exit_code == 0
    run_job(job_cases.toy(tmp_path / "serial", words=words))
    assert job_kit.tree(out) == job_kit.tree(tmp_path / "serial")


def test_a_local_cluster_gives_up_a_lost_item_only() -> None:
    executor = DaskExecutor(2)
    results = dict(executor.run(die_at_three, range(6)))
    executor.close()
    assert isinstance(results.pop(3), WorkerDied)
    assert results == {index: index for index in (0, 1, 2, 4, 5)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [job_cases.real_scans, job_cases.real_pictures, job_cases.real_textures],
    ids=lambda make: make.__name__,
)
def test_real_work_has_the_same_bytes_everywhere(make: Make, tmp_path: Path) -> None:
    """Serial, two processes, and local clusters of two and four workers."""
    run_job(make(tmp_path / "serial"))
    whole = job_kit.tree(tmp_path / "serial")
    for executor, workers in (("processes", 2), ("dask", 2), ("dask", 4)):
        out = tmp_path / f"{executor}{workers}"
        job = dataclasses.replace(make(out), executor=executor, workers=workers)
        assert run_job(job).exit_code == 0
        assert job_kit.tree(out) == whole, out.name
