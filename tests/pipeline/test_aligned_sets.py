"""Sets of aligned faces on disk: the same bytes always, resumed, grown, refused; who is in them."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from geomface.datasets.photographs import Photograph, load_photographs
from geomface.errors import FileFormatError, OutputError, SettingsError
from geomface.files import load_image, save_image
from geomface.learning.errors import DatasetError
from geomface.learning.stream import Stream
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
from geomface.pipeline import FaceSetSettings, aligned_part, generate_faces
from geomface.pipeline.aligned_sets import AlignedSetSettings, align_set
from geomface.pipeline.jobs import open_job, read_status, verify_outputs
from geomface.recognition.aligned.aligned_faces import aligned_faces, is_aligned, load_aligned
from geomface.recognition.aligned.class_labels import class_labels
from geomface.recognition.aligned.read_face import AlignedFace, read_face
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.alignment.warp import align_face
from geomface.synthesis import Constant, FaceImageSettings, IdentitySettings

SMALL = Alignment(56, 48)


def face_points(shift: float = 0.0) -> np.ndarray:
    """68 points whose five are those of an aligned picture, a little larger and shifted."""
    points = np.random.default_rng(1).uniform(20, 60, (68, 2))
    five = 1.5 * SMALL.points + [9.0 + shift, 4.0]
    points[36:42], points[42:48] = five[0], five[1]
    points[[30, 48, 54]] = five[2:]
    return points


def photograph(path: Path, seed: int, *, grey: bool = True) -> None:
    """A picture of 90 x 100 noise with landmarks beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).random((100, 90, 1 if grey else 3))
    save_image(path, image)
    save_pixel_landmarks(path.with_suffix(".landmarks.json"), PixelLandmarks(face_points()))


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Three people as LFW has them, five pictures, one of them without all its landmarks."""
    folder = tmp_path / "people"
    for seed, name in enumerate(("Ann_A/Ann_A_0001", "Ann_A/Ann_A_0002", "Bob_B/Bob_B_0001")):
        photograph(folder / f"{name}.png", seed)
    photograph(folder / "Cy_C/Cy_C_0001.png", 7, grey=False)
    photograph(folder / "Cy_C/Cy_C_0002.png", 8)
    lost = face_points()
    lost[48] = np.nan
    bad = folder / "Cy_C/Cy_C_0002.landmarks.json"
    save_pixel_landmarks(bad, PixelLandmarks(lost))
    return folder


def settings(images: Path, out: Path, **change: object) -> AlignedSetSettings:
    return dataclasses.replace(AlignedSetSettings(images, out, SMALL, part_pictures=2), **change)


def test_a_folder_of_people_becomes_a_data_set(
    people: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = align_set(settings(people, tmp_path / "set"))
    assert (report.done, report.failed, report.exit_code) == (4, 1, 3)
    assert "Cy_C/Cy_C_0002.png: landmarks of a face: expected all points" in report.reasons[0]
    faces = load_aligned(tmp_path / "set")
    assert faces.alignment == SMALL and is_aligned(tmp_path / "set")
    assert faces.names[:2] == ("Ann_A/Ann_A_0001.png", "Ann_A/Ann_A_0002.png")
    assert faces.people.names == ("Ann_A", "Bob_B", "Cy_C")
    assert faces.labels.tolist() == [0, 0, 1, 2] and list(faces.failures) == ["Cy_C/Cy_C_0002.png"]
    assert [row.grey for row in faces.rows] == [True, True, True, False]
    assert all(abs(row.pixels - 1.5) < 1e-3 and row.off < 1e-3 for row in faces.rows)
    assert "3 of 4 pictures are grey" in caplog.text and "3 of 4" in faces.notes[0]
    # As if aligned one by one.
    image = load_image(people / "Bob_B/Bob_B_0001.png")
    alone = align_face(image, face_points(), SMALL)
    assert np.abs(faces.pictures(np.array([2]))[0] - alone).max() <= 0.5 / 255 + 1e-6
    assert np.array_equal(faces.images[2], faces.images[np.array([2])][0])
    status = read_status(tmp_path / "set")
    assert status.failed_inside == 1 and verify_outputs(tmp_path / "set") == {}


def test_batches_feed_a_stream_without_the_whole_set(people: Path, tmp_path: Path) -> None:
    align_set(settings(people, tmp_path / "set"))
    faces = load_aligned(tmp_path / "set")
    batch = Stream("faces", faces, 3).take(0, 0, 3)
    assert batch["images"].shape == (3, 3, 56, 48) and batch["classes"].shape == (3, 2)
    order = torch.tensor([3, 0])
    batch = faces.batch(order)
    levels = np.stack([faces.images[3], faces.images[0]])
    assert np.allclose(batch["images"].numpy(), levels / 127.5 - 1, atol=1e-6)
    assert batch["labels"].tolist() == [2, 0] and batch["masses"].tolist() == [[1, 0], [1, 0]]
    part = faces.subset(np.array([2, 3]))
    assert part.labels.tolist() == [0, 1] and np.array_equal(part.images[1], faces.images[3])
    assert len(faces.fingerprint()) == 4
    # A set in memory is the same kind of thing.
    known = [row.person for row in faces.rows]
    kept = aligned_faces(faces.pictures(), known, SMALL, faces.names)
    assert np.array_equal(kept.pictures(), faces.pictures())
    assert kept.fingerprint() == faces.fingerprint()
    with pytest.raises(DatasetError, match="expected pictures of shape"):
        aligned_faces(faces.pictures(), known, Alignment())


def test_the_same_bytes_for_any_workers_and_after_an_interruption(
    people: Path, tmp_path: Path
) -> None:
    first = align_set(settings(people, tmp_path / "1"))
    second = align_set(settings(people, tmp_path / "2", workers=2))
    assert first.figures["sha256"] == second.figures["sha256"]
    # As a run leaves it that was killed before the last part.
    shutil.rmtree(tmp_path / "2/parts/000001")
    (tmp_path / "2/manifest.jsonl").unlink()
    with pytest.raises(FileFormatError, match="was not finished"):
        load_aligned(tmp_path / "2")
    again = align_set(settings(people, tmp_path / "2"))
    assert again.did == 2 and again.figures["sha256"] == first.figures["sha256"]
    assert open_job(tmp_path / "2").settings.images == people


def test_a_folder_that_grew_adds_to_a_set(people: Path, tmp_path: Path) -> None:
    (people / "Cy_C/Cy_C_0002.png").unlink()
    align_set(settings(people, tmp_path / "set"))
    photograph(people / "Dee_D/1.png", 11)
    photograph(people / "Dee_D/2.png", 12)
    report = align_set(settings(people, tmp_path / "set"))
    assert (report.did, report.done) == (2, 6)
    assert load_aligned(tmp_path / "set").labels.tolist() == [0, 0, 1, 2, 3, 3]
    # A picture that changed is aligned again, and so is one whose label did.
    photograph(people / "Ann_A/Ann_A_0001.png", 99)
    assert align_set(settings(people, tmp_path / "set")).did == 2


def test_only_what_is_new_is_aligned_wherever_it_sorts(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    out, read = tmp_path / "set", []

    def told(photograph: Photograph, *rest: Any) -> AlignedFace:
        read.append(photograph.name)
        return read_face(photograph, *rest)

    monkeypatch.setattr(aligned_part, "read_face", told)
    align_set(settings(people, out))
    first = load_aligned(out)
    assert len(read) == 5
    read.clear()
    photograph(people / "Aa_A/1.png", 21)
    photograph(people / "Aa_A/2.png", 22)
    report = align_set(settings(people, out))
    # One fills up the last part, whose picture without a face is tried again; one has its own.
    assert sorted(read) == ["Aa_A/1.png", "Aa_A/2.png", "Cy_C/Cy_C_0002.png"]
    grown = load_aligned(out)
    assert (report.did, report.done, len(grown)) == (3, 6, 6)
    assert grown.names == (*first.names, "Aa_A/1.png", "Aa_A/2.png")
    assert np.array_equal(grown.images[np.arange(4)], first.images[np.arange(4)])
    assert read_status(out).missing == () and verify_outputs(out) == {}
    assert align_set(settings(people, out)).did == 0
    # Who is in a picture is told anew without a look at it; a picture that changed is looked at.
    read.clear()
    (people / "labels.csv").write_text(
        "file,identity\n" + "".join(f"{name},p{at}\n" for at, name in enumerate(grown.names))
    )
    photograph(people / "Bob_B/Bob_B_0001.png", 31)
    report = align_set(settings(people, out))
    assert sorted(read) == ["Bob_B/Bob_B_0001.png", "Cy_C/Cy_C_0002.png"]
    assert report.figures["taken_over"] == 5 and "5 pictures did not change" in caplog.text
    assert load_aligned(out).people.names == tuple(f"p{at}" for at in range(6))
    # What is damaged is not taken over.
    read.clear()
    images = out / "parts/000000/images.npy"
    levels = np.load(images)
    levels[0, 0, 0, 0] ^= 1
    np.save(images, levels)
    (people / "labels.csv").unlink()
    align_set(settings(people, out))
    assert sorted(read) == ["Ann_A/Ann_A_0001.png", "Cy_C/Cy_C_0002.png"]


def test_broken_landmark_files_cost_their_pictures_only(people: Path, tmp_path: Path) -> None:
    (people / "Ann_A/Ann_A_0001.landmarks.json").write_text("{")
    (people / "Bob_B/Bob_B_0001.landmarks.json").write_text('{"unit": "px", "points": [[1, 2]]}')
    report = align_set(settings(people, tmp_path / "set"))
    assert (report.done, report.failed, report.exit_code) == (2, 3, 3)
    why = report.figures["without_a_face"]
    assert "Ann_A_0001.landmarks.json" in why["Ann_A/Ann_A_0001.png"]
    assert "expected the 68 landmarks of a face, got 1" in why["Bob_B/Bob_B_0001.png"]
    # A file that was mended is taken at the next run.
    photograph(people / "Ann_A/Ann_A_0001.png", 0)
    assert align_set(settings(people, tmp_path / "set")).failed == 2


def test_another_alignment_is_refused(people: Path, tmp_path: Path) -> None:
    align_set(settings(people, tmp_path / "set"))
    with pytest.raises(OutputError, match="alignment was five-points-56x48, now five-points-112x9"):
        align_set(settings(people, tmp_path / "set", alignment=Alignment()))
    with pytest.raises(OutputError, match="lies among the pictures"):
        align_set(settings(people, people / "set"))
    with pytest.raises(SettingsError, match="expected given or found"):
        settings(people, tmp_path / "other", landmarks="guessed")
    with pytest.raises(FileFormatError, match="expected a folder of photographs"):
        align_set(settings(tmp_path / "nowhere", tmp_path / "other"))
    with pytest.raises(FileFormatError, match="set of aligned faces"):
        load_aligned(people)


def test_a_set_without_any_face_and_a_damaged_one_say_so(people: Path, tmp_path: Path) -> None:
    for path in people.rglob("*.png"):
        if path.stem != "Cy_C_0002":
            path.unlink()
    assert align_set(settings(people, tmp_path / "set")).failed == 1
    with pytest.raises(DatasetError, match="none of 1 pictures has"):
        load_aligned(tmp_path / "set")
    photograph(people / "Ann_A/1.png", 1)
    align_set(settings(people, tmp_path / "set"))
    stored = tmp_path / "set/parts/000000/images.npy"
    stored.write_bytes(stored.read_bytes()[:100])
    with pytest.raises(FileFormatError, match="images.npy: expected aligned faces"):
        load_aligned(tmp_path / "set").images[0]


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people, some a mix of others, in shards."""
    out = tmp_path_factory.mktemp("synthetic") / "set"
    identity = IdentitySettings(mix_share=0.5, mix_weight=Constant(0.75))
    images = FaceImageSettings(identities=6, samples=2, size=72, seed=3, identity=identity)
    generate_faces(FaceSetSettings(images, out, shards=True, part_pictures=5))
    return out


