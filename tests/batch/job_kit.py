"""What every batch job must do, whatever it makes: takes a function that makes the job.

A job is made by `make(out, **change)`, a function at the top of a module, so that another process
can make it too.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from geomface.batch import folder
from geomface.batch.job import Job, JobKind, JobReport
from geomface.batch.plan import plan_job
from geomface.batch.run import run_job
from geomface.errors import OutputError

Make = Callable[..., Job]

_KILLED = """
import os, signal, sys
from pathlib import Path
from {module} import {name}
from geomface.batch.run import run_job

def die(event):
    if event.kind in ("done", "failed"):
        os.kill(os.getpid(), signal.SIGKILL)

run_job({name}(Path(sys.argv[1])), on_event=die)
"""


def tree(out: Path) -> dict[str, str]:
    """Return the hash of every file of a job but those that hold times or the folder's place."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
        and path.parent.name != "records"
        and path.name not in ("unwrap.json", "run.json")
    }


def check_killed_at_every_item(make: Make, out: Path, whole: dict[str, str]) -> None:
    """Kill the process after each item; what the last run leaves is what one run leaves."""
    script = _KILLED.format(module=make.__module__, name=make.__name__)
    job = make(out)
    for done in range(1, len(job.items)):
        path = [str(Path(__file__).parent), *sys.path]
        killed = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{script}", str(out)],
            capture_output=True,
        )
        assert killed.returncode == -9, killed.stderr.decode()
        assert len(plan_job(job).todo) == len(job.items) - done
        half = out / job.kind.place / ".half.0a1b2c3d.part.folder"
        half.mkdir()
        (half / "half.txt").write_text("ha")
    report = run_job(make(out))
    assert report.did == job.items[-1].size and tree(out) == whole
    assert {record.attempt for record in report.records} == {1}


def check_done_is_not_done_again(make: Make, out: Path) -> None:
    """A second run does nothing; one lost output is one item to do."""
    before = tree(out)
    report = run_job(make(out))
    assert report.did == 0 and report.message.startswith("nothing to do") and tree(out) == before
    job = make(out)
    lost = report.records[1]
    (out / lost.outputs[0].path).unlink()
    assert [planned.item.name for planned in plan_job(job).todo] == [lost.name]
    assert run_job(job).made == job.items[1].size and tree(out) == before


def check_same_bytes_for_two_workers(make: Make, out: Path, whole: dict[str, str]) -> None:
    """The number of workers changes no byte."""
    run_job(make(out, workers=2))
    assert tree(out) == whole


def check_other_settings_are_refused(
    make: Make, out: Path, change: dict, words: Sequence[str]
) -> None:
    """Another job in the folder names what differs and leaves all as it is."""
    before = tree(out)
    with pytest.raises(OutputError, match="made with other settings") as caught:
        run_job(make(out, **change))
    assert all(word in str(caught.value) for word in words)
    assert tree(out) == before


def check_status_and_verify(out: Path, kinds: Sequence[JobKind], report: JobReport) -> None:
    """The folder alone tells what is done, failed, missing and changed."""
    status = folder.read_status(out, kinds)
    assert {record.name for record in (*status.done, *status.failed)} == {
        record.name for record in report.records
    }
    assert status.missing == () and status.exit_code == report.exit_code
    assert status.seconds == pytest.approx(sum(record.seconds for record in report.records))
    assert folder.verify_outputs(out, kinds) == {}
    spoilt = status.done[0]
    path = next(item.path for item in spoilt.outputs if Path(item.path).name != status.kind.rows)
    place = out / path
    data = place.read_bytes()
    place.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert folder.verify_outputs(out, kinds) == {spoilt.name: (path,)}
    place.write_bytes(data)
    if status.kind.rows:
        manifest = out / "manifest.jsonl"
        lines = manifest.read_bytes()
        manifest.write_bytes(lines[:-1])
        assert folder.verify_outputs(out, kinds) == {"manifest.jsonl": ("manifest.jsonl",)}
        manifest.write_bytes(lines)
    record = out / "records" / f"{spoilt.name}.{spoilt.attempt:03d}.json"
    text = record.read_text()
    record.unlink()
    status = folder.read_status(out, kinds)
    assert status.missing == (spoilt.name,) and status.exit_code == 3
    if status.kind.rows:  # a set that is not complete has no manifest yet
        manifest.unlink()
        assert folder.verify_outputs(out, kinds) == {}
        manifest.write_bytes(lines)
    record.write_text(text)


def check_the_folder_opens_as_the_same_job(make: Make, out: Path, kinds: Sequence[JobKind]) -> None:
    """What `retry` runs is what was asked for, even where only the head is left."""
    asked = make(out)
    for path in (None, out / "records" / "settings.json"):
        if path is not None:
            path.unlink(missing_ok=True)
        found = folder.open_job(out, kinds, workers=3)
        assert found.kind is asked.kind and found.retry_failed and found.workers == 3
        assert [(item.name, item.key, item.size) for item in found.items] == [
            (item.name, item.key, item.size) for item in asked.items
        ]
        head = json.loads((out / asked.kind.file).read_text())
        assert folder.find_kind(out, kinds) is asked.kind and head["kind"] == asked.kind.name
