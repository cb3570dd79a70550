"""Folders that hold what they should not, through all of `geomface recognise`."""

import json
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.cli import photographs as detecting
from geomface.cli.main import main
from geomface.files import save_image
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.embedder.face_embedder import FaceEmbedder, save_embedder
from geomface.recognition.networks.build import build_network
from geomface.recognition.networks.embedder_network import NetworkSettings

TINY = Alignment(28, 24)


def photograph(path: Path, seed: int, *, times: int = 1, grey: bool = False) -> None:
    """Noise with landmarks beside it, of any size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).random((30 * times, 26 * times, 1 if grey else 3))
    save_image(path, image)
    points = np.repeat(TINY.points[2:3], 68, axis=0)
    points[36:42], points[42:48], points[[48, 54]] = *TINY.points[:2], TINY.points[3:]
    save_pixel_landmarks(path.with_suffix(".landmarks.json"), PixelLandmarks(times * points))


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Three people, two good pictures of each, of mixed sizes, one grey; four that fail."""
    root = tmp_path / "people"
    for index in range(6):
        path = root / f"p{index // 2}/{index % 2}.png"
        photograph(path, index, times=1 + index % 3, grey=index == 4)
    (root / "p0/text.png").write_text("hello")
    (root / "p0/empty.png").write_bytes(b"")
    for name, text in (("bare", "{"), ("few", '{"unit": "px", "points": [[1, 2]]}')):
        photograph(root / f"p1/{name}.png", 9)
        (root / f"p1/{name}.landmarks.json").write_text(text)
    return root


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("embedder") / "e.safetensors"
    network = build_network(NetworkSettings(height=28, width=24, descriptor_size=8))
    save_embedder(path, FaceEmbedder(network, TINY))
    return path


def run(*words: object) -> int:
    return main(["recognise", *map(str, words)])


def test_what_fails_is_listed_and_the_rest_goes_on(
    people: Path, embedder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = ["p0/empty.png", "p0/text.png", "p1/bare.png", "p1/few.png"]
    out, report = tmp_path / "set", tmp_path / "r.json"
    assert run("align", "--images", people, "--size", "28x24", "--out", out) == 3
    said = capsys.readouterr()
    assert "10 pictures: 6 done, 4 failed" in said.out
    assert said.err.count("1 of 6 pictures are grey") == 1
    lost = [json.loads(line)["key"] for line in (out / "failures.jsonl").read_text().splitlines()]
    assert lost == failing
    words = ("--images", people, "--embedder", embedder, "--out", tmp_path / "e.npz")
    assert run("embed", *words, "--report", report) == 3
    assert list(json.loads(report.read_text())["failed"]) == failing
    assert "descriptors of 6 of 10 pictures, 4 failed" in capsys.readouterr().out
    evaluation = ("--all-pairs", "--draws", 10, "--out", tmp_path / "evaluation")
    assert run("evaluate", people, "--embedder", embedder, *evaluation) == 3
    for name in ("text", "empty"):
        pair = (people / f"p0/{name}.png", people / "p0/0.png", "--embedder", embedder)
        assert run("compare", *pair) == 1
    assert run("compare", people / "p1/few.png", people / "p0/0.png", "--embedder", embedder) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("error: ") and "68 landmarks of a face, got 1" in said[-1]


@pytest.mark.parametrize("content", ["nothing", "texts"])
def test_folders_without_pictures_leave_nothing(
    content: str, embedder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    (folder / "a").mkdir(parents=True)
    if content == "texts":
        (folder / "a/1.png").write_text("hello")
    e, runs = tmp_path / "e.npz", tmp_path / "run"
    one = ("--embedder", embedder)
    assert run("embed", "--images", folder, *one, "--out", e) == 1
    assert run("evaluate", folder, "--all-pairs", *one, "--out", tmp_path / "evaluation") == 1
    assert run("train", "--faces", folder, "--out", runs) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(said) == 3 and "Make one of its pictures with 'geomface recognise align" in said[2]
    assert run("align", "--images", folder, "--out", tmp_path / "set") == (
        3 if content == "texts" else 1
    )
    assert run("train", "--faces", tmp_path / "set", "--out", runs) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert not any(path.exists() for path in (e, runs, tmp_path / "evaluation"))


def test_labels_with_gaps_and_people_with_one_picture_are_noted(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = ["file,identity", "p0/0.png,3", "p0/1.png,3", "p1/0.png,12", "p2/0.png,"]
    (people / "labels.csv").write_text("\n".join(table))
    out, words = tmp_path / "set", ("train", "--recipe", "tiny", "--dry-run")
    assert run("align", "--images", people, "--size", "28x24", "--out", out) == 3
    said = capsys.readouterr().err
    assert "of 2 people go up to 12" in said and "3 of 6 pictures do not say who it is" in said
    assert run(*words, "--faces", out, "--out", tmp_path / "run") == 0
    said = capsys.readouterr().err
    assert "3 of 6 pictures do not say who it is: nothing is learned from them" in said
    assert "1 of 2 people have one picture" in said
    assert run(*words, "--faces", out, "--people", 1, "--out", tmp_path / "run") == 1
    said = capsys.readouterr().err.splitlines()
    assert "two people or more, got 1" in said[-1] and not any("threshold" in line for line in said)


def test_a_note_of_many_pictures_is_said_once(
    people: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    noted = types.SimpleNamespace(faces=(), image_size=(8, 8), notes=("2 faces were found.",))
    monkeypatch.setattr(detecting, "_detect", lambda *words: noted)
    report = tmp_path / "r.json"
    words = ["--image", str(people), "--out", str(tmp_path / "marks"), "--report", str(report)]
    assert main(["landmarks", "detect", *words]) == 0
    said = capsys.readouterr().err
    assert said.count("2 faces were found") == 1
    assert "note: 10 pictures such as p0/0.png: 2 faces were found." in said
    assert json.loads(report.read_text())["found"]["p0/0.png"]["notes"] == ["2 faces were found."]
