"""GLB as other programs write it, and what ours tells viewers."""

import base64
import io
import json
import struct

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import assert_same_mesh, corner_mesh, random_mesh
from PIL import Image

from geomface.errors import FileFormatError
from geomface.files.color import linear_to_srgb, srgb_to_linear
from geomface.files.images import encode_image
from geomface.mesh.io import load_mesh, save_mesh

TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)


class Builder:
    """A glTF tree put together by hand."""

    def __init__(self):
        self.binary = b""
        self.tree = {"asset": {"version": "2.0"}, "bufferViews": [], "accessors": []}
        self.tree |= {"meshes": [], "nodes": []}

    def view(self, data, **more):
        self.binary += b"\0" * (-len(self.binary) % 4)
        entry = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)} | more
        self.tree["bufferViews"].append(entry)
        self.binary += data
        return len(self.tree["bufferViews"]) - 1

    def accessor(self, values, component, kind, view=None, **more):
        view = self.view(np.ascontiguousarray(values).tobytes()) if view is None else view
        entry = {"bufferView": view, "componentType": component, "count": len(values), "type": kind}
        self.tree["accessors"].append(entry | more)
        return len(self.tree["accessors"]) - 1

    def positions(self, values):
        return self.accessor(np.asarray(values, np.float32), 5126, "VEC3")

    def mesh(self, *primitives):
        self.tree["meshes"].append({"primitives": list(primitives)})
        return len(self.tree["meshes"]) - 1

    def node(self, **fields):
        self.tree["nodes"].append(fields)
        return len(self.tree["nodes"]) - 1

    def load(self, folder, **options):
        self.tree["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(self.tree).encode()
        text += b" " * (-len(text) % 4)
        binary = self.binary + b"\0" * (-len(self.binary) % 4)
        chunks = struct.pack("<I", len(text)) + b"JSON" + text
        chunks += struct.pack("<I", len(binary)) + b"BIN\0" + binary
        path = folder / "built.glb"
        path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
        return load_mesh(path, **options)


@pytest.mark.parametrize("component,dtype", [(5121, "u1"), (5123, "<u2"), (5125, "<u4")])
def test_index_types(tmp_path, component, dtype):
    build = Builder()
    indices = build.accessor(np.array([[2], [1], [0]], dtype), component, "SCALAR")
    build.node(
        mesh=build.mesh({"attributes": {"POSITION": build.positions(TRIANGLE)}, "indices": indices})
    )
    mesh = build.load(tmp_path)
    np.testing.assert_array_equal(mesh.faces, [[2, 1, 0]])
    np.testing.assert_array_equal(mesh.vertices, TRIANGLE)
    assert mesh.unit == "m"


def test_without_indices_and_strips_and_fans(tmp_path):
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 2, 0], [1, 2, 0]], float)
    expected = {
        4: [[0, 1, 2], [3, 4, 5]],
        5: [[0, 1, 2], [1, 3, 2], [2, 3, 4], [3, 5, 4]],
        6: [[1, 2, 0], [2, 3, 0], [3, 4, 0], [4, 5, 0]],
    }
    for mode, faces in expected.items():
        build = Builder()
        attributes = {"POSITION": build.positions(points)}
        lines = {"attributes": attributes, "mode": 1}
        build.node(mesh=build.mesh(lines, {"attributes": attributes, "mode": mode}))
        np.testing.assert_array_equal(build.load(tmp_path).faces, faces)


def test_interleaved_and_quantised(tmp_path):
    build = Builder()
    rows = np.zeros(3, [("position", "<f4", 3), ("uv", "<u2", 2), ("color", "u1", 4)])
    rows["position"], rows["uv"] = TRIANGLE, [[0, 0], [65535, 0], [0, 65535]]
    rows["color"] = [[255, 0, 51, 255]] * 3
    view = build.view(rows.tobytes(), byteStride=rows.itemsize)
    attributes = {
        "POSITION": build.accessor(rows, 5126, "VEC3", view),
        "TEXCOORD_0": build.accessor(rows, 5123, "VEC2", view, byteOffset=12, normalized=True),
        "COLOR_0": build.accessor(rows, 5121, "VEC4", view, byteOffset=16, normalized=True),
    }
    build.node(mesh=build.mesh({"attributes": attributes}))
    mesh = build.load(tmp_path)
    np.testing.assert_array_equal(mesh.vertices, TRIANGLE)
    np.testing.assert_array_equal(mesh.uv, [[0, 1], [1, 1], [0, 0]])  # v turned
    np.testing.assert_allclose(mesh.colors, [[1, 0, 0.2]] * 3, atol=1e-7)
    assert mesh.colors.dtype == np.float32


