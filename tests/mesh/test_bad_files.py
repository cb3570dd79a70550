"""Bad input of every class for every format: one sentence, never a bare traceback."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import FORMATS, corner_mesh, random_mesh, sample_file

from geomface.errors import (
    FileFormatError,
    GeomfaceError,
    LandmarkError,
    MeshError,
    OutputError,
)
from geomface.files import load_image, load_tensors, read_json, save_image, save_tensors, write_json
from geomface.mesh import LandmarkEmbedding, Landmarks, Template
from geomface.mesh.io import (
    load_embedding,
    load_landmarks,
    load_mesh,
    load_regions,
    load_template,
    save_embedding,
    save_landmarks,
    save_mesh,
    save_regions,
    save_template,
)

LANDMARK_SUFFIXES = (".json", ".pts", ".txt", ".csv", ".pp", ".ljson")
MESH = random_mesh(0)


def load_k(path):
    return load_tensors(path, kind="k", schema=1)


def load_e(path):
    return load_embedding(path, MESH)


def write_samples(folder):
    """Return {name: (path, loader)}: a good file of everything that can be read."""
    samples = {}
    for suffix in FORMATS:
        path = sample_file(folder, suffix, texture=suffix == ".glb")
        samples[f"mesh{suffix}"] = (path, load_mesh)
    plain = random_mesh(4, colors=True)
    theirs = trimesh.Trimesh(plain.vertices, plain.faces, process=False)
    theirs.visual.vertex_colors = np.round(plain.colors * 255).astype(np.uint8)
    for suffix, options in (
        (".obj", {}),
        (".ply", {"encoding": "ascii"}),
        (".glb", {}),
        (".stl", {"file_type": "stl_ascii"}),
        (".off", {}),
    ):
        path = folder / f"foreign{suffix}"
        theirs.export(path, **options)
        samples[path.name] = (path, load_mesh)
    points = np.random.default_rng(0).random((8, 3)) * 100
    points[2] = np.nan
    for suffix in LANDMARK_SUFFIXES:
        path = folder / f"points{suffix}"
        save_landmarks(path, Landmarks(points, "points-8"))
        samples[path.name] = (path, load_landmarks)
    image = np.random.default_rng(0).random((6, 7, 3))
    for name, bits in (("eight.png", 8), ("sixteen.png", 16), ("lossy.jpg", 8)):
        save_image(folder / name, image, bits)
        samples[name] = (folder / name, load_image)
    weights = np.tile([0.25, 0.25, 0.5], (3, 1))
    corners = np.repeat(MESH.faces[:1], 3, axis=0)
    save_embedding(folder / "embedding.json", LandmarkEmbedding(corners, weights), MESH)
    samples["embedding.json"] = (folder / "embedding.json", load_e)
    save_regions(folder / "regions.json", {"nose": np.arange(4)})
    samples["regions.json"] = (folder / "regions.json", load_regions)
    save_tensors(folder / "a.safetensors", {"a": np.arange(9.0)}, kind="k", schema=1)
    samples["a.safetensors"] = (folder / "a.safetensors", load_k)
    return samples


NAMES = (
    *(f"mesh{suffix}" for suffix in FORMATS),
    *(f"foreign{suffix}" for suffix in FORMATS),
    *(f"points{suffix}" for suffix in LANDMARK_SUFFIXES),
    *("eight.png", "sixteen.png", "lossy.jpg"),
    *("embedding.json", "regions.json", "a.safetensors"),
)
# Text of other programs carries no mark of its end: what is left can be a whole smaller mesh.
OPEN_ENDED = ("foreign.obj", "foreign.off", "foreign.ply", "foreign.stl")


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    found = write_samples(tmp_path_factory.mktemp("samples"))
    assert set(found) == set(NAMES)
    return found


def refused(load, path) -> str:
    with pytest.raises(GeomfaceError) as caught:
        load(path)
    message = str(caught.value)
    assert path.name in message and "\n" not in message.strip() and len(message) < 600
    assert message.rstrip().endswith((".", ")", "'"))
    return message


@pytest.mark.parametrize("name", NAMES)
def test_good_samples_load(samples, name):
    path, load = samples[name]
    assert load(path) is not None


@pytest.mark.parametrize("name", NAMES)
def test_missing_empty_folder_and_blank(samples, tmp_path, name):
    load = samples[name][1]
    path = tmp_path / name
    assert "no such file" in refused(load, path)
    path.write_bytes(b"")
    assert "empty" in refused(load, path)
    path.write_bytes(b"  \n \n")
    refused(load, path)
    path.unlink()
    path.mkdir()
    assert "folder" in refused(load, path)


@pytest.mark.parametrize("name", NAMES)
def test_truncated_at_many_places(samples, tmp_path, name):
    path, load = samples[name]
    data = path.read_bytes()
    cuts = {len(data) * tenth // 10 for tenth in range(1, 10)} | {1, 3, 84, len(data) - 3}
    for cut in sorted(cut for cut in cuts if cut < len(data) - 1):
        (tmp_path / name).write_bytes(data[:cut])
        if name in OPEN_ENDED:
            try:
                part = load(tmp_path / name)
            except GeomfaceError as error:
                assert name in str(error)
            else:
                whole = load(path)
                assert len(part.faces) <= len(whole.faces)
                assert len(part.vertices) == len(whole.vertices)
        else:
            refused(load, tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "content",
    [
        b"Dear Sir or Madam,\nthis is a letter and no mesh at all.\n" * 20,
        b"<html><body>404 not found</body></html>",
        bytes(range(256)) * 8,
        b"v f vt o g\n" * 30,
        b"null",
        b"[]",
        b"{}",
        b'{"points": [[[[]]]], "vertices": "no", "version": 3, "groups": {}}',
        b"[" * 100_000,
        "überall Ümläute".encode("latin-1") * 10,
    ],
    ids=["letter", "html", "bytes", "letters", "null", "list", "object", "odd", "deep", "latin"],
)
def test_what_is_not_the_format(samples, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    if name == "regions.json" and content == b"{}":
        assert load_regions(path) == {}
        return
    refused(samples[name][1], path)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(content=st.binary(min_size=1, max_size=300), keep=st.integers(0, 120))
def test_random_bytes_behind_a_good_start(samples, name, content, keep):
    path, load = samples[name]
    damaged = path.with_name(f"random-{name}")
    damaged.write_bytes(path.read_bytes()[:keep] + content)
    try:
        load(damaged)
    except GeomfaceError as error:
        assert damaged.name in str(error)


TOKENS = (
    b"nan",
    b"-1",
    b"9" * 25,
    b"0",
    b"1e400",
    b"\n",
    b"/",
    b"{",
    b'"',
    b"null",
    b"\xff\xff\xff",
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_mutated_files(samples, name, data):
    path, load = samples[name]
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        # Headers are short and matter most.
        last = min(len(content), data.draw(st.sampled_from([100, 600, 10**9]))) - 1
        place = data.draw(st.integers(0, last))
        change = data.draw(st.sampled_from(["byte", "cut", "insert", "replace"]))
        token = data.draw(st.sampled_from(TOKENS))
        if change == "byte":
            content[place] = data.draw(st.integers(0, 255))
        elif change == "cut":
            del content[place : place + data.draw(st.integers(1, 9))]
        elif change == "insert":
            content[place:place] = token
        else:
            content[place : place + len(token)] = token
        content = content or bytearray(b"x")
    damaged = path.with_name(f"mutated-{name}")
    damaged.write_bytes(bytes(content))
    try:
        load(damaged)
    except GeomfaceError as error:
        assert str(error)


def text_mesh(folder, suffix, vertices, faces):
    """Write text meshes by hand, since a Mesh would refuse what is tested here."""
    path = folder / f"bad{suffix}"
    rows = [" ".join(map(str, row)) for row in vertices]
    if suffix == ".obj":
        lines = [f"v {row}" for row in rows]
        lines += ["f " + " ".join(str(corner + 1) for corner in face) for face in faces]
    elif suffix == ".off":
        lines = ["OFF", f"{len(rows)} {len(faces)} 0", *rows]
        lines += [" ".join(map(str, (len(face), *face))) for face in faces]
    elif suffix == ".ply":
        lines = ["ply", "format ascii 1.0", f"element vertex {len(rows)}"]
        lines += [f"property double {axis}" for axis in "xyz"]
        lines += [f"element face {len(faces)}", "property list uchar int vertex_index"]
        lines += ["end_header", *rows, *(" ".join(map(str, (len(f), *f))) for f in faces)]
    elif suffix == ".stl":
        lines = ["solid bad"]
        for face in faces:
            lines += ["facet normal 0 0 1", "outer loop"]
            lines += [f"vertex {rows[corner]}" for corner in face] + ["endloop", "endfacet"]
        lines += ["endsolid bad"]
    else:
        positions = np.array(vertices, np.float32).tobytes()
        indices = np.array(faces, np.uint32).tobytes()
        views = [{"buffer": 0, "byteOffset": 0, "byteLength": len(positions)}]
        views += [{"buffer": 0, "byteOffset": len(positions), "byteLength": len(indices)}]
        accessors = [
            {"bufferView": 0, "componentType": 5126, "count": len(vertices), "type": "VEC3"},
            {"bufferView": 1, "componentType": 5125, "count": 3 * len(faces), "type": "SCALAR"},
        ]
        tree = {
            "asset": {"version": "2.0"},
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
            "accessors": accessors,
            "bufferViews": views,
            "buffers": [{"byteLength": len(positions + indices)}],
        }
        path.write_bytes(glb_bytes(tree, positions + indices))
        return path
    path.write_text("\n".join(lines) + "\n")
    return path


def glb_bytes(tree, binary):
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    chunks = b"".join(
        len(body).to_bytes(4, "little") + kind + body
        for kind, body in ((b"JSON", text), (b"BIN\0", binary))
    )
    return b"glTF" + (2).to_bytes(4, "little") + (12 + len(chunks)).to_bytes(4, "little") + chunks


GOOD = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
FACES = [[0, 1, 2], [0, 2, 3]]


@pytest.mark.parametrize("suffix", FORMATS)
def test_hand_written_meshes_load(tmp_path, suffix):
    mesh = load_mesh(text_mesh(tmp_path, suffix, GOOD, FACES))
    np.testing.assert_array_equal(mesh.vertices[mesh.faces], np.array(GOOD, float)[FACES])


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_vertices_that_are_not_finite(tmp_path, suffix, value):
    bad = [*GOOD[:3], [0, 0, float(value)]]
    path = text_mesh(tmp_path, suffix, bad, FACES)
    assert "NaN or infinity" in refused(load_mesh, path)


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != ".stl"])
@pytest.mark.parametrize("index", [4, 10**6, 2**31 - 1])
def test_face_indices_out_of_range(tmp_path, suffix, index):
    path = text_mesh(tmp_path, suffix, GOOD, [[0, 1, 2], [0, 2, index]])
    assert str(index) in refused(load_mesh, path) or suffix == ".obj"


@pytest.mark.parametrize("suffix", (".ply", ".off"))
def test_negative_face_indices(tmp_path, suffix):
    refused(load_mesh, text_mesh(tmp_path, suffix, GOOD, [[0, 1, -2]]))


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_faces(tmp_path, suffix):
    path = text_mesh(tmp_path, suffix, GOOD, [])
    refused(load_mesh, path)
    if suffix != ".stl":  # an STL without triangles has no vertices either
        with pytest.raises(MeshError, match="no faces"):
            load_mesh(path)


@pytest.mark.parametrize("suffix", (".obj", ".ply", ".off"))
def test_faces_with_two_corners(tmp_path, suffix):
    path = text_mesh(tmp_path, suffix, GOOD, [[0, 1, 2], [0, 1]])
    assert "3 corners" in refused(load_mesh, path)


@pytest.mark.parametrize("suffix", (".obj", ".ply"))
def test_texture_that_cannot_be_read(tmp_path, suffix):
    path = tmp_path / f"square{suffix}"
    save_mesh(path, corner_mesh())
    image = tmp_path / "square.texture.png"
    image.write_bytes(image.read_bytes()[:60])
    assert "texture=False" in refused_naming(path, "square.texture.png")
    assert load_mesh(path, texture=False).texture is None


def refused_naming(path, image):
    with pytest.raises(FileFormatError) as caught:
        load_mesh(path)
    assert image in str(caught.value)
    return str(caught.value)


def test_texture_inside_glb_that_cannot_be_read(tmp_path):
    path = tmp_path / "square.glb"
    save_mesh(path, corner_mesh())
    data = bytearray(path.read_bytes())
    place = data.index(b"IDAT")
    data[place : place + 8] = b"garbage!"
    path.write_bytes(bytes(data))
    with pytest.raises(FileFormatError, match=r"square.glb: its texture.*texture=False"):
        load_mesh(path)
    assert load_mesh(path, texture=False).uv is not None


def writers():
    mesh, image = random_mesh(1), np.zeros((2, 2, 3))
    landmarks = Landmarks(np.eye(3))
    for suffix in FORMATS:
        yield suffix, lambda path: save_mesh(path, mesh)
    yield from (
        (suffix, lambda path: save_landmarks(path, landmarks)) for suffix in LANDMARK_SUFFIXES
    )
    yield ".png", lambda path: save_image(path, image)
    yield ".png", lambda path: save_image(path, image, 16)
    yield ".json", lambda path: write_json(path, {"a": 1})
    yield ".json", lambda path: save_regions(path, {"a": np.arange(2)})
    yield ".json", lambda path: save_embedding(path, LandmarkEmbedding.on_vertices(np.arange(2)))
    yield ".obj", lambda path: save_template(path, Template(mesh))
    yield ".safetensors", lambda path: save_tensors(path, {"a": np.ones(2)}, kind="k", schema=1)


@pytest.mark.parametrize("suffix,write", list(writers()))
def test_outputs_that_cannot_be_written(tmp_path, suffix, write):
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    for place in (blocker / f"out{suffix}", tmp_path / "missing" / f"out{suffix}"):
        with pytest.raises(OutputError, match="does not exist or is not a folder"):
            write(place)
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    with pytest.raises(OutputError, match="got a folder"):
        write(folder)
    with pytest.raises(OutputError):
        write(tmp_path / ("x" * 300 + suffix))
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(["file", folder.name])


@pytest.mark.parametrize("suffix,writes", [(".obj", 3), (".ply", 2), (".glb", 1)])
def test_a_full_disk_leaves_the_old_files(tmp_path, suffix, writes, monkeypatch):
    path = tmp_path / f"mesh{suffix}"
    save_mesh(path, corner_mesh())
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}
    assert len(before) == writes
    for good in range(writes):
        calls = []

        def write(self, data, good=good, calls=calls):
            calls.append(self)
            with self.open("wb") as file:
                file.write(data if len(calls) <= good else data[:10])
            if len(calls) > good:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", write)
        with pytest.raises(OutputError, match=r"mesh.*No space left"):
            save_mesh(path, corner_mesh().replace(unit="cm"))
        assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before


@pytest.mark.parametrize("suffix", (".stl", ".glb"))
def test_coordinates_beyond_the_floats_of_the_format(tmp_path, suffix):
    huge = MESH.replace(vertices=MESH.vertices / np.abs(MESH.vertices).max() * 1e200)
    with pytest.raises(MeshError, match="do not fit the 32-bit floats"):
        save_mesh(tmp_path / f"m{suffix}", huge)
    assert not list(tmp_path.iterdir())


def test_template_files_that_do_not_belong(tmp_path):
    save_mesh(tmp_path / "t.obj", MESH)
    count = len(MESH.vertices)
    write_json(tmp_path / "l.json", {"scheme": "s", "vertices": [0, count]})
    with pytest.raises(LandmarkError, match=rf"l.json.*vertex {count}, the template"):
        load_template(tmp_path / "t.obj", tmp_path / "l.json")
    write_json(tmp_path / "r.json", {"nose": [count]})
    with pytest.raises(MeshError, match=r"r.json.*'nose'"):
        load_template(tmp_path / "t.obj", None, tmp_path / "r.json")
    with pytest.raises(FileFormatError, match="no such file"):
        load_template(tmp_path / "t.obj", tmp_path / "none.json")


def test_json_reader_names_the_file(tmp_path):
    (tmp_path / "a.json").write_text('{"a": NaN}')
    with pytest.raises(FileFormatError, match=r"a.json.*NaN"):
        read_json(tmp_path / "a.json")


def test_scan_and_template_landmarks_are_told_apart(tmp_path):
    save_landmarks(tmp_path / "scan.json", Landmarks(np.eye(3)))
    write_json(tmp_path / "template.json", {"scheme": "s", "vertices": [1]})
    with pytest.raises(LandmarkError, match="landmarks of a scan"):
        load_embedding(tmp_path / "scan.json")
    with pytest.raises(LandmarkError, match="template landmarks"):
        load_landmarks(tmp_path / "template.json")


def test_a_huge_announced_count_takes_no_memory(tmp_path):
    head = "ply\nformat binary_little_endian 1.0\nelement vertex {n}\nproperty float x\n"
    head += "property float y\nproperty float z\nelement face {n}\n"
    head += "property list uchar int vertex_index\nend_header\n"
    for count in (10**9, 10**15, 10**30):
        (tmp_path / "m.ply").write_bytes(head.format(n=count).encode() + bytes(64))
        refused(load_mesh, tmp_path / "m.ply")
        (tmp_path / "m.off").write_text(f"OFF\n{count} {count} 0\n0 0 0\n")
        refused(load_mesh, tmp_path / "m.off")
    empty = "ply\nformat binary_little_endian 1.0\nelement a 999999999999\nend_header\n"
    (tmp_path / "m.ply").write_text(empty)
    refused(load_mesh, tmp_path / "m.ply")


def test_a_small_image_that_unpacks_to_gigabytes(tmp_path):
    import struct
    import zlib

    header = struct.pack(">IIBBBBB", 10**5, 10**5, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(10**6))), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body
        data += struct.pack(">I", zlib.crc32(kind + body))
    (tmp_path / "bomb.png").write_bytes(data)
    refused(load_image, tmp_path / "bomb.png")
