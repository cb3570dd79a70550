"""Runs over a folder: failures become records, reruns skip, interrupts resume. Fake work."""

import dataclasses
import json
import os
import sys

import pytest
from batch_work import fake_item

from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files.records import plain
from geomface.files.settings import settings_from_json
from geomface.parametrization.settings import UnwrapSettings
from geomface.pipeline import (
    ItemSettings,
    PipelineSettings,
    load_run,
    plan_job,
    read_status,
    run_pipeline,
    scan_job,
    verify_outputs,
)


@pytest.fixture
def settings(tmp_path):
    """Four scans, one of them bad, and a template file."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for index, text in enumerate(("fine 0", "fine 1", "bad", "fine 3")):
        (scans / f"s{index}.ply").write_text(text)
        (scans / f"s{index}.landmarks.json").write_text("[]")
    template = tmp_path / "template.obj"
    template.write_text("v 0 0 0")
    return PipelineSettings(scans=scans, out=tmp_path / "out", template=template)


def planned(settings):
    return plan_job(scan_job(settings))


def run(settings, **changes):
    events = []
    report = run_pipeline(
        dataclasses.replace(settings, **changes), on_event=events.append, work=fake_item
    )
    return report, events


def test_a_bad_scan_is_a_record_and_the_rest_go_on(settings):
    report, events = run(settings)
    assert (report.done, report.failed, report.did, report.exit_code) == (3, 1, 4, 3)
    assert [record.name for record in report.records] == ["s0", "s1", "s2", "s3"]
    assert report.records[2].message == "s2.ply: bad scan."
    assert not (settings.out / "items/s2").exists()
    assert (settings.out / "items/s3/copy.txt").read_text() == "fine 3"
    kinds = [event.kind for event in events]
    assert kinds == ["plan", "done", "done", "failed", "done", "finished"]
    assert [event.finished for event in events[1:5]] == [1, 2, 3, 4]
    assert events[1].seconds_left > 0 and events[4].seconds_left == 0
    assert "s2.ply: bad scan." in events[3].message


def test_the_second_run_does_nothing_and_says_so(settings):
    run(settings)
    before = {path: path.stat().st_mtime_ns for path in (settings.out / "items").rglob("*")}
    report, events = run(settings)
    assert report.did == 0 and report.exit_code == 3
    assert report.message == (
        "nothing to do: 3 done, 1 failed before ('geomface pipeline retry' does them again)"
    )
    assert events[0].message == report.message
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list((settings.out / "records").glob("*.json"))) == 4


def test_only_what_changed_is_done_again(settings):
    run(settings)
    (settings.scans / "s1.ply").write_text("fine, but other")
    (settings.scans / "s2.ply").write_text("mended")
    (settings.scans / "s4.ply").write_text("new")
    plan = planned(settings)
    assert [one.item.name for one in plan.todo] == ["s1", "s2", "s4"]
    assert plan.sentence() == "3 of 5 scans to do; 2 done"
    report, _ = run(settings)
    assert (report.done, report.failed, report.exit_code) == (5, 0, 0)
    assert (settings.out / "items/s1/copy.txt").read_text() == "fine, but other"
    assert report.records[1].attempt == 2 and report.records[0].attempt == 1


def test_settings_template_landmarks_and_lost_outputs_count_as_change(settings):
    run(settings)
    names = lambda changed: [one.item.name for one in planned(changed).todo]  # noqa: E731
    assert names(settings) == []
    item = dataclasses.replace(settings.item, texture_size=64)
    assert names(dataclasses.replace(settings, item=item)) == ["s0", "s1", "s2", "s3"]
    (settings.scans / "s0.landmarks.json").write_text("[1]")
    assert names(settings) == ["s0"]
    (settings.out / "items/s3/copy.txt").unlink()
    assert names(settings) == ["s0", "s3"]
    settings.template.write_text("v 1 1 1")
    assert len(names(settings)) == 4


def test_retry_does_the_failed_ones_again(settings):
    run(settings)
    report, _ = run(settings, retry_failed=True)
    assert report.did == 1 and report.records[2].attempt == 2
    assert len(list((settings.out / "records").glob("s2.*.json"))) == 2


def test_a_worker_that_dies_is_a_record(settings):
    (settings.scans / "s1.ply").write_text("kill")
    report, _ = run(settings, workers=2)
    assert (report.done, report.failed) == (2, 2)
    assert report.records[1].error == "WorkerDied" and "died at this item" in (
        report.records[1].message
    )
    assert not list((settings.out / "items").glob(".*"))  # what died half-way is gone


def test_want_of_memory_is_tried_again_by_the_next_run(settings):
    (settings.scans / "s1.ply").write_text("large")
    report, _ = run(settings)
    assert (report.done, report.failed) == (2, 2)
    (settings.scans / "memory").touch()
    report, _ = run(settings)
    assert (report.did, report.made, report.done) == (1, 1, 3)


def test_a_damaged_record_costs_its_own_item_only(settings, caplog):
    run(settings)
    (settings.out / "records/s1.001.json").write_text("{")
    assert read_status(settings.out).missing == ("s1",)
    report, _ = run(settings)
    assert (report.did, report.done) == (1, 3) and "s1.001.json" in caplog.text
    assert report.records[1].attempt == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such file names")
def test_every_scan_has_an_item_of_its_own_whatever_its_name(settings):
    names = [b"a.ply", b"a.off", b"a-ply.ply", b"Andr\xe9.ply", b"Andr%E9.ply", b"x\ny.ply"]
    names += [b"n" * 250 + b".ply"]
    for name in names:
        (settings.scans / os.fsdecode(name)).write_text(name.hex())
    report, _ = run(settings)
    assert (report.done, report.failed) == (3 + len(names), 1)
    copies = {path.read_text() for path in settings.out.glob("items/*/copy.txt")}
    assert copies >= {name.hex() for name in names}
    assert all(len(os.fsencode(path.name)) <= 200 for path in settings.out.glob("items/*"))
    assert all(path.name.isprintable() for path in settings.out.rglob("*"))
    assert run(settings)[0].did == 0
    assert len(read_status(settings.out).done) == report.done


def test_an_interrupted_run_goes_on(settings):
    (settings.scans / "s1.ply").write_text("interrupt")
    events = []
    with pytest.raises(KeyboardInterrupt):
        run_pipeline(settings, on_event=events.append, work=fake_item)
    assert events[-1].kind == "interrupted" and "after 1 of 4" in events[-1].message
    assert not (settings.out / ".running.json").exists()
    (settings.scans / "s1.ply").write_text("fine again")
    report, _ = run(settings)
    assert report.did == 3 and report.done == 3


def test_status_and_verify_read_the_folder(settings):
    run(settings, limit=3)
    status = read_status(settings.out)
    assert [len(status.done), len(status.failed), status.missing] == [2, 1, ()]
    assert load_run(settings.out) == dataclasses.replace(settings, limit=3)
    assert verify_outputs(settings.out) == {}
    (settings.out / "items/s0/copy.txt").write_text("FINE 0")
    assert verify_outputs(settings.out) == {"s0": ("items/s0/copy.txt",)}


@pytest.mark.parametrize(
    ("name", "text"),
    [("run.json", '{"system": "toy"}'), ("set.json", '{"kind": "synthetic-faces"}')],
)
def test_a_folder_of_something_else_is_not_taken_over(settings, name, text):
    settings.out.mkdir()
    (settings.out / name).write_text(text)
    with pytest.raises(OutputError, match=f"it holds {name} of something else"):
        run(settings)
    assert [path.name for path in settings.out.iterdir()] == [name]
    assert (settings.out / name).read_text() == text
    (settings.out / name).write_text("{")  # damaged: only what is called as our own is ours
    if name == "run.json":
        assert run(settings)[0].done == 3
    else:
        with pytest.raises(OutputError, match=f"it holds {name}"):
            run(settings)


def test_a_folder_without_a_run_is_refused(settings, tmp_path):
    with pytest.raises(FileFormatError, match="run.json"):
        load_run(tmp_path)
    run(settings)
    path = settings.out / "run.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"schema": 7}))
    with pytest.raises(FileFormatError, match="schema 7"):
        load_run(settings.out)
    data["settings"]["colour"] = "green"
    path.write_text(json.dumps(data))
    with pytest.raises(FileFormatError, match="colour is unknown"):
        load_run(settings.out)
    path.write_text(json.dumps({"kind": "recipe"}))
    with pytest.raises(FileFormatError, match="expected the file of a pipeline run"):
        load_run(settings.out)


def test_settings_survive_json(settings):
    changed = dataclasses.replace(
        settings,
        limit=5,
        regions=settings.template,
        unwrap=UnwrapSettings(shares={"eyes": 0.1, "nose+mouth": 0.2}, stretch_steps=1),
        item=ItemSettings(geometry_image_bits=8),
    )
    data = json.loads(json.dumps(plain(changed)))
    assert settings_from_json(PipelineSettings, data) == changed


def test_bad_settings_and_places_are_refused(settings, tmp_path):
    with pytest.raises(SettingsError, match="limit"):
        dataclasses.replace(settings, limit=0)
    with pytest.raises(SettingsError, match="auto, required or optional"):
        dataclasses.replace(settings, landmarks="maybe")
    with pytest.raises(SettingsError, match="workers"):
        run(settings, workers=0)
    with pytest.raises(FileFormatError, match=r"cannot be read|expected"):
        run(settings, template=tmp_path / "absent.obj")
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError, match="cannot be made"):
        run(settings, out=blocked / "out")


def test_landmark_files_are_needed_only_where_they_are_asked_for(settings):
    def needed(changed):
        return {item.payload.needs_landmarks for item in scan_job(changed).items}

    assert needed(settings) == {False}
    assert needed(dataclasses.replace(settings, landmarks="required")) == {True}