def test_node_transforms_are_applied(tmp_path):
    build = Builder()
    mesh = build.mesh({"attributes": {"POSITION": build.positions(TRIANGLE)}})
    quarter = [0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)]  # about z
    child = build.node(mesh=mesh, translation=[1, 0, 0], scale=[2, 2, 2])
    build.node(children=[child], rotation=quarter, translation=[0, 0, 5])
    moved = TRIANGLE * 2.0 + [1, 0, 0]
    moved = np.stack([-moved[:, 1], moved[:, 0], moved[:, 2] + 5], axis=1)
    np.testing.assert_allclose(build.load(tmp_path).vertices, moved, atol=1e-12)
    build = Builder()
    mesh = build.mesh({"attributes": {"POSITION": build.positions(TRIANGLE)}})
    matrix = np.array([[0, -2, 0, 1], [2, 0, 0, 2], [0, 0, 2, 3], [0, 0, 0, 1]], float)
    build.node(mesh=mesh, matrix=matrix.T.ravel().tolist())
    expected = TRIANGLE @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(build.load(tmp_path).vertices, expected)


def test_a_mirroring_node_keeps_the_outside_outside(tmp_path):
    build = Builder()
    mesh = build.mesh({"attributes": {"POSITION": build.positions(TRIANGLE)}})
    build.node(mesh=mesh, scale=[-1, 1, 1])
    loaded = build.load(tmp_path)
    a, b, c = loaded.vertices[loaded.faces[0]]
    assert np.cross(b - a, c - a)[2] > 0


def test_primitives_are_concatenated_and_shared_vertices_stay_shared(tmp_path):
    build = Builder()
    square = build.positions([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    parts = [
        {
            "attributes": {"POSITION": square},
            "indices": build.accessor(np.array(face, "<u2")[:, None], 5123, "SCALAR"),
        }
        for face in ([0, 1, 2], [0, 2, 3])
    ]
    other = {"attributes": {"POSITION": build.positions(TRIANGLE + 7)}}
    build.node(mesh=build.mesh(*parts, other))
    mesh = build.load(tmp_path)
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3], [4, 5, 6]])
    assert len(mesh.vertices) == 7


def test_only_the_default_scene_is_read(tmp_path):
    build = Builder()
    for shift in (0, 1):
        build.node(mesh=build.mesh({"attributes": {"POSITION": build.positions(TRIANGLE + shift)}}))
    build.tree |= {"scenes": [{"nodes": [0]}, {"nodes": [1]}], "scene": 1}
    np.testing.assert_array_equal(build.load(tmp_path).vertices, TRIANGLE + 1)


def test_unit_by_size(tmp_path, caplog):
    for size, unit in ((0.2, "m"), (200.0, "mm")):
        build = Builder()
        build.node(mesh=build.mesh({"attributes": {"POSITION": build.positions(TRIANGLE * size)}}))
        assert build.load(tmp_path).unit == unit
        assert build.load(tmp_path, unit="cm").unit == "cm"
    assert "cannot be metres" in caplog.text


def test_textures_beside_and_as_data(tmp_path, caplog):
    png = encode_image(corner_mesh().texture, "t")
    (tmp_path / "skin.png").write_bytes(png)
    for uri in ("skin.png", "data:image/png;base64," + base64.b64encode(png).decode()):
        build = Builder()
        uv = build.accessor(np.float32([[0, 1], [1, 1], [0, 0]]), 5126, "VEC2")
        attributes = {"POSITION": build.positions(TRIANGLE), "TEXCOORD_1": uv}
        build.node(mesh=build.mesh({"attributes": attributes, "material": 0}))
        info = {"baseColorTexture": {"index": 0, "texCoord": 1}}
        build.tree |= {"materials": [{"pbrMetallicRoughness": info}]}
        build.tree |= {"textures": [{"source": 0}], "images": [{"uri": uri}]}
        mesh = build.load(tmp_path)
        np.testing.assert_array_equal(mesh.texture, corner_mesh().texture)
        np.testing.assert_array_equal(mesh.uv, TRIANGLE[:, :2])
    build.tree["images"] = [{"uri": "none.png"}]
    assert build.load(tmp_path).texture is None and "none.png" in caplog.text
    assert build.load(tmp_path, texture=False).texture is None


@pytest.mark.parametrize("way", ["webp", "specular", "ktx2"])
def test_textures_of_extensions(tmp_path, caplog, way):
    build = Builder()
    uv = build.accessor(np.float32([[0, 1], [1, 1], [0, 0]]), 5126, "VEC2")
    attributes = {"POSITION": build.positions(TRIANGLE), "TEXCOORD_0": uv}
    build.node(mesh=build.mesh({"attributes": attributes, "material": 0}))
    info, texture = {"index": 0}, {"source": 0}
    material = {"pbrMetallicRoughness": {"baseColorTexture": info}}
    if way == "specular":
        extension = {"diffuseTexture": info, "diffuseFactor": [1, 1, 1, 1]}
        material = {"extensions": {"KHR_materials_pbrSpecularGlossiness": extension}}
    elif way == "webp":
        texture = {"extensions": {"EXT_texture_webp": {"source": 0}}}
    else:
        texture = {"extensions": {"KHR_texture_basisu": {"source": 0}}}
    buffer = io.BytesIO()
    picture = Image.fromarray((corner_mesh().texture * 255).astype(np.uint8))
    picture.save(buffer, "WEBP" if way == "webp" else "PNG", lossless=True)
    uri = "data:image/x;base64," + base64.b64encode(buffer.getvalue()).decode()
    build.tree |= {"materials": [material], "textures": [texture], "images": [{"uri": uri}]}
    mesh = build.load(tmp_path)
    if way == "ktx2":
        assert mesh.texture is None and "KHR_texture_basisu" in caplog.text
    else:
        np.testing.assert_array_equal(mesh.texture, corner_mesh().texture)


