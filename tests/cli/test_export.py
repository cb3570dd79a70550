"""`geomface export mesh`: what it writes is the mesh, dressed."""

import json

import numpy as np
import pytest

import geomface
from geomface.cli.main import main
from geomface.mesh import Mesh
from geomface.mesh.io.texture_files import save_texture
from geomface.mesh.uv_fingerprint import uv_fingerprint


def two_quads() -> Mesh:
    """Return two quads side by side; their common edge is a seam."""
    points = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0], [2, 1, 0]]
    mesh = Mesh(np.array(points, float), quads=np.array([[0, 1, 2, 3], [1, 4, 5, 2]]))
    numbers = [{0: 0, 1: 1, 2: 2, 3: 3}, {1: 4, 4: 5, 5: 6, 2: 7}]
    uv_faces = [[numbers[k // 2][vertex] for vertex in face] for k, face in enumerate(mesh.faces)]
    uv = np.random.default_rng(0).random((8, 2))
    return mesh.replace(uv=uv, uv_faces=np.array(uv_faces), unit="mm")


def export(capsys, *words) -> dict:
    assert main(["export", "mesh", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_texture_goes_with_every_format(tmp_path, capsys):
    mesh = two_quads()
    geomface.save_mesh(tmp_path / "m.ply", mesh)
    texture = np.random.default_rng(1).integers(0, 256, (4, 6, 3)).astype(np.float32) / 255
    save_texture(tmp_path / "skin.png", texture, uv_fingerprint(mesh))
    (tmp_path / "out").mkdir()
    for form, unit in (("glb", "m"), ("obj", "mm"), ("ply", "mm")):
        out = tmp_path / "out" / f"m.{form}"
        words = ("--mesh", tmp_path / "m.ply", "--texture", tmp_path / "skin.png", "--out", out)
        record = export(capsys, *words)
        assert record["unit"] == unit and record["textured"] and record["quads"] == 2
        again = geomface.load_mesh(out)
        np.testing.assert_array_equal(again.vertices, mesh.vertices)
        np.testing.assert_array_equal(again.texture, texture)
        assert again.topology_id == mesh.topology_id


def test_triangles_and_split_seams(tmp_path, capsys):
    mesh = two_quads()
    geomface.save_mesh(tmp_path / "m.obj", mesh)
    words = ("--mesh", tmp_path / "m.obj", "--out", tmp_path / "t.ply", "--triangles")
    export(capsys, *words)
    again = geomface.load_mesh(tmp_path / "t.ply")
    assert again.quads is None
    np.testing.assert_array_equal(again.faces, mesh.faces)
    np.testing.assert_array_equal(again.uv[again.uv_faces], mesh.uv[mesh.uv_faces])
    export(capsys, *words[:3], tmp_path / "s.ply", "--split-seams")
    again = geomface.load_mesh(tmp_path / "s.ply")
    assert len(again.vertices) == 8 and len(again.quads) == 2
    np.testing.assert_array_equal(again.vertices[:6], mesh.vertices)
    np.testing.assert_array_equal(again.uv_faces, again.faces)
    both = zip((again, mesh), (again.quads, mesh.quads), strict=True)
    first, second = (item.vertices[quads] for item, quads in both)
    np.testing.assert_array_equal(first, second)
    assert {tuple(row) for row in again.uv} == {tuple(row) for row in mesh.uv}


def test_without_a_name_it_goes_beside_the_mesh_and_overwrites_nothing(tmp_path, capsys):
    geomface.save_mesh(tmp_path / "m.ply", two_quads())
    assert export(capsys, "--mesh", tmp_path / "m.ply")["out"] == str(tmp_path / "m.glb")
    before = (tmp_path / "m.glb").read_bytes()
    assert main(["export", "mesh", "--mesh", str(tmp_path / "m.ply")]) == 1
    assert "--out" in capsys.readouterr().err
    assert (tmp_path / "m.glb").read_bytes() == before


@pytest.mark.parametrize(
    "words, said",
    [
        (("--format", "glb", "--out", "x.obj"), ".glb"),
        (("--out", "x.stl"), ".glb"),
        (("--out", "m.ply"), "input"),
        (("--texture", "none.png", "--out", "x.glb"), "none.png"),
    ],
)
def test_what_cannot_be_is_said(tmp_path, capsys, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    geomface.save_mesh("m.ply", two_quads())
    assert main(["export", "mesh", "--mesh", "m.ply", *words]) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("x.*"))
