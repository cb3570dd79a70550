"""PLY of any encoding, order and type; STL and OFF details."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import assert_same_mesh, corner_mesh, random_mesh

from geomface.errors import FileFormatError
from geomface.files import save_image
from geomface.mesh.io import load_mesh, save_mesh

ENCODINGS = ("ascii", "binary_little_endian", "binary_big_endian")
LETTERS = {"char": "b", "uchar": "B", "short": "h", "ushort": "H", "int": "i", "uint": "I"}
LETTERS |= {"float": "f", "double": "d", "int32": "i", "uint8": "B", "float64": "d"}


def ply_bytes(encoding, elements, comments=()):
    """Write PLY with struct, one value at a time: [(name, [(property, type[, length])], rows)]."""
    lines = ["ply", f"format {encoding} 1.0", *(f"comment {line}" for line in comments)]
    body = b""
    endian = ">" if "big" in encoding else "<"
    for name, properties, rows in elements:
        lines.append(f"element {name} {len(rows)}")
        for label, kind, *length in properties:
            lines.append("property " + (f"list {length[0]} " if length else "") + f"{kind} {label}")
        for row in rows:
            words = []
            for value, (_, kind, *length) in zip(row, properties, strict=True):
                if length:
                    words.append((length[0], len(value)))
                words += [(kind, item) for item in (value if length else [value])]
            if encoding == "ascii":
                body += (" ".join(repr(item) for _, item in words) + "\n").encode()
            else:
                body += b"".join(struct.pack(endian + LETTERS[kind], item) for kind, item in words)
    return ("\n".join([*lines, "end_header"]) + "\n").encode() + body


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ply")


@settings(max_examples=40, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), encoding=st.sampled_from(ENCODINGS))
def test_any_order_type_and_further_content(folder, data, seed, encoding):
    mesh = random_mesh(seed, quads=data.draw(st.booleans()), colors=True)
    polygons = mesh.faces if mesh.quads is None else mesh.quads
    columns = [(axis, "double", mesh.vertices[:, place]) for place, axis in enumerate("xyz")]
    levels = np.round(mesh.colors * 255).astype(int)
    color = data.draw(st.sampled_from(["uchar", "float"]))
    for place, label in enumerate(("red", "green", "blue")):
        values = levels[:, place] if color == "uchar" else mesh.colors[:, place].astype(float)
        columns.append((label, color, values))
    columns += [("alpha", "uchar", levels[:, 0]), ("nx", "float", np.zeros(len(levels)))]
    columns = data.draw(st.permutations(columns))
    values = [
        list(map(float if kind in ("float", "double") else int, column))
        for _, kind, column in columns
    ]
    rows = list(zip(*values, strict=True))
    vertex = ("vertex", [(label, kind) for label, kind, _ in columns], rows)
    index = data.draw(st.sampled_from(["int", "uint", "short", "int32"]))
    length = data.draw(st.sampled_from(["uchar", "int", "uint8", "ushort"]))
    label = data.draw(st.sampled_from(["vertex_indices", "vertex_index"]))
    faces = [[polygon, 7, [1] * (k % 3)] for k, polygon in enumerate(polygons.tolist())]
    properties = [(label, index, length), ("flags", "uchar"), ("names", "short", "uchar")]
    if not data.draw(st.booleans()):  # without the list whose length changes from row to row
        properties, faces = properties[:2], [row[:2] for row in faces]
    elements = [vertex, ("face", properties, faces)]
    if data.draw(st.booleans()):
        elements.insert(1, ("edge", [("vertex1", "int"), ("w", "float", "uchar")], [[1, [2.5]]]))
        elements.insert(0, ("camera", [("view_px", "float")], [[1.0]]))
    path = folder / "m.ply"
    path.write_bytes(ply_bytes(encoding, elements))
    assert_same_mesh(load_mesh(path), mesh)


XYZ = [("x", "float"), ("y", "float"), ("z", "float")]
SQUARE = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
FACES = ("face", [("vertex_indices", "int", "uchar")], [[[0, 1, 2]], [[0, 2, 3]]])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("names", [("s", "t"), ("u", "v"), ("texture_u", "texture_v")])
def test_uv_of_vertices(folder, encoding, names):
    rows = [[*row, *row[:2]] for row in SQUARE]
    properties = [*XYZ, *((name, "float") for name in names)]
    (folder / "m.ply").write_bytes(ply_bytes(encoding, [("vertex", properties, rows), FACES]))
    mesh = load_mesh(folder / "m.ply")
    np.testing.assert_array_equal(mesh.uv, mesh.vertices[:, :2])
    np.testing.assert_array_equal(mesh.uv_faces, mesh.faces)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("seam", [False, True])
def test_texcoord_of_faces(folder, encoding, seam):
    save_image(folder / "skin.png", corner_mesh().texture)
    uv = np.array(SQUARE)[:, :2]
    rows = []
    for face in ([0, 1, 2], [0, 2, 3]):
        corners = uv[face].copy()
        if seam and face == [0, 2, 3]:
            corners[0] = (0.5, 0.5)
        rows.append([face, corners.ravel().tolist(), 0])
    face = ("face", [*FACES[1], ("texcoord", "float", "uchar"), ("texnumber", "int")], rows)
    content = ply_bytes(encoding, [("vertex", XYZ, SQUARE), face], ["TextureFile skin.png"])
    (folder / "m.ply").write_bytes(content)
    mesh = load_mesh(folder / "m.ply")
    expected = np.array([row[1] for row in rows]).reshape(2, 3, 2)
    np.testing.assert_array_equal(mesh.uv[mesh.uv_faces], expected)
    assert len(mesh.vertices) == 4 and len(mesh.uv) == (5 if seam else 4)
    if not seam:
        np.testing.assert_array_equal(mesh.uv_faces, mesh.faces)
    np.testing.assert_array_equal(mesh.texture, corner_mesh().texture)


def test_faces_without_texcoord_among_others(folder, caplog):
    rows = [[[0, 1, 2], [0.0] * 6], [[0, 2, 3], []]]
    face = ("face", [*FACES[1], ("texcoord", "float", "uchar")], rows)
    (folder / "m.ply").write_bytes(ply_bytes(ENCODINGS[1], [("vertex", XYZ, SQUARE), face]))
    assert load_mesh(folder / "m.ply").uv is None
    assert "no texcoord" in caplog.text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_mixed_polygons(folder, encoding):
    square = [*SQUARE, [5.0, 5.0, 0.0]]
    face = ("face", FACES[1], [[[0, 1, 2]], [[0, 1, 2, 3]], [[0, 1, 4, 2, 3]]])
    (folder / "m.ply").write_bytes(ply_bytes(encoding, [("vertex", XYZ, square), face]))
    mesh = load_mesh(folder / "m.ply")
    assert mesh.quads is None and len(mesh.faces) == 6
    np.testing.assert_array_equal(mesh.faces[:3], [[0, 1, 2], [0, 1, 2], [0, 2, 3]])


def test_windows_line_ends_in_the_header(folder):
    for encoding in ENCODINGS:
        content = ply_bytes(encoding, [("vertex", XYZ, SQUARE), FACES])
        head, mark, body = content.partition(b"end_header\n")
        head = (head + mark).replace(b"\n", b"\r\n")
        (folder / "m.ply").write_bytes(head + body)
        assert len(load_mesh(folder / "m.ply").faces) == 2


def test_a_body_that_starts_like_a_line_end(folder):
    rows = [[struct.unpack("<f", b"\n\r\n\n")[0], 0.0, 0.0], *SQUARE[1:]]
    (folder / "m.ply").write_bytes(ply_bytes(ENCODINGS[1], [("vertex", XYZ, rows), FACES]))
    assert load_mesh(folder / "m.ply").vertices[0, 0] == rows[0][0]


def test_unit_comment_and_header_of_our_files(folder):
    save_mesh(folder / "m.ply", random_mesh(0, unit="inch"))
    header = (folder / "m.ply").read_bytes().partition(b"end_header")[0]
    assert b"comment unit inch" in header and b"format binary_little_endian" in header
    assert b"property double x" in header


def test_scans_keep_their_counts(shared_data):
    mesh = load_mesh(shared_data / "scans" / "scan00.ply")
    assert mesh.vertices.shape == (12413, 3) and mesh.faces.shape == (23999, 3)
    assert mesh.colors.shape == (12413, 3) and 0 < mesh.colors.mean() < 1


def test_stl_says_that_it_welds(folder, caplog):
    save_mesh(folder / "m.stl", corner_mesh())
    with caplog.at_level("INFO", "geomface"):
        mesh = load_mesh(folder / "m.stl")
    assert "6 corners with 4 distinct places" in caplog.text
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
    normal = np.frombuffer((folder / "m.stl").read_bytes(), "<f4", 3, 84)
    np.testing.assert_array_equal(normal, [0, 0, 1])


def test_a_binary_stl_that_starts_like_ascii(folder):
    save_mesh(folder / "m.stl", corner_mesh())
    data = (folder / "m.stl").read_bytes()
    (folder / "m.stl").write_bytes(b"solid facet".ljust(80) + data[80:])
    assert len(load_mesh(folder / "m.stl").faces) == 2


@pytest.mark.parametrize(
    "head,vertex_tail,face_tail",
    [
        ("OFF", "", ""),
        ("COFF", " 255 0 51 255", ""),
        ("COFF", " 1.0 0 0.2 1.0", ""),
        ("NOFF", " 0 0 1", ""),
        ("CNOFF", " 0 0 1 255 0 51 255", " 10 20 30"),
        ("STOFF", " 0.5 0.5", ""),
        ("OFF # a comment", "", " 255 0 0"),
    ],
)
def test_kinds_of_off(folder, head, vertex_tail, face_tail):
    vertices = "".join(" ".join(map(str, row)) + vertex_tail + "\n" for row in SQUARE)
    text = f"{head}\n\n# counts\n4 2 0\n{vertices}\n3 0 1 2{face_tail}\n3 0 2 3{face_tail}\n"
    (folder / "m.off").write_text(text)
    mesh = load_mesh(folder / "m.off")
    np.testing.assert_array_equal(mesh.vertices, SQUARE)
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
    if "C" in head:
        np.testing.assert_allclose(mesh.colors, np.tile([1, 0, 0.2], (4, 1)), atol=1e-7)
    else:
        assert mesh.colors is None


@pytest.mark.parametrize("head", ["OFF BINARY", "4OFF", "nOFF", "OFFSET"])
def test_kinds_of_off_that_are_refused(folder, head):
    (folder / "m.off").write_text(f"{head}\n4 2 0\n" + "0 0 0\n" * 4 + "3 0 1 2\n" * 2)
    with pytest.raises(FileFormatError, match=r"m\.off"):
        load_mesh(folder / "m.off")
