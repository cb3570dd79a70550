"""Textures carry the fingerprint of their uv: of other uv they are refused, others pass."""

import json
from pathlib import Path

import numpy as np
import pytest

from geomface.cli.main import main
from geomface.datasets import load_textures
from geomface.errors import FileFormatError, MeshError
from geomface.files import load_image, save_image
from geomface.files.picture_text import text_of, with_text
from geomface.mesh import Mesh
from geomface.mesh.io import load_mesh, save_mesh
from geomface.mesh.io.texture_files import load_texture_of, save_texture
from geomface.mesh.uv_fingerprint import uv_fingerprint

TEXTURE = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)


@pytest.fixture
def square() -> Mesh:
    corners = np.array([[0, 0, 0], [60, 0, 0], [60, 60, 0], [0, 60, 0]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    uv = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]])
    return Mesh(corners, faces, uv=uv, uv_faces=faces, unit="mm", name="square")


def other(mesh: Mesh) -> Mesh:
    """The mirrored uv: the same picture, left and right exchanged."""
    assert mesh.uv is not None
    return mesh.replace(uv=mesh.uv * (-1, 1) + (1, 0), name="other")


@pytest.mark.parametrize("name", ["t.png", "t.jpg"])
def test_a_texture_says_its_uv(tmp_path: Path, square: Mesh, name: str) -> None:
    save_texture(tmp_path / name, TEXTURE, uv_fingerprint(square))
    save_image(tmp_path / f"bare-{name}", TEXTURE)
    expected = load_image(tmp_path / f"bare-{name}")
    np.testing.assert_array_equal(load_texture_of(tmp_path / name, square), expected)
    # Without a fingerprint anything goes.
    np.testing.assert_array_equal(load_texture_of(tmp_path / f"bare-{name}", square), expected)
    # Short numbers in a file are no other uv.
    rounded = square.replace(uv=np.round(square.uv + 1e-7, 6))
    np.testing.assert_array_equal(load_texture_of(tmp_path / name, rounded), expected)
    with pytest.raises(MeshError, match=f"{name} and other have different uv"):
        load_texture_of(tmp_path / name, other(square))


@pytest.mark.parametrize("suffix", ["obj", "ply"])
def test_meshes_write_textures_that_say_their_uv(tmp_path: Path, square: Mesh, suffix: str) -> None:
    save_mesh(tmp_path / f"m.{suffix}", square.replace(texture=TEXTURE))
    load_texture_of(tmp_path / "m.texture.png", load_mesh(tmp_path / f"m.{suffix}"))
    with pytest.raises(MeshError, match="different uv"):
        load_texture_of(tmp_path / "m.texture.png", other(square))


def test_render_refuses_the_texture_of_other_uv(
    tmp_path: Path, square: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    save_texture(tmp_path / "t.png", TEXTURE, uv_fingerprint(square))
    for mesh in (square, other(square)):
        save_mesh(tmp_path / f"{mesh.name}.obj", mesh)
    words = ["render", "--texture", str(tmp_path / "t.png"), "--size", "16", "--yaw", "0"]
    words += ["--quiet", "--out", str(tmp_path / "p.png"), "--mesh"]
    assert main([*words, str(tmp_path / "other.obj")]) == 1
    assert "t.png and other.obj have different uv" in capsys.readouterr().err
    assert not (tmp_path / "p.png").exists()
    assert main([*words, str(tmp_path / "square.obj")]) == 0


def test_bake_writes_it_and_a_set_holds_one_uv(tmp_path: Path, square: Mesh) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    scan = square.replace(uv=None, uv_faces=None, colors=np.eye(4, 3))
    save_mesh(tmp_path / "scan.ply", scan)
    for mesh in (square, other(square)):
        save_mesh(tmp_path / "m.ply", mesh)
        words = [
            "bake",
            "--mesh",
            tmp_path / "m.ply",
            "--scan",
            tmp_path / "scan.ply",
            "--size",
            16,
        ]
        words += ["--out", folder / f"{mesh.name}.png", "--report", tmp_path / "r.json", "--quiet"]
        assert main([str(word) for word in words]) == 0
        record = json.loads((tmp_path / "r.json").read_text())
        assert tuple(record["uv_fingerprint"]) == pytest.approx(uv_fingerprint(mesh), abs=1e-9)
    with pytest.raises(MeshError, match=r"other.png and .*square.png have different uv"):
        load_textures(folder, 16)
    (folder / "other.png").unlink()
    save_image(folder / "bare.png", TEXTURE)
    data = load_textures(folder, 16)
    assert data.uv == data.subset(np.array([True, False])).uv == uv_fingerprint(square)
    (folder / "square.png").unlink()
    assert load_textures(folder, 16).uv is None


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{}", '{"kind": "texture"}', "NaN"])
def test_a_damaged_text_is_a_sentence(tmp_path: Path, square: Mesh, text: str) -> None:
    save_image(tmp_path / "t.png", TEXTURE)
    path = tmp_path / "t.png"
    path.write_bytes(with_text(path.read_bytes(), text))
    with pytest.raises(FileFormatError, match=r"t\.png"):
        load_texture_of(path, square)


def test_texts_of_others_and_cut_files_are_no_text(tmp_path: Path) -> None:
    for name in ("t.png", "t.jpg"):
        save_image(tmp_path / name, TEXTURE, text="mine")
        data = (tmp_path / name).read_bytes()
        assert text_of(data) == "mine"
        assert {text_of(data[:end]) for end in range(20, len(data))} <= {None, "mine"} | {
            "mine"[:end] for end in range(4)
        }
        assert text_of(data.replace(b"geomface", b"somebody")) is None
