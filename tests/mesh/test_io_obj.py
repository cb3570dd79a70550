"""OBJ and MTL as other programs write them."""

import time

import numpy as np
import pytest
from io_samples import CORNER_COLORS, assert_same_mesh, corner_mesh, random_mesh

from geomface.errors import FileFormatError
from geomface.files import load_image, save_image
from geomface.mesh import Mesh
from geomface.mesh.io import load_mesh, read_obj, save_mesh

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def parse(folder, text, **options) -> Mesh:
    path = folder / "m.obj"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_obj(path, **options)


@pytest.mark.parametrize(
    "faces",
    [
        "f 1 2 3\nf 1 3 4\n",
        "f 1//1 2//1 3//1\nf 1//1 3//1 4//1\nvn 0 0 1\n",
        "f -4 -3 -2\nf -4 -2 -1\n",
        "f 1 2 3\nf -4//-1 -2//-1 -1//-1\nvn 0 0 1\n",
        "f   1  2 3 \nf 1 3 4\t\n",
        "f 1 2 3 # first\nf 1 3 4\n",
        "f 1 2 \\\n3\nf 1 3 4\n",
        "g one\ns off\nf 1 2 3\no two\nf 1 3 4\nl 1 2\np 1\n",
        "  f 1 2 3\n\tf 1 3 4\n",
        "f 1 2 3 \nf 1 3 4 \n",
        "f  1 2 3\nf  1 3 4\n",
        "f 1  2 3\nf 1  3 4\n",
        "f 1 2 3 # a\nf 1 3 4 # b\n",
        "f 1//1 2//1 3//1 \nf 1//1 3//1 4//1 \nvn 0 0 1\n",
        "f 1/ 2/ 3/\nf 1/ 3/ 4/\n",
        "f 1// 2// 3//\nf 1// 3// 4//\n",
        "f 1 \\ \n2 \\\n 3\nf 1 3 4\n",
        "# in C:\\scans\\\nf 1 2 3\nf 1 3 4\n",
    ],
    ids="plain normals negative mixed blanks comment continued groups indented trailing leading "
    "doubled comments trailing-normals no-uv nothing continued-twice backslash".split(),
)
def test_ways_to_write_two_triangles(tmp_path, faces):
    for newline in ("\n", "\r\n"):
        mesh = parse(tmp_path, (SQUARE + faces).replace("\n", newline))
        np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
        np.testing.assert_array_equal(mesh.vertices[2], [1, 1, 0])
        assert mesh.uv is None and mesh.quads is None


@pytest.mark.parametrize(
    "faces", ["f 1/1 2/2 3/3\n", "f 1/1/1 2/2/1 3/3/1\nvn 0 0 1\n", "f -4/-3 -3/-2 -2/-1\n"]
)
def test_uv_are_separate_from_vertices(tmp_path, faces):
    mesh = parse(tmp_path, SQUARE + "vt 0.5 0.25\nvt 1 0 0\nvt 0 1\n" + faces)
    np.testing.assert_array_equal(mesh.uv, [[0.5, 0.25], [1, 0], [0, 1]])
    np.testing.assert_array_equal(mesh.uv_faces, [[0, 1, 2]])
    assert len(mesh.vertices) == 4