def test_synthetic_people_keep_their_shares(synthetic: Path, tmp_path: Path) -> None:
    report = align_set(settings(synthetic, tmp_path / "set", part_pictures=5))
    assert (report.done, report.failed) == (12, 0)
    faces, records = load_aligned(tmp_path / "set"), load_photographs(synthetic)
    mixed = [bool(record.parents) for record in records]
    assert 0 < sum(mixed) < 12
    names = faces.people.names
    for row, record in enumerate(records):
        share = {
            names[number]: float(mass)
            for number, mass in zip(
                faces.people.classes[row], faces.people.masses[row], strict=True
            )
            if number >= 0
        }
        whole = {record.person: 1.0}
        parts = dict(zip(record.parents, record.parent_weights, strict=True))
        assert share == pytest.approx(parts or whole)
        assert (faces.labels[row] == -1) == bool(parts)
    assert not faces.notes
    assert faces.pictures().std() > 0.1


def test_classes_of_people() -> None:
    found = class_labels(["10", "9", "", "10"], [()] * 4, [()] * 4)
    assert found.names == ("9", "10") and found.labels.tolist() == [1, 0, -1, 1]
    assert len(found.notes) == 2 and "go up to 10" in found.notes[0]
    assert "1 of 4 pictures do not say who" in found.notes[1]
    assert not class_labels(["0", "1"], [()] * 2, [()] * 2).notes
    # A share of nothing is none, and two halves of one are one.
    pairs = [("a", "b"), ("a", "a"), ("b", "a")]
    found = class_labels(["x", "y", "z"], pairs, [(1.0, 0.0), (0.4, 0.6), (0.3, 0.7)])
    assert found.names == ("a", "b") and found.labels.tolist() == [0, 0, -1]
    assert found.masses[1].tolist() == [1.0, 0.0] and found.classes[2].tolist() == [0, 1]


