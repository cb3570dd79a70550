"""`--textures`: pictures beside the scan, or in one more folder that is named."""

import geomface as gf
from geomface.cli.main import main


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
