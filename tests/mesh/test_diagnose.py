"""What real scans have: found, named, and left alone."""

import time

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from geomface.mesh import Mesh
from geomface.mesh.diagnose import (
    diagnose_scan,
    first_at_same_place,
)
from geomface.mesh.io import load_mesh


def sphere(center=(0, 0, 0), radius=150.0, subdivisions=2) -> Mesh:
    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return Mesh(np.asarray(ball.vertices) + center, np.asarray(ball.faces), name="ball")


def joined(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]),
    )


def test_a_clean_scan_has_nothing_to_say():
    found = diagnose_scan(sphere())
    assert found.notes == () and found.components == 1 and found.unit_factor == 1.0
    assert found.unit_guess == "mm"
    assert not found.degenerate_faces.any() and (found.component_labels == 0).all()
    for empty in (found.nonmanifold_edges, found.isolated_vertices, found.duplicate_vertices):
        assert len(empty) == 0


def test_components_are_sorted_by_size():
    small, large = sphere((500, 0, 0), 10, 0), sphere()
    found = diagnose_scan(joined(small, large))
    assert found.components == 2
    expected = [1] * len(small.vertices) + [0] * len(large.vertices)
    np.testing.assert_array_equal(found.component_labels, expected)
    assert found.notes[0].startswith("2 separate parts, the largest with 94.1 %")
    # The far part does not change the size that the unit is judged by.
    assert found.unit_guess == "mm"


def test_nonmanifold_edges():
    fan = np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4], [2, 1, 4]])
    vertices = np.array([[0, 0, 0], [300, 0, 0], [0, 100, 0], [0, -100, 0], [0, 0, 100.0]])
    found = diagnose_scan(Mesh(vertices, fan))
    np.testing.assert_array_equal(found.nonmanifold_edges, [[0, 1]])
    assert found.notes == ("1 edge with more than two triangles: used as they are.",)


def test_isolated_and_duplicate_vertices():
    ball = sphere()
    count = len(ball.vertices)
    faces = ball.faces.copy()
    # Vertex 0 is cut in two: its first triangle gets a copy of its own.
    row = int((faces == 0).any(axis=1).argmax())
    faces[row] = np.where(faces[row] == 0, count + 2, faces[row])
    vertices = np.concatenate([ball.vertices, [[999, 0, 0], ball.vertices[5]], ball.vertices[:1]])
    found = diagnose_scan(Mesh(vertices, faces))
    np.testing.assert_array_equal(found.isolated_vertices, [count, count + 1])
    np.testing.assert_array_equal(found.duplicate_vertices, [count + 2])
    np.testing.assert_array_equal(found.component_labels[-3:], [-1, -1, 0])
    assert found.weld[count + 2] == 0 and found.weld[count + 1] == 5
    assert found.components == 1  # a seam is no gap
    assert [note.split()[0] for note in found.notes] == ["2", "1"]


def test_triangle_soup_is_one_part():
    ball = sphere()
    soup = Mesh(
        ball.vertices[ball.faces].reshape(-1, 3), np.arange(3 * len(ball.faces)).reshape(-1, 3)
    )
    found = diagnose_scan(soup)
    assert found.components == 1 and len(found.nonmanifold_edges) == 0
    assert len(found.duplicate_vertices) == len(soup.vertices) - len(ball.vertices)


def test_degenerate_triangles_are_marked_and_nothing_else():
    ball = sphere()
    count = len(ball.vertices)
    middle = ball.vertices[ball.faces[0, :2]].mean(axis=0)
    vertices = np.concatenate([ball.vertices, [middle]])
    a, b, _ = ball.faces[0]
    flat = [[0, 0, 1], [a, b, count], [2, 2, 2]]
    found = diagnose_scan(Mesh(vertices, np.concatenate([ball.faces, flat])))
    assert found.degenerate_faces[-3:].all() and found.degenerate_faces.sum() == 3
    assert found.notes == ("3 triangles without area: set aside, kept in the file.",)