def test_label_tables_may_have_gaps(people: Path, tmp_path: Path) -> None:
    shutil.rmtree(people / "Cy_C")
    rows = ["file,identity", "Ann_A/Ann_A_0001.png,3", "Bob_B/Bob_B_0001.png,12"]
    (people / "labels.csv").write_text("\n".join(rows))
    report = align_set(settings(people, tmp_path / "set"))
    assert report.figures["people"] == 2
    faces = load_aligned(tmp_path / "set")
    assert faces.labels.tolist() == [0, -1, 1] and len(faces.notes) == 2


def test_faces_are_found_in_photographs(shared_data: Path, tmp_path: Path) -> None:
    with np.load(shared_data / "orl" / "orl_dev.npz") as orl:
        pictures = orl["images"][:2, 0] / 255.0
    for index, picture in enumerate(pictures):
        folder = tmp_path / f"photographs/s{index}"
        folder.mkdir(parents=True)
        save_image(folder / "a.png", picture)
    save_image(tmp_path / "photographs/nobody.png", np.full((90, 80), 0.5))
    report = align_set(settings(tmp_path / "photographs", tmp_path / "set"))
    assert report.figures["landmarks_found"] == 2 and report.failed == 1
    (why,) = report.figures["without_a_face"].values()
    assert why.startswith("nobody.png: no face was found")
    line = json.loads((tmp_path / "set/manifest.jsonl").read_text().splitlines()[0])
    assert line["landmarks"] == "found" and line["person"] == "s0" and line["off"] < 3


