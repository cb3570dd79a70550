"""An item that hangs is ended and recorded, and so is an answer that is none."""

import dataclasses
import time
from pathlib import Path

import job_cases
import pytest
from job_kit import tree

from geomface.batch.attempts import ItemTask, attempt_item, lost_record
from geomface.batch.run import run_job
from geomface.batch.time_limit import note_path, time_limit, where_it_hung
from geomface.cli.main import main
from geomface.errors import SettingsError
from geomface.files.lock import run_lock

WORDS = ("one", "hang", "three", "four", "five")
LIMIT = 5.0


@pytest.mark.parametrize("executor", ["auto", "dask"])
def test_an_item_that_hangs_is_given_up_and_no_other(tmp_path: Path, executor: str) -> None:
    """Even where it holds the interpreter; the next run does it."""
    job = job_cases.toy(tmp_path / "out", words=WORDS, work=job_cases.hang_at_hang)
    report = run_job(dataclasses.replace(job, item_timeout=LIMIT, executor=executor))
    assert (report.done, report.failed, report.exit_code) == (4, 1, 3)
    record = report.records[1]
    assert (record.error, record.seconds, record.retryable) == ("ItemTimeout", LIMIT, True)
    assert "longer than the 5 s" in record.message and "--item-timeout" in record.message
    places = (tmp_path / "out/records/1.001.traceback.txt").read_text()
    assert "hang_at_hang" in places
    assert not [path for path in (tmp_path / "out").rglob(".*") if ".part" in path.name]
    assert run_job(dataclasses.replace(job, work=job_cases.write_word)).did == 1
    run_job(job_cases.toy(tmp_path / "serial", words=WORDS))
    assert tree(tmp_path / "out") == tree(tmp_path / "serial")


def test_an_item_that_hangs_alone_is_told_apart_from_one_that_crashed(tmp_path: Path) -> None:
    job = job_cases.toy(tmp_path / "out", words=("hang",), work=job_cases.hang_at_hang)
    report = run_job(dataclasses.replace(job, item_timeout=2.0))
    assert report.records[0].error == "ItemTimeout"


def test_a_record_stands_though_its_worker_was_lost(tmp_path: Path) -> None:
    """A worker can be ended between the record and the answer."""
    task = ItemTask("a", "s", "k", 1, tmp_path, "items/a", "records", "word")
    with run_lock(tmp_path) as session:
        task = dataclasses.replace(task, session=session)
        made = attempt_item(job_cases.write_word, task)
        assert lost_record(task, "WorkerDied", "died") == made
        other = dataclasses.replace(task, attempt=2)
        assert lost_record(other, "WorkerDied", "died").error == "WorkerDied"


def test_a_limit_wants_workers(tmp_path: Path) -> None:
    job = job_cases.toy(tmp_path / "out", executor="serial", item_timeout=1.0)
    with pytest.raises(SettingsError, match="expected workers, which can be ended, got .* serial"):
        run_job(job)
    assert not (tmp_path / "out").exists()


def test_a_note_tells_of_its_own_attempt_alone(tmp_path: Path) -> None:
    note = note_path(tmp_path, "item", 3)
    with time_limit(60.0, note, "session key"):
        assert where_it_hung(note, "session key") == ""
    assert not note.exists()
    with pytest.raises(KeyError), time_limit(60.0, note, "session key"):
        raise KeyError
    assert not note.exists()
    note.write_text("session key\nTimeout (0:00:05)!\nThread 1:\n")
    assert "Thread 1" in where_it_hung(note, "session key")
    assert where_it_hung(note, "other key") == ""
    began = time.monotonic()
    with time_limit(0.0, tmp_path / "none" / "note", ""):
        pass
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_what_is_no_answer_is_not_believed(
    tmp_path: Path, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a record the item is done; without one it failed, and the next run does it."""
    from geomface.batch import run

    job = job_cases.toy(tmp_path / "out", words=("one", "two"), executor=executor)
    monkeypatch.setattr(run, "attempt_item", job_cases.answer_garbage)
    report = run_job(job)
    assert (report.done, report.failed) == (1, 1)
    assert report.records[1].error == "WrongAnswer" and "got a dict" in report.records[1].message
    monkeypatch.undo()
    report = run_job(job)
    assert (report.did, report.done, report.exit_code) == (1, 2, 0)


def test_the_command_line_takes_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["synth", "faces", "--out", "/nowhere", "--item-timeout"]
    assert main([*words, "5", "--executor", "serial"]) == 1
    assert "--item-timeout: expected workers, which can be ended" in capsys.readouterr().err
    assert main([*words, "0"]) == 1
    assert "--item-timeout: expected a positive number, got 0" in capsys.readouterr().err
