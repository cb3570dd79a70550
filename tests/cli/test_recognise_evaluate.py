"""`geomface recognise evaluate` on descriptors whose answers are known."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.cli.main import main
from geomface.files import save_image
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.embedder.face_embedder import FaceEmbedder, save_embedder
from geomface.recognition.networks.build import build_network
from geomface.recognition.networks.embedder_network import NetworkSettings
from geomface.recognition.protocols.embeddings import (
    Embeddings,
    load_embeddings,
    save_embeddings,
)


def embeddings(folder: Path, name: str, spread: float, **change: object) -> Path:
    """Write descriptors of 8 people in 4 pictures each; one picture has no face."""
    rng = np.random.default_rng(4)
    rows = np.repeat(rng.standard_normal((8, 12)), 4, axis=0)
    rows += spread * rng.standard_normal(rows.shape)
    names = tuple(f"p{k // 4}/{k % 4}.png" for k in range(32))
    found = np.arange(32) != 5
    given = {"names": names, "descriptors": rows, "found": found, "alignment": "a", "embedder": "e"}
    save_embeddings(folder / name, Embeddings(**(given | change)))  # type: ignore[arg-type]
    return folder / name


def test_all_pairs_leave_a_record_and_pictures(tmp_path: Path, capsys) -> None:
    path = embeddings(tmp_path, "e.npz", 0.5)
    worse = embeddings(tmp_path, "worse.npz", 1.5, embedder="other")
    words = ["recognise", "evaluate", str(path), "--all-pairs", "--out", str(tmp_path / "out")]
    more = ["--against", str(worse), "--draws", "60", "--maps", "--training", str(path), "--json"]
    assert main([*words, *more]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads((tmp_path / "out" / "evaluation.json").read_text())
    figures = record["verification"]
    assert figures["left_out"]["pairs"]["equal_error"]["settings"]["people"] == 8
    assert figures["missing"] == 31 and record["without_face"] == ["p1/1.png"]
    assert figures["left_out"]["folds"]["accuracy"]["value"] > 0.8
    assert record["identification"]["errors"] == 1
    assert record["against"]["equal_error_ratio"]["value"] < 1
    assert record["set"]["leakage"]["largest"] == pytest.approx(1.0)
    assert record["set"]["people"] == 8 and record["set"]["intra_class_spread"]["n"] == 8
    pictures = {item.name for item in (tmp_path / "out").glob("*.png")}
    assert pictures == {"roc.png", "scores.png", "ranks.png", "mds.png", "t_sne.png"}


def test_a_list_is_told_in_a_table(tmp_path: Path, capsys) -> None:
    path = embeddings(tmp_path, "e.npz", 0.4)
    lines = [f"p{k}\t1\t2" for k in range(8)] + [f"p{k}\t0\tp{(k + 1) % 8}\t3" for k in range(8)]
    names = tuple(f"p{k // 4}/p{k // 4}_{k % 4:04d}.jpg" for k in range(32))
    path = embeddings(tmp_path, "lfw.npz", 0.4, names=names)
    (tmp_path / "pairs.txt").write_text("\n".join(["8", *lines]))
    words = ["recognise", "evaluate", str(path), "--pairs", str(tmp_path / "pairs.txt")]
    assert main([*words, "--out", str(tmp_path / "out"), "--folds", "4", "--draws", "50"]) == 0
    said = capsys.readouterr()
    assert "95% over people" in said.out and "accuracy (over 4 folds)" in said.out
    assert "threshold at the equal error: cosine" in said.out
    assert "if faceless are refused" in said.out
    assert "measure: 0/1  16 pairs" in said.err
    assert "1 pairs have a picture without a face" in said.err
    assert main([*words, "--out", str(tmp_path / "none"), "--dry-run"]) == 0
    assert not (tmp_path / "none").exists()


def test_a_folder_is_described_first(tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(1)
    alignment = Alignment(56, 48)
    points = np.full((68, 2), 30.0)
    eyes, nose, corners = alignment.points[:2], alignment.points[2], alignment.points[3:]
    points[36:42], points[42:48], points[30], points[[48, 54]] = eyes[0], eyes[1], nose, corners
    folder = tmp_path / "photographs"
    for person in "abcd":
        (folder / person).mkdir(parents=True)
        face = rng.random((56, 48, 3))
        for name in "12":
            picture = (0.8 * face + 0.2 * rng.random((56, 48, 3))).astype(np.float32)
            save_image(folder / person / f"{name}.png", picture)
            landmarks = PixelLandmarks(points, image_size=(56, 48))
            save_pixel_landmarks(folder / person / f"{name}.landmarks.json", landmarks)
    save_image(folder / "a" / "wall.png", np.full((64, 64, 3), 0.5, np.float32))
    torch.manual_seed(0)
    network = build_network(NetworkSettings(descriptor_size=16)).eval()
    save_embedder(tmp_path / "net.safetensors", FaceEmbedder(network, alignment))
    words = ["recognise", "evaluate", str(folder), "--all-pairs", "--out", str(tmp_path / "out")]
    assert main([*words, "--draws", "30", "--json"]) == 3  # by the embedder that ships
    shipped = json.loads(capsys.readouterr().out)
    assert shipped["embedder"].startswith("embedder") and shipped["without_face"] == ["a/wall.png"]
    words += ["--embedder", str(tmp_path / "net.safetensors"), "--draws", "30", "--json"]
    assert main(words) == 3
    record = json.loads(capsys.readouterr().out)
    assert record["pictures"] == 9 and record["without_face"] == ["a/wall.png"]
    assert "face" in record["failed"]["a/wall.png"]
    assert record["alignment"] == alignment.id
    embed = ["recognise", "embed", "--images", str(folder), "--out", str(tmp_path / "e.npz")]
    assert main([*embed, "--embedder", str(tmp_path / "net.safetensors"), "--quiet"]) == 3
    told = load_embeddings(tmp_path / "e.npz")  # the same embedder has one name in both commands
    assert record["embedder"] == told.embedder and told.embedder.startswith("net.safetensors ")
    assert told.people == tuple("aaabbccdd")
    capsys.readouterr()
    assert record["identification"]["rank_1"]["value"] == 1.0
    words[2] = str(tmp_path / "out" / "embeddings.npz")
    assert main(words) == 1 and "holds descriptors already" in capsys.readouterr().err
    at = words.index("--embedder")
    del words[at : at + 2]
    assert main(words) == 0
    again = json.loads(capsys.readouterr().out)
    for key in ("verification", "identification", "set"):
        assert again[key] == record[key]


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([], "one of the two. Give one."),
        (["--all-pairs", "--pairs", "pairs.csv"], "one of the two"),
        (["--pairs", "pairs.csv"], "names 1 pictures that are not among the 32"),
        (["--all-pairs", "--labels", "labels.csv"], "got 1 people in 2 pictures with labels"),
        (["--all-pairs", "--labels", "other.csv"], "none has one"),
        (["--all-pairs", "--training", "wide.npz"], "by the same embedder"),
        (["--all-pairs", "--against", "few.npz"], "30 of 32 are not among them"),
        (["--all-pairs", "--training", "none.npz", "--dry-run"], "there is no such file"),
        (["--all-pairs", "--against", "few.npz", "--dry-run"], "30 of 32 are not among them"),
        (["--all-pairs", "--against", "unseen.npz"], "faces both embedders found, got 0 and 0"),
        (["--pairs", "long.txt"], "line 1: expected 'NAME 1 2'"),
        (["--all-pairs", "--folds", "1"], "--folds: expected"),
    ],
)
def test_bad_input_ends_in_one_sentence(
    tmp_path: Path, words: list[str], match: str, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    embeddings(tmp_path, "e.npz", 0.5)
    (tmp_path / "pairs.csv").write_text("p0/0.png,p0/1.png,1\np0/0.png,p9/1.png,0\n")
    (tmp_path / "labels.csv").write_text("file,identity\np0/0.png,a\np0/1.png,a\np1/1.png,\n")
    (tmp_path / "other.csv").write_text("file,identity\nx.png,a\n")
    (tmp_path / "long.txt").write_text(f"p0 {'1' * 5000} 2\n")
    embeddings(tmp_path, "unseen.npz", 0.5, found=np.arange(32) == 5)
    short = {"names": ("p0/0.png", "p0/1.png"), "found": np.ones(2, bool)}
    embeddings(tmp_path, "wide.npz", 0.5, descriptors=np.eye(2, 3), **short)
    embeddings(tmp_path, "few.npz", 0.5, descriptors=np.eye(2, 12), **short)
    assert main(["recognise", "evaluate", "e.npz", "--out", "out", *words]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: ") and match in said
    assert not (tmp_path / "out").exists()


def test_one_person_with_two_pictures_and_maps_of_few(tmp_path: Path, capsys) -> None:
    few = {"names": ("a/1.png", "a/2.png", "b/1.png", "c/1.png"), "found": np.ones(4, bool)}
    path = embeddings(tmp_path, "e.npz", 0.5, descriptors=np.eye(4) + 0.1, **few)
    words = ["recognise", "evaluate", str(path), "--all-pairs", "--draws", "10"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    assert "95% over pairs" in capsys.readouterr().out
    few = {"names": ("a/1.png", "a/2.png", "b/1.png"), "found": np.array([True, True, False])}
    path = embeddings(tmp_path, "e.npz", 0.5, descriptors=np.eye(3) + 0.1, **few)
    assert main([*words, "--out", str(tmp_path / "none"), "--maps"]) == 1
    assert not (tmp_path / "none").exists()