def test_a_plain_material_colors_its_vertices(tmp_path):
    build = Builder()
    attributes = {"POSITION": build.positions(TRIANGLE)}
    build.node(mesh=build.mesh({"attributes": attributes, "material": 0}))
    factor = [0, 0.21404114, 1, 1]  # linear; 0.5 in sRGB
    build.tree |= {"materials": [{"pbrMetallicRoughness": {"baseColorFactor": factor}}]}
    np.testing.assert_allclose(build.load(tmp_path).colors, np.tile([0, 0.5, 1], (3, 1)), atol=1e-6)
    build.tree |= {"materials": [{"pbrMetallicRoughness": {}}]}
    assert build.load(tmp_path).colors is None


@pytest.mark.parametrize(
    "spoil,message",
    [
        (lambda tree: tree.update(extensionsRequired=["KHR_draco_mesh_compression"]), "draco"),
        (lambda tree: tree["accessors"][0].update(sparse={}), "sparse"),
        (lambda tree: tree["accessors"][0].update(count=4), "damaged"),
        (lambda tree: tree["accessors"][0].update(byteOffset=-4), "damaged"),
        (lambda tree: tree["bufferViews"][0].update(byteLength=10**9), "truncated"),
        (lambda tree: tree["nodes"][0].update(children=[0]), "two parents"),
        (lambda tree: tree["nodes"][0].update(mesh=3), "damaged"),
        (lambda tree: tree["nodes"][0].update(rotation=[0, 0]), "damaged"),
        (lambda tree: tree["nodes"][0].update(matrix=["a"] * 16), "damaged"),
        (lambda tree: tree.update(scene=5, scenes=[{}]), "damaged"),
    ],
)
def test_damaged_trees(tmp_path, spoil, message):
    build = Builder()
    build.node(mesh=build.mesh({"attributes": {"POSITION": build.positions(TRIANGLE)}}))
    build.tree["scenes"] = [{"nodes": [0]}]
    build.load(tmp_path)
    spoil(build.tree)
    with pytest.raises(FileFormatError, match=rf"built.glb.*{message}"):
        build.load(tmp_path)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), unit=st.sampled_from(["mm", "cm", "m", "inch"]))
def test_viewers_get_metres_and_the_first_vertices_in_order(tmp_path_factory, seed, unit):
    mesh = random_mesh(seed, quads=True, uv="seams", unit=unit)
    path = tmp_path_factory.mktemp("glb") / "m.glb"
    save_mesh(path, mesh)
    scene = trimesh.load(path, process=False)
    (theirs,) = scene.geometry.values()
    raw = np.asarray(theirs.vertices)
    np.testing.assert_array_equal(raw[: len(mesh.vertices)], mesh.vertices.astype(np.float32))
    corners = np.asarray(theirs.visual.uv)[theirs.faces]
    np.testing.assert_allclose(corners, mesh.uv[mesh.uv_faces], atol=1e-6)
    factor = {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "inch": 0.0254}[unit]
    (node,) = scene.graph.nodes_geometry
    np.testing.assert_allclose(scene.graph[node][0], np.diag([factor] * 3 + [1.0]))


def test_a_file_changed_by_another_program_is_read_by_its_triangles(tmp_path, caplog):
    mesh = corner_mesh()
    save_mesh(tmp_path / "m.glb", mesh)
    data = bytearray((tmp_path / "m.glb").read_bytes())
    place = data.index(mesh.vertices.astype(np.float32).tobytes())
    data[place : place + 12] = np.array([-1, 0, 0], "<f4").tobytes()
    (tmp_path / "m.glb").write_bytes(bytes(data))
    changed = load_mesh(tmp_path / "m.glb")
    assert "changed by another program" in caplog.text
    np.testing.assert_allclose(changed.vertices[0], [-0.001, 0, 0], rtol=1e-6)
    assert changed.unit == "m"
    np.testing.assert_array_equal(changed.texture, mesh.texture)


def test_colors_are_linear_for_viewers_and_exact_for_us(tmp_path):
    mesh = random_mesh(4, colors=True, exact_colors=False)
    save_mesh(tmp_path / "m.glb", mesh)
    assert_same_mesh(load_mesh(tmp_path / "m.glb"), mesh)
    values = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-7)
    np.testing.assert_allclose(srgb_to_linear(np.array([0.5])), 0.21404114, atol=1e-8)
