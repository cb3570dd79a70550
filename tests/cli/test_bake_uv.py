"""`geomface bake`: whose uv the texture is for."""

from pathlib import Path

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.files import load_image
from geomface.mesh import Mesh
from geomface.mesh.io import load_mesh, save_mesh


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A square registered to a coloured one, and templates with its uv and with others."""
    corners = np.array([[0, 0, 0], [60, 0, 0], [60, 60, 0], [0, 60, 0]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    square = Mesh(corners, faces, uv=corners[:, :2] / 60, uv_faces=faces, unit="mm")
    save_mesh(tmp_path / "mesh.ply", square)
    save_mesh(tmp_path / "same.obj", square)
    save_mesh(tmp_path / "other.obj", square.replace(uv=1 - corners[:, :2] / 60))
    colors = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1]], float)
    save_mesh(tmp_path / "scan.ply", square.replace(uv=None, uv_faces=None, colors=colors))
    save_mesh(tmp_path / "bare.ply", square.replace(uv=None, uv_faces=None))
    return tmp_path


def bake(folder: Path, mesh: str, *more: str) -> int:
    words = ["bake", "--mesh", str(folder / mesh), "--scan", str(folder / "scan.ply")]
    words += ["--size", "16", "--out", str(folder / "t.png"), "--quiet"]
    return main([*words, *more])


def test_the_uv_of_the_mesh_are_taken(folder: Path) -> None:
    assert bake(folder, "mesh.ply", "--textured-mesh", str(folder / "f.obj")) == 0
    texture = load_image(folder / "t.png")
    assert texture[-1, :, 0].min() > 0.9 and texture[0, :, 2].min() > 0.9
    textured = load_mesh(folder / "f.obj")
    np.testing.assert_array_equal(textured.uv, load_mesh(folder / "mesh.ply").uv)
    assert bake(folder, "mesh.ply", "--template", str(folder / "same.obj")) == 0
    np.testing.assert_array_equal(load_image(folder / "t.png"), texture)
    assert bake(folder, "bare.ply", "--template", str(folder / "same.obj")) == 0
    np.testing.assert_array_equal(load_image(folder / "t.png"), texture)


def test_a_template_with_other_uv_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bake(folder, "mesh.ply", "--template", str(folder / "other.obj")) == 1
    assert "have different uv" in capsys.readouterr().err
    assert not (folder / "t.png").exists()