def test_thin_triangles_are_not_degenerate():
    vertices = np.array([[0, 0, 0], [300, 0, 0], [150, 1e-4, 0.0]])
    assert not diagnose_scan(Mesh(vertices, [[0, 1, 2]])).degenerate_faces.any()
    assert diagnose_scan(Mesh(vertices * [1, 0, 0], [[0, 1, 2]])).degenerate_faces.all()


@settings(max_examples=40, deadline=None)
@given(
    size=st.floats(225, 555),
    unit=st.sampled_from([("mm", 1.0), ("cm", 10.0), ("inch", 25.4), ("m", 1000.0)]),
)
def test_unit_by_size(size, unit):
    name, factor = unit
    ball = sphere(radius=1.0, subdivisions=1)
    vertices = ball.vertices * (size / factor / ball.diagonal)
    found = diagnose_scan(ball.replace(vertices=vertices))
    assert (found.unit_guess, found.unit_factor) == (name, factor)
    assert len(found.notes) == (name != "mm")
    if name != "mm":
        assert f"multiplied by {factor:g}" in found.notes[0]
    # The file said so itself.
    said = diagnose_scan(ball.replace(vertices=vertices, unit=name))
    assert said.unit_factor == factor


@pytest.mark.parametrize("size", [140.0, 180.0, 700.0, 1200.0])
def test_parts_of_faces_and_busts_stay_millimetres(size):
    ball = sphere()
    found = diagnose_scan(ball.replace(vertices=ball.vertices * (size / ball.diagonal)))
    assert found.unit_factor == 1.0 and found.notes == ()


def test_a_size_that_fits_nothing_is_taken_for_a_head_and_said():
    ball = sphere(radius=1e7)
    found = diagnose_scan(ball)
    assert found.unit_factor * ball.diagonal == pytest.approx(350.0)
    assert "no known unit" in found.notes[0] and "--unit" in found.notes[0]


def test_landmark_scale_decides_the_unit():
    ball = sphere(radius=10.0)  # 35 across: by its size, centimetres
    assert diagnose_scan(ball).unit_guess == "cm"
    assert diagnose_scan(ball, scale_to_template=24.0).unit_guess == "inch"
    assert diagnose_scan(ball, scale_to_template=1.2).notes == ()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 60))
def test_weld_is_the_first_equal_vertex(seed, count):
    vertices = np.random.default_rng(seed).integers(-1, 3, (count, 3)) * 0.5
    weld = first_at_same_place(vertices)
    equal = (vertices[:, None] == vertices[None]).all(axis=2)
    np.testing.assert_array_equal(weld, equal.argmax(axis=1))


def test_real_scans_in_thirty_milliseconds(shared_data):
    mesh = load_mesh(shared_data / "scans" / "scan00.ply")
    seconds = []
    for _ in range(8):
        start = time.process_time()
        found = diagnose_scan(mesh)
        seconds.append(time.process_time() - start)
    assert found.components == 1 and found.unit_factor == 1.0
    assert min(seconds) < 0.05  # 20 ms as a rule
    assert (
        diagnose_scan(load_mesh(shared_data / "james" / "james.obj", texture=False)).components == 6
    )


def test_triangles_that_lie_twice_are_named():
    ball = sphere()
    twice = np.concatenate([ball.faces, ball.faces[:5], ball.faces[:7, ::-1]])
    found = diagnose_scan(ball.replace(faces=twice))
    assert found.repeated_faces[len(ball.faces) :].all() and found.repeated_faces.sum() == 12
    assert len(found.nonmanifold_edges) == 0
    assert any("12 triangles at the place of another" in note for note in found.notes)


def test_absurd_coordinates_give_no_warning():
    vertices = np.array([[1e300, 0, 0], [0, -1e300, 0], [0, 0, 1e300]])
    assert diagnose_scan(Mesh(vertices, [[0, 1, 2]])).unit_factor == 1.0
