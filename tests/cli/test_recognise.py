"""`geomface recognise align` and `embed`: from a folder of pictures to descriptors."""

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

SMALL = Alignment(56, 48)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("embedder") / "e.safetensors"
    network = build_network(NetworkSettings(height=56, width=48, descriptor_size=32))
    save_embedder(path, FaceEmbedder(network, SMALL))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of two people with landmarks beside them, and a file that is no picture."""
    root = tmp_path / "people"
    points = np.repeat(SMALL.points[2:3], 68, axis=0)
    points[36:42], points[42:48] = SMALL.points[0], SMALL.points[1]
    points[[48, 54]] = SMALL.points[3:]
    for index, name in enumerate(("ann/1", "ann/2", "bob/1")):
        path = root / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(path, np.random.default_rng(index).random((60, 50, 3)))
        save_pixel_landmarks(path.with_suffix(".landmarks.json"), PixelLandmarks(points))
    (root / "bob/broken.png").write_bytes(b"no picture")
    return root


def test_descriptors_of_a_folder(
    folder: Path, embedder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, report = tmp_path / "e.npz", tmp_path / "r.json"
    words = ["recognise", "embed", "--images", str(folder), "--embedder", str(embedder)]
    assert main([*words, "--out", str(out), "--dry-run"]) == 0 and not out.exists()
    capsys.readouterr()
    assert main([*words, "--out", str(out), "--report", str(report)]) == 3
    said = capsys.readouterr()
    assert "descriptors of 3 of 4 pictures, 1 failed" in said.out
    assert "pictures: 4/4" in said.err and "failed: " in said.err
    with np.load(out) as arrays:
        assert arrays["names"].tolist() == ["ann/1.png", "ann/2.png", "bob/1.png", "bob/broken.png"]
        assert arrays["found"].tolist() == [True, True, True, False]
        assert arrays["embeddings"].shape == (4, 32) and np.isnan(arrays["embeddings"][3]).all()
        assert np.allclose(np.linalg.norm(arrays["embeddings"][:3], axis=1), 1.0, atol=1e-6)
        assert str(arrays["embedder"]).startswith("e.safetensors ")
    record = json.loads(report.read_text())
    assert record["alignment"] == SMALL.id and list(record["failed"]) == ["bob/broken.png"]
    # The record is what evaluate reads.
    evaluation = tmp_path / "evaluation"
    words = ["recognise", "evaluate", str(out), "--all-pairs", "--out", str(evaluation)]
    assert main([*words, "--dry-run"]) == 0


def test_an_aligned_set_is_described_and_another_alignment_refused(
    folder: Path, embedder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    align = ["recognise", "align", "--images", str(folder), "--quiet"]
    assert main([*align, "--out", str(small), "--size", "56x48"]) == 3
    assert main([*align, "--out", str(large)]) == 3
    embed = ["recognise", "embed", "--embedder", str(embedder), "--out", str(tmp_path / "e.npz")]
    assert main([*embed, "--images", str(small), "--quiet"]) == 3
    with np.load(tmp_path / "e.npz") as arrays:
        assert arrays["found"].tolist() == [True, True, True, False]
    capsys.readouterr()
    assert main([*embed, "--images", str(large)]) == 1
    assert "expected faces aligned as five-points-56x48, got five-points-112x96" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["embed", "--images", "{none}", "--embedder", "{embedder}"], "expected a folder"),
        (["embed", "--images", "{folder}", "--embedder", "{none}"], "no such file"),
        (["embed", "--images", "{folder}", "--embedder", "{folder}/ann/1.png"], "1.png: "),
        (["align", "--images", "{folder}", "--size", "big"], "expected HEIGHTxWIDTH"),
        (["align", "--images", "{none}"], "expected a folder"),
        (["align", "--images", "{folder}", "--workers", "0"], "--workers"),
    ],
)
def test_bad_input_is_one_sentence(
    words: list[str],
    told: str,
    folder: Path,
    embedder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    places = {"folder": folder, "embedder": embedder, "none": tmp_path / "none"}
    words = [word.format(**places) for word in words]
    out = tmp_path / ("e.npz" if words[0] == "embed" else "set")
    assert main(["recognise", *words, "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said and not out.exists()
