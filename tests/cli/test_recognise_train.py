"""`geomface recognise train` on sets that do not do, and on few people."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.files import save_image
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
from geomface.pipeline.aligned_sets import AlignedSetSettings, align_set
from geomface.recognition.aligned.aligned_faces import load_aligned
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.embedder.face_embedder import load_embedder
from geomface.recognition.training.export import trained_embedder
from geomface.recognition.training.statistics import adapt_statistics

TINY = Alignment(28, 24)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of two pictures of each of four people."""
    return people_of_noise(tmp_path_factory.mktemp("faces"), 8)


def people_of_noise(root: Path, count: int) -> Path:
    """Return a set of so many pictures, two a person."""
    points = np.repeat(TINY.points[2:3], 68, axis=0)
    points[36:42], points[42:48], points[[48, 54]] = *TINY.points[:2], TINY.points[3:]
    for index in range(count):
        path = root / f"pictures/{index // 2}/{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(path, np.random.default_rng(index).random((30, 26, 3)))
        save_pixel_landmarks(path.with_suffix(".landmarks.json"), PixelLandmarks(points))
    align_set(AlignedSetSettings(root / "pictures", root / "set", TINY))
    return root / "set"


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--faces", "SET", "SET"], "once in --faces and --real, got it twice"),
        (["--faces", "SET", "--real", "SET"], "once in --faces and --real, got it twice"),
        (["--faces", "SET", "--real", "none"], "there is no such file"),
        (["--faces", "SET", "--people", "9"], "at least 9 people, got 4. Ask for fewer."),
        (["--faces", "SET", "--held-out", "0.9999"], "Lower it."),
        (["--faces", "SET", "--synthetic-weight", "0.5"], "Give --real, or leave the weight out."),
    ],
)
def test_bad_input_is_one_sentence_also_in_a_dry_run(
    faces: Path, tmp_path: Path, words: list[str], match: str, dry_run: bool, capsys
) -> None:
    words = [str(faces) if word == "SET" else word for word in words]
    words = ["recognise", "train", "--recipe", "tiny", *words, "--out", str(tmp_path / "run")]
    words += ["--dry-run"] if dry_run else []
    words += [] if "--held-out" in words else ["--held-out", "0"]
    assert main(words) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("error: ") and match in said[-1]
    assert not (tmp_path / "run").exists()


def test_where_nobody_is_left_to_measure_on_it_is_noted(
    faces: Path, tmp_path: Path, capsys
) -> None:
    words = ["recognise", "train", "--recipe", "tiny", "--steps", "1", "--faces", str(faces)]
    words += ["--held-out", "0.001", "--device", "cpu", "--json", "--out", str(tmp_path / "run")]
    assert main(words) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["held_out_people"] == 0 and "has no threshold" in record["notes"][0]
    written = tmp_path / "run" / "embedder.safetensors"
    assert record["embedder"] == str(written) and record["people"] == 4
    card = load_embedder(written).card
    assert (card["recipe"], card["steps"]) == ("tiny", 1)


def test_an_embedder_of_real_people_too_has_their_statistics(faces: Path, tmp_path: Path) -> None:
    real, out = people_of_noise(tmp_path, 16), tmp_path / "run"
    words = ["recognise", "train", "--faces", faces, "--real", real, "--out", out]
    words += [
        "--recipe",
        "tiny",
        "--steps",
        2,
        "--device",
        "cpu",
        "--held-out",
        0,
        "--no-whitening",
    ]
    assert main([str(word) for word in words]) == 0
    found = load_embedder(out / "embedder.safetensors")
    pictures = load_aligned(real)
    expected = adapt_statistics(trained_embedder(out), pictures)
    np.testing.assert_allclose(
        *(item.embed(pictures.pictures()) for item in (found, expected)), atol=2e-2
    )
    before = trained_embedder(out).embed(pictures.pictures())
    assert np.abs(before - found.embed(pictures.pictures())).max() > 0.1


def test_few_real_pictures_leave_the_statistics_as_they_are(
    faces: Path, tmp_path: Path, capsys
) -> None:
    real, out = tmp_path / "real", tmp_path / "run"
    shutil.copytree(faces, real)
    words = ["recognise", "train", "--faces", faces, "--real", real, "--out", out, "--json"]
    words += ["--recipe", "tiny", "--steps", 2, "--device", "cpu", "--held-out", 0]
    assert main([str(word) for word in words]) == 0
    notes = " ".join(json.loads(capsys.readouterr().out)["notes"])
    assert "8 real pictures are too few" in notes and "to whiten" in notes
    pictures = load_aligned(real).pictures()
    found = load_embedder(out / "embedder.safetensors")
    np.testing.assert_allclose(
        found.embed(pictures), trained_embedder(out).embed(pictures), atol=2e-2
    )


def test_with_two_softmaxes_descriptors_are_whitened_by_the_real_pictures(
    faces: Path, tmp_path: Path
) -> None:
    real, out = people_of_noise(tmp_path, 48), tmp_path / "run"
    words = ["recognise", "train", "--faces", faces, "--real", real, "--out", out]
    words += ["--synthetic-weight", 0.5, "--recipe", "tiny", "--steps", 2, "--device", "cpu"]
    assert main([str(word) for word in [*words, "--held-out", 0]]) == 0
    settings = json.loads((out / "run.json").read_text())["settings"]
    assert settings["synthetic_weight"] == 0.5 and settings["domain_mixup"] is None
    found, pictures = load_embedder(out / "embedder.safetensors"), load_aligned(real)
    expected = trained_embedder(out, photographs=pictures, whiten_by=[pictures])
    assert found.whitening is not None and expected.whitening is not None
    np.testing.assert_allclose(found.whitening.mean, expected.whitening.mean, atol=1e-5)
