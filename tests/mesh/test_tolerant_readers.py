"""Valid text beside the fast path: OFF over several lines, strips, STL without its end."""

import numpy as np
import pytest

from geomface.errors import FileFormatError, MeshError
from geomface.mesh.io import load_mesh, save_mesh
from geomface.mesh.normals import face_normals

SQUARE = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
OFF = {
    "counts": "OFF 4\n2 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n3 0 1 2\n3 0 2 3\n",
    "vertices": "OFF\n4 2 0\n0 0\n0 1 0 0\n1 1\n0 0 1 0\n3 0 1 2\n3 0 2 3\n",
    "faces": "OFF\n4 2 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n3 0\n1 2\n3\n0 2 3\n",
    "one line": "OFF 4 2 0 0 0 0 1 0 0 1 1 0 0 1 0 3 0 1 2 3 0 2 3",
    "comments": "OFF # a\n4 2 0\n0 0 0 # b\n\n1 0 0\n1 1 0\n0 1 0\n3 0 1 # c\n2\n3 0 2 3\n",
    "face colours": "OFF\n4 2 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n3 0\n1 2 9 9 9\n3 0 2 3 9 9 9\n",
    "colours": "COFF\n4 2 0\n0 0 0 255\n0 0 255\n1 0 0 255 0 0 255\n1 1 0 255 0 0 255\n"
    "0 1 0 255 0 0 255\n3 0 1 2\n3 0 2 3\n",
}


@pytest.mark.parametrize("text", OFF.values(), ids=OFF)
def test_off_breaks_lines_where_it_likes(tmp_path, text):
    path = tmp_path / "m.off"
    for newline in ("\n", "\r\n"):
        path.write_bytes(text.replace("\n", newline).encode())
        mesh = load_mesh(path)
        np.testing.assert_array_equal(mesh.vertices, SQUARE)
        np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
        if text.startswith("C"):
            np.testing.assert_array_equal(mesh.colors, np.tile([1, 0, 0], (4, 1)))


@pytest.mark.parametrize("cut", [4, 10, 30, 45, -9, -2])
@pytest.mark.parametrize("text", OFF.values(), ids=OFF)
def test_a_truncated_off_is_refused(tmp_path, text, cut):
    path = tmp_path / "m.off"
    path.write_text(text[:cut])
    with pytest.raises(FileFormatError, match=r"m\.off: "):
        load_mesh(path)


FACET = (
    "facet normal 0 0 1\nouter loop\nvertex {} 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
)


def test_an_stl_without_its_last_line_is_read_with_a_note(tmp_path, caplog):
    path = tmp_path / "m.stl"
    text = "solid a facet and more\n" + FACET.format(0) + FACET.format(-1)
    for end in ("", "ends", "\n \n"):
        path.write_text(text + end)
        assert len(load_mesh(path).faces) == 2 and "endsolid" in caplog.text
        caplog.clear()
    path.write_text(text + "endsolid\n")
    load_mesh(path)
    path.write_text(text.upper().replace("SOLID", "solid", 1) + "END SOLID\n")
    load_mesh(path)
    assert not caplog.text


@pytest.mark.parametrize("end", ["f", "facet normal 0 0 1\n", FACET.format(2)[:-4]])
def test_an_stl_cut_inside_a_facet_is_refused(tmp_path, end):
    path = tmp_path / "m.stl"
    path.write_text("solid\n" + FACET.format(0) + end)
    with pytest.raises(FileFormatError, match="truncated"):
        load_mesh(path)


def strips(folder, rows, extra=""):
    path = folder / "m.ply"
    head = "ply\nformat ascii 1.0\nelement vertex 8\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += f"element tristrips {len(rows)}\nproperty list int int vertex_indices\nend_header\n"
    lines = [f"{place // 2} {place % 2} 0" for place in range(8)]
    lines += [" ".join(map(str, [len(row), *row])) for row in rows]
    path.write_text(head + "\n".join(lines) + "\n" + extra)
    return path


WHOLE = [[0, 2, 1], [2, 3, 1], [4, 6, 5], [6, 7, 5]]


@pytest.mark.parametrize(
    "rows,faces",
    [
        ([[0, 2, 1, 3, -1, 4, 6, 5, 7]], WHOLE),
        ([[0, 2, 1, 3], [4, 6, 5, 7]], WHOLE),
        ([[-1, 0, 2, 1, 3, -1], [4, 6, 5, 7, -1, -1]], WHOLE),
        ([[0, 2, 1, 3, 3, 4, 4, 6, 5, 7]], WHOLE),
        ([[0, 2, 1, -1, 4, 6, 5, -1, 5, 6, 7]], [[0, 2, 1], [4, 6, 5], [5, 6, 7]]),
    ],
    ids="ended rows empty joined odd".split(),
)
def test_triangle_strips_turn_alternately_from_their_start(tmp_path, rows, faces):
    mesh = load_mesh(strips(tmp_path, rows))
    np.testing.assert_array_equal(mesh.faces, faces)
    np.testing.assert_array_equal(face_normals(mesh.vertices, mesh.faces)[:, 2], 1)


@pytest.mark.parametrize(
    "row,message", [([0, 1], "no faces"), ([0, 1, -7], "-7"), ([0, 1, 8], "8")]
)
def test_strips_of_nothing_or_of_vertices_that_are_none(tmp_path, row, message):
    with pytest.raises(MeshError, match=message):
        load_mesh(strips(tmp_path, [row]))


def test_a_strip_keeps_every_bit_of_a_mesh_saved_as_faces(tmp_path):
    mesh = load_mesh(strips(tmp_path, [[0, 2, 1, 3, -1, 4, 6, 5, 7]]))
    save_mesh(tmp_path / "again.ply", mesh)
    np.testing.assert_array_equal(load_mesh(tmp_path / "again.ply").faces, mesh.faces)


@pytest.mark.parametrize("labels", ["red green blue", "diffuse_red diffuse_green diffuse_blue"])
@pytest.mark.parametrize("of", ["vertex", "face"])
def test_ply_colors_by_any_name_and_of_faces(tmp_path, caplog, labels, of):
    colors = "".join(f"property uchar {label}\n" for label in labels.split())
    rows = ["0 0 0", "1 0 0", "0 1 0", "1 1 0"]
    faces = ["3 0 1 2", "3 1 3 2"]
    if of == "vertex":
        rows = [row + " 255 0 51" for row in rows]
    else:
        faces = [faces[0] + " 255 0 0", faces[1] + " 0 0 255"]
    head = "ply\nformat ascii 1.0\nelement vertex 4\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += (colors if of == "vertex" else "") + "element face 2\n"
    head += "property list uchar int vertex_indices\n" + (colors if of == "face" else "")
    path = tmp_path / "m.ply"
    path.write_text(head + "end_header\n" + "\n".join([*rows, *faces]) + "\n")
    found = load_mesh(path).colors
    if of == "vertex":
        np.testing.assert_allclose(found, np.tile([1, 0, 0.2], (4, 1)), atol=1e-7)
    else:
        half = [0.5, 0, 0.5]
        np.testing.assert_allclose(found, [[1, 0, 0], half, half, [0, 0, 1]])
        assert "colours of faces" in caplog.text
