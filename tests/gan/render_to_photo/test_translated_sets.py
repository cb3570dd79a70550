"""Sets of translated faces: their labels, their shards, the same bytes however they are made."""

import dataclasses
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from translation_cases import SIZE, train_briefly

from geomface.batch.run import run_job
from geomface.cli.main import main
from geomface.datasets import load_synthetic
from geomface.datasets.labelled_pictures import CameraNumbers
from geomface.learning import picture_shards
from geomface.pipeline import FaceSetSettings, generate_faces
from geomface.pipeline.translated_sets import TranslatedSetSettings, translated_job
from geomface.recognition import Alignment, load_aligned
from geomface.recognition.alignment.warp import align_camera, align_landmarks
from geomface.synthesis import FaceImageSettings


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run, and one set of renders in files and in shards."""
    folder = tmp_path_factory.mktemp("translated")
    train_briefly(folder / "run")
    images = FaceImageSettings(identities=3, samples=2, size=48, outputs=("rgb",))
    generate_faces(FaceSetSettings(images, folder / "files"))
    generate_faces(FaceSetSettings(images, folder / "shards", shards=True, part_pictures=4))
    return folder


def settings_of(root: Path, out: Path, **changes) -> TranslatedSetSettings:
    given = {"part_pictures": 2, "shards": True} | changes
    return TranslatedSetSettings(root / "run", root / "shards", out, **given)


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files of a set but for the records, which tell when it was made."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "records" not in path.parts and path.name[0] != "."
    }


@pytest.fixture(scope="module")
def made(root: Path) -> Path:
    """The set in shards, by one process."""
    run_job(translated_job(settings_of(root, root / "made")))
    return root / "made"


def test_renders_in_files_and_in_shards_give_the_same_pictures(root: Path, made: Path) -> None:
    other = TranslatedSetSettings(root / "run", root / "files", root / "of_files", part_pictures=4)
    run_job(translated_job(other))
    one, two = load_aligned(made), load_aligned(root / "of_files")
    np.testing.assert_array_equal(one.images[:], two.images[:])
    assert one.rows == two.rows and not list((root / "of_files").rglob("*.tar"))


def test_bytes_do_not_depend_on_workers_or_interruptions(
    root: Path, made: Path, tmp_path: Path
) -> None:
    run_job(translated_job(settings_of(root, tmp_path / "two", workers=2)))
    assert contents(tmp_path / "two") == contents(made)
    # Stopped after the first part, as if the machine had gone down; then the same command again.
    job = translated_job(settings_of(root, tmp_path / "part"))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(dataclasses.replace(job, end=stop, items=job.items[:1]))
    first = (tmp_path / "part/parts/000000/images.npy").stat().st_mtime_ns
    report = run_job(translated_job(settings_of(root, tmp_path / "part")))
    assert contents(tmp_path / "part") == contents(made) and report.exit_code == 0
    assert (tmp_path / "part/parts/000000/images.npy").stat().st_mtime_ns == first


def test_shards_are_those_of_webdataset(root: Path, made: Path) -> None:
    faces = load_aligned(made)
    index = json.loads((made / "index.json").read_text())
    paths = [made / shard["url"] for shard in index["shardlist"]]
    assert [shard["nsamples"] for shard in index["shardlist"]] == [2, 2, 2]
    assert len(picture_shards(paths)) == 6
    known = {record.key: record for record in load_synthetic(root / "files")}
    for number, row in enumerate(faces.rows):
        with tarfile.open(paths[number // 2]) as archive:
            files = [archive.extractfile(f"{row.name}.{end}") for end in ("png", "json")]
            picture, text = (file.read() for file in files if file is not None)
        shown = np.asarray(Image.open(io.BytesIO(picture))).transpose(2, 0, 1)
        np.testing.assert_array_equal(shown, faces.images[number])
        told = json.loads(text)
        assert (told["name"], told["person"]) == (row.name, row.person)
        assert told["quality"] == row.quality and len(told["points"]) == 68
        # Readers of shards see no other file: the coefficients of the person travel too.
        assert told["drawn"]["parameters"] == known[row.name].parameters


def test_rows_carry_what_a_render_was_drawn_with(root: Path, made: Path) -> None:
    known = {record.key: record for record in load_synthetic(root / "files")}
    for row in load_aligned(made).rows:
        parameters, told = known[row.name].parameters, row.drawn["parameters"]
        assert set(parameters) - set(told) == {"identity", "albedo", "relief", "traits"}
        assert all(told[name] == parameters[name] for name in told)
        assert row.drawn["camera"].keys() == {
            "weak", "focal", "principal", "rotation", "translation",
        }  # fmt: skip


def test_an_aligned_camera_sees_a_face_where_its_picture_shows_it() -> None:
    rng = np.random.default_rng(0)
    face = rng.normal(0, 50, (68, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    for weak in (True, False):
        focal = 1.7 if weak else 900.0
        camera = CameraNumbers(weak, focal, np.array([70.0, 90.0]), turn, np.array([5.0, 3, 600]))
        pixels = camera.project(face)
        aligned = align_camera(camera, pixels, Alignment(SIZE, SIZE))
        expected = align_landmarks(pixels, Alignment(SIZE, SIZE))
        np.testing.assert_allclose(aligned.project(face), expected, atol=1e-9)
        assert np.linalg.det(aligned.rotation) == pytest.approx(1)


def test_mixed_people_and_notes_are_told(root: Path, tmp_path: Path, capsys) -> None:
    """A set with mixed people, whose classes are noted, ends as others do."""
    words = ["synth", "faces", "--identities", "3", "--samples", "2", "--size", "48", "--quiet"]
    assert main([*words, "--identity-mixup", "0:1:0.25", "--out", str(tmp_path / "mixed")]) == 0
    words = ["sample", "render_to_photo", str(root / "run"), "--set", str(tmp_path / "mixed")]
    assert main([*words, "--out", str(tmp_path / "out"), "--quiet"]) == 0
    rows = load_aligned(tmp_path / "out").rows
    assert any(row.parents for row in rows)


def test_another_translation_in_the_same_folder_is_refused(root: Path, made: Path, capsys) -> None:
    before = contents(made)
    words = ["sample", "render_to_photo", str(root / "run"), "--set", str(root / "shards")]
    words += ["--out", str(made), "--part-pictures", "2", "--quiet"]
    for more in (["--shards", "--seed", "1"], [], ["--shards", "--cycle", "0.5"]):
        assert main([*words, *more]) == 1
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1 and str(made) in said[0], said
    assert contents(made) == before
