"""`geomface recognise compare` on drawn faces, with a network whose answers do not matter."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from geomface.cli.main import main
from geomface.files import save_image, write_json
from geomface.mesh.io.pixel_landmarks import PixelLandmarks, save_pixel_landmarks
from geomface.recognition.alignment.reference import Alignment
from geomface.recognition.embedder.face_embedder import FaceEmbedder, save_embedder
from geomface.recognition.networks.build import build_network
from geomface.recognition.networks.embedder_network import NetworkSettings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pictures with landmarks beside them, one without a face, an embedder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    alignment = Alignment(56, 48)
    points = np.full((68, 2), 30.0)
    eyes, nose, corners = alignment.points[:2], alignment.points[2], alignment.points[3:]
    points[36:42], points[42:48], points[30], points[[48, 54]] = eyes[0], eyes[1], nose, corners
    for name in ("a", "b"):
        picture = rng.random((56, 48, 3)).astype(np.float32)
        save_image(tmp_path / f"{name}.png", picture)
        landmarks = PixelLandmarks(points, image_size=(56, 48))
        save_pixel_landmarks(tmp_path / f"{name}.landmarks.json", landmarks)
    save_image(tmp_path / "wall.png", np.full((64, 64, 3), 0.5, np.float32))
    torch.manual_seed(0)
    network = build_network(NetworkSettings(descriptor_size=16))
    save_embedder(tmp_path / "e.safetensors", FaceEmbedder(network.eval(), alignment))
    record = {"verification": {"thresholds": {"equal error": -0.9, "0.01": 0.9999}}}
    (tmp_path / "mine").mkdir()
    write_json(tmp_path / "mine" / "evaluation.json", record | {"alignment": alignment.id})
    return tmp_path


def test_similarity_and_where_the_thresholds_lie(folder: Path, capsys) -> None:
    words = ["recognise", "compare", "a.png", "b.png", "--embedder", "e.safetensors"]
    assert main([*words, "--json"]) == 0
    said = capsys.readouterr()
    plain = json.loads(said.out)
    assert -1 < plain["similarity"] < 1 and plain["landmarks"] == ["given", "given"]
    assert "No threshold is known" in said.err
    assert main([*words, "--evaluation", "mine", "--report", "r.json"]) == 0
    said = capsys.readouterr().out
    assert f"similarity {plain['similarity']:.4f}" in said
    rows = [line.split("  ") for line in said.splitlines()[3:]]
    assert rows[0][0] == "equal error" and rows[0][-1].strip() == "one person"
    assert rows[1][0].startswith("1 % of the pairs") and rows[1][-1].strip() == "two people"
    assert json.loads((folder / "r.json").read_text())["same"] == {
        "equal error": True,
        "0.01": False,
    }
    words[3] = "a.png"
    assert main([*words, "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["similarity"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({3: "wall.png"}, "wall.png: "),
        ({3: "none.png"}, "none.png: "),
        ({3: "none.png", 6: "--dry-run"}, "none.png: "),
        ({5: "a.png"}, "a.png: "),
        ({6: "--evaluation", 7: "."}, "evaluation.json: "),
        ({6: "--evaluation", 7: "other"}, "measured on faces aligned as five-points-112x96"),
        ({6: "--evaluation", 7: "broken"}, "with its thresholds, could not read"),
        ({6: "--report", 7: "a.png"}, "expected a name ending in .json"),
    ],
)
def test_bad_input_ends_in_one_sentence(
    folder: Path, change: dict[int, str], match: str, capsys
) -> None:
    for name, record in {
        "other": {"verification": {"thresholds": {"x": 0.1}}, "alignment": "five-points-112x96"},
        "broken": {"verification": []},
    }.items():
        (folder / name).mkdir()
        write_json(folder / name / "evaluation.json", record)
    words = dict(
        enumerate(["recognise", "compare", "a.png", "b.png", "--embedder", "e.safetensors"])
    )
    assert main([word for _, word in sorted((words | change).items())]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: ") and match in said
