"""Records, keys, atomic folders and the lock."""

import dataclasses
import json
import os

import pytest
from batch_work import write_file

from geomface.batch.attempts import ItemTask, atomic_folder, attempt_item, remove_leftovers
from geomface.batch.keys import content_key, file_hash
from geomface.batch.records import (
    changed_outputs,
    latest_records,
    outputs_present,
    read_record,
    record_path,
)
from geomface.errors import FileFormatError, OutputError
from geomface.files.lock import NAME, run_lock


def task(out, payload="fine", attempt=1):
    return ItemTask("scan7", "item", "k" * 32, attempt, out, "items/scan7", "records", payload)


def test_a_good_item_leaves_files_and_a_record(tmp_path):
    record = attempt_item(write_file, task(tmp_path))
    assert record.status == "done" and record.figures == {"length": 5}
    assert record.notes == ("a note",) and record.seconds >= 0 and record.peak_rss_mb > 1
    assert [output.path for output in record.outputs] == ["items/scan7/result.txt"]
    assert read_record(record_path(tmp_path / "records", "scan7", 1)) == record
    assert outputs_present(tmp_path, record) and changed_outputs(tmp_path, record) == ()
    place = tmp_path / "items/scan7/result.txt"
    place.write_text("scan7 fake")  # same length: only the hash tells
    assert outputs_present(tmp_path, record)
    assert changed_outputs(tmp_path, record) == ("items/scan7/result.txt",)
    place.unlink()
    assert not outputs_present(tmp_path, record)


def test_a_bad_item_leaves_a_sentence_and_no_files(tmp_path):
    record = attempt_item(write_file, task(tmp_path, "broken scan"))
    assert (record.status, record.error) == ("failed", "MeshError")
    assert record.message == "scan: expected a surface, got nothing."
    assert not list((tmp_path / "items").iterdir())
    assert not list((tmp_path / "records").glob("*.txt"))


def test_a_defect_leaves_its_traceback(tmp_path):
    record = attempt_item(write_file, task(tmp_path, "defect"))
    assert record.error == "ZeroDivisionError" and "defect of geomface" in record.message
    text = (tmp_path / "records/scan7.001.traceback.txt").read_text()
    assert "write_file" in text and "division by zero" in text


@pytest.mark.parametrize(
    ("payload", "error", "words"),
    [
        ("memory", "MemoryError", "not enough memory"),
        ("disk", "OSError", "No space left"),
        ("forbidden", "PermissionError", "Permission denied"),
        ("cut", "OSError", "the disk is full"),
        ("open files", "FileFormatError", "Too many open files"),
    ],
)
def test_what_the_machine_lacks_is_not_the_scans_fault(tmp_path, payload, error, words):
    record = attempt_item(write_file, task(tmp_path, payload))
    assert (record.status, record.error, record.retryable) == ("failed", error, True)
    assert words in record.message and "defect" not in record.message
    assert not attempt_item(write_file, task(tmp_path, "broken scan")).retryable


def test_what_a_run_makes_that_lost_its_folder_is_not_kept(tmp_path):
    with run_lock(tmp_path) as session:
        mine = dataclasses.replace(task(tmp_path), session=session)
        assert attempt_item(write_file, mine).session == session
        before = sorted(tmp_path.rglob("*"))
        for payload in ("fine", "broken scan"):
            strange = dataclasses.replace(task(tmp_path, payload, 2), session="0123456789abcdef")
            with pytest.raises(OutputError, match="no longer holds the folder"):
                attempt_item(write_file, strange)
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("scan7", "scan8"),
        lambda text: text.replace('"outputs": [', '"outputs": [5, '),
        lambda text: text.replace('"schema": 1', '"schema": "one"'),
        lambda text: "\0" * len(text),
        lambda text: text.replace('"length": 5', '"length": NaN'),
        lambda text: text.replace('"stage"', '"place": 1, "stage"'),
        lambda text: text.replace('"size": 10', '"size": "10"'),
        lambda text: text.replace('"a note"', "5"),
        lambda text: "[" * 100_000,
    ],
)
def test_a_damaged_record_is_noted_and_stands_for_nothing(tmp_path, damage, caplog):
    attempt_item(write_file, task(tmp_path))
    attempt_item(write_file, dataclasses.replace(task(tmp_path), name="other"))
    path = record_path(tmp_path / "records", "scan7", 1)
    path.write_text(damage(path.read_text()))
    records = latest_records(tmp_path / "records")
    assert {name: record.status for name, record in records.items()} == {
        "other": "done",
        "scan7": "damaged",
    }
    assert records["scan7"].attempt == 1 and str(path) in caplog.text