def spoiled(folder: Path, **changes: object) -> Path:
    """Change the second row of the manifest of a set."""
    manifest = folder / "manifest.jsonl"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | changes)
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"person": 7}, "expected names as text"),
        ({"image": ["../../x.npy", 0]}, "a file inside the set"),
        ({"image": ["parts/000000/images.npy", -1]}, "and a row of it"),
        ({"image": ["parts/000000/images.npy", 0.5]}, "and a row of it"),
        ({"image": ["parts/000000/images.npy", 99]}, "too few for 100 pictures"),
        ({"image": ["parts/none.npy", 0]}, "cannot be read"),
        ({"parents": ["a", "b"], "parent_weights": [1.0]}, "a share of each of 2 people"),
        ({"parents": ["a", "b"], "parent_weights": [-1.0, 2.0]}, "a share of each"),
        ({"parents": ["a", "b"], "parent_weights": [float("nan"), 1.0]}, "a share of each"),
        ({"name": "Ann_A/Ann_A_0001.png"}, "each name once, Ann_A/Ann_A_0001.png is there again"),
        ({"more": 1}, "line 2 is not a row"),
    ],
)
def test_a_damaged_manifest_is_told_before_any_use(
    people: Path, tmp_path: Path, changes: dict, words: str
) -> None:
    align_set(AlignedSetSettings(people, tmp_path / "set", SMALL))
    with pytest.raises(FileFormatError, match=words):
        load_aligned(spoiled(tmp_path / "set", **changes))


