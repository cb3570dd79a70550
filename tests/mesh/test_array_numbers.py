"""Indices are whole, colours lie in [0, 1], weights of landmarks sum to 1."""

import numpy as np
import pytest

from geomface.errors import LandmarkError, MeshError
from geomface.mesh import LandmarkEmbedding, Landmarks, Mesh
from geomface.mesh.io import load_mesh

FACE = np.array([[0, 1, 2]])


@pytest.mark.parametrize("bad", [0.9, np.nan, np.inf])
@pytest.mark.parametrize("field", ["faces", "uv_faces"])
def test_fractions_are_no_indices(field, bad):
    arrays = {"faces": FACE, "uv": np.eye(3)[:, :2], "uv_faces": FACE}
    with pytest.raises(MeshError, match=f"{field}: expected whole numbers"):
        Mesh(np.eye(3), **(arrays | {field: np.array([[0.0, bad, 2.0]])}))
    assert Mesh(np.eye(3), FACE.astype(float)).faces.dtype == np.int64


@pytest.mark.parametrize("bad", [255.0, -1.0, np.inf])
def test_colors_lie_between_0_and_1_or_are_not_known(bad):
    colors = np.full((3, 3), 0.5)
    colors[1] = bad
    with pytest.raises(MeshError, match=r"colors: expected values in \[0, 1\].*255"):
        Mesh(np.eye(3), FACE, colors=colors)
    colors[1] = np.nan
    assert np.isnan(Mesh(np.eye(3), FACE, colors=colors).colors[1]).all()


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_sigma_of_a_measured_landmark_is_a_positive_number(bad):
    points, sigma = np.eye(3), np.array([1.0, bad, 2.0])
    with pytest.raises(LandmarkError, match="sigma_mm: expected a positive standard deviation"):
        Landmarks(points, sigma_mm=sigma)
    points[1] = np.nan
    assert Landmarks(points, sigma_mm=sigma).sigma(1.0)[2] == 2.0


@pytest.mark.parametrize("row", [(2.0, 2.0, 1.0), (0.0, 0.0, 0.0), (0.5, np.nan, 0.5)])
def test_weights_of_an_embedding_sum_to_1(row):
    with pytest.raises(LandmarkError, match="landmark weights"):
        LandmarkEmbedding(FACE, np.array([row]))
    with pytest.raises(LandmarkError, match="landmark vertices: expected whole numbers"):
        LandmarkEmbedding(FACE + 0.5, np.array([[1.0, 0.0, 0.0]]))


@pytest.mark.parametrize("suffix", ["obj", "off", "ply"])
def test_vertices_of_nan_that_no_face_uses_are_a_note(tmp_path, caplog, suffix):
    path = tmp_path / f"scan.{suffix}"
    rows = ["0 0 0", "nan nan nan", "1 0 0", "0 1 0"]
    if suffix == "obj":
        lines = [*(f"v {row}" for row in rows), "f 1 3 4"]
    elif suffix == "off":
        lines = ["OFF", "4 1 0", *rows, "3 0 2 3"]
    else:
        axes = [f"property float {axis}" for axis in "xyz"]
        head = ["ply", "format ascii 1.0", "element vertex 4", *axes, "element face 1"]
        lines = [*head, "property list uchar int vertex_indices", "end_header", *rows, "3 0 2 3"]
    path.write_text("\n".join(lines) + "\n")
    mesh = load_mesh(path)
    np.testing.assert_array_equal(mesh.faces, [[0, 2, 3]])
    np.testing.assert_array_equal(mesh.vertices[1], mesh.vertices[0])
    assert "1 vertices that no face uses hold NaN" in caplog.text
    path.write_text("\n".join(lines).replace("1 0 0", "nan 0 0") + "\n")
    with pytest.raises(MeshError, match="NaN or infinity"):
        load_mesh(path)