def test_negative_numbers_count_from_their_line(tmp_path):
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\nv 5 5 5\nv 6 5 5\nv 5 6 5\nf -3 -2 -1\n"
    np.testing.assert_array_equal(parse(tmp_path, text).faces, [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(FileFormatError, match="'v' line that does not exist"):
        parse(tmp_path, "v 0 0 0\nv 1 0 0\nf -3 -2 -1\nv 1 1 1\n")


@pytest.mark.parametrize("face", ["f 0 1 2", "f 1 2 9", "f 1/0 2/1 3/1", "f 1/5 2/1 3/1"])
def test_numbers_that_do_not_exist(tmp_path, face):
    text = SQUARE + "vt 0 0\n" + face + "\n"
    if face == "f 1/0 2/1 3/1":  # some programs write 0 for none
        assert parse(tmp_path, text).uv is None
        return
    with pytest.raises(FileFormatError, match="does not exist"):
        parse(tmp_path, text)


def test_mixed_polygons_become_triangles_in_order(tmp_path, caplog):
    text = "v 0 0 0\nv 2 0 0\nv 2 1 0\nv 0 1 0\nv 1 3 0\nv 9 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    text += "f 1/1 2/2 3/3\nf 1/1 2/2 6/3 4/4\nf 1/1 2/2 3/3 5/4 4/1\n"
    with caplog.at_level("INFO", "geomface"):
        mesh = parse(tmp_path, text)
    assert mesh.quads is None
    # The quad 0 1 5 3 has the shorter diagonal 1 3; the pentagon is a fan.
    expected = [[0, 1, 2], [0, 1, 3], [1, 5, 3], [0, 1, 2], [0, 2, 4], [0, 4, 3]]
    np.testing.assert_array_equal(mesh.faces, expected)
    uv = [[0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 1, 2], [0, 2, 3], [0, 3, 0]]
    np.testing.assert_array_equal(mesh.uv_faces, uv)
    assert "3 polygons of 3 to 5 corners became 6 triangles" in caplog.text


def test_quads_along_the_first_diagonal_when_that_is_shorter(tmp_path):
    text = "v 0 0 0\nv 9 0 0\nv 2 1 0\nv 0 1 0\nf 1 2 3 4\nf 1 2 3\n"
    np.testing.assert_array_equal(parse(tmp_path, text).faces[:2], [[0, 1, 2], [0, 2, 3]])


def test_a_uv_that_only_some_faces_have_is_left_out(tmp_path, caplog):
    mesh = parse(tmp_path, SQUARE + "vt 0 0\nf 1/1 2/1 3/1\nf 1 3 4\n")
    assert mesh.uv is None and mesh.uv_faces is None and len(mesh.faces) == 2
    assert "some faces have no uv" in caplog.text


@pytest.mark.parametrize("scale", [1, 255])
def test_vertex_colors(tmp_path, scale):
    rows = [f"v {k} {k % 2} 0 {scale} 0 {scale * 0.2}" for k in range(4)]
    mesh = parse(tmp_path, "\n".join(rows) + "\nf 1 2 3\n")
    np.testing.assert_allclose(mesh.colors, np.tile([1, 0, 0.2], (4, 1)), atol=1e-7)
    assert parse(tmp_path, "v 0 0 0 1\nv 1 0 0 1\nv 0 1 0 1\nf 1 2 3\n").colors is None


def test_vertices_without_a_color_get_the_mean_of_the_others(tmp_path, caplog):
    colored = ["v 0 0 0 1 0 0", "v 1 0 0", "v 0 1 0 1 0 0.5", "v 1 1 0 1 0 1"]
    mesh = parse(tmp_path, "\n".join(colored) + "\nf 1 2 3\n")
    np.testing.assert_allclose(mesh.colors[:, 2], [0, 0.5, 0.5, 1])
    np.testing.assert_array_equal(mesh.vertices[2], [0, 1, 0])
    assert "1 of 4 vertices (the first is 1) have no colour" in caplog.text


def test_colors_that_most_vertices_lack_are_left_out_with_a_note(tmp_path, caplog):
    mesh = parse(tmp_path, "v 0 0 0 1 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert mesh.colors is None and "only 1 of 3 vertices" in caplog.text


@pytest.mark.parametrize("digits,colored", [("ffff0000ff00ff00ff0000ff", True), ("ff00", False)])
def test_polypaint_of_zbrush(tmp_path, caplog, digits, colored):
    mesh = parse(tmp_path, f"v 0 0 0\nv 1 0 0\nv 0 1 0\n#MRGB {digits}\nf 1 2 3\n")
    if colored:
        np.testing.assert_array_equal(mesh.colors, np.eye(3))
    else:
        assert mesh.colors is None and "#MRGB" in caplog.text
    with pytest.raises(FileFormatError, match="hex digits"):
        parse(tmp_path, "v 0 0 0\n#MRGB gggggggg\nf 1 1 1\n")


def test_colors_out_of_range_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="colours"):
        parse(tmp_path, "v 0 0 0 1 0 -3\nv 1 0 0 1 1 1\nv 0 1 0 1 0 0\nf 1 2 3\n")


TEXTURED = "mtllib {library}\n" + SQUARE + "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"


@pytest.mark.parametrize(
    "reference",
    [
        "skin.png",
        "./skin.png",
        "-s 1 1 1 skin.png",
        "-bm 0.5 my skin.png",
        "C:\\scans\\skin.png",
        "Skin.PNG",
        '"skin.png"',
    ],
)
def test_textures_are_found_beside_the_mtl(tmp_path, reference):
    (tmp_path / "materials").mkdir()
    for name in ("skin.png", "my skin.png"):
        save_image(tmp_path / "materials" / name, corner_mesh().texture)
    (tmp_path / "materials" / "a.mtl").write_text(
        f"# made\nnewmtl m\nKd 1 1 1\nmap_Kd {reference}\n"
    )
    text = TEXTURED.format(library="materials/a.mtl") + "usemtl m\nf 1/1 2/2 3/3 4/4\n"
    texture = parse(tmp_path, text).texture
    np.testing.assert_array_equal(texture, corner_mesh().texture)


def test_a_material_that_no_face_uses_does_not_count(tmp_path, caplog):
    save_image(tmp_path / "a.png", np.zeros((2, 2, 3)))
    save_image(tmp_path / "b.png", np.ones((2, 2, 3)))
    (tmp_path / "m.mtl").write_text("newmtl a\nmap_Kd a.png\nnewmtl b\nmap_Kd b.png\n")
    text = TEXTURED.format(library="m.mtl") + "usemtl a\nf 1/1 2/2 3/3\n"
    assert parse(tmp_path, text).texture.max() == 0.0
    assert not caplog.text


@pytest.mark.parametrize(
    "material",
    [
        "newmtl\tm\nmap_Kd\tskin.png\n",
        "newmtl m\nmap_Ka skin.png\n",
        "newmtl M\nmap_Kd skin.png\n",
    ],
    ids=["tabs", "ambient", "another name"],
)
def test_mtl_as_other_programs_write_it(tmp_path, caplog, material):
    save_image(tmp_path / "skin.png", np.ones((2, 2, 3)))
    (tmp_path / "m.mtl").write_text(material)
    text = TEXTURED.format(library="m.mtl") + "usemtl m\nf 1/1 2/2 3/3\n"
    assert parse(tmp_path, text).texture.min() == 1.0
    assert bool(caplog.text) == ("\t" not in material)


def test_a_missing_picture_is_a_note(tmp_path, caplog):
    (tmp_path / "m.mtl").write_text("newmtl m\nmap_Kd skin.png\n")
    text = TEXTURED.format(library="m.mtl") + "usemtl m\nf 1/1 2/2 3/3\n"
    mesh = parse(tmp_path, text)
    assert mesh.texture is None and mesh.uv is not None
    assert "its texture 'skin.png' is not in" in caplog.text


def test_several_material_files_in_one_line(tmp_path):
    save_image(tmp_path / "b.png", np.ones((2, 2, 3)))
    (tmp_path / "a.mtl").write_text("newmtl a\nKd 1 1 1\n")
    (tmp_path / "b.mtl").write_text("newmtl b\nmap_Kd b.png\n")
    text = TEXTURED.format(library="a.mtl b.mtl") + "usemtl b\nf 1/1 2/2 3/3\n"
    assert parse(tmp_path, text).texture.min() == 1.0


def test_a_missing_mtl_is_said_and_survived(tmp_path, caplog):
    mesh = parse(tmp_path, TEXTURED.format(library="none.mtl") + "f 1/1 2/2 3/3\n")
    assert mesh.texture is None and mesh.uv is not None
    assert "'none.mtl' is not there" in caplog.text


def test_a_texture_without_uv_is_not_looked_for(tmp_path):
    (tmp_path / "m.mtl").write_text("newmtl a\nmap_Kd none.png\n")
    assert parse(tmp_path, "mtllib m.mtl\n" + SQUARE + "usemtl a\nf 1 2 3\n").texture is None


def test_names_with_blanks_and_accents(tmp_path):
    save_mesh(tmp_path / "über face.obj", corner_mesh())
    assert_same_mesh(load_mesh(tmp_path / "über face.obj"), corner_mesh())


def test_files_beside_an_obj(tmp_path):
    save_mesh(tmp_path / "a.b.obj", corner_mesh())
    names = sorted(item.name for item in tmp_path.iterdir())
    assert names == ["a.b.mtl", "a.b.obj", "a.b.texture.png"]
    save_mesh(tmp_path / "plain.obj", corner_mesh().replace(texture=None))
    assert not (tmp_path / "plain.mtl").exists()


def test_the_real_textured_scan(shared_data):
    mesh = load_mesh(shared_data / "james" / "james.obj")
    assert mesh.vertices.shape == (6393, 3) and mesh.faces.shape == (12228, 3)
    assert mesh.texture.shape == (1600, 2400, 3)
    np.testing.assert_array_equal(mesh.vertices[0], [-21.514475, 138.620361, -34.341030])
    np.testing.assert_array_equal(mesh.faces[0], [2260, 4092, 925])
    np.testing.assert_array_equal(mesh.uv_faces[0], [0, 1, 2])
    np.testing.assert_array_equal(mesh.texture, load_image(shared_data / "james" / "james.jpg"))
    # The right way up: the lips are redder than the knitted hat and the forehead below it.
    height, width = mesh.texture.shape[:2]
    uv = np.clip(mesh.uv[mesh.uv_faces].mean(axis=1), 0, 0.9999)
    colors = mesh.texture[((1 - uv[:, 1]) * height).astype(int), (uv[:, 0] * width).astype(int)]
    centers = mesh.vertices[mesh.faces].mean(axis=1)

    def redness(center, radius):
        near = np.linalg.norm(centers[:, :2] - center, axis=1) < radius
        near &= centers[:, 2] > np.median(centers[near, 2])
        red, green, blue = colors[near].mean(axis=0)
        return red / (green + blue)

    assert redness((-12.7, -63.5), 8) > 1.1 * redness((-10, 40), 8)


def test_the_template_keeps_its_quads(shared_data):
    mesh = load_mesh(shared_data / "ict" / "template.obj")
    assert mesh.quads.shape == (9230, 4) and mesh.vertices.shape == (9409, 3)
    with np.load(shared_data / "ict" / "ict_face.npz") as truth:
        np.testing.assert_array_equal(mesh.quads, truth["quads"])
        np.testing.assert_allclose(mesh.vertices, truth["vertices_cm"] * 10, atol=1e-3)


def test_fifty_thousand_vertices_in_a_second(tmp_path):
    side = 224
    grid = np.arange(side * side).reshape(side, side)
    quads = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=-1)
    faces = quads.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    vertices = np.random.default_rng(0).standard_normal((side * side, 3))
    mesh = Mesh(vertices, faces, uv=vertices[:, :2], uv_faces=faces)
    save_mesh(tmp_path / "big.obj", mesh)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        again = load_mesh(tmp_path / "big.obj")
        seconds.append(time.process_time() - start)
    assert_same_mesh(again, mesh)
    assert min(seconds) < 1.0


def test_corner_colors_are_where_the_sample_says():
    texture = corner_mesh().texture
    for (u, v), color in CORNER_COLORS.items():
        np.testing.assert_array_equal(texture[int((1 - v) * 8), int(u * 8)], color)


def test_loading_logs_nothing_for_a_clean_file(tmp_path, caplog):
    save_mesh(tmp_path / "m.obj", random_mesh(1, quads=True, uv="seams"))
    with caplog.at_level("DEBUG", "geomface"):
        load_mesh(tmp_path / "m.obj")
    assert not caplog.records
