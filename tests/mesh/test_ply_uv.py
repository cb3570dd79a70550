"""Where uv lie in a PLY: at the vertices unless there are seams."""

import numpy as np
import pytest
from io_samples import assert_same_mesh, corner_mesh, random_mesh

from geomface.errors import GeomfaceError
from geomface.mesh import Mesh
from geomface.mesh.io import load_mesh, save_mesh


def header_of(path):
    return path.read_bytes().partition(b"end_header\n")[0].decode().splitlines()


def test_one_uv_a_vertex_is_written_at_the_vertices_and_nowhere_else(tmp_path):
    for quads in (False, True):
        mesh = random_mesh(3, quads=quads, uv="vertex", colors=True, texture=True)
        save_mesh(tmp_path / "m.ply", mesh)
        lines = header_of(tmp_path / "m.ply")
        elements = [line for line in lines if line.startswith("element")]
        assert [line.split()[1] for line in elements] == ["vertex", "face"]
        behind = lines[lines.index(elements[1]) + 1 :]
        assert behind == ["property list uchar int vertex_indices"]
        assert "property float s" in lines and "property float t" in lines
        assert "property int uv_index" not in lines
        assert_same_mesh(load_mesh(tmp_path / "m.ply"), mesh)


@pytest.mark.parametrize("quads", [False, True])
def test_uv_in_another_order_than_the_vertices(tmp_path, quads):
    mesh = random_mesh(4, quads=quads, uv="vertex")
    order = np.random.default_rng(0).permutation(len(mesh.uv))
    used = np.unique(order[mesh.faces])
    uv_faces = np.searchsorted(used, order[mesh.faces])  # a vertex of no face has no uv
    mesh = mesh.replace(uv=mesh.uv[: len(used)], uv_faces=uv_faces)
    save_mesh(tmp_path / "m.ply", mesh)
    assert "property int uv_index" in header_of(tmp_path / "m.ply")
    assert not any("element uv" in line for line in header_of(tmp_path / "m.ply"))
    assert_same_mesh(load_mesh(tmp_path / "m.ply"), mesh)


def test_a_uv_of_no_vertex_is_kept(tmp_path):
    mesh = corner_mesh()
    mesh = mesh.replace(uv=np.vstack([mesh.uv, [0.25, 0.75]]))
    save_mesh(tmp_path / "m.ply", mesh)
    assert_same_mesh(load_mesh(tmp_path / "m.ply"), mesh)


@pytest.mark.parametrize("quads", [False, True])
def test_seams_are_at_the_corners_and_quads_have_no_texcoord(tmp_path, quads):
    square = corner_mesh()
    uv, corners = np.vstack([square.uv, square.uv[::-1] / 2]), [[0, 1, 2, 3], [4, 5, 6, 7]]
    vertices = np.vstack([square.vertices, square.vertices + (2, 0, 0)])
    polygons = np.array([[0, 1, 2, 3], [1, 4, 7, 2]])
    mesh = Mesh(vertices, quads=polygons, name="two")
    lookup = {(f, v): u for f in (0, 1) for v, u in zip(polygons[f], corners[f], strict=True)}
    uv_faces = [[lookup[place // 2, v] for v in face] for place, face in enumerate(mesh.faces)]
    mesh = mesh.replace(uv=uv, uv_faces=np.array(uv_faces), texture=square.texture)
    mesh = mesh if quads else mesh.replace(quads=None)
    save_mesh(tmp_path / "m.ply", mesh)
    lines = header_of(tmp_path / "m.ply")
    assert ("property list uchar float texcoord" in lines) is not quads
    assert f"element uv {len(uv)}" in lines and "property float s" not in lines
    assert_same_mesh(load_mesh(tmp_path / "m.ply"), mesh)


def test_a_uv_index_that_is_damaged_is_refused(tmp_path):
    mesh = corner_mesh()
    mesh = mesh.replace(uv=mesh.uv[::-1], uv_faces=3 - mesh.faces)
    path = tmp_path / "m.ply"
    save_mesh(path, mesh)
    head, mark, body = path.read_bytes().partition(b"end_header\n")
    row = 3 * 8 + 2 * 4 + 2 * 8 + 4
    for number in (-1, 2**30):
        wrong = body[: row - 4] + number.to_bytes(4, "little", signed=True) + body[row:]
        path.write_bytes(head + mark + wrong)
        with pytest.raises(GeomfaceError, match=r"m\.ply"):
            load_mesh(path)
