"""Sets of pictures on disk: the same bytes always, resumed, grown, refused."""

import dataclasses
import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from geomface.batch.events import JobEvent
from geomface.datasets import load_synthetic
from geomface.errors import OutputError, SettingsError
from geomface.pipeline import (
    FaceSetSettings,
    face_job,
    generate_faces,
    picture_part,
    plan_job,
)
from geomface.synthesis import (
    Constant,
    FaceImageSettings,
    Gaussian,
    IdentitySettings,
    Mixture,
)

IMAGES = FaceImageSettings(
    identities=4, samples=3, size=40, seed=6, outputs=("rgb", "depth", "landmarks")
)


def settings(out: Path, **change: object) -> FaceSetSettings:
    return dataclasses.replace(FaceSetSettings(IMAGES, out, part_pictures=4), **change)


def tree(folder: Path) -> dict[str, str]:
    """Hash of every file but the records, which hold times."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "records" not in path.relative_to(folder).parts
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("faces") / "set"
    report = generate_faces(settings(out))
    assert (report.done, report.made, report.failed, report.exit_code) == (12, 12, 0, 0)
    return out


def test_the_same_bytes_for_one_and_two_workers(tmp_path: Path) -> None:
    """The photo preset draws the labels of the plain one too."""
    images = dataclasses.replace(IMAGES, preset="photo")
    sums = [
        generate_faces(settings(tmp_path / str(workers), images=images, workers=workers)).figures[
            "sha256"
        ]
        for workers in (1, 2)
    ]
    assert sums[0] == sums[1] and tree(tmp_path / "1") == tree(tmp_path / "2")
    assert len(tree(tmp_path / "1")) == 2 + 12 * 2 + 4


def test_a_part_size_changes_places_only(whole: Path, tmp_path: Path) -> None:
    generate_faces(settings(tmp_path / "set", part_pictures=5))
    first, other = load_synthetic(whole), load_synthetic(tmp_path / "set")
    for one, two in zip(first, other, strict=True):
        assert one.key == two.key
        np.testing.assert_array_equal(first.image(one, "depth"), other.image(two, "depth"))


def test_what_is_done_is_not_done_again(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    shutil.copytree(whole, out)
    before = tree(out)
    report = generate_faces(settings(out))
    assert report.made == 0 and report.done == 12 and tree(out) == before
    # A run that was killed: one part is gone, another half there, litter lies about.
    shutil.rmtree(out / "parts" / "000001")
    (out / "manifest.jsonl").unlink()
    litter = out / "parts" / ".000001.dead.part.folder"
    litter.mkdir()
    assert [one.item.name for one in plan_job(face_job(settings(out))).todo] == ["000001"]
    events: list[JobEvent] = []
    report = generate_faces(settings(out), on_event=events.append)
    assert report.made == 4 and tree(out) == before and not litter.exists()
    assert [event.kind for event in events] == ["plan", "done", "finished"]
    assert events[1].total == events[1].finished == 4 and events[1].seconds_left == 0


def test_more_identities_add_to_a_set(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    shutil.copytree(whole, out)
    larger = settings(out, images=dataclasses.replace(IMAGES, identities=6))
    report = generate_faces(larger)
    assert report.made == 6 and report.done == 18
    fresh = generate_faces(dataclasses.replace(larger, out=tmp_path / "fresh"))
    assert fresh.figures == report.figures and tree(out) == tree(tmp_path / "fresh")


def test_interrupted_runs_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "set"
    events: list[JobEvent] = []

    def stop(event: JobEvent) -> None:
        events.append(event)
        if event.kind == "done" and event.finished == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_faces(settings(out), on_event=stop)
    assert events[-1].kind == "interrupted" and not (out / "manifest.jsonl").exists()
    assert generate_faces(settings(out)).made == 8


def test_failed_pictures_are_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    wild = Mixture((Gaussian(0, 1), Constant(1e12)), (0.6, 0.4))
    images = dataclasses.replace(IMAGES, identities=8, identity=IdentitySettings(wild))
    report = generate_faces(settings(tmp_path / "1", images=images))
    assert report.exit_code == 3 and 0 < report.failed < 24
    assert report.done + report.failed == 24 and report.failed % 3 == 0
    rows = list(map(json.loads, (tmp_path / "1" / "failures.jsonl").read_text().splitlines()))
    assert len(rows) == report.failed and {row["error"] for row in rows} == {"MeshError"}
    assert "few sigma" in rows[0]["message"] and rows[0]["key"] in report.reasons[0]
    written = {record.identity for record in load_synthetic(tmp_path / "1")}
    assert written.isdisjoint({row["identity"] for row in rows})
    again = generate_faces(settings(tmp_path / "1", images=images))
    assert again.made == 0 and again.exit_code == 3 and again.failed == report.failed


def test_a_part_that_cannot_be_written_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = picture_part.write_part

    def full(sampler: object, pictures: list, folder: Path, **options: object) -> object:
        if folder.name.startswith(".000001"):
            raise OutputError("no space left. Free some.")
        return real(sampler, pictures, folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(picture_part, "write_part", full)
    report = generate_faces(settings(tmp_path / "set"))
    assert report.exit_code == 3 and report.failed == 4 and report.done == 8
    assert "no space left" in report.reasons[0]
    monkeypatch.setattr(picture_part, "write_part", real)
    assert generate_faces(settings(tmp_path / "set")).made == 4


def test_shards_have_an_index(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate_faces(settings(tmp_path / name, shards=True, part_pictures=8))
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    index = json.loads((tmp_path / "one" / "index.json").read_text())
    assert [shard["nsamples"] for shard in index["shardlist"]] == [8, 4]
    for shard in index["shardlist"]:
        path = tmp_path / "one" / shard["url"]
        assert path.stat().st_size == shard["filesize"]
    faces = load_synthetic(tmp_path / "one")
    assert faces.image(faces.records[9], "rgb").shape == (40, 40, 3)


def test_folders_of_other_runs_are_refused(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    shutil.copytree(whole, out)
    before = tree(out)
    for change, word in (
        ({"images": dataclasses.replace(IMAGES, seed=7)}, "seed"),
        ({"images": dataclasses.replace(IMAGES, preset="photo")}, "preset"),
        ({"images": dataclasses.replace(IMAGES, identities=3)}, "4 identities, more than the 3"),
        ({"shards": True}, "shards"),
        ({"image_format": "npy"}, "image_format"),
        ({"part_pictures": 6}, "part_pictures"),
    ):
        with pytest.raises(OutputError, match=word) as caught:
            generate_faces(settings(out, **change))
        assert str(out) in str(caught.value)
    assert tree(out) == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text("{}")
    with pytest.raises(OutputError, match=r"holds run\.json"):
        generate_faces(settings(tmp_path / "other"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="expected a folder, got a file"):
        generate_faces(settings(tmp_path / "file"))
    (out / "set.json").write_text('{"kind": "synthetic-faces", "schema": 99}')
    with pytest.raises(OutputError, match="schema 99"):
        generate_faces(settings(out))


def test_one_run_at_a_time_in_a_folder(tmp_path: Path) -> None:
    refused: list[str] = []

    def second(event: JobEvent) -> None:
        if event.kind == "done" and not refused:
            # The lock names this process, which may take its own lock over: pretend another host.
            lock = tmp_path / "set" / ".running.json"
            own = lock.read_text()
            lock.write_text('{"pid": 1, "host": "elsewhere"}')
            with (
                ThreadPoolExecutor(1) as other,
                pytest.raises(OutputError, match="another run") as caught,
            ):
                other.submit(generate_faces, settings(tmp_path / "set")).result()
            refused.append(str(caught.value))
            lock.write_text(own)

    assert generate_faces(settings(tmp_path / "set"), on_event=second).done == 12
    assert len(refused) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"workers": 0}, "workers: expected 1 or more"),
        ({"image_format": "jpg"}, "image_format: expected png or npy"),
        ({"part_pictures": 0}, "part_pictures: expected 1 to"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, change: dict, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        settings(tmp_path, **change)
