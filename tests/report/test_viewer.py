"""The viewer: what is packed into the page is the mesh, and its script runs."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from geomface.errors import MeshError
from geomface.mesh import Mesh
from geomface.report.viewer import ViewerShape, viewer_html, viewer_script

IMAGE = np.full((8, 8, 3), 0.5, np.float32)


def square(count: int = 4) -> Mesh:
    axis = np.linspace(0, 1, count)
    x, y = np.meshgrid(axis, axis)
    vertices = np.stack([80 * x.ravel(), 90 * y.ravel(), 10 * np.sin(x.ravel())], axis=1)
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([p.ravel() for p in rows], axis=1) for rows in ([a, b, c], [a, c, d])]
    )
    uv = np.stack([x.ravel(), y.ravel()], axis=1)
    return Mesh(vertices, faces, uv=uv, uv_faces=faces)


def data_of(html: str) -> dict:
    block = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert block is not None
    return json.loads(block[1])


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


def test_positions_uv_and_faces_come_back() -> None:
    mesh = square()
    shifted = mesh.vertices + [1000.0, 0, 0]
    eyes = np.array([[1040.0, 45.0, 5.0, 10.0]])
    shapes = [
        ViewerShape("first", mesh.vertices, IMAGE, IMAGE),
        ViewerShape("second", shifted, IMAGE, IMAGE, eyes),
    ]
    data = data_of(viewer_html(mesh, shapes))
    np.testing.assert_array_equal(unpack(data["faces"], "<u2").reshape(-1, 3), mesh.faces)
    uv = unpack(data["uv"], "<u2").reshape(-1, 2) / 65535
    np.testing.assert_allclose(uv, mesh.uv, atol=1e-5)
    middle = (mesh.vertices.max(axis=0) + mesh.vertices.min(axis=0)) / 2
    radius = np.linalg.norm(mesh.vertices - middle, axis=1).max()
    for shape in data["shapes"]:
        positions = unpack(shape["positions"], "<i2").reshape(-1, 3) / 32767 * radius
        np.testing.assert_allclose(positions, mesh.vertices - middle, atol=radius / 32767)
    expected = [0.0, (45 - middle[1]) / radius, (5 - middle[2]) / radius, 10 / radius]
    np.testing.assert_allclose(data["shapes"][1]["eyes"][0], expected, atol=1e-4)


def test_names_cannot_break_out() -> None:
    mesh = square()
    name = '</script><b onclick="x">'
    html = viewer_html(mesh, [ViewerShape(name, mesh.vertices, IMAGE, IMAGE)], note=name)
    assert html.count("</script>") == 1
    assert data_of(html)["shapes"][0]["name"] == name
    assert "<b " not in html


def test_large_meshes_use_wide_indices() -> None:
    mesh = square(260)
    data = data_of(viewer_html(mesh, [ViewerShape("a", mesh.vertices, IMAGE, IMAGE)]))
    assert data["wide"]
    np.testing.assert_array_equal(unpack(data["faces"], "<u4").reshape(-1, 3), mesh.faces)


def test_refusals() -> None:
    mesh = square()
    shape = ViewerShape("a", mesh.vertices, IMAGE, IMAGE)
    with pytest.raises(MeshError, match="one uv a vertex"):
        viewer_html(mesh.replace(uv=None, uv_faces=None), [shape])
    with pytest.raises(MeshError, match="at least one shape"):
        viewer_html(mesh, [])
    with pytest.raises(MeshError, match="viewer shape small"):
        viewer_html(mesh, [ViewerShape("small", mesh.vertices[:-1], IMAGE, IMAGE)])


def test_script_is_valid_javascript(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine to parse the script with")
    path = tmp_path / "viewer.js"
    path.write_text(viewer_script())
    done = subprocess.run([node, "--check", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "http" not in viewer_script()
