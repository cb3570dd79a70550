"""Files that a mesh names are read from its folder, or from one that the user names."""

import json

import numpy as np
import pytest
from io_samples import corner_mesh

from geomface.errors import FileFormatError
from geomface.files import save_image
from geomface.mesh.io import load_mesh, save_mesh
from geomface.mesh.io.glb_scene import open_container, write_container

SECRET = np.full((2, 2, 3), 1.0)


@pytest.fixture
def scan(tmp_path):
    """Return a folder with a textured OBJ, PLY and GLB, beside a folder with another picture."""
    folder = tmp_path / "scan"
    (folder / "maps").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    save_image(tmp_path / "elsewhere" / "secret.png", SECRET)
    (folder / "link.png").symlink_to(tmp_path / "elsewhere" / "secret.png")
    save_image(folder / "maps" / "skin.png", corner_mesh().texture)
    return folder


def named(folder, suffix, reference):
    """Write a mesh whose texture is `reference`."""
    path = folder / f"m{suffix}"
    mesh = corner_mesh()
    if suffix == ".obj":
        save_mesh(path, mesh)
        (folder / "m.mtl").write_text(f"newmtl textured\nmap_Kd {reference}\n")
    elif suffix == ".ply":
        save_mesh(path, mesh)
        path.write_bytes(path.read_bytes().replace(b"m.texture.png", reference.encode()))
    else:
        save_mesh(path, mesh)
        container = open_container(path, path.name)
        tree = container.tree | {"images": [{"uri": reference}], "extras": {}}
        write_container(path, tree, container.binary)
    (folder / "m.texture.png").unlink(missing_ok=True)
    return path


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_a_picture_below_the_folder_is_read(scan, suffix):
    np.testing.assert_array_equal(
        load_mesh(named(scan, suffix, "maps/skin.png")).texture, corner_mesh().texture
    )


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
@pytest.mark.parametrize("where", ["../elsewhere/secret.png", "absolute", "link.png", "none.png"])
def test_a_picture_elsewhere_is_not_read_but_said(scan, caplog, suffix, where):
    secret = scan.parent / "elsewhere" / "secret.png"
    path = named(scan, suffix, str(secret) if where == "absolute" else where)
    mesh = load_mesh(path)
    assert mesh.texture is None and mesh.uv is not None
    assert "texture" in caplog.text and "--textures" in caplog.text
    if where in ("../elsewhere/secret.png", "absolute") and suffix != ".glb":
        # Named by the user: found there by its bare name.
        np.testing.assert_array_equal(load_mesh(path, texture=secret.parent).texture, SECRET)


def test_a_material_file_elsewhere_is_not_read(scan, caplog):
    (scan.parent / "elsewhere" / "m.mtl").write_text("newmtl textured\nmap_Kd secret.png\n")
    path = named(scan, ".obj", "maps/skin.png")
    path.write_bytes(path.read_bytes().replace(b"mtllib m.mtl", b"mtllib ../elsewhere/m.mtl"))
    (scan / "m.mtl").unlink()
    assert load_mesh(path).texture is None and "is not there" in caplog.text


@pytest.mark.parametrize("uri", ["../elsewhere/m.bin", "%2e%2e/elsewhere/m.bin", "/etc/passwd"])
def test_a_buffer_elsewhere_is_refused(scan, uri):
    path = named(scan, ".glb", "maps/skin.png")
    container = open_container(path, path.name)
    (scan.parent / "elsewhere" / "m.bin").write_bytes(container.binary)
    tree = json.loads(json.dumps(container.tree))
    tree["buffers"][0]["uri"] = uri
    write_container(path, tree, b"")
    with pytest.raises(FileFormatError, match="its buffer .* is not in"):
        load_mesh(path)
    (scan / "m.bin").write_bytes(container.binary)
    tree["buffers"][0]["uri"] = "m.bin"
    write_container(path, tree, b"")
    assert len(load_mesh(path).vertices) >= 4
