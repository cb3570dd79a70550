"""Several pictures, plain colours, faces without either: each face shows what its material does."""

import json
from pathlib import Path

import numpy as np
import pytest

from geomface.errors import FileFormatError
from geomface.files import save_image
from geomface.geometry_image import bake_texture
from geomface.geometry_image.readout import read_bilinear
from geomface.mesh import Mesh
from geomface.mesh.io import load_mesh, save_mesh

RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
CORNERS = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures: one red, one green below and blue above."""
    save_image(tmp_path / "a.png", np.full((6, 4, 3), RED, np.float32))
    halves = np.empty((8, 8, 3), np.float32)
    halves[:4], halves[4:] = BLUE, GREEN
    save_image(tmp_path / "b.png", halves)
    (tmp_path / "m.mtl").write_text(
        "newmtl a\nmap_Kd a.png\nnewmtl b\nmap_Kd b.png\nnewmtl c\nKd 0.2 0.4 0.6\n"
    )
    return tmp_path


def shown(mesh: Mesh, weights: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)) -> np.ndarray:
    """Return the colour (F, 3) of every face at one place in it."""
    assert mesh.uv is not None and mesh.uv_faces is not None and mesh.texture is not None
    return read_bilinear(mesh.texture, np.einsum("fkc,k->fc", mesh.uv[mesh.uv_faces], weights))


def obj(folder: Path, faces: str) -> Mesh:
    (folder / "m.obj").write_text("mtllib m.mtl\n" + CORNERS + faces)
    return load_mesh(folder / "m.obj")


def test_obj_materials(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    faces = "usemtl b\nf 1/1 2/2 3/3\nusemtl c\nf 1/1 3/3 4/4\nusemtl a\nf 1/1 2/2 3/3\n"
    mesh = obj(folder, faces + "usemtl b\nf 1/1 3/3 4/4\n")
    expected = [GREEN, (0.2, 0.4, 0.6), RED, BLUE]
    np.testing.assert_allclose(shown(mesh), expected, atol=1e-6)
    assert mesh.painted is None and "put together" in caplog.text
    for name in ("again.obj", "again.glb", "again.ply"):
        save_mesh(folder / name, mesh)
        np.testing.assert_allclose(shown(load_mesh(folder / name)), expected, atol=0.003)


def test_faces_without_uv_or_material_are_not_painted(folder: Path) -> None:
    mesh = obj(folder, "usemtl a\nf 1 2 3\nf 1/1 3/3 4/4\nusemtl d\nf 1/1 2/2 3/3\n")
    assert mesh.painted is not None and mesh.painted.tolist() == [False, True, False]
    np.testing.assert_array_equal(shown(mesh)[1], RED)
    assert mesh.replace(vertices=mesh.vertices + 1).painted is not None
    assert mesh.replace(faces=mesh.faces[:1], uv_faces=mesh.faces[:1]).painted is None


def test_uv_beyond_the_picture_repeat_it(folder: Path) -> None:
    far = CORNERS.replace("vt 0 ", "vt 3 ").replace("vt 1 ", "vt 5 ")
    text = far + "usemtl b\nf 1/1 2/2 3/3\nusemtl a\nf 1/1 2/2 3/3\n"
    (folder / "m.obj").write_text("mtllib m.mtl\n" + text)
    mesh = load_mesh(folder / "m.obj")
    for weights, color in (((0.1, 0.8, 0.1), GREEN), ((0.1, 0.1, 0.8), BLUE)):
        np.testing.assert_allclose(shown(mesh, weights), [color, RED], atol=1e-6)


def test_ply_texnumber(folder: Path) -> None:
    rows = "3 0 1 2 6 0 0 1 0 1 1 1\n3 0 2 3 6 0 0 1 1 0 1 0\n3 0 1 2 6 0 0 1 0 1 1 7\n"
    (folder / "m.ply").write_text(
        "ply\nformat ascii 1.0\ncomment TextureFile a.png\ncomment TextureFile b.png\n"
        "element vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 3\nproperty list uchar int vertex_indices\n"
        "property list uchar float texcoord\nproperty int texnumber\nend_header\n"
        "0 0 0\n1 0 0\n1 1 0\n0 1 0\n" + rows
    )
    mesh = load_mesh(folder / "m.ply")
    np.testing.assert_allclose(shown(mesh)[:2], [GREEN, RED], atol=1e-6)
    assert mesh.painted is not None and mesh.painted.tolist() == [True, True, False]


def glb(folder: Path, materials: list[dict], transform: dict | None = None) -> Mesh:
    """Return what is read of one triangle a material, all alike."""
    points = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], "<f4").tobytes()
    uv = np.array([[0, 0.1], [0.4, 0.1], [0, 0.2]], "<f4").tobytes()
    blob = points + uv
    tree = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "material": number}
                    for number in range(len(materials))
                ]
            }
        ],
        "materials": [{"pbrMetallicRoughness": item} for item in materials],
        "textures": [{"source": 0}, {"source": 1}],
        "images": [{"uri": "a.png"}, {"uri": "b.png"}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 3, "type": "VEC2"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(points)},
            {"buffer": 0, "byteOffset": len(points), "byteLength": len(uv)},
        ],
        "buffers": [{"byteLength": len(blob)}],
    }
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    size = [len(text), len(blob), 12 + 16 + len(text) + len(blob)]
    head, one, two = (
        b"glTF" + (2).to_bytes(4, "little") + size[2].to_bytes(4, "little"),
        size[0].to_bytes(4, "little") + b"JSON",
        size[1].to_bytes(4, "little") + b"BIN\0",
    )
    (folder / "m.glb").write_bytes(head + one + text + two + blob)
    return load_mesh(folder / "m.glb")


def test_glb_primitives(folder: Path) -> None:
    materials = [
        {"baseColorTexture": {"index": 1}},
        {"baseColorTexture": {"index": 0}},
        {"baseColorFactor": [0, 0, 1, 1]},
    ]
    np.testing.assert_allclose(shown(glb(folder, materials)), [BLUE, RED, BLUE], atol=1e-6)


def test_a_factor_multiplies_the_picture_in_linear_light(folder: Path) -> None:
    save_image(folder / "b.png", np.full((4, 4, 3), (0.0, 128 / 255, 1.0), np.float32))
    half, picture = {"baseColorFactor": [0.5, 0.5, 0.25, 1]}, {"baseColorTexture": {"index": 1}}
    plain = {"baseColorFactor": [0, 0, 1, 1]}
    mesh = glb(folder, [picture | half, picture, plain])
    # By hand: 128 is 0.2159 of the light; halves of 0.2159 and a quarter of 1 are shown as these.
    tinted = (0.0, 0.3622, 0.5371)
    np.testing.assert_allclose(shown(mesh), [tinted, (0, 128 / 255, 1), BLUE], atol=2e-4)
    np.testing.assert_allclose(shown(glb(folder, [picture | half])), [tinted], atol=2e-4)


def test_glb_texture_transforms(folder: Path) -> None:
    moved = {"KHR_texture_transform": {"offset": [0.5, 0.5], "scale": [0.5, 2.0]}}
    mesh = glb(folder, [{"baseColorTexture": {"index": 1, "extensions": moved}}])
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv, [[0.5, 0.3], [0.7, 0.3], [0.5, 0.1]], atol=1e-6)
    turned = {"KHR_texture_transform": {"rotation": np.pi / 2}}
    mesh = glb(folder, [{"baseColorTexture": {"index": 1, "extensions": turned}}])
    assert mesh.uv is not None
    # A quarter counter-clockwise seen: u right becomes up, v down becomes right.
    np.testing.assert_allclose(mesh.uv, [[0.1, 1.0], [0.1, 1.4], [0.2, 1.0]], atol=1e-6)


def test_a_bake_sees_what_is_painted_and_repeats_what_goes_beyond(folder: Path) -> None:
    square = load_square(folder, "usemtl b\nf 1/1 2/2 3/3\nf 1/1 3/3 4/4\n")
    baked = bake_texture(square, square.vertices, square, 16)
    assert square.uv is not None and baked.mask.all()
    beyond = square.replace(uv=square.uv + (1, -2))
    again = bake_texture(square, square.vertices, beyond, 16)
    np.testing.assert_allclose(again.texture, baked.texture, atol=1e-5)
    half = load_square(folder, "usemtl b\nf 1/1 2/2 3/3\nf 1 3 4\n")
    mask = bake_texture(square, square.vertices, half, 16).mask
    assert 0.4 < mask.mean() < 0.6


def load_square(folder: Path, faces: str) -> Mesh:
    mesh = obj(folder, faces)
    return mesh.replace(vertices=mesh.vertices * 50, painted=mesh.painted)


def test_a_face_without_corners_is_refused(folder: Path) -> None:
    """The last or one between: it must not shift the pictures of the others."""
    head = (
        "ply\nformat ascii 1.0\ncomment TextureFile a.png\nelement vertex 3\n"
        "property float x\nproperty float y\nproperty float z\nproperty float s\n"
        "property float t\nelement face 2\nproperty list uchar int vertex_indices\nend_header\n"
        "0 0 0 0 0\n1 0 0 1 0\n0 1 0 0 1\n"
    )
    for faces in ("3 0 1 2\n0\n", "0\n3 0 1 2\n"):
        (folder / "m.ply").write_text(head + faces)
        with pytest.raises(FileFormatError, match="at least 3 corners in each face"):
            load_mesh(folder / "m.ply")
