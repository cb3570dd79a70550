"""`--textures`: pictures beside the scan, or in one more folder that is named."""

import dataclasses

import pytest

import geomface as gf
from geomface.cli.main import main
from geomface.errors import FileFormatError
from geomface.pipeline import scan_job


def test_a_folder_that_is_named_ends_the_note(tmp_path, capsys):
    face = gf.load_builtin_face().mesh
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    gf.save_mesh(tmp_path / "mesh.ply", face.replace(uv=None, uv_faces=None))
    picture = gf.render_mesh(face, size=16)
    uv = face.vertices[:, :2] / 1000 + 0.5
    gf.save_mesh(tmp_path / "scan.obj", face.replace(uv=uv, uv_faces=face.faces, texture=picture))
    (tmp_path / "scan.texture.png").rename(elsewhere / "scan.texture.png")
    words = ["bake", "--mesh", str(tmp_path / "mesh.ply"), "--scan", str(tmp_path / "scan.obj")]
    words += ["--out", str(tmp_path / "t.png"), "--dry-run"]
    assert main(words) == 0
    assert "its texture 'scan.texture.png' is not in" in capsys.readouterr().err
    assert main([*words, "--textures", str(elsewhere)]) == 0
    assert "note:" not in capsys.readouterr().err


def test_fit_scan_and_pipelines_take_it(tmp_path, capsys):
    face = gf.load_builtin_face().mesh
    scans, elsewhere = tmp_path / "scans", tmp_path / "elsewhere"
    for folder in (scans, elsewhere):
        folder.mkdir()
    uv = face.vertices[:, :2] / 1000 + 0.5
    textured = face.replace(uv=uv, uv_faces=face.faces, texture=gf.render_mesh(face, size=16))
    gf.save_mesh(scans / "anna.obj", textured)
    (scans / "anna.texture.png").rename(elsewhere / "anna.texture.png")
    words = ["model", "fit-scan", "--scan", str(scans / "anna.obj"), "--dry-run"]
    words += ["--out", str(tmp_path / "fit.ply")]
    assert main(words) == 0
    assert "its texture 'anna.texture.png' is not in" in capsys.readouterr().err
    assert main([*words, "--textures", str(elsewhere)]) == 0
    assert "note:" not in capsys.readouterr().err
    assert main([*words, "--textures", str(tmp_path / "nowhere")]) == 1
    assert "expected a folder of pictures, there is none" in capsys.readouterr().err


def test_pictures_of_the_folder_are_in_the_keys(tmp_path):
    scans, elsewhere = tmp_path / "scans", tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    scans.mkdir()
    for name in ("anna", "bert"):
        (scans / f"{name}.obj").write_text("v 0 0 0")
    (tmp_path / "t.obj").write_text("v 0 0 0")
    settings = gf.PipelineSettings(
        scans=scans, out=tmp_path / "out", template=tmp_path / "t.obj", textures=elsewhere
    )

    def keys(settings=settings):
        return [item.key for item in scan_job(settings).items]

    none = keys()
    assert none == keys(dataclasses.replace(settings, textures=None))
    (elsewhere / "anna.texture.png").write_bytes(b"1")
    annas = keys()
    assert annas[0] != none[0] and annas[1] == none[1]
    (elsewhere / "anna.texture.png").write_bytes(b"2")
    assert keys()[0] != annas[0]
    # What no scan's name begins may be any scan's.
    (elsewhere / "deep" / "skin.jpg").write_bytes(b"3")
    assert keys()[1] != none[1]
    assert [item.payload.textures for item in scan_job(settings).items] == [elsewhere] * 2
    with pytest.raises(FileFormatError, match="Check --textures"):
        keys(dataclasses.replace(settings, textures=tmp_path / "nowhere"))