def test_records_are_the_same_however_they_are_written(tmp_path):
    written = attempt_item(write_file, task(tmp_path))
    failed = attempt_item(write_file, dataclasses.replace(task(tmp_path, "bad"), name="other"))
    assert latest_records(tmp_path / "records") == {"scan7": written, "other": failed}
    path = record_path(tmp_path / "records", "scan7", 1)
    data = json.loads(path.read_text())
    swapped = [dict(reversed(data["outputs"][0].items()))]
    lean = {name: data[name] for name in ("name", "stage", "key", "status", "attempt", "schema")}
    for other in (data | {"seconds": 1}, data | {"outputs": swapped}, lean):
        path.write_text(json.dumps(other))
        assert latest_records(tmp_path / "records")["scan7"] == read_record(path)


def test_a_failed_attempt_keeps_the_older_result(tmp_path):
    attempt_item(write_file, task(tmp_path))
    attempt_item(write_file, task(tmp_path, "broken scan", attempt=2))
    assert (tmp_path / "items/scan7/result.txt").read_text() == "scan7 fine"
    assert latest_records(tmp_path / "records")["scan7"].status == "failed"
    attempt_item(write_file, task(tmp_path, "better", attempt=3))
    assert (tmp_path / "items/scan7/result.txt").read_text() == "scan7 better"
    assert latest_records(tmp_path / "records")["scan7"].attempt == 3
    assert [path.name for path in (tmp_path / "items").iterdir()] == ["scan7"]


def test_an_interrupt_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        attempt_item(write_file, task(tmp_path, "interrupt"))
    assert not list((tmp_path / "items").iterdir())
    assert latest_records(tmp_path / "records") == {}


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    with atomic_folder(tmp_path / "one") as folder:
        (folder / "a.txt").write_text("a")
        hidden = folder.name
    (tmp_path / hidden).mkdir()
    (tmp_path / hidden / "half.txt").write_text("ha")
    (tmp_path / ".keep").mkdir()
    assert remove_leftovers(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".keep", "one"]


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "items").write_text("a file, not a folder")
    with pytest.raises(OutputError, match="cannot be made"), atomic_folder(tmp_path / "items/x"):
        pass


def test_broken_records_are_refused(tmp_path):
    record = attempt_item(write_file, task(tmp_path))
    path = record_path(tmp_path / "records", "scan7", 1)
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"schema": 99}))
    with pytest.raises(FileFormatError, match="schema 99"):
        latest_records(tmp_path / "records")
    path.write_text(json.dumps({"name": record.name}))
    with pytest.raises(FileFormatError, match="expected a pipeline record"):
        read_record(path)


def test_keys_change_with_everything_they_name(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Settings:
        size: int = 3

    base = content_key("bake", 1, Settings(), "a", "b")
    assert base == content_key("bake", 1, Settings(), "a", "b") and len(base) == 32
    others = {
        content_key("encode", 1, Settings(), "a", "b"),
        content_key("bake", 2, Settings(), "a", "b"),
        content_key("bake", 1, Settings(4), "a", "b"),
        content_key("bake", 1, Settings(), "b", "a"),
        content_key("bake", 1, Settings(), "a"),
    }
    assert len(others | {base}) == 6
    path = tmp_path / "x.bin"
    path.write_bytes(b"one")
    first = file_hash(path)
    os.utime(path, (0, 0))
    assert file_hash(path) == first
    path.write_bytes(b"two")
    assert file_hash(path) != first
    with pytest.raises(FileFormatError, match="cannot be read"):
        file_hash(tmp_path / "absent")


def test_two_runs_do_not_share_a_folder(tmp_path):
    with run_lock(tmp_path):
        assert (tmp_path / NAME).is_file()
    assert not (tmp_path / NAME).exists()
    (tmp_path / NAME).write_text(json.dumps({"pid": os.getppid(), "host": os.uname().nodename}))
    with pytest.raises(OutputError, match=f"process {os.getppid()}"), run_lock(tmp_path):
        pass
    # Its process is gone: the lock is stale.
    (tmp_path / NAME).write_text(json.dumps({"pid": 2**22 + 7, "host": os.uname().nodename}))
    with run_lock(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getpid()
    with pytest.raises(OutputError, match="cannot be written"), run_lock(tmp_path / "absent"):
        pass