def test_a_damaged_head_or_list_of_failures_or_part_is_told(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    align_set(AlignedSetSettings(people, out, SMALL))
    failures = (out / "failures.jsonl").read_bytes()
    (out / "failures.jsonl").write_text('{"x": 1}\n')
    with pytest.raises(FileFormatError, match=r"failures.jsonl: line 1 is not a row"):
        load_aligned(out)
    (out / "failures.jsonl").write_bytes(failures)
    head = json.loads((out / "set.json").read_text())
    for alignment in (7, "five-points-3", None):
        (out / "set.json").write_text(json.dumps(head | {"alignment": alignment}))
        with pytest.raises(FileFormatError, match=r"set.json: not a set of aligned faces of use"):
            load_aligned(out)
    (out / "set.json").write_text(json.dumps(head))
    part = next(out.rglob("images.npy"))
    part.write_bytes(part.read_bytes()[:500])
    with pytest.raises(FileFormatError, match="500 bytes are too few"):
        load_aligned(out)
    # The way out that the sentence names works.
    align_set(AlignedSetSettings(people, out, SMALL))
    assert len(load_aligned(out)) == 4


def test_a_set_of_more_parts_than_open_files(people: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    out = tmp_path / "set"
    align_set(AlignedSetSettings(people, out, SMALL, part_pictures=1))
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    part, lines = out / rows[0]["image"][0], []
    for number in range(300):
        path = out / f"parts/more_{number}.npy"
        shutil.copy(part, path)
        row = rows[0] | {"name": f"{number}.png", "image": [path.relative_to(out).as_posix(), 0]}
        lines.append(json.dumps(row))
    (out / "manifest.jsonl").write_text("\n".join(lines))
    faces = load_aligned(out)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        images = faces.images[np.arange(300)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert np.array_equal(images, np.repeat(np.load(part), 300, axis=0))


def test_an_empty_picture_is_listed_and_another_folder_is_refused(
    people: Path, tmp_path: Path
) -> None:
    (people / "Cy_C/Cy_C_0000.png").write_bytes(b"")
    out = tmp_path / "set"
    align_set(AlignedSetSettings(people, out, SMALL))
    faces = load_aligned(out)
    assert len(faces) == 4 and "empty" in faces.failures["Cy_C/Cy_C_0000.png"]
    before = (out / "manifest.jsonl").read_bytes()
    photograph(tmp_path / "others/Di_D/1.png", 3)
    with pytest.raises(OutputError, match=r"it holds 4 others, such as Ann_A/Ann_A_0001.png"):
        align_set(AlignedSetSettings(tmp_path / "others", out, SMALL))
    assert (out / "manifest.jsonl").read_bytes() == before
