"""Meshes in one pose: one that is moved, turned or mirrored is named, right sets never are."""

from pathlib import Path

import numpy as np
import pytest

from geomface.datasets import load_labelled_faces, save_labelled_faces
from geomface.datasets.one_pose import require_one_pose
from geomface.faces import load_builtin_face
from geomface.learning.errors import DatasetError
from geomface.mesh.rotation import rotation_matrix
from geomface.synthesis import LabelledFacesSettings, draw_labelled_faces

BUILTIN = load_builtin_face()
DRAWN = draw_labelled_faces(BUILTIN, LabelledFacesSettings(people=4, faces=3))
X, Y, Z = np.diag([-1.0, 1, 1]), np.diag([1.0, -1, 1]), np.diag([1.0, 1, -1])
SWAPPED = np.eye(3)[[1, 0, 2]]


def check(vertices: np.ndarray) -> None:
    require_one_pose(Path("set"), vertices, [f"f{row}" for row in range(len(vertices))])


@pytest.mark.parametrize(
    "wanted",
    [
        LabelledFacesSettings(people=40, faces=10),
        LabelledFacesSettings(people=60, faces=4, sigma=2.0),
        LabelledFacesSettings(people=30, faces=4, region="face_core", strength=(1.0, 1.3)),
        LabelledFacesSettings(people=30, faces=4, region="narrow_face", sigma=2.0, seed=3),
        LabelledFacesSettings(people=1, faces=2),
        LabelledFacesSettings(people=1, faces=1),
    ],
)
def test_drawn_faces_are_in_one_pose(wanted) -> None:
    check(draw_labelled_faces(BUILTIN, wanted).vertices)


@pytest.mark.parametrize("count", [2, 3, 12])
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda face: face + [5000.0, 0, 0], "5... mm away, turned by"),
        (lambda face: face + [0, 0, 60.0], "(5|6)[0-9] mm away"),
        (
            lambda face: face @ rotation_matrix(np.array([0, 0.6, 0])).T,
            ".* away, turned by (3|4)[0-9] deg",
        ),
        (
            lambda face: face @ rotation_matrix(np.array([0, 0, np.pi])).T,
            ".* away, turned by 1[78]. deg",
        ),
        (lambda face: face @ X, "mirrored"),
        (lambda face: face @ Y, "mirrored"),
        (lambda face: face @ Z, "mirrored"),
        (lambda face: face @ SWAPPED, "mirrored"),
        (lambda face: face @ X + 5000.0, "mirrored"),
    ],
)
def test_one_that_is_not_as_the_others(count, change, what) -> None:
    vertices = DRAWN.vertices[:count].astype(np.float64)
    vertices[-1] = change(vertices[-1])
    with pytest.raises(DatasetError, match=rf"1 of {count} .*: f{count - 1} \({what}"):
        check(vertices)


def test_a_damaged_mesh_and_many() -> None:
    vertices = np.array(DRAWN.vertices, np.float64)
    vertices[4] = np.random.default_rng(0).permutation(vertices[4])
    with pytest.raises(DatasetError, match=r"1 of 12 .*: f4 \(.*\)\. Put them"):
        check(vertices)
    rng = np.random.default_rng(1)
    for row in range(5):
        vertices[row] = DRAWN.vertices[row] + rng.normal(0, 500, 3)
    with pytest.raises(DatasetError, match="5 of 12 .* and 2 more. Put them into one pose"):
        check(vertices)


def test_the_way_out_works(tmp_path) -> None:
    """What the sentence says turns a refused folder into one that is read; the mirrored never."""
    faces = DRAWN.select([0, 1, 3, 4])
    vertices = np.array(faces.vertices, np.float64)
    vertices[3] = vertices[3] @ rotation_matrix(np.array([0.0, 0, 1])).T + 5000
    moved = type(faces)(faces.template, vertices, faces.names, faces.labels, faces.classes)
    save_labelled_faces(tmp_path / "moved", moved)
    with pytest.raises(DatasetError, match="1 of 4 .* person0001/face001.ply"):
        load_labelled_faces(tmp_path / "moved")
    save_labelled_faces(tmp_path / "new", load_labelled_faces(tmp_path / "moved", align=True))
    again = load_labelled_faces(tmp_path / "new")
    assert np.abs(again.vertices - faces.vertices).max() < 15
    vertices[3] = faces.vertices[3] @ X
    moved = type(faces)(faces.template, vertices, faces.names, faces.labels, faces.classes)
    save_labelled_faces(tmp_path / "mirrored", moved)
    for align in (None, False, True):
        with pytest.raises(DatasetError, match=r"person0001/face001.ply \(mirrored\)"):
            load_labelled_faces(tmp_path / "mirrored", align=align)
